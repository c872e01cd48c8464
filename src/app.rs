//! The composition root: configuration to ports, ports to supervised actors, and the order in which they end.

mod limits;
mod log;
mod ports;
mod reload;
mod role;
pub mod settings;
mod shutdown;
mod signals;
mod stages;
mod status;
mod storage;
mod watch;
mod watched;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ::log::{info, warn};

use crate::config::{Config, Loaded, Sources, hide_password};
use crate::database::DatabaseError;
use crate::failure::{MayHeal as _, wait_for};
use crate::probe::ProbeError;
use crate::queue::QueueError;
use crate::result_log::LogError;
use crate::sites::{SitesError, reconcile};
use crate::store::SiteCount;
use crate::supervisor::{Ending, Running, Supervisor};
use crate::web::{self, Health, Web};

pub use ports::Ports;
pub use role::{Role, RoleError};
use signals::Signals;
pub use stages::{Parts, Stages};
pub use storage::{Storage, migrate};

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
    Sites(#[from] SitesError),
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
            Self::Probe(_) | Self::Role(_) | Self::Sites(SitesError::FileEmptied { .. }) => 2,
            _ => 3,
        }
    }
}

/// Runs a role in this process until a signal or a failure that supervision cannot mend.
pub fn run(role: Role, loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    role.check(&loaded.config)?;
    actix::System::new().block_on(serve(role, loaded, sources))
}

/// From the first moment to the last, three things are heard whatever else is waited for: an order to stop, a second one, and a
/// supervisor that gives up. So nothing here waits for a service but inside a `select!` with them.
async fn serve(role: Role, loaded: Loaded, sources: Sources) -> Result<(), AppError> {
    let mut signals = Signals::listen().map_err(AppError::Signals)?;
    let config = &loaded.config;
    // What is wrong with the configuration is told before any service is asked.
    let concurrency = limits::concurrency(config.worker.concurrency, settings::threads(config));
    let settings = settings::settings(config, concurrency)?;
    let parts = role.parts(config.result_log.kind);
    let identity = web::Identity {
        role: role.to_string(),
        worker: settings::worker_name(&config.worker.name),
        region: config.worker.region,
        warnings: role.warnings(config),
    };
    let health = Health::starting(identity);
    let mut web = answer_http(config, &health)?;
    let prepared = tokio::select! {
        prepared = prepare(parts, &loaded) => prepared?,
        ending = watch::ended(web.as_mut()) => return Err(watch::give_up(ending)),
        () = signals.stop() => {
            // What was under way is a transaction, and is undone.
            info!("stopped before any work began");
            return Ok(());
        }
    };
    let Prepared { storage, ports, sites } = prepared;
    let mut stages = Stages::start(parts, settings, ports);
    health.works(stages.health_sources(web.as_ref()));
    greet(role, parts, sites, config);
    let chores = watch::Chores {
        reconciles: parts.schedules,
        catalog: Arc::clone(&storage.catalog),
        sources,
        health: health.clone(),
    };
    let outcome = watch::watch(chores, &mut stages, web.as_mut(), &mut signals).await;
    health.stops();
    let stopped = tokio::select! {
        () = shutdown::shutdown(stages, config.supervisor.shutdown_timeout) => Ok(()),
        () = signals.stop() => Err(AppError::StoppedAtOnce),
    };
    outcome.and(stopped)
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
    sites: SiteCount,
}

/// Waits for database and log, reconciles the sites, and takes back what a dead run held. Each step waits for a service that
/// goes away meanwhile, as the first one does.
async fn prepare(parts: Parts, loaded: &Loaded) -> Result<Prepared, AppError> {
    let config = &loaded.config;
    let storage = Storage::for_role(&config.database).await?;
    let log = log::open(parts, &config.result_log).await?;
    if parts.schedules && loaded.file.is_some() {
        let reconciling = async || reconcile(&*storage.catalog, loaded).await;
        wait_for("reconcile the sites of the configuration file", reconciling, SitesError::may_heal).await?;
    }
    take_back(&storage).await?;
    let counting = async || Ok::<_, SitesError>(storage.catalog.count().await?);
    let sites = wait_for("count the sites", counting, SitesError::may_heal).await?;
    let ports = Ports {
        queue: Arc::clone(&storage.queue),
        log,
        store: Arc::clone(&storage.results),
        clock: storage.clock.clone(),
    };
    Ok(Prepared { storage, ports, sites })
}

async fn take_back(storage: &Storage) -> Result<(), QueueError> {
    let releasing = async || storage.queue.release_dead().await;
    let may_heal = |QueueError::Database(error): &QueueError| error.may_heal();
    let returned = wait_for("take back jobs of the last run", releasing, may_heal).await?;
    if returned > 0 {
        info!(jobs = returned; "jobs that were in flight when the last run ended go back to the queue");
    }
    Ok(())
}

fn greet(role: Role, parts: Parts, SiteCount { enabled, paused }: SiteCount, config: &Config) {
    let database = hide_password(&config.database.url);
    info!(role:% = role, sites = enabled, paused, database = &*database, version = env!("CARGO_PKG_VERSION"); "watching");
    if enabled == 0 && parts.schedules {
        warn!(
            "there is nothing to watch yet; add a site with `uptime-monitor sites add https://example.com`, or [[site]] in the configuration file"
        );
    }
    role.warnings(config).iter().for_each(|warning| warn!("{warning}"));
    if config.worker.lease < Duration::from_secs(5) {
        warn!("worker.lease is short: a slow database makes checks run twice");
    }
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
