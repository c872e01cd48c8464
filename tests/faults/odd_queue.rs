//! Queues that do what none should: they hold up nobody, and are not asked for ever.

use async_trait::async_trait;
use uptime_monitor::database::DatabaseError;
use uptime_monitor::model::{Job, Region, Slot};
use uptime_monitor::queue::sqlite::SqliteJobQueue;
use uptime_monitor::queue::{Depth, QueueError, Settled, Tick};
use uptime_monitor::store::SiteStatistics;

use super::*;

/// What is odd about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Oddity {
    /// Jobs always come with too many leases behind them.
    Poisons,
    /// It refuses for good to let finished jobs go.
    KeepsFinished,
    /// It refuses for good to tell who holds what.
    HidesLeases,
}

struct OddQueue(SqliteJobQueue, Oddity);

impl OddQueue {
    /// As of a constraint that somebody has added, which no waiting mends.
    fn refuses(&self, oddity: Oddity) -> Result<(), QueueError> {
        let (code, message) = ("23514".to_owned(), "violates a constraint".to_owned());
        match self.1 == oddity {
            true => Err(DatabaseError::Answered { code, message }.into()),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl JobQueue for OddQueue {
    async fn enqueue_due(&self) -> Result<Tick, QueueError> {
        self.0.enqueue_due().await
    }

    async fn claim(
        &self,
        owner: &str,
        region: Region,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Job>, QueueError> {
        let mut jobs = self.0.claim(owner, region, limit, lease).await?;
        if self.1 == Oddity::Poisons {
            jobs.iter_mut().for_each(|job| job.attempt = 99);
        }
        Ok(jobs)
    }

    async fn claim_suspects(
        &self,
        owner: &str,
        region: Region,
        lease: Duration,
        given_up: u32,
    ) -> Result<Vec<Job>, QueueError> {
        self.0.claim_suspects(owner, region, lease, given_up).await
    }

    async fn settle_late(&self, worker: &str, most: usize) -> Result<Settled, QueueError> {
        self.0.settle_late(worker, most).await
    }

    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.refuses(Oddity::KeepsFinished)?;
        self.0.complete(owner, slots).await
    }

    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.0.release(owner, slots).await
    }

    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        self.0.hand_back(owner, slots).await
    }

    async fn renew(&self, owner: &str, slots: &[Slot], lease: Duration) -> Result<usize, QueueError> {
        self.0.renew(owner, slots, lease).await
    }

    async fn leased(&self, owner: &str) -> Result<Vec<Slot>, QueueError> {
        self.refuses(Oddity::HidesLeases)?;
        self.0.leased(owner).await
    }

    async fn release_dead(&self) -> Result<usize, QueueError> {
        self.0.release_dead().await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.0.depth().await
    }
}

/// At work on ten sites that are due each second, with such a queue, and room for `capacity` results that are not stored.
async fn monitor(oddity: Oddity, policy: Policy, capacity: usize) -> Monitor {
    let (database, target) = (Database::new(Clock::system()), Target::start());
    let spec = |number: usize| SiteSpec { url: target.url("/"), ..site(&format!("s-{number}"), 1) };
    let sites = (0..10).map(|number| spec(number).into()).collect();
    database.store.import(sites, false, Arc::new(|_| {})).await.unwrap();
    let queue = Arc::new(OddQueue(database.queue.clone(), oddity));
    let settings = quick_settings();
    let checker = CheckerSettings { unstored: capacity / settings.checkers, ..settings.checker.clone() };
    let stages = start_with(&database, queue, Settings { policy, checker, ..settings }, capacity);
    Monitor { database, target, stages }
}

#[actix::test]
async fn a_job_that_keeps_killing_its_worker_ends_as_unknown() {
    let Monitor { database, target, stages } = monitor(Oddity::Poisons, patient(), 20_000).await;

    eventually("it is given up", DEADLINE, async || stages.tally.total() > 1).await;

    let found = database.store.statistics(last(&database.clock, 60), None).await.unwrap();
    assert!(found.iter().any(|site| site.unknown > 0));
    assert_eq!(target.requests(), 0, "it is not run once more");
}

#[actix::test]
async fn a_queue_that_never_lets_finished_jobs_go_stops_no_check() {
    let monitor = monitor(Oddity::KeepsFinished, patient(), 20).await;

    // Far more than there is room for results that wait; a slot that is missed is no check.
    eventually("checks go on", DEADLINE, async || {
        let found = monitor.database.store.statistics(last(&monitor.database.clock, 60), None).await.unwrap();
        found.iter().map(SiteStatistics::checks).sum::<u64>() > 60
    })
    .await;

    assert_eq!(monitor.restarts("publisher"), 0);
    assert_nothing_lost(&monitor.database.store.audit(last(&monitor.database.clock, 60), 0).await.unwrap());
}

#[actix::test]
async fn a_queue_that_never_tells_who_holds_what_ends_the_process_with_the_reason() {
    let policy = Policy { max_restarts: 3, window: Duration::from_secs(60), ..patient() };
    let mut monitor = monitor(Oddity::HidesLeases, policy, 20_000).await;

    let ending = tokio::time::timeout(DEADLINE, monitor.stages.running.ended()).await.expect("it gives up");

    assert!(matches!(&ending, Ending::GaveUp { child, .. } if child == "claimer"), "{ending}");
    assert!(ending.to_string().contains("23514"), "{ending}");
}
