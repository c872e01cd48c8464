//! The status of the last answer.

use http::StatusCode;

use crate::model::Reason;
use crate::model::settings::StatusRange;
use crate::probe::expect::Verdict;

/// The status lies in one of some ranges.
pub(super) struct StatusCondition {
    ranges: Vec<StatusRange>,
    /// For example `2xx, 304`.
    expected: String,
    what: String,
}

impl StatusCondition {
    /// None given means that any success will do.
    pub(super) fn new(ranges: &[StatusRange]) -> Self {
        let ranges = if ranges.is_empty() { vec![StatusRange::SUCCESS] } else { ranges.to_vec() };
        let expected = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Self { ranges, what: format!("status {expected}"), expected }
    }

    pub(super) fn judge(&self, status: u16) -> Verdict {
        let met = self.ranges.iter().any(|range| range.contains(status));
        Verdict::new(Reason::Status, self.what.clone(), in_words(status), met, |actual| {
            format!("status {actual}, expected {}", self.expected)
        })
    }
}

/// For example `404 Not Found`, or `599` where the number has no name.
fn in_words(status: u16) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}
