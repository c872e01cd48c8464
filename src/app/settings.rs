//! From the configuration to what each stage needs to know.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::limits::{self, CHECKS_PER_THREAD};
use crate::config::{CheckerConfig, Config, SupervisorConfig};
use crate::pipeline::checker::CheckerSettings;
use crate::pipeline::claimer::ClaimSettings;
use crate::pipeline::persister::PersistSettings;
use crate::probe::{ProbeConfig, ProbeError, ProbeSettings};
use crate::supervisor::Policy;

/// Settings of all stages.
#[derive(Clone)]
pub struct Settings {
    /// Of the supervisor.
    pub policy: Policy,
    /// From one tick of the scheduler to the next.
    pub tick: Duration,
    /// Of the claimer.
    pub claim: ClaimSettings,
    /// Number of checkers.
    pub checkers: usize,
    /// Of each checker.
    pub checker: CheckerSettings,
    /// Of each checker's probe.
    pub probe: ProbeSettings,
    /// Of the persister.
    pub persist: PersistSettings,
    /// Older results are removed.
    pub keep: Duration,
}

/// Settings for `concurrency` checks at once in the whole process.
pub fn settings(config: &Config, concurrency: usize) -> Result<Settings, ProbeError> {
    let worker: Arc<str> = worker_name(&config.worker.name).into();
    let checkers = threads(config).min(concurrency / CHECKS_PER_THREAD as usize).max(1);
    Ok(Settings {
        policy: policy(&config.supervisor),
        tick: config.scheduler.tick,
        claim: ClaimSettings {
            // Two runs of one worker are two owners.
            owner: format!("{worker}/{:08x}", fastrand::u32(..)).into(),
            worker: Arc::clone(&worker),
            region: config.worker.region,
            lease: config.worker.lease,
            poll: config.worker.poll,
            max_attempts: config.worker.max_attempts,
        },
        checkers,
        checker: CheckerSettings {
            worker,
            concurrency: concurrency / checkers,
            unstored: config.result_log.capacity.div_ceil(checkers),
        },
        probe: ProbeSettings::load(&ProbeConfig {
            questions: limits::questions(concurrency),
            ..probe_config(&config.checker)
        })?,
        persist: PersistSettings { batch: config.persister.batch, linger: config.persister.linger },
        keep: config.retention.results,
    })
}

/// Threads for checks: as configured, or one for each core.
pub(super) fn threads(config: &Config) -> usize {
    match config.worker.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// What the probe needs to know.
pub fn probe_config(config: &CheckerConfig) -> ProbeConfig {
    ProbeConfig {
        user_agent: config.user_agent.clone(),
        body_limit: config.body_limit as u64,
        max_redirects: config.max_redirects,
        deny_targets: config.deny_targets.clone(),
        dns: config.dns.clone(),
        ..ProbeConfig::default()
    }
}

/// The configured name, or the host's.
pub fn worker_name(configured: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// How actors are watched and restarted.
pub(super) fn policy(config: &SupervisorConfig) -> Policy {
    Policy {
        max_restarts: config.max_restarts,
        window: config.window,
        backoff_min: config.backoff_min,
        backoff_max: config.backoff_max,
        healthy_after: config.healthy_after,
        heartbeat: config.heartbeat,
        hang_timeout: config.hang_timeout,
        stall: config.stall,
        ..Policy::default()
    }
}
