//! Removes results that are older than they are to be kept.
//!
//! In:    nothing but time.
//! Out:   old results leave the store. The store's clock decides what is old, and only as far as it is believed
//!        (`store/retention.rs`); of several processes one removes at a time.
//! Crash: nothing. The next look goes on from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Context};
use log::{debug, info, warn};

use crate::clock::Clock;
use crate::failure::chain;
use crate::store::{Doubt, Pruned, ResultStore, Retention, StoreError};
use crate::supervisor::Life;

/// It looks this often for what is too old.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Between two steps, so that results don't wait behind them.
const PAUSE: Duration = Duration::from_millis(100);

/// And removes this many rows in one transaction, for the same reason.
const STEP: usize = 5_000;

/// A clock that is not believed is said again this often.
const REMIND: Duration = Duration::from_hours(24);

/// A computer that slept for a night is no news.
const NEWS: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// See the module.
pub struct Janitor {
    life: Life,
    keep: Duration,
    store: Arc<dyn ResultStore>,
}

impl Janitor {
    /// A janitor that keeps results in `store` for `keep`.
    pub fn new(life: Life, keep: Duration, store: Arc<dyn ResultStore>) -> Self {
        Self { life, keep, store }
    }
}

impl Actor for Janitor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let tidying = Tidying { keep: self.keep, store: Arc::clone(&self.store), looked: None, said: None };
        self.life.spawn(tidying.work());
    }
}

struct Tidying {
    keep: Duration,
    store: Arc<dyn ResultStore>,
    /// When it looked last.
    looked: Option<Instant>,
    /// When it last said that the clock is in doubt.
    said: Option<Instant>,
}

impl Tidying {
    async fn work(mut self) {
        loop {
            match self.look().await {
                Ok(Pruned { rows: 0, .. }) => tokio::time::sleep(LOOK_EVERY).await,
                Ok(Pruned { rows, .. }) => {
                    info!(rows; "old results removed");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    warn!(error = chain(&error); "failed to remove old results");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<Pruned, StoreError> {
        let now = Clock::instant();
        let elapsed = self.looked.map_or(Duration::ZERO, |looked| now - looked);
        let pruned = self.store.prune(Retention { keep: self.keep, elapsed, most: STEP }).await?;
        self.looked = Some(now);
        match pruned.doubt {
            Some(doubt) => self.say(&doubt),
            None => self.said = None,
        }
        Ok(pruned)
    }

    fn say(&mut self, doubt: &Doubt) {
        let Doubt { clock, believed, patience } = doubt;
        let (clock, ahead) = (clock.to_rfc3339(), *clock - believed);
        let (ahead_s, hours) = (ahead.num_seconds(), patience.as_secs().div_ceil(3_600));
        if ahead < NEWS {
            return debug!(clock, ahead_s, hours; "the clock has jumped ahead; old results stay until it has gone on for some hours");
        }
        if self.said.is_some_and(|said| Clock::instant() - said < REMIND) {
            return;
        }
        self.said = Some(Clock::instant());
        warn!(
            clock, ahead_s, hours;
            "the clock of the database has jumped ahead by more than a day; if it is wrong, set it (NTP); old results stay until it has gone on for so many hours"
        );
    }
}
