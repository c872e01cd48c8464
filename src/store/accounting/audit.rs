//! What an audit says.

use std::collections::BTreeMap;

use crate::store::Range;

/// What was due, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// What was asked for.
    pub range: Range,
    /// Slots that were due.
    pub expected: u64,
    /// Slots with a row.
    pub recorded: u64,
    /// Slots that still wait in the queue.
    pub waiting: u64,
    /// Slots that left the queue and may be in the result log: nobody has read as far.
    pub on_its_way: u64,
    /// Slots without a row that lie in no declared gap, wait in no queue and are not on their way. Must be 0.
    pub unaccounted: u64,
    /// Declared gaps with missing slots.
    pub gaps: Vec<GapCount>,
    /// From slot to start, over checked slots; `None` without one.
    pub lag_ms: Option<Lag>,
    /// Site by site, by name; those with slots in the range.
    pub sites: Vec<SiteAudit>,
}

impl Audit {
    /// Slots without a row.
    pub fn missing(&self) -> u64 {
        self.expected.saturating_sub(self.recorded)
    }
}

/// A gap, as far as it lies in the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapCount {
    /// Slots later than this, seconds since the epoch.
    pub from: i64,
    /// And not later than this.
    pub to: i64,
    /// Slots without a row.
    pub slots: u64,
}

impl GapCount {
    /// Its first second, and the first one behind it, as ranges are given; nowhere beyond `range`.
    pub(crate) fn bounds(&self, range: Range) -> (i64, i64) {
        (self.from + 1, (self.to + 1).min(range.to.timestamp()))
    }
}

/// Schedule lag in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// The worst.
    pub max: u64,
}

impl Lag {
    pub(super) fn of(counts: &BTreeMap<u64, u64>) -> Option<Self> {
        let total: u64 = counts.values().sum();
        let percentile = |percent: u64| {
            let rank = (total * percent).div_ceil(100);
            let mut seen = 0;
            counts.iter().find(|(_, count)| {
                seen += **count;
                seen >= rank
            })
        };
        let (max, _) = counts.last_key_value()?;
        Some(Self { p50: *percentile(50)?.0, p99: *percentile(99)?.0, max: *max })
    }
}

/// One site's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAudit {
    /// Which site.
    pub name: String,
    /// Slots that were due.
    pub expected: u64,
    /// Slots with a row.
    pub recorded: u64,
    /// Slots that still wait in the queue.
    pub waiting: u64,
    /// Slots whose results may be in the log.
    pub on_its_way: u64,
    /// Neither row, gap nor job, and not on its way.
    pub unaccounted: u64,
}
