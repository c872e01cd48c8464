//! Kinds of work of this process that fail at present.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Work that still fails has failed within this time: it is tried again after some seconds, and each try ends within a minute. A
/// process that has no such work to do any more neither fails nor succeeds at it.
const RECENT: Duration = Duration::from_secs(90);

/// What fails, and why. Work is entered when it fails, and leaves when it next succeeds, or was not tried for a while: who can
/// read the database may still be unable to write there. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<&'static str, Trouble>>>);

#[derive(Debug)]
struct Trouble {
    why: String,
    last: Instant,
}

impl Troubles {
    /// Notes how a piece of work ended: `why` it failed, or that it did not.
    pub fn note(&self, work: &'static str, why: Option<String>) {
        match why {
            Some(why) => drop(self.all().insert(work, Trouble { why, last: Clock::instant() })),
            None => drop(self.all().remove(work)),
        }
    }

    /// All that fails, by name of the work.
    pub fn now(&self) -> BTreeMap<String, String> {
        self.at(Clock::instant())
    }

    fn at(&self, now: Instant) -> BTreeMap<String, String> {
        let mut all = self.all();
        all.retain(|_, trouble| now.saturating_duration_since(trouble.last) < RECENT);
        all.iter().map(|(work, trouble)| ((*work).to_owned(), trouble.why.clone())).collect()
    }

    /// A panic under this lock leaves a whole map behind.
    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_in_trouble_from_a_failure_to_the_next_success() {
        let troubles = Troubles::default();
        let failing = |troubles: &Troubles| troubles.now().into_keys().collect::<Vec<_>>();

        troubles.note("ticks", Some("read-only".to_owned()));
        troubles.note("claims", Some("read-only".to_owned()));
        troubles.note("ticks", Some("still read-only".to_owned()));
        assert_eq!(failing(&troubles), ["claims", "ticks"]);
        assert_eq!(troubles.now()["ticks"], "still read-only");

        troubles.note("ticks", None);
        troubles.note("stores", None);
        assert_eq!(failing(&troubles), ["claims"]);
    }

    #[test]
    fn work_that_is_not_tried_any_more_is_in_trouble_for_a_while_only() {
        let troubles = Troubles::default();
        troubles.note("claims", Some("read-only".to_owned()));
        let now = Clock::instant();

        assert_eq!(troubles.at(now + RECENT - Duration::from_secs(1)).len(), 1);
        assert_eq!(troubles.at(now + RECENT).len(), 0);
    }
}
