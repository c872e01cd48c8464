//! When to restart, when to wait, when to give up.

use std::time::Duration;

/// Every limit and pause of a supervisor. One policy holds for all its children, each counted for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Restarts of one child allowed within `window`; one more, and the supervisor gives up. Default 10.
    pub max_restarts: u32,
    /// How long a restart is remembered. Default 60 s.
    pub window: Duration,
    /// The pause before the first restart; it doubles with each failure that follows. Default 100 ms.
    pub backoff_min: Duration,
    /// The longest pause. Default 10 s.
    pub backoff_max: Duration,
    /// A child that ran this long is healthy: its next failure counts as a first one. Default 60 s.
    pub healthy_after: Duration,
    /// How often a child gives a sign of life, and how often the supervisor looks for it. Default 500 ms.
    pub heartbeat: Duration,
    /// A child without a sign of life for so long is hung. Must be well above `heartbeat`, and above the longest time in
    /// which an actor legitimately holds its thread or waits with `ctx.wait`. Default 10 s.
    pub hang_timeout: Duration,
    /// A child that has work and makes no progress for so long is hung. Default 60 s.
    pub stall: Duration,
    /// Threads of one child that may be blocked for good; one more, and the supervisor gives up. Default 4.
    pub max_zombies: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_restarts: 10,
            window: Duration::from_secs(60),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
            healthy_after: Duration::from_secs(60),
            heartbeat: Duration::from_millis(500),
            hang_timeout: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            max_zombies: 4,
        }
    }
}

impl Policy {
    /// The pause after the `failures`-th failure in a row, counted from 1.
    ///
    /// It lies between half of the nominal pause and all of it, so that children that fell together don't rise together.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        let full = self.backoff_min.saturating_mul(2_u32.saturating_pow(doublings)).min(self.backoff_max);
        let half = full / 2;
        half + half.mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_than_the_last_until_the_longest() {
        let policy = Policy::default();

        let pauses: Vec<_> = (1..=7).map(|failures| policy.pause(failures)).collect();

        assert!(pauses.is_sorted(), "{pauses:?}");
        assert!(pauses[0] >= policy.backoff_min / 2);
        assert!(policy.pause(1_000) >= policy.backoff_max / 2);
        assert!(policy.pause(1_000) <= policy.backoff_max);
    }

    #[test]
    fn pauses_differ_so_that_children_do_not_rise_together() {
        let policy = Policy::default();

        let first = policy.pause(1);

        assert!((0..100).any(|_| policy.pause(1) != first));
    }
}
