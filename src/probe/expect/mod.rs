//! What checks of every kind can expect: conditions on a text, its size and the time, and how verdicts are worded.

pub(in crate::probe) use self::body::{BodyCondition, SoFar};
pub(crate) use self::excerpt::escaped;
pub(in crate::probe) use self::excerpt::{ACTUAL_CHARS, cut, quoted};
pub(in crate::probe) use self::limit::{SizeLimit, judge_time};
pub(in crate::probe) use self::verdict::{Verdict, summary};
pub(in crate::probe) use self::wording::Wording;
use crate::json::BadPath;
use crate::pattern::BadPattern;

mod body;
pub(in crate::probe) mod charset;
mod excerpt;
mod label;
mod limit;
mod media_type;
mod prescan;
mod verdict;
mod wording;

/// How much of an answer there is to judge.
#[derive(Debug, Clone, Copy)]
pub(in crate::probe) struct Extent {
    /// Bytes of its beginning that are kept.
    pub(in crate::probe) kept: usize,
    /// Bytes that were read, which may be more than are kept.
    pub(in crate::probe) read: u64,
    /// It went on past what was read.
    pub(in crate::probe) truncated: bool,
}

impl Extent {
    /// Whether there is more than is kept, so that nothing can be said of its end.
    pub(in crate::probe) fn is_partial(self) -> bool {
        self.truncated || self.read > self.kept as u64
    }
}

/// Why expectations cannot be compiled. Validation at load refuses the same.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no {kind}")]
pub(in crate::probe) struct ExpectError {
    kind: &'static str,
    text: String,
    source: BadPattern,
}

impl ExpectError {
    fn regex(text: &str, source: BadPattern) -> Self {
        Self { kind: "regular expression", text: text.to_owned(), source }
    }

    pub(in crate::probe) fn path(text: &str, source: BadPath) -> Self {
        Self { kind: "JSON path", text: text.to_owned(), source: BadPattern::new(source) }
    }
}

/// A regular expression as a site writes it.
pub(in crate::probe) fn regex(pattern: &str) -> Result<regex::Regex, ExpectError> {
    crate::pattern::regex(pattern).map_err(|why| ExpectError::regex(pattern, why))
}
