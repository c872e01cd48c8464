//! Slots counted against results.

use serde::Serialize;

use super::{slot_time, time};
use crate::store::accounting::{self, GapCount};

/// An audit.
#[derive(Serialize)]
pub struct Audit {
    from: String,
    to: String,
    sites: usize,
    expected: u64,
    recorded: u64,
    missing: u64,
    on_its_way: u64,
    unaccounted: u64,
    gaps: Vec<Gap>,
    lag_ms: Lag,
}

/// `from` inclusive, `to` exclusive, as in the range.
#[derive(Serialize)]
struct Gap {
    from: String,
    to: String,
    slots: u64,
}

#[derive(Serialize)]
struct Lag {
    p50: Option<u64>,
    p99: Option<u64>,
    max: Option<u64>,
}

impl From<&accounting::Audit> for Audit {
    fn from(audit: &accounting::Audit) -> Self {
        let gap = |gap: &GapCount| {
            let (from, to) = gap.bounds(audit.range);
            Gap { from: slot_time(from), to: slot_time(to), slots: gap.slots }
        };
        let lag = audit.lag_ms;
        Self {
            from: time(audit.range.from),
            to: time(audit.range.to),
            sites: audit.sites.len(),
            expected: audit.expected,
            recorded: audit.recorded,
            missing: audit.missing(),
            on_its_way: audit.on_its_way,
            unaccounted: audit.unaccounted,
            gaps: audit.gaps.iter().map(gap).collect(),
            lag_ms: Lag {
                p50: lag.map(|lag| lag.p50),
                p99: lag.map(|lag| lag.p99),
                max: lag.map(|lag| lag.max),
            },
        }
    }
}
