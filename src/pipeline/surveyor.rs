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
use log::debug;

use crate::failure::{chain, persevere};
use crate::result_log::ResultLog;
use crate::store::ResultStore;
use crate::supervisor::Life;

/// From one round to the next. An audit judges no slot that is younger than a lease, which is longer.
const EVERY: Duration = Duration::from_secs(5);

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
    persevere(&life, "note how far the result log is read", async || store.note_read(known).await).await;
    while log.outlives_process() {
        if let Err(error) = round(&*log, &*store).await {
            debug!(error = chain(&*error); "failed to find out how far the result log is read; trying again");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn round(
    log: &dyn ResultLog,
    store: &dyn ResultStore,
) -> Result<(), Box<dyn std::error::Error + 'static>> {
    let Some(settled) = store.settled_before().await? else { return Ok(()) };
    log.read_to_end().await?;
    store.note_read(Some(settled)).await?;
    Ok(())
}
