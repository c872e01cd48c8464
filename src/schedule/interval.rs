//! Slots of an interval: every second `t` with `t mod every_s == phase_s`.

use xxhash_rust::xxh3::xxh3_64;

/// The second inside its interval at which a site is due. Depends on nothing but the site's name and
/// interval, so it stays put across restarts and machines, and changing one site moves no other.
pub fn phase_s(name: &str, every_s: u32) -> u32 {
    (xxh3_64(name.as_bytes()) % u64::from(every_s)) as u32
}

/// So many seconds from slot to slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Seconds between two slots.
    pub every_s: u32,
    /// Where in the interval they lie.
    pub phase_s: u32,
}

impl Interval {
    /// The newest slot that is not later than `at` (seconds since the epoch).
    pub fn latest(self, at: i64) -> i64 {
        at - (at - i64::from(self.phase_s)).rem_euclid(i64::from(self.every_s))
    }

    /// The first slot later than `after`.
    pub fn next(self, after: i64) -> i64 {
        self.latest(after) + i64::from(self.every_s)
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
    use crate::schedule::MAX_EVERY_S;

    fn slots_by_definition(interval: Interval, after: i64, until: i64) -> Vec<i64> {
        let is_due = |at: &i64| at.rem_euclid(interval.every_s.into()) == i64::from(interval.phase_s);
        (after + 1..=until).filter(is_due).collect()
    }

    proptest! {
        #[test]
        fn a_window_holds_each_sites_newest_slot_once(
            every_s in 1u32..100, phase in 0u32..100, after in -500i64..500, length in 0i64..300,
        ) {
            let interval = Interval { every_s, phase_s: phase % every_s };
            let until = after + length;

            let found: Vec<i64> = due(every_s, after, until)
                .filter(|range| (range.phase_from..=range.phase_to).contains(&interval.phase_s))
                .map(|range| range.base + i64::from(interval.phase_s))
                .collect();

            let newest: Vec<i64> = slots_by_definition(interval, after, until).into_iter().next_back().into_iter().collect();
            prop_assert_eq!(found, newest);
        }

        #[test]
        fn slots_are_counted_without_visiting_them(
            every_s in 1u32..100, phase in 0u32..100, after in -500i64..500, length in 0i64..300,
        ) {
            let interval = Interval { every_s, phase_s: phase % every_s };

            let counted = interval.count(after, after + length);

            prop_assert_eq!(counted as usize, slots_by_definition(interval, after, after + length).len());
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
}
