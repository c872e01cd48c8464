//! What is wrong with a configuration: every problem at once, each with place, key, value and remedy.

use std::fmt::{self, Write as _};

use super::fault::Fault;
use super::value::{Origin, Setting};

/// Most characters of any part of a problem. Parsers quote in their messages what they were given.
const PART_CHARS: usize = 400;

/// One thing that is wrong, and how to put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands. `None` where no place is to blame.
    pub origin: Option<Origin>,
    /// Which key, for example `database.url` or `site "shop": every`. Empty where it is about the whole.
    pub key: String,
    /// The value as written, quoted, shortened, without control characters and passwords. `None` where it may be a secret: a
    /// value is shown only where its key is known, and known not to be secret.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it. May be empty.
    pub remedy: String,
}

impl Problem {
    /// A problem at `origin` that is about the whole rather than a key.
    pub fn new(
        origin: impl Into<Option<Origin>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            origin: origin.into(),
            key: String::new(),
            value: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The same about `key`.
    #[must_use]
    pub fn about(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// What is wrong with one setting, without its value: of an unknown key nobody knows what the value is, and of some
    /// keys it is a secret.
    pub(super) fn without_value(key: impl Into<String>, setting: &Setting, fault: Fault) -> Self {
        Self { value: None, ..Self::with(key, setting, fault) }
    }

    /// What is wrong with one setting, whose key is known not to hold a secret.
    pub(super) fn with(key: impl Into<String>, setting: &Setting, fault: Fault) -> Self {
        Self {
            origin: Some(setting.origin.clone()),
            key: key.into(),
            value: Some(setting.written()),
            message: fault.message,
            remedy: fault.remedy,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        if let Some(origin) = &self.origin {
            write!(line, "{origin}: ")?;
        }
        let key = clipped(&self.key);
        match (key.as_str(), &self.value) {
            ("", _) => {}
            (key, None) => write!(line, "{key}: ")?,
            (key, Some(value)) => write!(line, "{key} = {value}: ")?,
        }
        line += &clipped(&self.message);
        if !self.remedy.is_empty() {
            write!(line, "; {}", clipped(&self.remedy))?;
        }
        // Whatever got into it from keys, paths and parsers: it stays one line and leaves the terminal alone.
        line.chars().try_for_each(|letter| match letter.is_control() {
            true => write!(f, "{}", letter.escape_default()),
            false => f.write_char(letter),
        })
    }
}

/// Everything that is wrong, in the order in which it was found. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Each problem, in the order of display.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many; at least 1.
    #[allow(clippy::len_without_is_empty, reason = "there is always a problem")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `value`, unless there are problems.
    pub(super) fn or<T>(problems: Vec<Problem>, value: T) -> Result<T, Self> {
        if problems.is_empty() { Ok(value) } else { Err(Self(problems)) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            1 => f.write_str("1 problem in the configuration:")?,
            n => write!(f, "{n} problems in the configuration:")?,
        }
        self.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(PART_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
