//! Headers of the last answer.

use std::borrow::Cow;

use regex::Regex;

use crate::model::Reason;
use crate::model::settings::HeaderExpectation;
use crate::probe::expect::{ACTUAL_CHARS, ExpectError, Verdict, Wording, cut, quoted, regex};
use crate::probe::mask;

/// A condition on one header. Its name is found in any case. Each value is read as UTF-8, or as Latin-1 where it is none,
/// without the blanks around it.
pub(super) struct HeaderCondition {
    name: String,
    test: Test,
    allow_missing: bool,
    wording: Wording,
}

/// All but `Absent` and `NotMatches` hold when they hold for one of the values.
enum Test {
    Present,
    Absent,
    Equals(String),
    Contains(String),
    Matches(Regex),
    /// Holds when it holds for every value.
    NotMatches(Regex),
}

impl HeaderCondition {
    /// One condition per operator; without an operator, one that the header is there.
    pub(super) fn compile(settings: &HeaderExpectation) -> Result<Vec<Self>, ExpectError> {
        let tests = tests(settings)?;
        Ok(tests.into_iter().map(|test| Self::new(settings, test)).collect())
    }

    fn new(settings: &HeaderExpectation, test: Test) -> Self {
        let name = settings.name.to_ascii_lowercase();
        let wording = test.wording(&format!("header {name}"));
        Self { name, test, allow_missing: settings.allow_missing, wording }
    }

    pub(super) fn judge(&self, headers: &[(&str, &[u8])]) -> Verdict {
        let values = self.values(headers);
        let met = if values.is_empty() { self.allows_missing() } else { self.test.holds(&values) };
        Verdict::new(Reason::Header, self.wording.what(), in_words(&self.name, &values), met, |actual| {
            self.wording.failure("is", actual)
        })
    }

    fn values<'a>(&self, headers: &[(&str, &'a [u8])]) -> Vec<Cow<'a, str>> {
        let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&self.name));
        named.map(|(_, value)| text(value)).collect()
    }

    fn allows_missing(&self) -> bool {
        self.allow_missing || matches!(self.test, Test::Absent)
    }
}

impl Test {
    fn holds(&self, values: &[Cow<'_, str>]) -> bool {
        match self {
            Self::Present => true,
            Self::Absent => false,
            Self::Equals(text) => values.iter().any(|value| value == text),
            Self::Contains(text) => values.iter().any(|value| value.contains(text.as_str())),
            Self::Matches(regex) => values.iter().any(|value| regex.is_match(value)),
            Self::NotMatches(regex) => !values.iter().any(|value| regex.is_match(value)),
        }
    }

    fn wording(&self, subject: &str) -> Wording {
        match self {
            Self::Present => Wording::plain(subject, "is there", "to be there"),
            Self::Absent => Wording::plain(subject, "is absent", "to be absent"),
            Self::Equals(text) => Wording::text(subject, "equals", "to equal", text),
            Self::Contains(text) => Wording::text(subject, "contains", "to contain", text),
            Self::Matches(regex) => Wording::text(subject, "matches", "to match", regex.as_str()),
            Self::NotMatches(regex) => {
                Wording::text(subject, "does not match", "not to match", regex.as_str())
            }
        }
    }
}

fn tests(settings: &HeaderExpectation) -> Result<Vec<Test>, ExpectError> {
    let mut tests = Vec::new();
    tests.extend(settings.equals.clone().map(Test::Equals));
    tests.extend(settings.contains.clone().map(Test::Contains));
    tests.extend(settings.matches.as_deref().map(regex).transpose()?.map(Test::Matches));
    tests.extend(settings.not_matches.as_deref().map(regex).transpose()?.map(Test::NotMatches));
    tests.extend(settings.absent.then_some(Test::Absent));
    if tests.is_empty() {
        tests.push(Test::Present);
    }
    Ok(tests)
}

fn text(value: &[u8]) -> Cow<'_, str> {
    let value = value.trim_ascii();
    std::str::from_utf8(value).map_or_else(|_| encoding_rs::mem::decode_latin1(value), Cow::Borrowed)
}

/// For example `"no-cache", "no-store"`, or `missing`.
fn in_words(name: &str, values: &[Cow<'_, str>]) -> String {
    if values.is_empty() {
        return "missing".to_owned();
    }
    let values =
        values.iter().take(ACTUAL_CHARS).map(|value| quoted(&mask::header(name, value), ACTUAL_CHARS / 2));
    cut(&values.collect::<Vec<_>>().join(", "), ACTUAL_CHARS)
}
