//! Keeps secrets out of what is stored and shown: the request's, for a server may send back whatever it was sent, and those that
//! a server gives, which open doors until they end.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::model::secret::{HIDDEN, hide_parameters, is_secret_name, shown_url};

/// Names of members in JSON, of fields in forms and of parameters in links whose values open doors.
const DOOR: &str = r"[\w.-]*(?:token|secret|passw(?:or)?d|session[_-]?id|api[_-]?key|private[_-]?key)";

/// Such a name alone.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i)^{DOOR}$")).ok());

/// Such a name in a text, with its value; and the user in front of a host, who is called nothing.
static MEMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let json = format!(r#"(?i)("{DOOR}"\s*:\s*")(?:[^"\\]|\\.)+"#);
    let parameter = format!(r##"([?&;#]{DOOR}=)[^&;#\s"'<>]+"##);
    // In JSON slashes may have a backslash. Of several `@` the last one ends it, as in a browser.
    let user = r##"((?:\\?/){2})[^/?#\s"'<>\\]+(@)"##;
    Regex::new(&format!("{json}|{parameter}|{user}")).ok()
});

/// No excerpt is longer, in characters. That bounds the search for what its end cuts.
const LONGEST_EXCERPT: usize = 512;

/// The least of a secret that an excerpt may not end with. Less of it is in many texts, and is not worth much.
const SHORTEST_PART: usize = 4;

/// What a server asks of everybody whom it does not know: no secret, and what a person wants to see.
const CHALLENGES: [&str; 2] = ["www-authenticate", "proxy-authenticate"];

/// The value of a header of an answer, without what opens doors. Of a cookie, its name and its attributes stay.
pub(super) fn header<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if !is_secret_name(name) || CHALLENGES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
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

/// Whether a member of this name holds a token or the like.
pub(super) fn opens_doors(name: &str) -> bool {
    NAME.as_ref().is_some_and(|door| door.is_match(name))
}

/// A text, without the values of what is called a token or the like in it, and without the users of its URLs.
pub(super) fn members(text: &str) -> String {
    members_of(text).into_owned()
}

fn members_of(text: &str) -> Cow<'_, str> {
    match MEMBER.as_ref() {
        Some(member) => member.replace_all(text, format!("${{1}}${{2}}${{3}}{HIDDEN}${{4}}")),
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
        let text = self.hide_parts(self.replace(text));
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

    /// `text` without the first part of one that the end of an excerpt cuts: what stands in front of a `…`.
    fn hide_parts(self, text: String) -> String {
        if !text.contains('…') {
            return text;
        }
        let mut hidden = String::with_capacity(text.len());
        for piece in text.split_inclusive('…') {
            match piece.strip_suffix('…').and_then(|piece| self.part_at_end(piece)) {
                Some(part) => hidden.extend([&piece[..piece.len() - part - '…'.len_utf8()], HIDDEN, "…"]),
                None => hidden.push_str(piece),
            }
        }
        hidden
    }

    /// Bytes at the end of `text` that a secret begins with: as many as any of them has.
    fn part_at_end(self, text: &str) -> Option<usize> {
        let parts = |secret: &String| {
            let ends = secret.char_indices().skip(SHORTEST_PART).take(LONGEST_EXCERPT);
            ends.map(|(end, _)| end).filter(|end| text.ends_with(&secret[..*end])).last()
        };
        self.secrets.iter().filter_map(parts).max()
    }

    /// Where a hop goes, as it may be shown.
    pub(super) fn url(self, url: &Url) -> String {
        // A connection without HTTP goes where its site says: no server can put a secret into its host, and the network sees that.
        if !url.is_special() {
            return shown_url(url.as_str(), self.secrets).into_owned();
        }
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
            ("Location", "http://user:hunter2pw@{{x}}/", "http://***@{{x}}/"),
            ("Location", "//user:p@ss@host/", "//***@host/"),
            ("Refresh", "0; url=http://user:hunter2pw@h/", "0; url=http://***@h/"),
            ("Location", "https://host/@user", "https://host/@user"),
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
            (r#"{"repo":"https:\/\/me:pw@host\/x"}"#, r#"{"repo":"https:\/\/***@host\/x"}"#),
        ] {
            assert_eq!(members(text), shown);
        }
    }

    #[test]
    fn the_names_that_open_doors_end_with_what_they_hold() {
        for name in ["token", "access_token", "accessToken", "db.password", "SESSIONID", "x-api-key"] {
            assert!(opens_doors(name), "{name}");
        }
        for name in ["token_type", "tokens", "code", "key", "author", ""] {
            assert!(!opens_doors(name), "{name}");
        }
    }

    #[test]
    fn a_host_is_hidden_where_a_server_may_have_put_a_secret_into_it() {
        let secrets = ["stats".to_owned()];
        for (url, shown) in [
            ("tcp://stats.internal:1", "tcp://stats.internal:1"),
            ("tls://stats.internal:1", "tls://stats.internal:1"),
            ("https://stats.internal/stats", "https://***.internal/***"),
        ] {
            assert_eq!(Mask::of(&secrets).url(&Url::parse(url).unwrap()), shown);
        }
    }

    #[test]
    fn the_first_part_of_a_secret_that_an_excerpt_cuts_is_hidden() {
        let secrets = ["ABCDEFGHIJ".to_owned(), "größer".to_owned(), "ABCDx".to_owned()];
        let mask = Mask::of(&secrets);
        for (text, shown) in [
            ("\"xxxABCDEFG…\"", "\"xxx***…\""),
            ("\"xxxABCD…\" and \"größ…\"", "\"xxx***…\" and \"***…\""),
            ("ABCDEFGHIJ…", "***…"),
            ("ABCDABCDE…", "ABCD***…"),
            ("xxxABC…", "xxxABC…"),
            ("ABCDEFG", "ABCDEFG"),
            ("…", "…"),
        ] {
            assert_eq!(mask.text(text.to_owned()), shown);
        }
    }
}
