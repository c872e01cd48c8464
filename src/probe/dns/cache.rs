//! Answers that still hold, for the whole process.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Instant;

use smallvec::SmallVec;

use super::answer::Answer;
use super::question::Family;

/// Memory for answers. An answer takes about 300 bytes, so this is a hundred thousand names.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What an answer takes in the table and in the heap, with the room that both have to grow.
const OVERHEAD: usize = 300;

/// Answers that have ended are dropped this many at a time, with each one that comes.
const SWEPT: usize = 4;

/// Answers by name and family.
///
/// Names and answers lie in the table itself, as long as they are not unusually long. They stay for minutes, and small pieces of
/// memory that stay between those of checks, which come and go, keep the allocator from joining what is free: that made every
/// check by name a tenth dearer.
pub(super) struct Cache {
    names: HashMap<Name, [Option<Kept>; 2]>,
    /// The soonest end first; also ends of answers that have been replaced since.
    ends: BinaryHeap<Reverse<(Instant, Name, Family)>>,
    /// Answers.
    count: usize,
    bytes: usize,
    most_bytes: usize,
}

/// Bytes of a name; most names are shorter than the room that they have in place.
type Name = SmallVec<[u8; 48]>;

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
        Self { names: HashMap::new(), ends: BinaryHeap::new(), count: 0, bytes: 0, most_bytes }
    }

    /// What holds at `now`, for each family.
    pub(super) fn get(&self, name: &str, now: Instant) -> [Option<Answer>; 2] {
        let Some(kept) = self.names.get(name.as_bytes()) else { return [None, None] };
        let holding = |kept: &Option<Kept>| {
            kept.as_ref().filter(|kept| now < kept.until).map(|kept| kept.answer.clone())
        };
        [holding(&kept[0]), holding(&kept[1])]
    }

    /// Keeps `answer` up to `until`. When memory is short, those go first that would end first.
    pub(super) fn insert(
        &mut self,
        name: &str,
        family: Family,
        answer: Answer,
        until: Instant,
        now: Instant,
    ) {
        let name = Name::from_slice(name.as_bytes());
        self.bytes += bytes_of(&name, &answer);
        self.count += 1;
        let families = self.names.entry(name.clone()).or_default();
        let before = families[family.index()].replace(Kept { answer, until });
        before.iter().for_each(|before| self.forget(&name, before));
        if before.is_none_or(|before| before.until != until) {
            self.ends.push(Reverse((until, name, family)));
        }
        let mut swept = 0;
        while let Some(Reverse((end, ..))) = self.ends.peek() {
            let is_over = *end <= now && swept < SWEPT;
            if !is_over && self.bytes <= self.most_bytes {
                break;
            }
            swept += usize::from(self.drop_soonest());
        }
        if self.ends.len() > 2 * self.count + SWEPT {
            self.drop_replaced_ends();
        }
    }

    /// Drops the answer that ends soonest. False where that was replaced before.
    fn drop_soonest(&mut self) -> bool {
        let Some(Reverse((end, name, family))) = self.ends.pop() else { return false };
        let Some(families) = self.names.get_mut(&name) else { return false };
        let Some(kept) = families[family.index()].take_if(|kept| kept.until == end) else { return false };
        if families.iter().all(Option::is_none) {
            self.names.remove(&name);
        }
        self.forget(&name, &kept);
        true
    }

    fn forget(&mut self, name: &[u8], kept: &Kept) {
        self.bytes -= bytes_of(name, &kept.answer);
        self.count -= 1;
    }

    fn drop_replaced_ends(&mut self) {
        let names = &self.names;
        self.ends.retain(|Reverse((end, name, family))| {
            let kept = names.get(name).and_then(|families| families[family.index()].as_ref());
            kept.is_some_and(|kept| kept.until == *end)
        });
    }
}

fn bytes_of(name: &[u8], answer: &Answer) -> usize {
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
        Answer::Addresses([IpAddr::V4(Ipv4Addr::LOCALHOST)].into_iter().collect())
    }

    fn name(number: usize) -> String {
        format!("site{number}.test")
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
        let one = bytes_of(name(1).as_bytes(), &one_address());
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
        for replaced in (0..50).rev() {
            let until = now + SECOND + Duration::from_millis(replaced / 2);
            cache.insert(&name(1), Family::V4, one_address(), until, now);
        }
        assert_eq!((cache.names.len(), cache.count), (1, 1));
        assert!(cache.ends.len() <= 2 + SWEPT, "{}", cache.ends.len());

        cache.insert(&name(2), Family::V4, one_address(), now + 9 * SECOND, now + 2 * SECOND);

        assert_eq!((cache.names.len(), cache.count), (1, 1));
        assert_eq!(cache.bytes, bytes_of(name(2).as_bytes(), &one_address()));
    }
}
