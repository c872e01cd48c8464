//! What conditions have in common.

use super::keys::Keys;
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::value::Value;
use crate::pattern;

/// Refuses a second operator: which of the two has failed would be anybody's guess.
pub(super) fn refuse_second(keys: &Keys<'_>, operators: &[&str]) {
    let mut said = operators.iter().filter(|key| keys.has(key));
    if let (Some(first), Some(second)) = (said.next(), said.next()) {
        keys.refuse(second, format!("stands beside {first}"), "write a condition for each");
    }
}

/// A regular expression, as text.
pub(super) fn regex(pattern: &str) -> Result<String, Fault> {
    pattern::regex(pattern).map(|_| pattern.to_owned()).map_err(|why| {
        let remedy = "write it as on docs.rs/regex; single quotes keep TOML from reading the backslashes";
        Fault::new(format!("is no regular expression: {why}"), remedy)
    })
}

/// A text that is looked for. An empty one would be found anywhere.
pub(super) fn part(text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::new(
            "is empty, which is found in every text",
            "write what to look for, or remove it",
        ));
    }
    Ok(text.to_owned())
}

/// `check` on what has to be a text.
pub(super) fn text<T>(check: impl Fn(&str) -> Result<T, Fault>) -> impl Fn(&Value) -> Result<T, Fault> {
    move |value| check(parse::text(value)?)
}
