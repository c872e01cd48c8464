//! The composition root: configuration to ports, ports to supervised actors, and the order in which they end.

mod limits;
pub mod settings;
mod shutdown;
mod signals;
mod stages;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use log::{error, info, warn};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::config::{self, Config, Loaded, Sources};
use crate::database::DatabaseError;
use crate::database::sqlite::{self, RunLock, Sqlite};
use crate::failure::chain;
use crate::model::{SiteSpec, Status};
use crate::probe::ProbeError;
use crate::queue::sqlite::SqliteJobQueue;
use crate::queue::{JobQueue, QueueError};
use crate::result_log::ResultLog;
use crate::result_log::local::LocalResultLog;
use crate::store::sqlite::SqliteStore;
use crate::store::{Catalog, Changes, ResultStore, SiteCount, StoreError};
use crate::supervisor::Ending;

use signals::{Order, Signals};
pub use stages::{Ports, Stages};

/// How often the log tells what has been done.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Why the program could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The sites.
    #[error("failed to read or reconcile the sites")]
    Store(#[from] StoreError),
    /// The queue.
    #[error("failed to prepare the job queue")]
    Queue(#[from] QueueError),
    /// The checker's settings.
    #[error("failed to prepare the checker")]
    Probe(#[from] ProbeError),
    /// The system refused to tell us of signals.
    #[error("failed to listen for signals")]
    Signals(#[source] std::io::Error),
    /// An actor could not be kept alive.
    #[error("{0}; see the log above for the cause of each restart")]
    GaveUp(Ending),
    /// Told twice to stop.
    #[error("stopped at once by a second signal; jobs in flight will be run at the next start")]
    StoppedAtOnce,
}

impl AppError {
    /// The exit code of the program: 2 for a wrong configuration, 3 for a service that could not be reached or gave up.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Probe(_) => 2,
            _ => 3,
        }
    }
}

/// Runs every role in this process until a signal or a failure that supervision cannot mend.
pub fn run(loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    actix::System::new().block_on(serve(loaded, sources))
}

async fn serve(loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    let mut signals = Signals::listen().map_err(AppError::Signals)?;
    let prepared = tokio::select! {
        prepared = prepare(&loaded) => prepared?,
        () = signals.stop() => {
            // What was under way is a transaction, and is undone.
            info!("stopped before any check began");
            return Ok(());
        }
    };
    let Prepared { _lock, ports, store } = prepared;
    let config = &loaded.config;
    let concurrency = limits::concurrency(config.worker.concurrency, settings::threads(config));
    let settings = settings::settings(config, concurrency)?;
    let mut stages = Stages::start(settings, ports);
    greet(&store, config).await?;
    let outcome = watch(&mut stages, &mut signals, &store, &sources).await;
    let stopped = tokio::select! {
        () = shutdown::shutdown(stages, config.supervisor.shutdown_timeout) => Ok(()),
        () = signals.stop() => Err(AppError::StoppedAtOnce),
    };
    outcome.and(stopped)
}

/// What has to be there before the first check.
struct Prepared {
    _lock: RunLock,
    ports: Ports,
    store: SqliteStore,
}

/// Takes the database, reconciles the sites, and takes back what a dead run held.
async fn prepare(loaded: &Loaded) -> Result<Prepared, AppError> {
    let Loaded { config, sites, file, .. } = loaded;
    let clock = Clock::system();
    let path = Path::new(config.database.sqlite_path());
    let _lock = RunLock::take(path)?;
    let database = open(path, config.database.migrate).await?;
    let store = SqliteStore::new(database.clone(), clock.clone());
    if file.is_some() {
        reconcile(&store, sites.clone()).await?;
    }
    let queue = SqliteJobQueue::new(database, clock.clone());
    let returned = queue.release_dead().await?;
    if returned > 0 {
        info!(jobs = returned; "jobs that were in flight when the last run ended go back to the queue");
    }
    let ports = Ports {
        queue: Arc::new(queue) as Arc<dyn JobQueue>,
        log: Arc::new(LocalResultLog::new(config.result_log.capacity)) as Arc<dyn ResultLog>,
        store: Arc::new(store.clone()) as Arc<dyn ResultStore>,
        clock,
    };
    Ok(Prepared { _lock, ports, store })
}

/// Opens on a thread of its own: a database that is locked blocks it, and a signal must be heard all the same.
async fn open(path: &Path, migrate: bool) -> Result<Sqlite, DatabaseError> {
    let failed =
        |source: std::io::Error| DatabaseError::Open { path: path.to_owned(), source: source.into() };
    let (reply, answer) = oneshot::channel();
    let owned = path.to_owned();
    thread::Builder::new().spawn(move || reply.send(open_blocking(&owned, migrate))).map_err(failed)?;
    answer.await.map_err(|_| DatabaseError::Panicked)?
}

fn open_blocking(path: &Path, migrate: bool) -> Result<Sqlite, DatabaseError> {
    if migrate {
        for name in sqlite::migrate(path)? {
            info!(migration = name; "database migrated");
        }
    } else {
        sqlite::verify(path)?;
    }
    Sqlite::open(path)
}

async fn greet(store: &SqliteStore, config: &Config) -> Result<(), StoreError> {
    let SiteCount { enabled, paused } = store.count().await?;
    info!(sites = enabled, paused, database = config.database.sqlite_path(), version = env!("CARGO_PKG_VERSION"); "watching");
    if enabled == 0 {
        warn!(
            "there is nothing to watch yet; add a site with `uptime-monitor sites add https://example.com`, or [[site]] in the configuration file"
        );
    }
    if config.worker.lease < Duration::from_secs(5) {
        warn!("worker.lease is short: a slow database makes checks run twice");
    }
    Ok(())
}

/// Makes the file's sites those of the database.
async fn reconcile(store: &SqliteStore, sites: Vec<SiteSpec>) -> Result<(), StoreError> {
    let Changes { added, changed, unchanged, disabled, foreign } = store.reconcile(sites).await?;
    if added + changed + disabled > 0 {
        info!(added, changed, disabled, unchanged; "sites of the configuration file reconciled");
    }
    for name in foreign {
        warn!(name; "a site of the configuration file has the name of one that was added by command, which stays as it is; rename one of them");
    }
    Ok(())
}

/// Looks after the stages until it is time to end: `Ok` when told to, the reason otherwise.
async fn watch(
    stages: &mut Stages,
    signals: &mut Signals,
    store: &SqliteStore,
    sources: &Sources,
) -> Result<(), AppError> {
    let mut status = tokio::time::interval_at(tokio::time::Instant::now() + STATUS_EVERY, STATUS_EVERY);
    let mut said = 0;
    loop {
        tokio::select! {
            order = signals.next() => match order {
                Order::Reload => reload(store, sources).await,
                Order::Stop => {
                    info!("stopping: no new checks, finishing those in flight; a second signal stops at once");
                    return Ok(());
                }
            },
            ending = stages.running.ended() => {
                error!(reason = ending.to_string(); "giving up");
                return Err(AppError::GaveUp(ending));
            }
            _ = status.tick() => said = say_status(stages, said).await,
        }
    }
}

/// Reads the configuration file again and reconciles its sites. Other settings need a new start.
async fn reload(store: &SqliteStore, sources: &Sources) {
    match config::load(sources.clone()) {
        Ok(loaded) if loaded.file.is_some() => match reconcile(store, loaded.sites).await {
            Ok(()) => info!(
                "configuration file read again; settings other than sites take effect at the next start"
            ),
            Err(error) => error!(error = chain(&error); "failed to reconcile the sites; the old ones stay"),
        },
        Ok(_) => warn!("there is no configuration file to read again"),
        Err(problems) => {
            error!(problems = problems.to_string(); "the configuration file has problems; the old sites stay")
        }
    }
}

async fn say_status(stages: &Stages, before: u64) -> u64 {
    let total = stages.tally.total();
    let depth = stages.ports.queue.depth().await.unwrap_or_default();
    let restarts: u64 = stages.running.status().iter().map(|child| child.restarts_total()).sum();
    info!(
        checks_per_s = (total - before) / STATUS_EVERY.as_secs(),
        up = stages.tally.of(Status::Up),
        degraded = stages.tally.of(Status::Degraded),
        down = stages.tally.of(Status::Down),
        missed = stages.tally.of(Status::Missed),
        unknown = stages.tally.of(Status::Unknown),
        worst_lag_ms = stages.tally.take_worst_lag_ms(),
        queued = depth.jobs,
        in_flight = stages.leases.len(),
        unstored = stages.ports.log.depth(),
        restarts;
        "status"
    );
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn giving_up_ends_with_3_and_says_why() {
        let died = AppError::GaveUp(Ending::SupervisorDied("the cause".to_owned()));

        assert_eq!(died.exit_code(), 3);
        assert!(died.to_string().contains("the cause"), "{died}");
    }
}
