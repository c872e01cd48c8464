//! The job queue: due slots, and who works on them.
//!
//! The port is [`JobQueue`]; [`sqlite`] keeps it in the embedded database, [`postgres`] in one that many machines share.

pub mod postgres;
pub mod sqlite;
mod tick;

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::database::DatabaseError;
use crate::model::{Job, Slot};

/// What every implementation promises (`tests/contracts.rs` holds each to it):
///
/// - a slot is queued once, however many schedulers call [`enqueue_due`](Self::enqueue_due) at a time;
/// - a job is with one owner at a time, until its lease ends; then it can be claimed again with `attempt + 1`;
/// - a job leaves only by [`complete`](Self::complete), called by the owner of its lease;
/// - no transaction is open between calls.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Queues the slots that have become due since the last call. After an outage of more than some seconds these are at
    /// most one per site, and the gap is recorded. With a clock that cannot be right, nothing is queued and nothing recorded.
    async fn enqueue_due(&self) -> Result<Tick, QueueError>;

    /// Leases up to `limit` due jobs to `owner`, oldest first, until `lease` after the time that all tries of the site may take.
    async fn claim(&self, owner: &str, limit: usize, lease: Duration) -> Result<Vec<Job>, QueueError>;

    /// Removes jobs whose results the log has acknowledged. Those that `owner` no longer holds stay. Returns how many went.
    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError>;

    /// Gives jobs back that `owner` will not finish: claimable at once.
    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError>;

    /// Makes leases that `owner` still holds end `lease` from now at the earliest, for jobs whose results wait for the log.
    async fn renew(&self, owner: &str, slots: &[Slot], lease: Duration) -> Result<usize, QueueError>;

    /// The slots that `owner` holds leases on.
    async fn leased(&self, owner: &str) -> Result<Vec<Slot>, QueueError>;

    /// Gives back the leases of owners that are known to be dead, which is all of them where one process holds the database,
    /// and none where others work, too. Called once before a process starts to claim.
    async fn release_dead(&self) -> Result<usize, QueueError>;

    /// What waits.
    async fn depth(&self) -> Result<Depth, QueueError>;
}

/// What one call of [`JobQueue::enqueue_due`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tick {
    /// Slots queued.
    pub queued: usize,
    /// Skipped slots, when the scheduler had been away for longer than an interval.
    pub gap: Option<Gap>,
    /// How far wall time had jumped back since the last call.
    pub set_back: Option<Duration>,
    /// What the clock reads, where that is wrong for certain: nothing is queued until it is set.
    pub impossible: Option<Timestamp>,
}

/// An outage of the scheduler: of the slots in `(after, until]` all but each site's last were skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last moment up to which slots had been queued.
    pub after: Timestamp,
    /// The moment at which queueing went on.
    pub until: Timestamp,
}

/// What waits in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs, leased ones included.
    pub jobs: usize,
    /// Of these, with an owner.
    pub leased: usize,
    /// Slot of the oldest job.
    pub oldest: Option<Timestamp>,
}

/// Why the queue could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database refused or is away. Safe to try again: every operation is one transaction.
    #[error("failed to use the job queue")]
    Database(#[from] DatabaseError),
}
