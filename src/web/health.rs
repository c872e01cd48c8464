//! How this process is: its services, its queue, its actors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Troubles;
use crate::clock::{Clock, Timestamp};
use crate::failure::chain;
use crate::model::Status;
use crate::pipeline::tally::Tally;
use crate::queue::JobQueue;
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

struct Shared {
    role: String,
    worker: String,
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
    pub fn starting(role: &str, worker: &str) -> Self {
        Self(Arc::new(Shared {
            role: role.to_owned(),
            worker: worker.to_owned(),
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
    pub async fn report(&self) -> Report {
        let phase = lock(&self.0.phase).clone();
        let mut report = Report::of(&self.0);
        match phase {
            Phase::Starting => {
                report.problems.push("starting: waiting for database or result log".to_owned())
            }
            Phase::Stopping => report.problems.push("stopping".to_owned()),
            Phase::Working(sources) => report.fill(&sources, self.queue(&sources).await),
        }
        report.ready = report.problems.is_empty();
        report
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
        let queue =
            counted.map(|depth| Queue::of(&depth, sources.clock.now())).map_err(|error| chain(&error));
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

/// How a process is, as `/health` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// All of it works.
    pub ready: bool,
    /// What does not, a sentence each.
    pub problems: Vec<String>,
    /// `run`, `scheduler`, `worker` or `consumer`.
    pub role: String,
    /// The worker's name.
    pub worker: String,
    /// Of this program.
    pub version: String,
    /// Since the process began.
    pub uptime_s: u64,
    /// Whether the database answers; `None` while starting and stopping, as all below.
    pub database: Option<Service>,
    /// Whether the result log can be reached.
    pub result_log: Option<Log>,
    /// What waits.
    pub queue: Option<Queue>,
    /// Work of this process that fails, by name (`ticks`, `claims`, `stores` …), and why.
    #[serde(default)]
    pub failing: BTreeMap<String, String>,
    /// Results of this process by status, since it began.
    pub results: Option<serde_json::Map<String, serde_json::Value>>,
    /// The worst time from slot to start since the last status line, milliseconds.
    pub worst_lag_ms: Option<u64>,
    /// Restarts of actors since the start.
    pub restarts: Option<u64>,
    /// Actor by actor.
    pub actors: Vec<Actor>,
}

/// A service that others run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// It answers.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
}

/// The result log, seen from this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// It can be reached.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
    /// Results of this process that it has not acknowledged yet.
    pub unacknowledged: usize,
    /// Results that this process has still to store; `None` where it stores none.
    pub lag: Option<u64>,
    /// Results that the log has deleted before this process had read them, since it began.
    #[serde(default)]
    pub deleted_unread: u64,
}

/// The job queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Jobs, leased ones included.
    pub jobs: usize,
    /// Of these, with an owner.
    pub leased: usize,
    /// Slot of the oldest.
    pub oldest_due: Option<String>,
    /// Its age.
    pub oldest_due_age_s: Option<i64>,
}

/// One actor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// Which.
    pub name: String,
    /// It runs.
    pub alive: bool,
    /// Since the start.
    pub restarts: u64,
}

impl Queue {
    fn of(depth: &crate::queue::Depth, now: Timestamp) -> Self {
        Self {
            jobs: depth.jobs,
            leased: depth.leased,
            oldest_due: depth.oldest.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            oldest_due_age_s: depth.oldest.map(|at| (now - at).num_seconds()),
        }
    }
}

impl Report {
    fn of(shared: &Shared) -> Self {
        Self {
            ready: false,
            problems: Vec::new(),
            role: shared.role.clone(),
            worker: shared.worker.clone(),
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

    fn fill(&mut self, sources: &Sources, queue: Result<Queue, String>) {
        let error = queue.as_ref().err().cloned();
        self.problems.extend(error.as_ref().map(|error| format!("database: {error}")));
        self.database = Some(Service { ok: error.is_none(), error });
        self.queue = queue.ok();
        let condition = sources.log.condition();
        self.problems.extend(condition.trouble.as_ref().map(|error| format!("result log: {error}")));
        self.result_log = Some(Log {
            ok: condition.trouble.is_none(),
            error: condition.trouble,
            unacknowledged: sources.log.depth(),
            lag: condition.lag,
            deleted_unread: condition.deleted_unread,
        });
        self.failing = sources.troubles.now();
        self.problems.extend(self.failing.iter().map(|(work, why)| format!("{work} fail: {why}")));
        self.fill_own(sources);
    }

    fn fill_own(&mut self, Sources { boards, tally, .. }: &Sources) {
        let count = |&status: &Status| (status.as_str().to_owned(), tally.of(status).into());
        self.results = Some(Status::ALL.iter().map(count).collect());
        self.worst_lag_ms = Some(tally.worst_lag_ms());
        for child in boards.iter().flat_map(Board::status) {
            if !child.alive {
                self.problems.push(format!("actor {} is down", child.name));
            }
            let restarts = child.restarts_total();
            self.actors.push(Actor { name: child.name, alive: child.alive, restarts });
        }
        self.restarts = Some(self.actors.iter().map(|actor| actor.restarts).sum());
    }

    /// Whether all of it works.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// For people, with a line break at its end.
    pub fn line(&self) -> String {
        match self.problems.as_slice() {
            [] => format!("ready: {}\n", self.role),
            problems => format!("not ready: {}\n", problems.join("; ")),
        }
    }
}
