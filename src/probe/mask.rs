//! Keeps secrets out of what is stored and shown: the request's, for a server may send back whatever it was sent, and those that
//! a server gives, which open doors until they end.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::model::secret::{HIDDEN, hide_parameters, shown_url};
use crate::model::settings::is_secret_header;

/// Names of members in JSON, of fields in forms and of parameters in links whose values open doors, and those values.
static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = "[\\w.-]*(?:token|secret|passw(?:or)?d|session_?id|api_?key|private_?key)";
    let json = format!(r#"(?i)("{name}"\s*:\s*")(?:[^"\\]|\\.)+"#);
    let parameter = format!(r##"([?&;#]{name}=)[^&;#\s"'<>]+"##);
    Regex::new(&format!("{json}|{parameter}")).ok()
});

/// What a server asks of everybody whom it does not know: no secret, and what a person wants to see.
const CHALLENGES: [&str; 2] = ["www-authenticate", "proxy-authenticate"];

/// The value of a header of an answer, without what opens doors. Of a cookie, its name and its attributes stay.
pub(super) fn header<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if !is_secret_header(name) || CHALLENGES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return members_of(value);
    }
    if !name.to_ascii_lowercase().starts_with("set-cookie") {
        return if value.is_empty() { Cow::Borrowed(value) } else { Cow::Borrowed(HIDDEN) };
    }
    let (pair, attributes) = value.split_at(value.find(';').unwrap_or(value.len()));
    Cow::Owned(match pair.split_once('=') {
        Some((_, "")) => value.to_owned(),
        Some((name, _)) => format!("{name}={HIDDEN}{attributes}"),
        None => format!("{HIDDEN}{attributes}"),
    })
}

/// A text, without the values of what is called a token or the like in it.
pub(super) fn members(text: &str) -> String {
    members_of(text).into_owned()
}

fn members_of(text: &str) -> Cow<'_, str> {
    match MEMBER.as_ref() {
        Some(member) => member.replace_all(text, format!("${{1}}${{2}}{HIDDEN}")),
        None => Cow::Borrowed(text),
    }
}

/// The texts to hide, longest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<'s> {
    secrets: &'s [String],
}

impl<'s> Mask<'s> {
    pub(super) fn of(secrets: &'s [String]) -> Self {
        Self { secrets }
    }

    /// `text` without them, and without the secret parameters of any URL in it.
    pub(super) fn text(self, text: String) -> String {
        let text = self.replace(text);
        match hide_parameters(&text) {
            Cow::Owned(hidden) => hidden,
            Cow::Borrowed(_) => text,
        }
    }

    fn replace(self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), HIDDEN) } else { text }
        })
    }

    /// Where a hop goes, as it may be shown.
    pub(super) fn url(self, url: &Url) -> String {
        shown_url(&self.text(url.to_string()), &[]).into_owned()
    }

    /// The beginning of `text`, at most `limit` bytes, without them: also without the first part of one that the limit cuts.
    pub(super) fn beginning(self, text: &[u8], limit: usize) -> String {
        let mut beginning = self.replace(String::from_utf8_lossy(text).into_owned());
        if beginning.len() > limit {
            beginning.truncate(beginning.floor_char_boundary(limit));
        }
        beginning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_opens_doors_with_is_hidden() {
        for (name, value, shown) in [
            ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
            ("set-cookie", "sid=", "sid="),
            ("Set-Cookie", "abc", "***"),
            ("X-Auth-Token", "abc", "***"),
            ("X-Api-Key", "abc", "***"),
            ("WWW-Authenticate", "Basic realm=\"x\"", "Basic realm=\"x\""),
            ("Location", "/next?a=1&access_token=abc&b=2#c", "/next?a=1&access_token=***&b=2#c"),
            ("Location", "/next?tokens=3", "/next?tokens=3"),
            ("Location", "https://a/#access_token=abc", "https://a/#access_token=***"),
            ("Server", "nginx", "nginx"),
        ] {
            assert_eq!(header(name, value), shown, "{name}: {value}");
        }
    }

    #[test]
    fn what_a_page_calls_a_token_is_hidden() {
        for (text, shown) in [
            (r#"{"access_token": "a\"b", "n": 1}"#, r#"{"access_token": "***", "n": 1}"#),
            (r#"{"apiKey":"abc","password":"x"}"#, r#"{"apiKey":"***","password":"***"}"#),
            (r#"{"token_type":"Bearer","tokens":3}"#, r#"{"token_type":"Bearer","tokens":3}"#),
            ("<a href='/x?token=abc'>token</a>", "<a href='/x?token=***'>token</a>"),
        ] {
            assert_eq!(members(text), shown);
        }
    }
}
