//! What became of one expectation, and of all of them together.

use crate::model::{Reason, Status};

/// One expectation and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe) struct Verdict {
    /// For people, for example `header content-type matches "json"`.
    pub(in crate::probe) what: String,
    /// For people, on one line and about 200 characters at most, for example `"text/html"` or `missing`.
    pub(in crate::probe) actual: String,
    /// Whether the answer is as expected.
    pub(in crate::probe) met: bool,
    /// What a failure is for programs.
    pub(in crate::probe) reason: Reason,
    /// What a failure makes of the site: `Down` or `Degraded`.
    pub(in crate::probe) severity: Status,
    /// Empty where `met`.
    failure: String,
}

/// Which reason stands for a result of several, first things first (DESIGN section 8).
const RANK: [Reason; 8] = [
    Reason::Status,
    Reason::Header,
    Reason::Body,
    Reason::Json,
    Reason::TooLarge,
    Reason::Protocol,
    Reason::Tls,
    Reason::Slow,
];

impl Verdict {
    /// `failure` makes a sentence of what was found; it is asked only when the expectation is not met.
    pub(in crate::probe) fn new(
        reason: Reason,
        what: String,
        actual: String,
        met: bool,
        failure: impl FnOnce(&str) -> String,
    ) -> Self {
        let failure = if met { String::new() } else { failure(&actual) };
        Self { what, actual, met, reason, severity: Status::Down, failure }
    }

    /// A failure is a warning only.
    pub(in crate::probe) fn degrading(self) -> Self {
        Self { severity: Status::Degraded, ..self }
    }

    /// The sentence for a failed one, for example `status 404 Not Found, expected 2xx`. Empty where it is met.
    pub(in crate::probe) fn failure(&self) -> String {
        self.failure.clone()
    }
}

/// What the failed ones make of a result: the worst status, the first reason for that, and every sentence. `None` when all are
/// met.
pub(in crate::probe) fn summary(verdicts: &[Verdict]) -> Option<(Status, Reason, String)> {
    let failed = || verdicts.iter().filter(|verdict| !verdict.met);
    let is_down = failed().any(|verdict| verdict.severity == Status::Down);
    let status = if is_down { Status::Down } else { Status::Degraded };
    let worst = failed().filter(|verdict| verdict.severity == status);
    let reason = worst.map(|verdict| verdict.reason).min_by_key(|reason| rank(*reason))?;
    let sentences: Vec<&str> = failed().map(|verdict| verdict.failure.as_str()).collect();
    Some((status, reason, sentences.join("; ")))
}

fn rank(reason: Reason) -> usize {
    RANK.iter().position(|ranked| *ranked == reason).unwrap_or(RANK.len())
}
