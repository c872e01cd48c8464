//! The ports with an observer: what of their work fails is told by `/health`.
//!
//! Only work that is repeated is observed: ticks, claims, completed jobs, stored results. (Appends are told by the condition of
//! the log itself.)

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::SecondsFormat;

use super::ports::Ports;
use crate::clock::Timestamp;
use crate::failure::chain;
use crate::model::{CheckResult, Job, Region, Slot};
use crate::queue::{Depth, JobQueue, QueueError, Settled, Tick};
use crate::store::{Persisted, Pruned, ResultStore, Retention, StoreError};
use crate::web::Troubles;

/// The same ports, and where their failures are noted.
pub(super) fn observed(ports: Ports) -> (Ports, Troubles) {
    let troubles = Troubles::default();
    let queue = Arc::new(Queue { port: ports.queue, troubles: troubles.clone() });
    let store = Arc::new(Store { port: ports.store, troubles: troubles.clone() });
    (Ports { queue, store, ..ports }, troubles)
}

fn noted<T, E: Error + 'static>(troubles: &Troubles, work: &'static str, done: Result<T, E>) -> Result<T, E> {
    troubles.note(work, done.as_ref().err().map(|error| chain(error)));
    done
}

/// Nothing is scheduled by such a clock.
fn wrong_clock(clock: Timestamp) -> String {
    format!(
        "the clock of the database says {}; set it (NTP)",
        clock.to_rfc3339_opts(SecondsFormat::Secs, true)
    )
}

struct Queue {
    port: Arc<dyn JobQueue>,
    troubles: Troubles,
}

#[async_trait]
impl JobQueue for Queue {
    async fn enqueue_due(&self) -> Result<Tick, QueueError> {
        let ticked = self.port.enqueue_due().await;
        let why = match &ticked {
            Ok(tick) => tick.impossible.map(wrong_clock),
            Err(error) => Some(chain(error)),
        };
        self.troubles.note("ticks", why);
        ticked
    }

    async fn claim(
        &self,
        owner: &str,
        region: Region,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Job>, QueueError> {
        noted(&self.troubles, "claims", self.port.claim(owner, region, limit, lease).await)
    }

    async fn claim_suspects(
        &self,
        owner: &str,
        region: Region,
        lease: Duration,
        given_up: u32,
    ) -> Result<Vec<Job>, QueueError> {
        let claimed = self.port.claim_suspects(owner, region, lease, given_up).await;
        noted(&self.troubles, "claims of suspects", claimed)
    }

    async fn settle_late(&self, worker: &str, most: usize) -> Result<Settled, QueueError> {
        noted(&self.troubles, "late slots", self.port.settle_late(worker, most).await)
    }

    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        noted(&self.troubles, "completed jobs", self.port.complete(owner, slots).await)
    }

    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.port.release(owner, slots).await
    }

    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.port.hand_back(owner, slots).await
    }

    async fn renew(&self, owner: &str, slots: &[Slot], lease: Duration) -> Result<usize, QueueError> {
        self.port.renew(owner, slots, lease).await
    }

    async fn leased(&self, owner: &str) -> Result<Vec<Slot>, QueueError> {
        self.port.leased(owner).await
    }

    async fn release_dead(&self) -> Result<usize, QueueError> {
        self.port.release_dead().await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.port.depth().await
    }
}

struct Store {
    port: Arc<dyn ResultStore>,
    troubles: Troubles,
}

#[async_trait]
impl ResultStore for Store {
    async fn persist(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        noted(&self.troubles, "stores", self.port.persist(groups).await)
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        self.port.prune(retention).await
    }

    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError> {
        self.port.settled_before().await
    }

    async fn note_read(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        self.port.note_read(before).await
    }
}
