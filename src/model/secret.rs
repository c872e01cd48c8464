//! What is secret: which names say so, and which parts of a URL open doors.

use std::borrow::Cow;

/// What stands in a secret's place.
pub const HIDDEN: &str = "***";

/// A shorter text hides nothing that could not be guessed, and would be replaced all over a page.
pub const SHORTEST_SECRET: usize = 4;

/// Parts of names of headers, query parameters and keys that are likely to hold something that opens doors.
const WORDS: [&str; 13] = [
    "auth",
    "cookie",
    "credential",
    "hmac",
    "jwt",
    "key",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "signature",
    "token",
];

/// Names that are secret as a whole. `code` and `sig` are what Azure's functions and storage call theirs.
const NAMES: [&str; 4] = ["code", "pass", "pw", "sig"];

/// Whether a header, a query parameter or a key of this name is likely to hold something that opens doors.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || WORDS.iter().any(|word| name.contains(word))
}

/// `text` with the value of every secret parameter replaced, as in `https://host/?token=***&page=2`.
pub fn hide_parameters(text: &str) -> Cow<'_, str> {
    let values = parameters(text).filter(|(name, value)| is_secret_name(name) && !value.is_empty());
    let mut hidden = String::new();
    let mut copied = 0;
    for (_, value) in values {
        let start = value.as_ptr() as usize - text.as_ptr() as usize;
        hidden += &text[copied..start];
        hidden += HIDDEN;
        copied = start + value.len();
    }
    if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(hidden + &text[copied..]) }
}

/// `url` as it may be shown: without user info, the values of secret parameters, and those of `hidden` that stand behind
/// its host.
pub fn shown_url<'u>(url: &'u str, hidden: &[String]) -> Cow<'u, str> {
    let shown = hide_parameters(url);
    let Some((start, end)) = authority(&shown) else { return shown };
    let host = shown[start..end].rfind('@').map(|at| start + at);
    let behind = &shown[end..];
    if host.is_none() && !hidden.iter().any(|secret| behind.contains(secret.as_str())) {
        return shown;
    }
    let before = match host {
        Some(at) => format!("{}{HIDDEN}{}", &shown[..start], &shown[at..end]),
        None => shown[..end].to_owned(),
    };
    Cow::Owned(before + &replaced(behind, hidden))
}

/// Why a text in JSON could not be read, without the values that serde quotes: any of them may be a secret. Names of keys stay.
pub fn without_values(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let quotes_nothing =
        !error.is_data() || ["unknown field", "missing field"].iter().any(|known| said.starts_with(known));
    if quotes_nothing {
        said
    } else {
        format!("something of another kind than expected at line {} column {}", error.line(), error.column())
    }
}

/// The values of secret parameters of `url`: a server may send them back.
pub fn secrets_of(url: &str) -> Vec<String> {
    let secret = |(name, value): (&str, &str)| {
        (is_secret_name(name) && value.len() >= SHORTEST_SECRET).then(|| value.to_owned())
    };
    parameters(url).filter_map(secret).collect()
}

/// Those of `texts` that are long enough to hide and stand behind the host of `url`. Host and port are no secrets: the
/// network sees both, and without them nobody could tell what a result is about.
pub fn behind_host(url: &str, texts: &[String]) -> Vec<String> {
    let behind = authority(url).map_or("", |(_, end)| &url[end..]);
    let found = texts.iter().filter(|text| text.len() >= SHORTEST_SECRET && behind.contains(text.as_str()));
    found.cloned().collect()
}

/// `text` without any of `secrets`.
pub(super) fn replaced(text: &str, secrets: &[String]) -> String {
    // A shorter one may be the beginning of a longer one, whose end would stay.
    let mut secrets: Vec<&String> = secrets.iter().collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
}

/// Where the authority of a URL begins and ends.
fn authority(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + "://".len();
    let length = url[start..].find(['/', '?', '#', '\\']).unwrap_or(url.len() - start);
    Some((start, start + length))
}

/// Every `name=value` that follows `?`, `&`, `;` or `#`. In a sentence, a value ends with its word or quotation mark.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split(['?', '&', ';', '#']).skip(1);
    parts.filter_map(|part| {
        let (name, rest) = part.split_once('=').filter(|(name, _)| !name.contains(char::is_whitespace))?;
        let end = rest.find(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '<' | '>'));
        Some((name, &rest[..end.unwrap_or(rest.len())]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_parameters_are_hidden_and_others_stay() {
        for (given, shown) in [
            ("https://a/?token=t0ps3cret&page=2", "https://a/?token=***&page=2"),
            ("https://a/p?x=1&API_KEY=k", "https://a/p?x=1&API_KEY=***"),
            ("https://a/#access_token=k&state=1", "https://a/#access_token=***&state=1"),
            ("https://a/?X-Amz-Signature=ab;v=1", "https://a/?X-Amz-Signature=***;v=1"),
            ("at \"https://a/?sig=k\" again", "at \"https://a/?sig=***\" again"),
            ("https://a/?token=", "https://a/?token="),
            ("https://a/token/1?page=2&q=a=b", "https://a/token/1?page=2&q=a=b"),
        ] {
            assert_eq!(hide_parameters(given), shown);
        }
    }

    #[test]
    fn a_url_is_shown_without_user_info_and_without_what_is_to_be_hidden() {
        let hidden = ["T00/xyz".to_owned(), "T00/xyz2".to_owned(), "a.example".to_owned()];

        for (given, shown) in [
            ("https://hooks.example/T00/xyz/a.example", "https://hooks.example/***/***"),
            ("https://user:pw@a.example/", "https://***@a.example/"),
            ("https://ghp_1234@a.example", "https://***@a.example"),
            ("https://a.example:8443/x?q=1", "https://a.example:8443/x?q=1"),
            ("https://b.example/T00/xyz2", "https://b.example/***"),
        ] {
            assert_eq!(shown_url(given, &hidden), shown);
        }
    }

    #[test]
    fn why_a_text_cannot_be_read_is_told_without_its_values() {
        let why = |text: &str| {
            without_values(&serde_json::from_str::<crate::model::settings::CheckSettings>(text).unwrap_err())
        };

        for text in [
            r#"{"request":{"basic_auth":"hunter2"}}"#,
            r#"{"tls":{"min_version":"hunter2"}}"#,
            r#"{"expect":{"status":["hunter2"]}}"#,
            r#"{"expect":{"response_time":{"down":"hunter2"}}}"#,
            r#""hunter2""#,
            r#"{"request":{"bearer_token":["hunter2"]}} "#,
        ] {
            let told = why(text);
            assert!(told.starts_with("something of another kind than expected at line 1 column "), "{told}");
        }
        assert!(why(r#"{"retry":true}"#).starts_with("unknown field `retry`"));
        assert!(why(r#"{"request":{"basic_auth":{}}}"#).starts_with("missing field `username`"));
        assert!(why("{").starts_with("EOF while parsing"));
    }

    #[test]
    fn what_stands_for_the_host_is_no_secret() {
        let texts = ["shop.example".to_owned(), "t0ps3cret".to_owned(), "abc".to_owned()];

        assert_eq!(behind_host("https://shop.example/t0ps3cret/abc", &texts), ["t0ps3cret"]);
    }
}
