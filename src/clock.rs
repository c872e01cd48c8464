//! The only door to "now".
//!
//! Slots, leases and reports use wall time, which can jump; durations use [`Clock::instant`], which cannot.
//! Tests hold a clock of their own and move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

/// A point in wall time, UTC, with microseconds.
pub type Timestamp = DateTime<Utc>;

/// Wall time, as the whole process sees it. Clones share one time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds that tests have added to the system's time.
    offset_us: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that reads `start` now and goes on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        let clock = Self::system();
        clock.jump(start - clock.now());
        clock
    }

    /// The present moment.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn now(&self) -> Timestamp {
        Utc::now() + TimeDelta::microseconds(self.offset_us.load(Ordering::Relaxed))
    }

    /// The present moment in whole seconds since the epoch, rounded down.
    pub fn now_s(&self) -> i64 {
        self.now().timestamp()
    }

    /// Moves wall time by `delta`, forward or back, as an administrator or NTP may do. Monotonic time is untouched.
    pub fn jump(&self, delta: TimeDelta) {
        self.offset_us.fetch_add(delta.num_microseconds().unwrap_or_default(), Ordering::Relaxed);
    }

    /// Monotonic time, for measuring durations.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub fn instant() -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_seen_by_every_clone() {
        let clock = Clock::starting_at(DateTime::from_timestamp(1_000, 0).unwrap());
        let clone = clock.clone();

        clock.jump(TimeDelta::hours(1));

        assert_eq!(clone.now_s(), 4_600);
    }
}
