//! Ends late slots in the database, a portion at a time, so that claims and results come in between.
//!
//! Whoever looks regularly does it: the scheduler at each tick, and the claimer, for either may be the only one there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{debug, warn};
use tokio::sync::Mutex;

use super::tally::Tally;
use crate::clock::Clock;
use crate::failure::{MayHeal as _, Outage, chain};
use crate::queue::JobQueue;
use crate::supervisor::Life;

/// Slots in one transaction: short enough for a claim to wait for.
const PORTION: usize = 1_000;

/// After each portion others have the database for so many times as long.
const PAUSE: u32 = 3;

/// The name of this work in the program's log.
const SETTLE: &str = "end late slots";

/// Late slots are spoken of this often.
const REMIND: Duration = Duration::from_secs(10);

/// Ends late slots for one process. Clones share the turn, so one of them is at it at a time.
#[derive(Clone)]
pub struct LateSlots {
    queue: Arc<dyn JobQueue>,
    tally: Tally,
    /// Who has found them, for their results.
    worker: Arc<str>,
    turn: Arc<Mutex<Unsaid>>,
}

/// What has not been logged yet.
#[derive(Default)]
struct Unsaid {
    slots: usize,
    last_said: Option<Instant>,
    /// Of nothing but this: the database refuses it for good.
    outage: Outage,
}

impl LateSlots {
    /// Of the jobs in `queue`.
    pub fn new(queue: Arc<dyn JobQueue>, tally: Tally, worker: Arc<str>) -> Self {
        Self { queue, tally, worker, turn: Arc::default() }
    }

    /// Begins to end what is late, unless somebody of this process is at it. Goes on until nothing is.
    pub fn settle(&self, life: &Life) {
        let Ok(mut turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        let slots = self.clone();
        life.spawn(async move { while slots.portion(&mut turn).await {} });
    }

    /// Ends a portion, and tells whether there is more.
    async fn portion(&self, unsaid: &mut Unsaid) -> bool {
        let began = Clock::instant();
        let settled = match self.queue.settle_late(&self.worker, PORTION).await {
            Ok(settled) => settled,
            // Ticks and claims fail as well, and say so.
            Err(error) if error.may_heal() => {
                debug!(error = chain(&error); "failed to end late slots; trying again");
                return false;
            }
            Err(error) => {
                unsaid.outage.note(SETTLE, &error);
                return false;
            }
        };
        unsaid.outage.end(SETTLE);
        self.tally.missed(settled.missed);
        unsaid.add(settled.missed);
        if settled.more {
            tokio::time::sleep(began.elapsed() * PAUSE).await;
        }
        settled.more
    }
}

impl Unsaid {
    fn add(&mut self, slots: usize) {
        self.slots += slots;
        let now = Clock::instant();
        if self.slots > 0 && self.last_said.is_none_or(|said| now - said >= REMIND) {
            warn!(slots = self.slots; "slots that nobody checked in time end as missed");
            (self.slots, self.last_said) = (0, Some(now));
        }
    }
}
