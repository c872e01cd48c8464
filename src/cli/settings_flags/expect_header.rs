//! The value of `--expect-header`: `Name`, `!Name`, `Name=value`, `Name*=part`, `Name~=regex`, `Name!~=regex`.

use toml::{Table, Value as Toml};

use crate::config::Fault;

const REMEDY: &str = "write NAME, !NAME, NAME=VALUE, NAME*=TEXT, NAME~=REGEX or NAME!~=REGEX";

/// What stands before the `=`, and which key that is. `!~` before `~`, which is its end.
const OPERATORS: [(&str, &str); 4] =
    [("!~", "not_matches"), ("~", "matches"), ("*", "contains"), ("", "equals")];

/// The condition as a table of `expect.headers`.
pub(super) fn read(text: &str) -> Result<Table, Fault> {
    let (before, operand) = match text.split_once('=') {
        Some((before, operand)) => (before.trim(), Some(operand.trim())),
        None => (text.trim(), None),
    };
    match (operand, before.strip_prefix('!')) {
        (None, Some(name)) => condition(name, "absent", true),
        (None, None) => Ok(Table::from_iter([name(before)?])),
        (Some(_), Some(_)) => {
            Err(Fault::new("asks for the value of a header that is not to be there", REMEDY))
        }
        (Some(operand), None) => compared(before, operand),
    }
}

fn compared(before: &str, operand: &str) -> Result<Table, Fault> {
    if operand.is_empty() {
        return Err(Fault::new(
            "has nothing after the =",
            "write NAME~=^$ for a header that is there and empty",
        ));
    }
    let found = OPERATORS.iter().find_map(|(sign, key)| Some((before.strip_suffix(sign)?, *key)));
    let (name, key) = found.unwrap_or((before, "equals"));
    if name.ends_with('!') {
        let remedy = format!(
            "write {}!~=^{}$, a regular expression",
            name.trim_end_matches('!').trim(),
            regex::escape(operand)
        );
        return Err(Fault::new("has !=, which does not exist for headers", remedy));
    }
    condition(name, key, operand)
}

fn condition(of: &str, key: &str, value: impl Into<Toml>) -> Result<Table, Fault> {
    Ok(Table::from_iter([name(of)?, (key.to_owned(), value.into())]))
}

/// A token of RFC 9110, section 5.6.2.
fn name(text: &str) -> Result<(String, Toml), Fault> {
    let text = text.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(Fault::new("begins with no name of a header", REMEDY));
    }
    Ok(("name".to_owned(), text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_key() {
        for (text, expected) in [
            ("ETag", "name = 'ETag'"),
            ("!Server", "name = 'Server'\nabsent = true"),
            ("Age=0", "name = 'Age'\nequals = '0'"),
            ("content-type *= json", "name = 'content-type'\ncontains = 'json'"),
            ("Content-Type~=^text/(html|plain)", "name = 'Content-Type'\nmatches = '^text/(html|plain)'"),
            ("Server!~=[0-9]", "name = 'Server'\nnot_matches = '[0-9]'"),
            ("Set-Cookie=a=b; c", "name = 'Set-Cookie'\nequals = 'a=b; c'"),
            ("X~=a!~=b", "name = 'X'\nmatches = 'a!~=b'"),
        ] {
            assert_eq!(read(text), Ok(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_remedy() {
        for text in ["", "!", "=a", "~=a", "Content-Type: json", "Name=", "Name~=", "!Name=a", "a b=c"] {
            assert!(!read(text).unwrap_err().remedy.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn an_operator_that_is_missed_has_a_way_around() {
        let fault = read("Server != nginx/1.2").unwrap_err();

        assert_eq!(fault.remedy, r"write Server!~=^nginx/1\.2$, a regular expression");
    }
}
