//! When a site is due: slots as a pure function of time, interval and phase. No I/O, no clock.
//!
//! A site with interval `every_s` and phase `phase_s` is due at every second `t` with `t mod every_s == phase_s`.
//! Other rules (cron) can stand beside this one: the queue knows only the [`DueRange`]s of a window.

use xxhash_rust::xxh3::xxh3_64;

/// The longest interval: 31 days.
pub const MAX_EVERY_S: u32 = 31 * 24 * 3600;

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

/// The second inside its interval at which a site is due. Depends on nothing but the site's name and
/// interval, so it stays put across restarts and machines, and changing one site moves no other.
pub fn phase_s(name: &str, every_s: u32) -> u32 {
    (xxh3_64(name.as_bytes()) % u64::from(every_s)) as u32
}

/// The repetition of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Seconds between two slots.
    pub every_s: u32,
    /// Where in the interval they lie.
    pub phase_s: u32,
}

impl Rhythm {
    /// The newest slot that is not later than `at` (seconds since the epoch).
    pub fn latest_slot(self, at: i64) -> i64 {
        at - (at - i64::from(self.phase_s)).rem_euclid(i64::from(self.every_s))
    }

    /// Whether `at` is a slot.
    pub fn is_slot(self, at: i64) -> bool {
        self.latest_slot(at) == at
    }

    /// Number of slots in `(after, until]`.
    pub fn count(self, after: i64, until: i64) -> u64 {
        let periods = |at: i64| (at - i64::from(self.phase_s)).div_euclid(i64::from(self.every_s));
        (periods(until) - periods(after)).max(0) as u64
    }
}

/// Sites of one interval that are due in a window: those with a phase in `phase_from..=phase_to`, at `base + phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueRange {
    /// Interval of the sites, seconds.
    pub every_s: u32,
    /// First phase.
    pub phase_from: u32,
    /// Last phase.
    pub phase_to: u32,
    /// Start of the period in which the slots lie.
    pub base: i64,
}

/// Which sites are due in `(after, until]`, at most once each: of a window longer than an interval only the
/// last interval counts, so that an outage is followed by one check per site and not by a stampede.
pub fn due(every_s: u32, after: i64, until: i64) -> impl Iterator<Item = DueRange> {
    let every = i64::from(every_s);
    let first = (after + 1).max(until - every + 1);
    let base = until - until.rem_euclid(every);
    let range = move |base: i64, from: i64, to: i64| {
        (from <= to).then(|| DueRange {
            every_s,
            phase_from: (from - base) as u32,
            phase_to: (to - base) as u32,
            base,
        })
    };
    let earlier = range(base - every, first, until.min(base - 1));
    let current = range(base, first.max(base), until);
    earlier.into_iter().chain(current)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slots_by_definition(rhythm: Rhythm, after: i64, until: i64) -> Vec<i64> {
        let is_due = |at: &i64| at.rem_euclid(rhythm.every_s.into()) == i64::from(rhythm.phase_s);
        (after + 1..=until).filter(is_due).collect()
    }

    proptest! {
        #[test]
        fn a_window_holds_each_sites_newest_slot_once(
            every_s in 1u32..100, phase in 0u32..100, after in -500i64..500, length in 0i64..300,
        ) {
            let rhythm = Rhythm { every_s, phase_s: phase % every_s };
            let until = after + length;

            let found: Vec<i64> = due(every_s, after, until)
                .filter(|range| (range.phase_from..=range.phase_to).contains(&rhythm.phase_s))
                .map(|range| range.base + i64::from(rhythm.phase_s))
                .collect();

            let newest: Vec<i64> = slots_by_definition(rhythm, after, until).into_iter().next_back().into_iter().collect();
            prop_assert_eq!(found, newest);
        }

        #[test]
        fn slots_are_counted_without_visiting_them(
            every_s in 1u32..100, phase in 0u32..100, after in -500i64..500, length in 0i64..300,
        ) {
            let rhythm = Rhythm { every_s, phase_s: phase % every_s };

            let counted = rhythm.count(after, after + length);

            prop_assert_eq!(counted as usize, slots_by_definition(rhythm, after, after + length).len());
        }
    }

    #[test]
    fn phases_spread_evenly() {
        let mut per_second = [0u32; 60];
        for site in 0..60_000 {
            per_second[phase_s(&format!("site-{site}"), 60) as usize] += 1;
        }

        assert!(per_second.iter().all(|&sites| (850..1150).contains(&sites)), "{per_second:?}");
    }

    /// Another hash would move every site of every user to another second.
    #[test]
    fn a_phase_is_part_of_the_contract() {
        let phases = |name: &str| [1, 60, 300, 3_600, MAX_EVERY_S].map(|every_s| phase_s(name, every_s));

        assert_eq!(phases("shop"), [0, 53, 173, 1_673, 2_006_873]);
    }

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
