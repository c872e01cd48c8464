//! How a condition is named: as something that holds, and as something that was expected and does not.

use super::excerpt::quoted;

/// Of the text in a condition. Longer ones are cut, so that an error stays readable.
const OPERAND_CHARS: usize = 120;

/// A condition in words.
pub(in crate::probe) struct Wording {
    /// What the condition is about, for example `header content-type`.
    subject: String,
    /// For example `matches "json"`.
    holds: String,
    /// For example `to match "json"`.
    expected: String,
}

impl Wording {
    /// For example `("header etag", "is there", "to be there")`.
    pub(in crate::probe) fn plain(subject: &str, holds: &str, expected: &str) -> Self {
        Self { subject: subject.to_owned(), holds: holds.to_owned(), expected: expected.to_owned() }
    }

    /// For example `("header content-type", "matches", "to match", "json")`.
    pub(in crate::probe) fn text(subject: &str, holds: &str, expected: &str, operand: &str) -> Self {
        Self::value(subject, holds, expected, &quoted(operand, OPERAND_CHARS))
    }

    /// For example `("$.age", "is at most", "to be at most", "30")`.
    pub(in crate::probe) fn value(subject: &str, holds: &str, expected: &str, operand: &str) -> Self {
        Self::plain(subject, &format!("{holds} {operand}"), &format!("{expected} {operand}"))
    }

    /// For example `header content-type matches "json"`.
    pub(in crate::probe) fn what(&self) -> String {
        format!("{} {}", self.subject, self.holds)
    }

    /// For example `$.status to equal "UP"`.
    pub(in crate::probe) fn wanted(&self) -> String {
        format!("{} {}", self.subject, self.expected)
    }

    /// For example `header content-type is "text/html", expected to match "json"`.
    pub(in crate::probe) fn failure(&self, verb: &str, actual: &str) -> String {
        format!("{} {verb} {actual}, expected {}", self.subject, self.expected)
    }
}
