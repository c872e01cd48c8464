//! How this process is: its services, its queue, its actors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Troubles;
use crate::api::{self, Actor, Log, Queue, Service, time};
use crate::clock::{Clock, Timestamp};
use crate::failure::chain;
use crate::model::{Region, Status};
use crate::pipeline::tally::Tally;
use crate::queue::{Depth, JobQueue};
use crate::result_log::ResultLog;
use crate::supervisor::Board;

/// Who asks does not wait longer for the database.
const PATIENCE: Duration = Duration::from_secs(3);

/// Counting a long queue costs the database; whoever asks more often gets the last count.
const FRESH: Duration = Duration::from_secs(1);

/// A reason from before is told as long as this, while nothing newer is known.
const RECENT: Duration = Duration::from_secs(15);

/// What the report is made from. Clones share it.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

/// What a process is from its start to its end.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `run`, `scheduler`, `worker` or `consumer`.
    pub role: String,
    /// The worker's name.
    pub worker: String,
    /// Where it stands.
    pub region: Region,
    /// What works as configured, and is hardly meant so: a sentence for each. No reason to take the process for one that does not work.
    pub warnings: Vec<String>,
}

struct Shared {
    identity: Identity,
    started: Instant,
    phase: Mutex<Phase>,
    last_queue: Mutex<Option<(Instant, Result<Queue, String>)>>,
    /// One count at a time, however many ask: a slow database is not asked the same thing by many connections.
    counts: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
enum Phase {
    Starting,
    Working(Sources),
    Stopping,
}

/// Where a working process looks.
#[derive(Clone)]
pub struct Sources {
    /// For what waits, and whether the database answers.
    pub queue: Arc<dyn JobQueue>,
    /// For its condition.
    pub log: Arc<dyn ResultLog>,
    /// For the actors, of each supervisor of the process.
    pub boards: Vec<Board>,
    /// For work that fails although the services answer.
    pub troubles: Troubles,
    /// For what was checked.
    pub tally: Tally,
    /// Wall time.
    pub clock: Clock,
}

impl Health {
    /// Of a process that waits for its services.
    pub fn starting(identity: Identity) -> Self {
        Self(Arc::new(Shared {
            identity,
            started: Clock::instant(),
            phase: Mutex::new(Phase::Starting),
            last_queue: Mutex::new(None),
            counts: tokio::sync::Mutex::new(()),
        }))
    }

    /// The process works now.
    pub fn works(&self, sources: Sources) {
        *lock(&self.0.phase) = Phase::Working(sources);
    }

    /// The process is about to end: nobody should count on it any more.
    pub fn stops(&self) {
        *lock(&self.0.phase) = Phase::Stopping;
    }

    /// How it is now.
    pub async fn now(&self) -> api::Health {
        let phase = lock(&self.0.phase).clone();
        let mut health = blank(&self.0);
        match phase {
            Phase::Starting => {
                health.problems.push("starting: waiting for database or result log".to_owned())
            }
            Phase::Stopping => health.problems.push("stopping".to_owned()),
            Phase::Working(sources) => fill(&mut health, &sources, self.queue(&sources).await),
        }
        health.ready = health.problems.is_empty();
        health
    }

    /// Jobs in the queue of a process that works, unless the database keeps it to itself.
    pub async fn queued(&self) -> Option<usize> {
        let Phase::Working(sources) = lock(&self.0.phase).clone() else { return None };
        self.queue(&sources).await.ok().map(|queue| queue.jobs)
    }

    async fn queue(&self, sources: &Sources) -> Result<Queue, String> {
        if let Some(queue) = self.fresh() {
            return queue;
        }
        let counting = tokio::spawn(self.clone().count(sources.clone()));
        match tokio::time::timeout(PATIENCE, counting).await {
            Ok(Ok(queue)) => queue,
            _ => Err(self.why_no_answer()),
        }
    }

    fn fresh(&self) -> Option<Result<Queue, String>> {
        let last = lock(&self.0.last_queue);
        last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, queue)| queue.clone())
    }

    /// Goes on when nobody waits any more: why a database cannot be reached may take longer to learn than somebody waits.
    async fn count(self, sources: Sources) -> Result<Queue, String> {
        let _turn = self.0.counts.lock().await;
        if let Some(queue) = self.fresh() {
            return queue;
        }
        let counted = sources.queue.depth().await;
        let queue = counted.map(|depth| queue(&depth, sources.clock.now())).map_err(|error| chain(&error));
        *lock(&self.0.last_queue) = Some((Clock::instant(), queue.clone()));
        queue
    }

    /// The reason that was found lately, or at least for how long nothing was heard.
    fn why_no_answer(&self) -> String {
        let mut last = lock(&self.0.last_queue);
        match &*last {
            Some((at, Err(error))) if at.elapsed() < RECENT => error.clone(),
            _ => {
                let silence = format!("no answer within {PATIENCE:?}");
                *last = Some((Clock::instant(), Err(silence.clone())));
                silence
            }
        }
    }
}

/// Every change under these locks is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn queue(depth: &Depth, now: Timestamp) -> Queue {
    Queue {
        jobs: depth.jobs,
        leased: depth.leased,
        oldest_due: depth.oldest.map(time),
        oldest_due_age_s: depth.oldest.map(|at| (now - at).num_seconds()),
    }
}

/// Before anything else is known of it.
fn blank(shared: &Shared) -> api::Health {
    let Identity { role, worker, region, warnings } = shared.identity.clone();
    api::Health {
        ready: false,
        problems: Vec::new(),
        role,
        worker,
        region,
        warnings,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: shared.started.elapsed().as_secs(),
        database: None,
        result_log: None,
        queue: None,
        failing: BTreeMap::new(),
        results: None,
        worst_lag_ms: None,
        restarts: None,
        actors: Vec::new(),
    }
}

fn fill(health: &mut api::Health, sources: &Sources, queue: Result<Queue, String>) {
    let error = queue.as_ref().err().cloned();
    health.problems.extend(error.as_ref().map(|error| format!("database: {error}")));
    health.database = Some(Service { ok: error.is_none(), error });
    health.queue = queue.ok();
    let condition = sources.log.condition();
    health.problems.extend(condition.trouble.as_ref().map(|error| format!("result log: {error}")));
    health.result_log = Some(Log {
        ok: condition.trouble.is_none(),
        error: condition.trouble,
        unacknowledged: sources.log.depth(),
        lag: condition.lag,
        deleted_unread: condition.deleted_unread,
    });
    health.failing = sources.troubles.now();
    health.problems.extend(health.failing.iter().map(|(work, why)| format!("{work} fail: {why}")));
    fill_own(health, sources);
}

fn fill_own(health: &mut api::Health, Sources { boards, tally, .. }: &Sources) {
    let count = |&status: &Status| (status.as_str().to_owned(), tally.of(status).into());
    health.results = Some(Status::ALL.iter().map(count).collect());
    health.worst_lag_ms = Some(tally.worst_lag_ms());
    for child in boards.iter().flat_map(Board::status) {
        if !child.alive {
            health.problems.push(format!("actor {} is down", child.name));
        }
        let restarts = child.restarts_total();
        health.actors.push(Actor { name: child.name, alive: child.alive, restarts });
    }
    health.restarts = Some(health.actors.iter().map(|actor| actor.restarts).sum());
}
