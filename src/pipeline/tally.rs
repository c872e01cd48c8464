//! Counts results as they are stored, for the status line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{CheckResult, Status};

/// Counters since the start, and the worst lag since it was last asked for. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    by_status: [AtomicU64; Status::ALL.len()],
    worst_lag_ms: AtomicU64,
}

impl Tally {
    /// Counts one result.
    pub fn count(&self, result: &CheckResult) {
        self.0.by_status[result.status as usize].fetch_add(1, Ordering::Relaxed);
        let lag_ms = (result.started_at - result.scheduled_at).num_milliseconds().max(0).unsigned_abs();
        self.0.worst_lag_ms.fetch_max(lag_ms, Ordering::Relaxed);
    }

    /// Counts slots that ended without a check and without a result on its way.
    pub fn missed(&self, slots: usize) {
        self.0.by_status[Status::Missed as usize].fetch_add(slots as u64, Ordering::Relaxed);
    }

    /// Results of this status since the start.
    pub fn of(&self, status: Status) -> u64 {
        self.0.by_status[status as usize].load(Ordering::Relaxed)
    }

    /// Results since the start.
    pub fn total(&self) -> u64 {
        Status::ALL.iter().map(|&status| self.of(status)).sum()
    }

    /// The worst lag since it was last taken, milliseconds.
    pub fn worst_lag_ms(&self) -> u64 {
        self.0.worst_lag_ms.load(Ordering::Relaxed)
    }

    /// The worst lag since the last call, milliseconds.
    pub fn take_worst_lag_ms(&self) -> u64 {
        self.0.worst_lag_ms.swap(0, Ordering::Relaxed)
    }
}
