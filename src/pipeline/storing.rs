//! Stores results, whatever is in them: what the database will never take is put aside, and its neighbours are stored.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{debug, error, warn};

use super::aside::set_aside;
use crate::clock::Clock;
use crate::failure::{Outage, chain, persevere_with};
use crate::model::CheckResult;
use crate::result_log::ResultLog;
use crate::store::{Persisted, ResultStore, StoreError};
use crate::supervisor::Life;

/// A result that is refused alone, and its verdict too, is tried for this long unless something else was stored as recently. A
/// database that refuses everything must not empty the log into the dead letters.
const DOUBT: Duration = Duration::from_secs(15);

/// Between two tries of such a result.
const PAUSE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Storing<'a> {
    life: &'a Life,
    log: &'a dyn ResultLog,
    store: &'a dyn ResultStore,
    outage: Outage,
    /// When the database took something last.
    worked: Cell<Option<Instant>>,
}

/// A result that the database refused by itself, and why.
type Refused = (CheckResult, StoreError);

impl<'a> Storing<'a> {
    pub(super) fn new(life: &'a Life, log: &'a dyn ResultLog, store: &'a dyn ResultStore) -> Self {
        Self { life, log, store, outage: Outage::default(), worked: Cell::default() }
    }

    /// Returns when every result is stored or put aside.
    pub(super) async fn all(&self, groups: &[Arc<Vec<CheckResult>>]) -> Persisted {
        let error = match self.attempt(groups).await {
            Ok(persisted) => return persisted,
            Err(error) => error,
        };
        debug!(error = chain(&error); "a batch is refused for good; looking for the result that it is refused for");
        let (mut persisted, refused) = self.in_parts(groups).await;
        for (result, why) in refused {
            persisted += self.alone(&result, &why).await;
        }
        persisted
    }

    /// Halves the batch until what is refused stands alone. Everything else is stored before any of it is looked at.
    async fn in_parts(&self, groups: &[Arc<Vec<CheckResult>>]) -> (Persisted, Vec<Refused>) {
        let mut persisted = Persisted::default();
        let mut refused = Vec::new();
        let mut open: Vec<Vec<CheckResult>> =
            vec![groups.iter().flat_map(|group| group.iter().cloned()).collect()];
        while let Some(mut part) = open.pop() {
            match (self.attempt(&[Arc::new(part.clone())]).await, part.len()) {
                (Ok(stored), _) => persisted += stored,
                (Err(why), 0 | 1) => refused.extend(part.pop().map(|result| (result, why))),
                (Err(_), length) => {
                    let second = part.split_off(length / 2);
                    open.extend([second, part]);
                }
            }
        }
        (persisted, refused)
    }

    /// Stores the verdict of a result that is refused, where the database takes that, and gives the result back to the log.
    async fn alone(&self, result: &CheckResult, why: &StoreError) -> Persisted {
        let (site_id, scheduled_at) = (result.site_id.map(|id| id.0), result.scheduled_at.to_rfc3339());
        let region = result.region.as_str();
        let why = chain(why);
        let persisted = match self.whole_or_verdict(result).await {
            Some((persisted, Kept::Whole)) => return persisted,
            Some((persisted, Kept::Verdict)) => {
                warn!(site_id, scheduled_at, region, error = why; "the database refuses a result for good; its verdict is stored and the rest put aside");
                persisted
            }
            None => {
                error!(site_id, scheduled_at, region, error = why; "the database refuses a result for good; it is put aside and its slot has no row");
                Persisted::default()
            }
        };
        set_aside(self.life, self.log, result, &why).await;
        persisted
    }

    /// `None` when the database takes neither, and it is not the database that is the trouble.
    async fn whole_or_verdict(&self, result: &CheckResult) -> Option<(Persisted, Kept)> {
        let started = Clock::instant();
        loop {
            if let Ok(persisted) = self.attempt(&[Arc::new(vec![result.clone()])]).await {
                return Some((persisted, Kept::Whole));
            }
            if let Ok(persisted) = self.attempt(&[Arc::new(vec![result.verdict_alone()])]).await {
                return Some((persisted, Kept::Verdict));
            }
            let now = Clock::instant();
            let works = self.worked.get().is_some_and(|worked| now - worked < DOUBT);
            if works || now - started >= DOUBT {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn attempt(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        let store = async || self.store.persist(groups).await;
        let persisted = persevere_with(self.life, "store results", &self.outage, store).await?;
        self.worked.set(Some(Clock::instant()));
        Ok(persisted)
    }
}

/// How much of a result the database has.
enum Kept {
    Whole,
    Verdict,
}
