//! From a value to a type, or to what is wrong with it.
//!
//! Values from the environment, flags and CSV are text, whatever their type; in TOML and JSON the type must be right.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::Fault;
use super::format;
use super::suggest::nearest;
use super::value::Value;
use crate::model::duration::NoDuration;
use crate::model::{NoRegion, Region};

fn wrong_type(value: &Value, wanted: &str, example: &str) -> Fault {
    Fault::new(format!("is {}, not {wanted}", value.kind()), format!("write {example}"))
}

/// What to add to an example of a value that is no text. Where everything is text, there are no quotes.
pub(super) fn unquoted(value: &Value) -> &'static str {
    if let Value::Text(_) = value { "" } else { ", without quotes" }
}

pub(super) fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| wrong_type(value, "a string", "it in quotes"))
}

pub(super) fn bool(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Typed(toml::Value::Boolean(yes)) => Ok(*yes),
        // Spreadsheets write TRUE and FALSE.
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(wrong_type(value, "true or false", &format!("true or false{}", unquoted(value)))),
    }
}

pub(super) fn count(value: &Value, range: &RangeInclusive<i64>) -> Result<i64, Fault> {
    let count = match value {
        Value::Typed(toml::Value::Integer(count)) => Some(*count),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Typed(_) => None,
    };
    let wrong = || {
        let (min, max) = (range.start(), range.end());
        let example = format!("a whole number from {min} to {max}{}", unquoted(value));
        wrong_type(value, "a whole number", &example)
    };
    within(count.ok_or_else(wrong)?, range, i64::to_string)
}

fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) -> Result<T, Fault> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (min, max) = (show(range.start()), show(range.end()));
    let message =
        if value < *range.start() { format!("is less than {min}") } else { format!("is more than {max}") };
    Err(Fault::new(message, format!("choose {min} to {max}")))
}

pub(super) fn duration_within(value: &Value, range: &RangeInclusive<Duration>) -> Result<Duration, Fault> {
    within(duration(value)?, range, |duration| format::duration(*duration))
}

/// Bare numbers are refused: whether they are seconds or milliseconds is anybody's guess.
pub(super) fn duration(value: &Value) -> Result<Duration, Fault> {
    let bare = |number: &dyn Display| {
        let remedy = format!("add a unit, for example \"{number}s\" or \"{number}ms\"");
        Fault::new("is a number without a unit", remedy)
    };
    match value {
        Value::Typed(toml::Value::Integer(number)) => Err(bare(number)),
        Value::Typed(toml::Value::Float(number)) => Err(bare(number)),
        _ => {
            let text =
                value.as_str().ok_or_else(|| wrong_type(value, "a duration", "for example \"10s\""))?.trim();
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return Err(bare(&text));
            }
            crate::model::duration::parse(text)
                .map_err(|NoDuration { message, remedy }| Fault::new(message, remedy))
        }
    }
}

/// Bytes.
pub(super) fn size(value: &Value, range: &RangeInclusive<usize>) -> Result<usize, Fault> {
    let bytes = match value {
        Value::Typed(toml::Value::Integer(bytes)) => usize::try_from(*bytes).ok(),
        _ => value.as_str().and_then(size_text),
    };
    let fault = || wrong_size(value);
    within(bytes.ok_or_else(fault)?, range, |bytes| format::size(*bytes).to_string().replace('"', ""))
}

fn wrong_size(value: &Value) -> Fault {
    let remedy = "write bytes as a whole number, or with B, KiB, MiB, GiB, for example \"1MiB\"";
    match value.as_str() {
        Some(_) => Fault::new("is no size", remedy),
        None => Fault::new(format!("is {}, not a size", value.kind()), remedy),
    }
}

fn size_text(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// In text, commas separate; an empty text is an empty list.
pub(super) fn list(value: &Value) -> Result<Vec<&str>, Fault> {
    let fault = || wrong_type(value, "a list of strings", "for example [\"a\", \"b\"]");
    match value {
        Value::Text(text) => Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
        Value::Typed(toml::Value::Array(items)) => {
            items.iter().map(|item| item.as_str().ok_or_else(fault)).collect()
        }
        Value::Typed(_) => Err(fault()),
    }
}

pub(super) fn unknown_word(word: &str, known: &[&str]) -> Fault {
    let remedy = match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("choose from {}", known.join(", ")),
    };
    Fault::new("is an unknown word", remedy)
}

/// A name for people: one line, of bearable length.
pub(super) fn label(text: &str) -> Result<String, Fault> {
    if text.chars().any(char::is_control) {
        return Err(Fault::new("has a control character", "leave it out"));
    }
    if text.chars().count() > 200 {
        return Err(Fault::new("is longer than 200 characters", "shorten it"));
    }
    Ok(text.trim().to_owned())
}

pub(super) fn region(label: &str) -> Result<Region, Fault> {
    label.trim().parse().map_err(|error: NoRegion| {
        let remedy = "leave it empty, for slots are queued for \"\" alone so far; later: lower-case letters, digits, -, _ and ., for example \"eu-west\"";
        Fault::new(error.to_string(), remedy)
    })
}

pub(super) fn user_agent(text: &str) -> Result<String, Fault> {
    let visible = |byte: u8| (b' '..=b'~').contains(&byte);
    if text.trim().is_empty() || !text.bytes().all(visible) {
        return Err(Fault::new("cannot stand in a header", "use one or more printable ASCII characters"));
    }
    Ok(text.trim().replace("<version>", env!("CARGO_PKG_VERSION")))
}
