//! Renews the leases of jobs whose results the log has not taken yet: all of them in one statement, however many groups wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::debug;

use crate::failure::chain;
use crate::model::{CheckResult, Slot};
use crate::queue::JobQueue;

/// Looks per lease. A group is renewed at the second look that finds it, so after half a lease at most, and one that the log takes
/// quickly is never renewed.
const LOOKS: u32 = 4;

/// The groups that wait. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewals(Arc<Mutex<Groups>>);

#[derive(Debug, Default)]
struct Groups {
    next: u64,
    waiting: BTreeMap<u64, Arc<Vec<CheckResult>>>,
}

/// A group waits for as long as this lives.
pub(super) struct Waits {
    renewals: Renewals,
    number: u64,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.renewals.groups().waiting.remove(&self.number);
    }
}

impl Renewals {
    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the leases of these jobs renewed from now on.
    pub(super) fn of(&self, results: &Arc<Vec<CheckResult>>) -> Waits {
        let mut groups = self.groups();
        let number = groups.next;
        groups.next += 1;
        groups.waiting.insert(number, Arc::clone(results));
        Waits { renewals: self.clone(), number }
    }

    /// Slots of the groups before `number`, and the number of the next group.
    fn before(&self, number: u64) -> (Vec<Slot>, u64) {
        let groups = self.groups();
        let old = groups.waiting.range(..number).flat_map(|(_, results)| results.iter());
        (old.filter_map(CheckResult::slot).collect(), groups.next)
    }
}

/// Renews for ever.
pub(super) async fn renew(queue: Arc<dyn JobQueue>, owner: Arc<str>, lease: Duration, renewals: Renewals) {
    let mut seen = 0;
    loop {
        tokio::time::sleep(lease / LOOKS).await;
        let (slots, next) = renewals.before(seen);
        seen = next;
        if slots.is_empty() {
            continue;
        }
        if let Err(error) = queue.renew(&owner, &slots, lease).await {
            debug!(error = chain(&error); "failed to renew leases; these slots may be checked again");
        }
    }
}
