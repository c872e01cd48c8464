//! Notes how far the result log has been read, so that `audit` can tell a result that is late from one that is lost.
//!
//! In:    nothing but time.
//! Out:   the slot before which every result that is not stored is lost, to the store.
//! Crash: nothing. Until the next note, more slots count as on their way.
//!
//! One round: ask the store before which slot no job waits any more; the results of these slots are in the log by now. Wait until
//! whoever reads the log has stored all that is in it now. Note that slot. Any number of processes may do so at once.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context};
use chrono::DateTime;
use log::{debug, warn};

use crate::failure::{MayHeal, Outage, chain, persevere};
use crate::result_log::{LogError, ResultLog};
use crate::store::{ResultStore, StoreError};
use crate::supervisor::Life;

/// From one round to the next. An audit judges no slot that is younger than a lease, which is longer.
const EVERY: Duration = Duration::from_secs(5);

/// The name of a round in the program's log.
const SURVEY: &str = "find out how far the result log is read";

/// See the module.
pub struct Surveyor {
    life: Life,
    log: Arc<dyn ResultLog>,
    store: Arc<dyn ResultStore>,
}

impl Surveyor {
    /// A surveyor of `log`, whose results end in `store`.
    pub fn new(life: Life, log: Arc<dyn ResultLog>, store: Arc<dyn ResultStore>) -> Self {
        Self { life, log, store }
    }
}

impl Actor for Surveyor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let (life, log, store) = (self.life.clone(), Arc::clone(&self.log), Arc::clone(&self.store));
        self.life.spawn(survey(life, log, store));
    }
}

async fn survey(life: Life, log: Arc<dyn ResultLog>, store: Arc<dyn ResultStore>) {
    // Before the first round nothing is known of a log that outlives processes.
    let known = log.outlives_process().then_some(DateTime::UNIX_EPOCH);
    let note = async || store.note_read(known).await;
    if let Err(error) = persevere(&life, "note how far the result log is read", note).await {
        warn!(error = chain(&error); "the store refuses for good to note how far the result log is read; audits go by what it knows");
    }
    let outage = Outage::default();
    while log.outlives_process() {
        match round(&*log, &*store).await {
            Ok(()) => outage.end(SURVEY),
            // The reader of the log, or the persister, says so.
            Err(error) if error.may_heal() => {
                debug!(error = chain(&error); "failed to find out how far the result log is read; trying again");
            }
            Err(error) => outage.note(SURVEY, &error),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Why a round failed.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl MayHeal for RoundError {
    fn may_heal(&self) -> bool {
        match self {
            Self::Store(error) => error.may_heal(),
            Self::Log(error) => error.may_heal(),
        }
    }
}

async fn round(log: &dyn ResultLog, store: &dyn ResultStore) -> Result<(), RoundError> {
    let Some(settled) = store.settled_before().await? else { return Ok(()) };
    log.read_to_end().await?;
    store.note_read(Some(settled)).await?;
    Ok(())
}
