//! How large and how slow an answer may be.

use std::time::Duration;

use super::{Extent, Verdict};
use crate::model::Reason;
use crate::model::settings::TimeLimits;

/// An answer has at most so many bytes, decoded.
pub(in crate::probe) struct SizeLimit {
    max_bytes: u64,
    /// What the answer is called.
    subject: &'static str,
}

impl SizeLimit {
    pub(in crate::probe) const fn new(max_bytes: u64, subject: &'static str) -> Self {
        Self { max_bytes, subject }
    }

    pub(in crate::probe) const fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// A body that was read up to the limit and then goes on is too large, too. One of which less was read may be: then
    /// nothing speaks against it, and what was found says how far we looked.
    pub(in crate::probe) fn judge(&self, extent: Extent) -> Verdict {
        let read = extent.read;
        let is_larger = read > self.max_bytes || extent.truncated && read >= self.max_bytes;
        let actual =
            if extent.truncated { format!("more than {read} bytes") } else { format!("{read} bytes") };
        let what = format!("{} at most {} bytes", self.subject, self.max_bytes);
        Verdict::new(Reason::TooLarge, what, actual, !is_larger, |actual| {
            format!("{} of {actual}, expected at most {}", self.subject, self.max_bytes)
        })
    }
}

/// One verdict for both limits on the time: on the one that is exceeded, the worse first, or else on the stricter one. A try
/// that takes exactly as long as it may is fine.
pub(in crate::probe) fn judge_time(limits: TimeLimits, took: Duration) -> Option<Verdict> {
    let TimeLimits { degraded, down } = limits;
    let exceeded = down.filter(|limit| took > *limit);
    match (exceeded, degraded) {
        (None, Some(limit)) => Some(verdict(limit, took).degrading()),
        (exceeded, _) => exceeded.or(down).map(|limit| verdict(limit, took)),
    }
}

fn verdict(limit: Duration, took: Duration) -> Verdict {
    let what = format!("response time at most {limit:?}");
    Verdict::new(Reason::Slow, what, in_words(took), took <= limit, |actual| {
        format!("response time {actual}, expected at most {limit:?}")
    })
}

/// In whole milliseconds, rounded up: a time that is over a limit must not read as if it were not.
fn in_words(took: Duration) -> String {
    let millis = took.as_nanos().div_ceil(1_000_000);
    format!("{:?}", Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}
