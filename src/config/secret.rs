//! Keeps passwords out of what is shown.

use std::borrow::Cow;

use super::fault::Fault;
use crate::model::secret::{HIDDEN, hide_parameters, is_secret_name};
use crate::postgres_url::PostgresUrl;

/// Whether the setting `key`, dotted or not, holds a secret and nothing else.
pub(super) fn is_secret_key(key: &str) -> bool {
    is_secret_name(key.rsplit('.').next().unwrap_or(key))
}

/// Refuses what we show instead of a secret: somebody has copied it from there. A secret may well hold it.
pub(super) fn real(secret: &str) -> Result<(), Fault> {
    if secret == HIDDEN { Err(copied()) } else { Ok(()) }
}

/// The same for a URL, in which it may stand anywhere.
pub(super) fn real_url(url: &str) -> Result<(), Fault> {
    if url.contains(HIDDEN) { Err(copied()) } else { Ok(()) }
}

fn copied() -> Fault {
    let remedy =
        "write the secret itself, ${NAME}, or its file; `sites export` writes sites with their secrets";
    Fault::new(format!("holds {HIDDEN}, which is shown instead of a secret"), remedy)
}

/// `text` with the secrets of a URL replaced: `scheme://user:***@host` (over http a user alone may be a token, and is
/// replaced, too), and the values of parameters such as `password` or `token`.
///
/// Hides rather too much than too little: a password may itself hold `/`, `?` or `@` that should have been escaped.
pub fn hide_password(text: &str) -> Cow<'_, str> {
    if is_connection_string(text) {
        return Cow::Borrowed(HIDDEN);
    }
    if let Some(scheme) = unreadable_postgres(text) {
        return Cow::Owned(format!("{scheme}://{HIDDEN}"));
    }
    match hide_user_info(text) {
        Some(hidden) => Cow::Owned(hide_parameters(&hidden).into_owned()),
        None => hide_parameters(text),
    }
}

/// Whether it is what libpq (`host=h password=p`) or ODBC (`Server=h;Pwd=p`) takes instead of a URL, with a password: both have
/// ways to quote values, so where that one ends is anybody's guess.
fn is_connection_string(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let is_secret = |name: &str| name.chars().all(is_part) && is_secret_name(name);
    !text.contains("://") && text.match_indices('=').any(|(at, _)| is_secret(last_word(&text[..at])))
}

fn last_word(text: &str) -> &str {
    let separates = |letter: char| letter.is_whitespace() || matches!(letter, ';' | ',' | '=');
    text.trim_end().rsplit(separates).next().unwrap_or_default()
}

/// The scheme of a PostgreSQL URL that cannot be read: any part of such a one may be a piece of the password.
fn unreadable_postgres(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_ours = scheme.ends_with("postgres") || scheme.ends_with("postgresql");
    let url = &text[scheme.rfind("postgres")?..];
    (is_ours && PostgresUrl::parse(url).is_err()).then_some(scheme)
}

fn hide_user_info(text: &str) -> Option<String> {
    let Some((scheme, rest)) = text.split_once("://") else { return hide_bare_user_info(text) };
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
    let is_http = scheme.to_ascii_lowercase().trim_end_matches('s').ends_with("http");
    match user_info.split_once(':') {
        Some((user, _)) => Some(format!("{scheme}://{user}:{HIDDEN}{host}")),
        None => is_http.then(|| format!("{scheme}://{HIDDEN}{host}")),
    }
}

/// `user:password@host` without a scheme. Of `//user@host` the user may be a token.
fn hide_bare_user_info(text: &str) -> Option<String> {
    let (user_info, host) = text.split_at(text.rfind('@')?);
    if text.starts_with("//") && !user_info.contains(':') {
        return Some(format!("//{HIDDEN}{host}"));
    }
    let (user, _) = user_info.split_once(':').filter(|_| !user_info.contains(char::is_whitespace))?;
    Some(format!("{user}:{HIDDEN}{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let shown = |text| hide_password(text).into_owned();

        assert_eq!(shown("postgres://u:secret@db/uptime"), "postgres://u:***@db/uptime");
        assert_eq!(shown("https://u:sec/r@t@db/uptime"), "https://u:***@db/uptime");
        assert_eq!(shown("u:secret@kafka:9092"), "u:***@kafka:9092");
        assert_eq!(
            shown("postgres://db/uptime?password=secret&sslmode=disable"),
            "postgres://db/uptime?password=***&sslmode=disable"
        );
    }

    #[test]
    fn a_user_alone_may_be_a_token_over_http() {
        assert_eq!(hide_password("https://ghp_1234@host/"), "https://***@host/");
    }

    #[test]
    fn of_what_other_programs_take_instead_of_a_url_nothing_is_shown() {
        for text in [
            "host=h user=u password=hunter2 dbname=d",
            "password = 'hunter2 hunter2' host=h",
            "PASSWORD=hunter2;Server=h",
            "Server=h;Pwd=hunter2",
            "user=u,pass=hunter2",
            "host=h\tpassword=hunter2",
        ] {
            assert_eq!(hide_password(text), "***");
        }
        for text in ["host=h dbname=d", "$[?@.key == 'x']", "a=b", "=", "info,uptime_monitor::auth=debug"] {
            assert_eq!(hide_password(text), text);
        }
    }

    #[test]
    fn a_user_alone_is_hidden_where_the_scheme_was_forgotten() {
        assert_eq!(hide_password("//hunter2@h/"), "//***@h/");
        assert_eq!(hide_password("//u:hunter2@h/"), "//u:***@h/");
        assert_eq!(hide_password("ops@example.org"), "ops@example.org");
    }

    #[test]
    fn of_a_postgres_url_that_should_have_been_escaped_nothing_is_shown() {
        for rest in ["u:sec@ret@db/x", "u:sec/ret@db/x", "u:123?ret@db/x", "u:secret", "u:se%cret@db/x"] {
            let text = format!("postgres://{rest}");
            assert_eq!(hide_password(&text), "postgres://***");
        }
        assert_eq!(hide_password("database=postgres://u:a@b@c/d"), "database=postgres://***");
    }

    #[test]
    fn what_is_no_password_stays_as_it_is() {
        for text in
            ["sqlite://data/uptime.db", "https://host:80/@user", "postgres://user@host/db", "uptime", ""]
        {
            assert_eq!(hide_password(text), text);
        }
    }
}
