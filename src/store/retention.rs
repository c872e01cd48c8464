//! How far retention believes the clock: decided from data alone, for every database does the same.
//!
//! What is removed cannot be brought back, so a clock that has jumped ahead must first prove itself. Retention keeps a time of its
//! own, which moves on with the clock as far as it is known that so much time has passed, and lags behind after a jump:
//! by an hour at most it is believed at once, by a day after an hour, and by more after a day of work. A computer that was off for
//! months then prunes again; one that started with a wrong date has been corrected by then.
//!
//! Time that has passed is what this process has measured by its monotonic clock since it looked last, but no more than
//! the database's clock has moved on.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::database::rows::from_seconds;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// One look of retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Older results are removed.
    pub keep: Duration,
    /// Monotonic time since this process looked last; zero at its first look.
    pub elapsed: Duration,
    /// Up to so many rows in one transaction.
    pub most: usize,
}

/// What a look has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// About so many rows went.
    pub rows: usize,
    /// Why older ones stay.
    pub doubt: Option<Doubt>,
}

/// Results that are too old by the clock, and stay because the clock has jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// What the clock reads.
    pub clock: Timestamp,
    /// The time by which retention goes.
    pub believed: Timestamp,
    /// The clock is believed when it has gone on for so long.
    pub patience: Duration,
}

/// What is remembered from look to look, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Belief {
    /// What the clock read.
    pub(super) seen_at: i64,
    /// Retention's own time, never later than that.
    pub(super) until: i64,
    /// Time that has passed since the clock is in doubt.
    pub(super) proven_s: i64,
}

impl Belief {
    /// Before the first look. Slots were queued up to `last_tick`, so time was there already.
    pub(super) fn first(now: i64, last_tick: Option<i64>) -> Self {
        let seen_at = last_tick.unwrap_or(now);
        Self { seen_at, until: seen_at, proven_s: 0 }
    }

    /// The clock reads `now`.
    pub(super) fn look(self, now: i64, retention: &Retention) -> Self {
        if now < self.seen_at {
            // It was set back: whatever it has proven was proven by a wrong clock.
            return Self { seen_at: now, until: self.until.min(now), proven_s: 0 };
        }
        let passed = now - self.seen_at;
        let lived = passed.min(seconds_up(retention.elapsed));
        let jumped = passed - lived;
        let proven_s = if jumped > DAY_S { 0 } else { self.proven_s + lived };
        let until = self.until + lived;
        let ahead = now - until;
        if ahead <= harmless_s(retention.keep) || proven_s >= proof_s(ahead) {
            return Self { seen_at: now, until: now, proven_s: 0 };
        }
        Self { seen_at: now, until, proven_s }
    }

    /// Results of slots before this are removed.
    pub(super) fn cut(self, keep: Duration) -> i64 {
        self.until.saturating_sub(seconds_up(keep))
    }

    /// Before this they would be, if the clock were believed.
    pub(super) fn cut_by_clock(self, keep: Duration) -> i64 {
        self.seen_at.saturating_sub(seconds_up(keep))
    }

    pub(super) fn doubt(self) -> Doubt {
        let rest_s = proof_s(self.seen_at - self.until) - self.proven_s;
        Doubt {
            clock: from_seconds(self.seen_at),
            believed: from_seconds(self.until),
            patience: Duration::from_secs(rest_s.max(0).unsigned_abs()),
        }
    }
}

/// A jump that costs this little of what is kept needs no proof: a restart, a night of an hour.
fn harmless_s(keep: Duration) -> i64 {
    HOUR_S.min(seconds_up(keep) / 10)
}

/// How long a clock must go on that is `ahead_s` seconds ahead of what is believed.
fn proof_s(ahead_s: i64) -> i64 {
    if ahead_s <= DAY_S { HOUR_S } else { DAY_S }
}

fn seconds_up(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600;
    const LOOK_S: i64 = 600;

    fn month(elapsed_s: i64) -> Retention {
        let elapsed = Duration::from_secs(elapsed_s.unsigned_abs());
        Retention { keep: Duration::from_hours(24 * 30), elapsed, most: 1 }
    }

    /// Looks every 10 minutes for so many hours, from a moment when the clock was seen.
    fn work(mut belief: Belief, hours: i64) -> Belief {
        for _ in 0..hours * 6 {
            belief = belief.look(belief.seen_at + LOOK_S, &month(LOOK_S));
        }
        belief
    }

    fn believes(belief: Belief) -> bool {
        belief.until == belief.seen_at
    }

    #[test]
    fn a_clock_that_goes_on_is_believed() {
        assert!(believes(Belief::first(NOW, None)));
        assert!(believes(work(Belief::first(NOW, None), 48)));
        assert!(believes(Belief::first(NOW, Some(NOW - 60)).look(NOW, &month(0))), "a restart");
    }

    #[test]
    fn a_clock_that_is_years_ahead_at_start_removes_nothing_that_the_right_one_would_keep() {
        let before = Belief::first(NOW, None).look(NOW, &month(0));

        let wrong = before.look(NOW + 4 * 365 * DAY_S, &month(0));
        let wrong = work(wrong, 23);
        let corrected = wrong.look(NOW + 7 * DAY_S, &month(60));

        assert!(wrong.until <= NOW + DAY_S, "{wrong:?}");
        assert!(corrected.until <= NOW + DAY_S && corrected.proven_s == 0, "{corrected:?}");
        assert!(!believes(work(corrected, 23)));
        assert!(believes(work(corrected, 24)));
    }

    #[test]
    fn a_computer_that_was_off_for_months_prunes_again_after_a_day_of_work_in_however_many_pieces() {
        let mut belief = Belief::first(NOW, None).look(NOW + 60 * DAY_S, &month(0));

        for day in 0..3 {
            assert!(!believes(belief), "day {day}: {belief:?}");
            belief = work(belief, 8);
            belief = belief.look(belief.seen_at + 16 * HOUR_S, &month(0));
        }

        assert_eq!(belief.seen_at - belief.until, 16 * HOUR_S, "the last night is still to be proven");
        assert!(believes(work(belief, 1)));
    }

    #[test]
    fn a_jump_while_it_works_is_a_jump_all_the_same() {
        let belief = Belief::first(NOW, None).look(NOW + 20 * DAY_S, &month(LOOK_S));

        assert_eq!(belief.until, NOW + LOOK_S);
        assert_eq!(belief.cut(Duration::from_hours(24 * 30)), NOW + LOOK_S - 30 * DAY_S);
    }

    #[test]
    fn with_a_short_retention_a_short_jump_is_in_doubt() {
        let hours = Retention { keep: Duration::from_hours(6), ..month(0) };
        let belief = Belief::first(NOW, None);

        assert!(believes(belief.look(NOW + 36 * 60, &hours)));
        assert!(!believes(belief.look(NOW + 37 * 60, &hours)));
    }

    #[test]
    fn a_doubt_says_how_long_it_lasts() {
        let belief = work(Belief::first(NOW, None).look(NOW + 2 * DAY_S, &month(0)), 1);

        let Doubt { clock, believed, patience } = belief.doubt();

        assert_eq!((clock - believed).num_seconds(), 2 * DAY_S);
        assert_eq!(patience, Duration::from_hours(23));
    }
}
