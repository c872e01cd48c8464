//! Signs of life of an incarnation, and the watch that the supervisor keeps over them.
//!
//! No message is needed for it: the child writes counters and the supervisor looks at them, so that a full mailbox is not
//! mistaken for a hang, and a blocked child costs the supervisor nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::policy::Policy;
use super::report::Hang;

/// Written on the child's thread, read on the supervisor's. Each value stands for itself, so no ordering is needed.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    beats: AtomicU64,
    progress: AtomicU64,
    busy: AtomicBool,
}

impl Pulse {
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn progressed(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }
}

/// What the supervisor saw when it last looked at a pulse, and for how long nothing has changed.
#[derive(Debug, Default)]
pub(super) struct Watch {
    beats: u64,
    progress: u64,
    silent: Duration,
    stalled: Duration,
}

impl Watch {
    /// Looks again, `elapsed` after the last look.
    pub(super) fn look(&mut self, pulse: &Pulse, elapsed: Duration, policy: &Policy) -> Option<Hang> {
        let beats = pulse.beats.load(Ordering::Relaxed);
        let progress = pulse.progress.load(Ordering::Relaxed);
        let progressed = progress != self.progress;
        // Progress is a sign of life too: a context whose mailbox never runs empty polls nothing else, so it cannot beat.
        let alive = progressed || beats != self.beats;
        let idle = !pulse.busy.load(Ordering::Relaxed);
        (self.beats, self.progress) = (beats, progress);
        self.silent = if alive { Duration::ZERO } else { self.silent + elapsed };
        self.stalled = if progressed || idle { Duration::ZERO } else { self.stalled + elapsed };
        self.hang(policy)
    }

    fn hang(&self, policy: &Policy) -> Option<Hang> {
        if self.silent >= policy.hang_timeout {
            Some(Hang::Silent)
        } else if self.stalled >= policy.stall {
            Some(Hang::Stalled)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What a look a second finds in an hour, when `live` happens before each look.
    fn watch_for_an_hour(live: impl Fn(&Pulse)) -> Option<Hang> {
        let (pulse, policy, mut watch) = (Pulse::default(), Policy::default(), Watch::default());
        (0..3_600).find_map(|_| {
            live(&pulse);
            watch.look(&pulse, SECOND, &policy)
        })
    }

    #[test]
    fn an_idle_child_that_beats_is_fine() {
        assert_eq!(watch_for_an_hour(Pulse::beat), None);
    }

    #[test]
    fn a_child_that_does_not_beat_hangs() {
        assert_eq!(watch_for_an_hour(|_| ()), Some(Hang::Silent));
    }

    #[test]
    fn a_busy_child_that_beats_and_gets_nowhere_hangs() {
        let stalled = watch_for_an_hour(|pulse| {
            pulse.set_busy(true);
            pulse.beat();
        });

        assert_eq!(stalled, Some(Hang::Stalled));
    }

    #[test]
    fn a_child_too_busy_to_beat_is_fine_while_it_progresses() {
        let saturated = watch_for_an_hour(|pulse| {
            pulse.set_busy(true);
            pulse.progressed();
        });

        assert_eq!(saturated, None);
    }

    #[test]
    fn a_hang_takes_as_long_as_the_policy_says() {
        let (pulse, policy, mut watch) = (Pulse::default(), Policy::default(), Watch::default());

        let looks = (1..).find(|_| watch.look(&pulse, SECOND, &policy).is_some());

        assert_eq!(looks, Some(policy.hang_timeout.as_secs()));
    }
}
