//! The job queue: due slots, and who works on them.
//!
//! The port is [`JobQueue`]; [`sqlite`] keeps it in the embedded database, [`postgres`] in one that many machines share.

pub mod postgres;
mod share;
pub mod sqlite;
mod tick;

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::database::DatabaseError;
use crate::failure::MayHeal;
use crate::model::{Job, Region, Slot};

/// What every implementation promises (`tests/contracts.rs` holds each to it):
///
/// - a slot is queued once, however many schedulers call [`enqueue_due`](Self::enqueue_due) at a time;
/// - a job is with one owner at a time, until its lease ends; then it can be claimed again with `attempt + 1`;
/// - a job is claimed for its region alone;
/// - a job that has waited for longer than one interval is late: it is never claimed, and however many late jobs there are,
///   neither a claim nor a tick takes longer for them;
/// - a job leaves by [`complete`](Self::complete), called by the owner of its lease, or by
///   [`settle_late`](Self::settle_late), with a result `missed`, when it is late and nobody has a lease on it, whatever its
///   region: a region without workers keeps no job for ever;
/// - no transaction is open between calls.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Queues the slots that have become due since the last call. After an outage of more than some seconds these are at
    /// most one per site, and the gap is recorded. With a clock that cannot be right, nothing is queued and nothing recorded.
    async fn enqueue_due(&self) -> Result<Tick, QueueError>;

    /// Leases up to `limit` due jobs of `region` to `owner`, until `lease` after the time that all tries of the site may take. Jobs of this
    /// second and the last come first; then those that have waited, the most impatient sites first. One call of four begins with
    /// jobs that are about to be late, so that no site starves where more is due than can be checked. Jobs that have ended
    /// without a result [`SUSPECT`] times or more are left to [`claim_suspects`](Self::claim_suspects).
    async fn claim(
        &self,
        owner: &str,
        region: Region,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Job>, QueueError>;

    /// Like [`claim`](Self::claim), for jobs that have ended without a result [`SUSPECT`] times or more: the oldest of them that
    /// has done so less than `given_up` times, and some that have done so more often.
    async fn claim_suspects(
        &self,
        owner: &str,
        region: Region,
        lease: Duration,
        given_up: u32,
    ) -> Result<Vec<Job>, QueueError>;

    /// Ends up to `most` jobs of any region that are late and not leased: each leaves the queue, and its slot is recorded as `missed`, found
    /// so by `worker`, in one transaction.
    async fn settle_late(&self, worker: &str, most: usize) -> Result<Settled, QueueError>;

    /// Removes jobs whose results the log has acknowledged. Those that `owner` no longer holds stay. Returns how many went.
    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError>;

    /// Gives jobs back that ended without a result: claimable at once.
    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError>;

    /// Gives jobs back that `owner` has not run, or has broken off in good order: claimable at once, and the lease does not
    /// count as an attempt.
    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError>;

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

/// A job with this many leases behind it, none of which ended with a result, may be one that kills its worker. It is run alone,
/// so that it takes no others with it. The number also stands in the claims' SQL and in the index `job_queue_suspect`.
pub const SUSPECT: u32 = 2;

/// What one call of [`JobQueue::settle_late`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Slots recorded as `missed`.
    pub missed: usize,
    /// There may be more of them.
    pub more: bool,
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
    /// Jobs, leased ones included. Of a very long queue it may be told only that there are so many at least.
    pub jobs: usize,
    /// Of these, leased to somebody now.
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

impl MayHeal for QueueError {
    /// As in [`StoreError::may_heal`](crate::store::StoreError::may_heal): only what the database holds against the values is for good.
    fn may_heal(&self) -> bool {
        let Self::Database(error) = self;
        !error.blames_data()
    }
}
