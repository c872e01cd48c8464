//! The line that the log tells once a minute.

use std::sync::Arc;
use std::time::Duration;

use log::info;
use tokio::time::{Instant, interval_at};

use super::stages::Stages;
use crate::model::Status;
use crate::pipeline::leases::Leases;
use crate::pipeline::tally::Tally;
use crate::result_log::ResultLog;
use crate::supervisor::Board;
use crate::web::Health;

/// How often the log tells what has been done.
const EVERY: Duration = Duration::from_secs(60);

/// Where the line comes from.
pub(super) struct StatusLine {
    tally: Tally,
    leases: Leases,
    log: Arc<dyn ResultLog>,
    board: Board,
    /// It counts the queue, for a limited time.
    health: Health,
}

impl StatusLine {
    pub(super) fn of(stages: &Stages, health: Health) -> Self {
        Self {
            tally: stages.tally.clone(),
            leases: stages.leases.clone(),
            log: Arc::clone(&stages.ports.log),
            board: stages.running.board(),
            health,
        }
    }

    /// Says it every minute, for ever.
    pub(super) async fn keep_saying(self) {
        let mut minutes = interval_at(Instant::now() + EVERY, EVERY);
        let mut said = 0;
        loop {
            minutes.tick().await;
            said = self.say(said).await;
        }
    }

    async fn say(&self, before: u64) -> u64 {
        let total = self.tally.total();
        let queued = self.health.queued().await.map_or_else(|| "unknown".to_owned(), |jobs| jobs.to_string());
        let restarts: u64 = self.board.status().iter().map(|child| child.restarts_total()).sum();
        info!(
            checks_per_s = (total - before) / EVERY.as_secs(),
            up = self.tally.of(Status::Up),
            degraded = self.tally.of(Status::Degraded),
            down = self.tally.of(Status::Down),
            missed = self.tally.of(Status::Missed),
            unknown = self.tally.of(Status::Unknown),
            worst_lag_ms = self.tally.take_worst_lag_ms(),
            queued,
            in_flight = self.leases.len(),
            unstored = self.log.depth(),
            restarts;
            "status"
        );
        total
    }
}
