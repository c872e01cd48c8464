//! Answers that still hold, for the whole process.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::answer::Answer;
use super::question::Family;

/// Memory for answers. An answer with one address takes about 300 bytes, so this is a hundred thousand names.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What an answer takes besides its name and addresses: its places in the table and in the index.
const OVERHEAD: usize = 240;

/// Answers that have ended are dropped this many at a time, with each one that comes.
const SWEPT: usize = 4;

/// Answers by name and family.
pub(super) struct Cache {
    names: HashMap<Arc<str>, [Option<Kept>; 2]>,
    /// The soonest end first.
    ends: BTreeSet<(Instant, Arc<str>, Family)>,
    bytes: usize,
    most_bytes: usize,
}

struct Kept {
    answer: Answer,
    until: Instant,
}

impl Default for Cache {
    fn default() -> Self {
        Self::of_bytes(MOST_BYTES)
    }
}

impl Cache {
    fn of_bytes(most_bytes: usize) -> Self {
        Self { names: HashMap::new(), ends: BTreeSet::new(), bytes: 0, most_bytes }
    }

    /// What holds at `now`, for each family.
    pub(super) fn get(&self, name: &str, now: Instant) -> [Option<Answer>; 2] {
        let Some(kept) = self.names.get(name) else { return [None, None] };
        let holding = |kept: &Option<Kept>| {
            kept.as_ref().filter(|kept| now < kept.until).map(|kept| kept.answer.clone())
        };
        [holding(&kept[0]), holding(&kept[1])]
    }

    /// Keeps `answer` up to `until`. When memory is short, those go first that would end first.
    pub(super) fn insert(
        &mut self,
        name: &Arc<str>,
        family: Family,
        answer: Answer,
        until: Instant,
        now: Instant,
    ) {
        self.remove(name, family);
        self.bytes += bytes_of(name, &answer);
        self.ends.insert((until, Arc::clone(name), family));
        let families = self.names.entry(Arc::clone(name)).or_default();
        families[family.index()] = Some(Kept { answer, until });
        let mut swept = 0;
        while let Some((end, name, family)) = self.ends.first().cloned() {
            let is_over = end <= now && swept < SWEPT;
            if !is_over && self.bytes <= self.most_bytes {
                break;
            }
            self.remove(&name, family);
            swept += 1;
        }
    }

    fn remove(&mut self, name: &Arc<str>, family: Family) {
        let Some(families) = self.names.get_mut(name) else { return };
        if let Some(kept) = families[family.index()].take() {
            self.bytes -= bytes_of(name, &kept.answer);
            self.ends.remove(&(kept.until, Arc::clone(name), family));
        }
        if families.iter().all(Option::is_none) {
            self.names.remove(name);
        }
    }
}

fn bytes_of(name: &str, answer: &Answer) -> usize {
    OVERHEAD + name.len() + size_of_val(answer.addresses())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn one_address() -> Answer {
        Answer::Addresses([IpAddr::V4(Ipv4Addr::LOCALHOST)].into())
    }

    fn name(number: usize) -> Arc<str> {
        format!("site{number}.test").into()
    }

    #[test]
    fn an_answer_holds_until_its_end_and_only_for_its_family() {
        let (mut cache, now) = (Cache::default(), Clock::instant());

        cache.insert(&name(1), Family::V6, one_address(), now + SECOND, now);

        assert_eq!(cache.get("site1.test", now), [None, Some(one_address())]);
        assert_eq!(cache.get("site1.test", now + SECOND), [None, None]);
        assert_eq!(cache.get("site2.test", now), [None, None]);
    }

    #[test]
    fn twenty_thousand_names_find_room() {
        let (mut cache, now) = (Cache::default(), Clock::instant());
        for number in 0..20_000 {
            for family in Family::BOTH {
                cache.insert(&name(number), family, one_address(), now + 300 * SECOND, now);
            }
        }

        let lost = (0..20_000).filter(|&number| cache.get(&name(number), now).contains(&None)).count();

        assert_eq!(lost, 0);
    }

    #[test]
    fn memory_is_bounded_and_what_ends_first_goes_first() {
        let one = bytes_of(&name(1), &one_address());
        let (mut cache, now) = (Cache::of_bytes(3 * one), Clock::instant());
        for (number, seconds) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            cache.insert(&name(number), Family::V4, one_address(), now + seconds * SECOND, now);
        }

        let kept: Vec<usize> = (1..=4).filter(|&number| cache.get(&name(number), now)[0].is_some()).collect();

        assert_eq!(kept, [1, 3, 4]);
        assert_eq!(cache.bytes, 3 * one);
    }

    #[test]
    fn what_has_ended_leaves_and_a_second_answer_replaces_the_first() {
        let (mut cache, now) = (Cache::default(), Clock::instant());
        for _ in 0..5 {
            cache.insert(&name(1), Family::V4, one_address(), now + SECOND, now);
        }
        assert_eq!((cache.names.len(), cache.ends.len()), (1, 1));

        cache.insert(&name(2), Family::V4, one_address(), now + 9 * SECOND, now + 2 * SECOND);

        assert_eq!((cache.names.len(), cache.ends.len()), (1, 1));
        assert_eq!(cache.bytes, bytes_of(&name(2), &one_address()));
    }
}
