//! Reads the result log and stores what it reads.
//!
//! In:    the result log.
//! Out:   batches to the store; then the position to the log. What the store will never take, back to the log with the reason.
//! Crash: what was read and not committed is read again; storing it twice changes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use log::debug;

use super::storing::Storing;
use super::tally::Tally;
use crate::failure::chain;
use crate::model::Verdict;
use crate::result_log::{LogError, ResultLog};
use crate::store::{ResultStore, Turn};
use crate::supervisor::Life;

/// How to store.
#[derive(Debug, Clone)]
pub struct PersistSettings {
    /// Results in one transaction.
    pub batch: usize,
    /// How long to wait for more of them.
    pub linger: Duration,
}

/// See the module.
pub struct Persister {
    life: Life,
    settings: PersistSettings,
    log: Arc<dyn ResultLog>,
    store: Arc<dyn ResultStore>,
    tally: Option<Tally>,
}

impl Persister {
    /// A persister from `log` into `store`. It counts what it stores in `tally`, where no publisher of the process counts already.
    pub fn new(
        life: Life,
        settings: PersistSettings,
        log: Arc<dyn ResultLog>,
        store: Arc<dyn ResultStore>,
        tally: Option<Tally>,
    ) -> Self {
        Self { life, settings, log, store, tally }
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
        let persisted = storing.all(&batch.groups).await;
        debug!(new = persisted.new.len(), repeated = persisted.repeated; "results stored");
        for Turn { site_id, at, from, to } in persisted.turns {
            let from = from.map(Verdict::as_str);
            debug!(site_id = site_id.0, at:%, from, to = to.as_str(); "a site has turned");
        }
        if let Some(tally) = &tally {
            batch.results().for_each(|result| tally.count(result));
        }
        reader.commit(batch).await?;
        life.progressed();
    }
}
