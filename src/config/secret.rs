//! Keeps passwords out of what is shown.

use std::borrow::Cow;

const HIDDEN: &str = "***";

/// `text` with the password of a URL replaced: `scheme://user:***@host`, and `password=***` in its query.
///
/// Hides rather too much than too little: a password may itself hold `/`, `?` or `@` that should have been escaped.
pub fn hide_password(text: &str) -> Cow<'_, str> {
    match hide_user_info(text) {
        Some(hidden) => Cow::Owned(hide_parameter(&hidden).unwrap_or(hidden)),
        None => hide_parameter(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

fn hide_user_info(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let at = if authority.contains('@') {
        authority.rfind('@')?
    } else {
        // No `@` where it belongs: `host:80/@name` is harmless, `user:pass/word@host` is a password with a slash in it.
        let (_, port) = authority.split_once(':')?;
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        rest.rfind('@')?
    };
    let (user_info, host) = rest.split_at(at);
    let (user, _) = user_info.split_once(':')?;
    Some(format!("{scheme}://{user}:{HIDDEN}{host}"))
}

fn hide_parameter(text: &str) -> Option<String> {
    let start = text.find("password=")? + "password=".len();
    let end = text[start..].find('&').map_or(text.len(), |length| start + length);
    Some(format!("{}{HIDDEN}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let shown = |text| hide_password(text).into_owned();

        assert_eq!(shown("postgres://u:secret@db/uptime"), "postgres://u:***@db/uptime");
        assert_eq!(shown("postgres://u:sec/r@t@db/uptime"), "postgres://u:***@db/uptime");
        assert_eq!(
            shown("postgres://db/uptime?password=secret&x=1"),
            "postgres://db/uptime?password=***&x=1"
        );
    }

    #[test]
    fn what_is_no_password_stays_as_it_is() {
        for text in ["sqlite://data/uptime.db", "https://host:80/@user", "https://user@host/", "uptime", ""] {
            assert_eq!(hide_password(text), text);
        }
    }
}
