//! The text of an answer.

use regex::Regex;

use super::excerpt::{ACTUAL_CHARS, quoted};
use super::wording::Wording;
use super::{ExpectError, Extent, Verdict, regex};
use crate::model::Reason;
use crate::model::settings::BodyExpectations;

/// A condition on an answer as a text, which is as much of it as was read.
pub(in crate::probe) struct BodyCondition {
    test: Test,
    wording: Wording,
}

/// What is known of a condition while more of the text may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::probe) enum SoFar {
    /// What has to be there is there.
    Met,
    /// What has to be there is not there yet.
    Awaited,
    /// What must not be there is there.
    Failed,
    /// What must not be there is not there. Only the end of the text settles that.
    Unbroken,
}

enum Test {
    Contains(String),
    NotContains(String),
    Matches(Regex),
    NotMatches(Regex),
}

impl BodyCondition {
    /// One condition for each text and each expression. `subject` is what an answer is called.
    pub(in crate::probe) fn compile(
        settings: &BodyExpectations,
        subject: &str,
    ) -> Result<Vec<Self>, ExpectError> {
        let BodyExpectations { contains, not_contains, matches, not_matches, max_bytes: _ } = settings;
        let mut tests = Vec::new();
        tests.extend(contains.iter().cloned().map(Test::Contains));
        tests.extend(not_contains.iter().cloned().map(Test::NotContains));
        for pattern in matches {
            tests.push(Test::Matches(regex(pattern)?));
        }
        for pattern in not_matches {
            tests.push(Test::NotMatches(regex(pattern)?));
        }
        Ok(tests.into_iter().map(|test| Self { wording: test.wording(subject), test }).collect())
    }

    /// `text` is the answer, or as much of it as there is.
    pub(in crate::probe) fn judge(&self, text: &str, extent: Extent) -> Verdict {
        let met = self.test.holds(text);
        let actual = match self.test.finds(text) {
            Some(found) => quoted(found, ACTUAL_CHARS),
            None => in_words(text, extent),
        };
        Verdict::new(Reason::Body, self.wording.what(), actual, met, |actual| match &self.test {
            Test::NotContains(_) | Test::NotMatches(_) => self.wording.failure("has", actual),
            Test::Contains(_) | Test::Matches(_) => self.wording.failure("is", actual),
        })
    }
}

impl BodyCondition {
    /// The body cannot be read, for it is `why`.
    pub(in crate::probe) fn unread(&self, why: &str) -> Verdict {
        Verdict::new(Reason::Body, self.wording.what(), why.to_owned(), false, |why| {
            self.wording.failure("is", why)
        })
    }

    /// What can be said while more of the text may come.
    pub(in crate::probe) fn so_far(&self, text: &str) -> SoFar {
        let is_found = || self.test.finds(text).is_some();
        match &self.test {
            // An expression may speak of the end of the text, so that what it finds now says nothing.
            Test::NotMatches(_) => SoFar::Unbroken,
            Test::NotContains(_) if is_found() => SoFar::Failed,
            Test::NotContains(_) => SoFar::Unbroken,
            Test::Contains(_) | Test::Matches(_) if is_found() => SoFar::Met,
            Test::Contains(_) | Test::Matches(_) => SoFar::Awaited,
        }
    }

    /// For example `answer to contain "+PONG"`.
    pub(in crate::probe) fn wanted(&self) -> String {
        self.wording.wanted()
    }
}

impl Test {
    fn holds(&self, text: &str) -> bool {
        let found = self.finds(text).is_some();
        match self {
            Self::Contains(_) | Self::Matches(_) => found,
            Self::NotContains(_) | Self::NotMatches(_) => !found,
        }
    }

    /// What the text or the expression is about, where it is in the body.
    fn finds<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Contains(part) | Self::NotContains(part) => {
                text.find(part.as_str()).map(|at| &text[at..at + part.len()])
            }
            Self::Matches(regex) | Self::NotMatches(regex) => regex.find(text).map(|found| found.as_str()),
        }
    }

    fn wording(&self, subject: &str) -> Wording {
        match self {
            Self::Contains(text) => Wording::text(subject, "contains", "to contain", text),
            Self::NotContains(text) => Wording::text(subject, "does not contain", "not to contain", text),
            Self::Matches(regex) => Wording::text(subject, "matches", "to match", regex.as_str()),
            Self::NotMatches(regex) => {
                Wording::text(subject, "does not match", "not to match", regex.as_str())
            }
        }
    }
}

/// The beginning of the body, and how far we looked where that was not to its end.
fn in_words(text: &str, extent: Extent) -> String {
    match (text.is_empty(), extent.is_partial()) {
        (true, _) => "empty".to_owned(),
        (false, false) => quoted(text, ACTUAL_CHARS),
        (false, true) => {
            format!("{} in its first {} bytes", quoted(text, ACTUAL_CHARS), extent.kept)
        }
    }
}
