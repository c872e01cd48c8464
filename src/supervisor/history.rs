//! The failures of one child: how long to pause after one, and when there were too many.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::policy::Policy;

/// What is remembered of a child's failures.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The failures within the window. Never more than the policy's limit and one.
    recent: VecDeque<Instant>,
    /// Failures since the child was last healthy.
    in_a_row: u32,
}

impl History {
    /// Notes that an incarnation failed at `now` after `uptime`. Returns the pause before the next one, or `None` when
    /// there were too many.
    pub(super) fn failed(&mut self, now: Instant, uptime: Duration, policy: &Policy) -> Option<Duration> {
        self.forget_before(now, policy.window);
        if self.recent.len() >= policy.max_restarts as usize {
            return None;
        }
        self.recent.push_back(now);
        if uptime >= policy.healthy_after {
            self.in_a_row = 0;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        Some(policy.pause(self.in_a_row))
    }

    fn forget_before(&mut self, now: Instant, window: Duration) {
        while self.recent.front().is_some_and(|&then| now.duration_since(then) > window) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const NO_TIME: Duration = Duration::ZERO;

    #[test]
    fn the_first_failure_over_the_limit_is_one_too_many() {
        let (now, policy) = (Clock::instant(), Policy { max_restarts: 2, ..Policy::default() });
        let mut history = History::default();

        let pauses: Vec<_> = (0..3).map(|_| history.failed(now, NO_TIME, &policy)).collect();

        assert!(matches!(pauses[..], [Some(_), Some(_), None]), "{pauses:?}");
    }

    #[test]
    fn failures_outside_the_window_are_forgotten() {
        let (start, policy) = (Clock::instant(), Policy { max_restarts: 1, ..Policy::default() });
        let mut history = History::default();

        for day in 0..10 {
            let now = start + Duration::from_secs(day * 86_400);
            assert!(history.failed(now, NO_TIME, &policy).is_some());
        }
    }

    #[test]
    fn a_healthy_life_takes_the_pause_back_to_the_shortest() {
        let (now, policy) = (Clock::instant(), Policy::default());
        let mut history = History::default();
        (0..5).for_each(|_| assert!(history.failed(now, NO_TIME, &policy).is_some()));

        let pause = history.failed(now, policy.healthy_after, &policy);

        assert!(pause.is_some_and(|pause| pause <= policy.backoff_min), "{pause:?}");
    }
}
