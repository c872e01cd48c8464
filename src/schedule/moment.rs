//! Which moment counts, where the clock may have been adjusted, set back, or be wrong.

/// A clock that goes back by no more seconds than this has been adjusted; by more, it has been set.
pub(crate) const SET_BACK_TOLERANCE_S: i64 = 2;

/// A clock that reads less is wrong for certain, for no version of this program is as old: 2025-01-01. A computer without a
/// battery starts in 1970.
const FIRST_POSSIBLE_S: i64 = 1_735_689_600;

/// Whether a clock that reads `now` may be right.
pub(crate) fn is_possible(now: i64) -> bool {
    now >= FIRST_POSSIBLE_S
}

/// The moment that counts when the clock reads `now` and slots are queued up to `last_tick`, seconds since the epoch. A clock
/// that was adjusted is waited for, and one that is wrong for certain is not believed: until it is right, nothing is queued.
pub(crate) fn moment(now: i64, last_tick: Option<i64>) -> i64 {
    let waits = |last: &i64| (now..=now + SET_BACK_TOLERANCE_S).contains(last) || !is_possible(now);
    last_tick.filter(waits).map_or(now, |last| last.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_adjusted_or_cannot_be_right_is_waited_for() {
        let today = 1_767_225_600;

        assert_eq!(moment(today, Some(today - 9)), today);
        assert_eq!(moment(today, Some(today + 2)), today + 2, "adjusted");
        assert_eq!(moment(today, Some(today + 3)), today, "set back");
        assert_eq!(moment(86_400, Some(today)), today, "a computer without a battery");
        assert_eq!(moment(86_400, None), 86_400);
    }
}
