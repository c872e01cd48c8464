//! Ports that cost next to nothing: what is measured behind them is the pipeline without a database.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use uptime_monitor::app::Ports;
use uptime_monitor::clock::{Clock, Timestamp};
use uptime_monitor::model::{CheckResult, Job, Region, SiteId, Slot, Target};
use uptime_monitor::queue::{Depth, JobQueue, QueueError, Settled, Tick};
use uptime_monitor::result_log::{Batch, Condition, LogError, LogReader, ResultLog};
use uptime_monitor::store::{Persisted, Pruned, ResultStore, Retention, StoreError};

/// A queue in memory whose jobs are all alike but for their slots.
pub struct Feed {
    target: Target,
    clock: Clock,
    /// Jobs that become due at each tick of the scheduler.
    per_tick: usize,
    /// Jobs that can be claimed.
    due: AtomicUsize,
    /// Makes slots distinct.
    next_site: AtomicI64,
    completed: AtomicUsize,
    news: Notify,
}

impl Feed {
    /// Jobs to check `target`: `per_tick` each second, and what is added.
    pub fn new(target: Target, clock: Clock, per_tick: usize) -> Arc<Self> {
        Arc::new(Self {
            target,
            clock,
            per_tick,
            due: AtomicUsize::new(0),
            next_site: AtomicI64::new(1),
            completed: AtomicUsize::new(0),
            news: Notify::new(),
        })
    }

    /// Makes jobs due, and waits until all that were due are done.
    pub async fn run(&self, jobs: usize) {
        let goal = self.completed.load(Ordering::SeqCst) + jobs;
        self.due.fetch_add(jobs, Ordering::SeqCst);
        while self.completed.load(Ordering::SeqCst) < goal {
            self.news.notified().await;
        }
    }

    /// Jobs done so far.
    pub fn completed(&self) -> usize {
        self.completed.load(Ordering::SeqCst)
    }

    /// Takes up to `limit` of what is due.
    fn take(&self, limit: usize) -> usize {
        let taken = |due: usize| Some(due - due.min(limit));
        let due = self.due.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken);
        due.unwrap_or(0).min(limit)
    }

    fn job(&self, scheduled_at: Timestamp) -> Job {
        let site_id = SiteId(self.next_site.fetch_add(1, Ordering::Relaxed));
        let slot = Slot { scheduled_at, site_id, region: Region::DEFAULT };
        Job {
            slot,
            attempt: 1,
            next_slot: Clock::instant() + Duration::from_secs(60),
            target: self.target.clone(),
        }
    }
}

#[async_trait]
impl JobQueue for Feed {
    async fn enqueue_due(&self) -> Result<Tick, QueueError> {
        self.due.fetch_add(self.per_tick, Ordering::SeqCst);
        Ok(Tick { queued: self.per_tick, ..Tick::default() })
    }

    async fn claim(&self, _: &str, _: Region, limit: usize, _: Duration) -> Result<Vec<Job>, QueueError> {
        let now = self.clock.now();
        Ok((0..self.take(limit)).map(|_| self.job(now)).collect())
    }

    async fn claim_suspects(&self, _: &str, _: Region, _: Duration, _: u32) -> Result<Vec<Job>, QueueError> {
        Ok(Vec::new())
    }

    async fn settle_late(&self, _: &str, _: usize) -> Result<Settled, QueueError> {
        Ok(Settled::default())
    }

    async fn complete(&self, _: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.completed.fetch_add(slots.len(), Ordering::SeqCst);
        self.news.notify_one();
        Ok(slots.len())
    }

    async fn release(&self, _: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.due.fetch_add(slots.len(), Ordering::SeqCst);
        Ok(slots.len())
    }

    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.release(owner, slots).await
    }

    async fn renew(&self, _: &str, slots: &[Slot], _: Duration) -> Result<usize, QueueError> {
        Ok(slots.len())
    }

    async fn leased(&self, _: &str) -> Result<Vec<Slot>, QueueError> {
        Ok(Vec::new())
    }

    async fn release_dead(&self) -> Result<usize, QueueError> {
        Ok(0)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        Ok(Depth { jobs: self.due.load(Ordering::SeqCst), ..Depth::default() })
    }
}

/// Acknowledges at once and forgets. Insists that every check was good: a figure of failures would be a lie.
struct Void;

#[async_trait]
impl ResultLog for Void {
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError> {
        for result in results.iter() {
            super::expect_up(result.status, result.error.as_deref());
        }
        Ok(())
    }

    fn reader(&self) -> Box<dyn LogReader> {
        Box::new(Self)
    }

    fn depth(&self) -> usize {
        0
    }

    fn close(&self, _: Duration) {}

    fn condition(&self) -> Condition {
        Condition::default()
    }
}

#[async_trait]
impl LogReader for Void {
    async fn next(&mut self, _: usize, _: Duration) -> Result<Batch, LogError> {
        std::future::pending().await
    }

    async fn commit(&mut self, _: Batch) -> Result<(), LogError> {
        Ok(())
    }
}

#[async_trait]
impl ResultStore for Void {
    async fn persist(&self, _: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        Ok(Persisted::default())
    }

    async fn prune(&self, _: Retention) -> Result<Pruned, StoreError> {
        Ok(Pruned::default())
    }

    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn note_read(&self, _: Option<Timestamp>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Jobs from `feed`, results to nowhere.
pub fn without_database(feed: &Arc<Feed>) -> Ports {
    let clock = feed.clock.clone();
    Ports { queue: Arc::clone(feed) as Arc<dyn JobQueue>, log: Arc::new(Void), store: Arc::new(Void), clock }
}
