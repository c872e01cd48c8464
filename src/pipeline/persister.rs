//! Reads the result log and stores what it reads.
//!
//! In:    the result log.
//! Out:   batches to the store; then the position to the log. What the store will never take, back to the log with the reason.
//! Crash: what was read and not committed is read again; storing it twice changes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use chrono::TimeDelta;
use log::{debug, info, warn};

use super::storing::Storing;
use super::tally::Tally;
use crate::clock::Clock;
use crate::failure::chain;
use crate::result_log::{LogError, ResultLog};
use crate::store::ResultStore;
use crate::supervisor::Life;

/// Retention looks this often for what is too old.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// And removes this many rows in one transaction, so that results don't wait behind it.
const PRUNE_BATCH: usize = 5_000;

/// How to store.
#[derive(Debug, Clone)]
pub struct PersistSettings {
    /// Results in one transaction.
    pub batch: usize,
    /// How long to wait for more of them.
    pub linger: Duration,
    /// Results older than this are removed.
    pub keep: Duration,
}

/// See the module.
pub struct Persister {
    life: Life,
    settings: PersistSettings,
    log: Arc<dyn ResultLog>,
    store: Arc<dyn ResultStore>,
    tally: Option<Tally>,
    clock: Clock,
}

impl Persister {
    /// A persister from `log` into `store`. It counts what it stores in `tally`, where no publisher of the process counts already.
    pub fn new(
        life: Life,
        settings: PersistSettings,
        log: Arc<dyn ResultLog>,
        store: Arc<dyn ResultStore>,
        tally: Option<Tally>,
        clock: Clock,
    ) -> Self {
        Self { life, settings, log, store, tally, clock }
    }
}

impl Actor for Persister {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let (life, settings, store) = (self.life.clone(), self.settings.clone(), Arc::clone(&self.store));
        let (log, tally) = (Arc::clone(&self.log), self.tally.clone());
        self.life.spawn(async move {
            if let Err(error) = persist(&life, &settings, &*log, &*store, tally).await {
                life.fail(chain(&error));
            }
        });
        self.life.spawn(prune(self.clock.clone(), self.settings.keep, Arc::clone(&self.store)));
    }
}

async fn persist(
    life: &Life,
    settings: &PersistSettings,
    log: &dyn ResultLog,
    store: &dyn ResultStore,
    tally: Option<Tally>,
) -> Result<(), LogError> {
    let mut reader = log.reader();
    let storing = Storing::new(life, log, store);
    loop {
        life.set_busy(false);
        let batch = reader.next(settings.batch, settings.linger).await?;
        life.set_busy(true);
        let persisted = storing.all(&batch).await;
        debug!(new = persisted.new, repeated = persisted.repeated; "results stored");
        if let Some(tally) = &tally {
            batch.results().for_each(|result| tally.count(result));
        }
        reader.commit(batch).await?;
        life.progressed();
    }
}

async fn prune(clock: Clock, keep: Duration, store: Arc<dyn ResultStore>) {
    loop {
        let before = clock.now() - TimeDelta::from_std(keep).unwrap_or(TimeDelta::MAX);
        match store.prune(before, PRUNE_BATCH).await {
            Ok(0) => tokio::time::sleep(PRUNE_EVERY).await,
            Ok(rows) => {
                info!(rows; "old results removed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => {
                warn!(error = chain(&error); "failed to remove old results");
                tokio::time::sleep(PRUNE_EVERY).await;
            }
        }
    }
}
