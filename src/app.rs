//! The composition root: configuration to ports, ports to supervised actors, and the order in which they end.

mod limits;
mod log;
mod role;
pub mod settings;
mod shutdown;
mod signals;
mod stages;
mod storage;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ::log::{error, info, warn};

use crate::config::{self, Config, Loaded, Sources, hide_password};
use crate::database::DatabaseError;
use crate::failure::chain;
use crate::model::{SiteSpec, Status};
use crate::probe::ProbeError;
use crate::queue::QueueError;
use crate::result_log::LogError;
use crate::store::{Catalog, Changes, SiteCount, StoreError};
use crate::supervisor::{Ending, Running, Supervisor};
use crate::web::{Health, Web};

pub use role::{Role, RoleError};
use signals::{Order, Signals};
pub use stages::{Parts, Ports, Stages};
pub use storage::{Storage, migrate};

/// How often the log tells what has been done.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Why the program could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The role has nothing to do with this configuration.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The address for HTTP cannot be listened on.
    #[error("failed to listen on web.listen = {0}; stop what uses it, or choose another address")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The sites.
    #[error("failed to read or reconcile the sites")]
    Store(#[from] StoreError),
    /// The result log.
    #[error(transparent)]
    Log(#[from] LogError),
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
            Self::Probe(_) | Self::Role(_) => 2,
            _ => 3,
        }
    }
}

/// Runs a role in this process until a signal or a failure that supervision cannot mend.
pub fn run(role: Role, loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    role.check(&loaded.config)?;
    actix::System::new().block_on(serve(role, loaded, sources))
}

async fn serve(role: Role, loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    let mut signals = Signals::listen().map_err(AppError::Signals)?;
    let config = &loaded.config;
    let health = Health::starting(&role.to_string(), &settings::worker_name(&config.worker.name));
    let _web = answer_http(config, &health)?;
    let prepared = tokio::select! {
        prepared = prepare(role, &loaded) => prepared?,
        () = signals.stop() => {
            // What was under way is a transaction, and is undone.
            info!("stopped before any work began");
            return Ok(());
        }
    };
    let Prepared { storage, ports } = prepared;
    let concurrency = limits::concurrency(config.worker.concurrency, settings::threads(config));
    let settings = settings::settings(config, concurrency)?;
    let mut stages = Stages::start(parts(role, config), settings, ports);
    health.works(stages.health_sources());
    greet(role, &*storage.catalog, config).await?;
    let outcome = watch(role, &mut stages, &mut signals, &*storage.catalog, &sources).await;
    health.stops();
    let stopped = tokio::select! {
        () = shutdown::shutdown(stages, config.supervisor.shutdown_timeout) => Ok(()),
        () = signals.stop() => Err(AppError::StoppedAtOnce),
    };
    outcome.and(stopped)
}

fn parts(role: Role, config: &Config) -> Parts {
    let stores = role.stores(config.result_log.kind);
    Parts { schedules: role.schedules(), checks: role.checks(), stores }
}

/// Answers from the beginning, so that whoever looks learns what is waited for.
fn answer_http(config: &Config, health: &Health) -> Result<Option<Running>, AppError> {
    let Some(address) = config.web.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).map_err(|error| AppError::Listen(address, error))?;
    info!(address = address.to_string(); "answering /health, /health/ready and /health/live");
    let health = health.clone();
    let mut supervisor = Supervisor::new(settings::policy(&config.supervisor));
    supervisor.supervise("web", move |life| Web::new(life, &listener, health.clone()));
    Ok(Some(supervisor.start()))
}

/// What has to be there before the first check.
struct Prepared {
    storage: Storage,
    ports: Ports,
}

/// Waits for database and log, reconciles the sites, and takes back what a dead run held.
async fn prepare(role: Role, loaded: &Loaded) -> Result<Prepared, AppError> {
    let Loaded { config, sites, file, .. } = loaded;
    let storage = Storage::for_role(&config.database).await?;
    let log = log::open(role, &config.result_log).await?;
    if role.schedules() && file.is_some() {
        reconcile(&*storage.catalog, sites.clone()).await?;
    }
    let returned = storage.queue.release_dead().await?;
    if returned > 0 {
        info!(jobs = returned; "jobs that were in flight when the last run ended go back to the queue");
    }
    let ports = Ports {
        queue: Arc::clone(&storage.queue),
        log,
        store: Arc::clone(&storage.results),
        clock: storage.clock.clone(),
    };
    Ok(Prepared { storage, ports })
}

async fn greet(role: Role, catalog: &dyn Catalog, config: &Config) -> Result<(), StoreError> {
    let SiteCount { enabled, paused } = catalog.count().await?;
    let database = hide_password(&config.database.url);
    info!(role:% = role, sites = enabled, paused, database = &*database, version = env!("CARGO_PKG_VERSION"); "watching");
    if enabled == 0 && role.schedules() {
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
async fn reconcile(catalog: &dyn Catalog, sites: Vec<SiteSpec>) -> Result<(), StoreError> {
    let Changes { added, changed, unchanged, disabled, foreign } = catalog.reconcile(sites).await?;
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
    role: Role,
    stages: &mut Stages,
    signals: &mut Signals,
    catalog: &dyn Catalog,
    sources: &Sources,
) -> Result<(), AppError> {
    let mut status = tokio::time::interval_at(tokio::time::Instant::now() + STATUS_EVERY, STATUS_EVERY);
    let mut said = 0;
    loop {
        tokio::select! {
            order = signals.next() => match order {
                Order::Reload if role.schedules() => reload(catalog, sources).await,
                Order::Reload => info!("the sites of the configuration file are the scheduler's to read"),
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
async fn reload(catalog: &dyn Catalog, sources: &Sources) {
    match config::load(sources.clone()) {
        Ok(loaded) if loaded.file.is_some() => match reconcile(catalog, loaded.sites).await {
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
