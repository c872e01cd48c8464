//! Kinds of work of this process that fail at present.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What fails, and why. Work is entered when it fails, and leaves when it next succeeds: who can read the database may still be
/// unable to write there. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Troubles {
    /// Notes how a piece of work ended: `why` it failed, or that it did not.
    pub fn note(&self, work: &'static str, why: Option<String>) {
        match why {
            Some(why) => drop(self.all().insert(work, why)),
            None => drop(self.all().remove(work)),
        }
    }

    /// All that fails, by name of the work.
    pub fn now(&self) -> BTreeMap<String, String> {
        self.all().iter().map(|(work, why)| ((*work).to_owned(), why.clone())).collect()
    }

    /// A panic under this lock leaves a whole map behind.
    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
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
}
