//! What a process does: everything, or one part of the work that it shares with others.

use std::fmt;

use super::Parts;
use crate::config::{Config, ResultLogKind};
use crate::model::Region;

/// The part that a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All of it.
    Run,
    /// Queues due slots, and reconciles the sites of the configuration file.
    Scheduler,
    /// Checks. With the local log it also stores what it has checked.
    Worker,
    /// Stores what workers have written into Kafka.
    Consumer,
}

/// Why a role cannot work with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// SQLite belongs to one process.
    #[error(
        "a {0} shares its work with other processes, and {url} belongs to one; use `uptime-monitor run`, or set database.url to postgres://…",
        url = .1
    )]
    NotShared(Role, String),

    /// Nobody writes what it would read.
    #[error(
        "there is nothing to consume: with result_log.kind = \"local\" every worker stores what it has checked; set result_log.kind = \"kafka\", or leave the consumer out"
    )]
    NothingToConsume,

    /// The process would wait for slots that nobody queues.
    #[error(
        "nothing would be checked: worker.region = {:?}, and so far only slots of the region \"\" are queued; leave worker.region empty",
        .0.as_str()
    )]
    NothingQueued(Region),
}

impl Role {
    /// Its stages. Results do not leave the process through a local log, so a process that checks also stores them.
    pub(super) fn parts(self, log: ResultLogKind) -> Parts {
        let is_local = log == ResultLogKind::Local;
        match self {
            Self::Run => Parts::ALL,
            Self::Scheduler => Parts { schedules: true, checks: false, stores: false },
            Self::Worker => Parts { schedules: false, checks: true, stores: is_local },
            Self::Consumer => Parts { schedules: false, checks: false, stores: true },
        }
    }

    /// Refuses a configuration in which the role has nothing to do, or nobody to share with.
    pub(super) fn check(self, config: &Config) -> Result<(), RoleError> {
        if self == Self::Run {
            let region = config.worker.region;
            return if region.is_default() { Ok(()) } else { Err(RoleError::NothingQueued(region)) };
        }
        if config.database.sqlite_path().is_some() {
            return Err(RoleError::NotShared(self, config.database.url.clone()));
        }
        if self == Self::Consumer && config.result_log.kind == ResultLogKind::Local {
            return Err(RoleError::NothingToConsume);
        }
        Ok(())
    }
}

impl Role {
    /// What goes well and does nothing, a sentence for each.
    pub(super) fn warnings(self, config: &Config) -> Vec<String> {
        let region = config.worker.region;
        let is_idle = self == Self::Worker && !region.is_default();
        let idle = || {
            format!(
                "this worker checks nothing: worker.region = {:?}, and so far only slots of the region \"\" are queued; \
                 leave worker.region empty",
                region.as_str()
            )
        };
        is_idle.then(idle).into_iter().collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Run => "run",
            Self::Scheduler => "scheduler",
            Self::Worker => "worker",
            Self::Consumer => "consumer",
        })
    }
}
