//! The sections of the configuration: a struct each, and how it is read.
//!
//! Defaults stand in `config/uptime.toml` and nowhere else; the doc comments here repeat the meaning in short.

mod log;
mod result_log;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Reader;
use super::{network, parse, services};
use crate::model::Region;

pub use log::{LogConfig, LogFormat};
pub use result_log::{ResultLogConfig, ResultLogKind};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Everything that can be set, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[result_log]`
    pub result_log: ResultLogConfig,
    /// `[scheduler]`
    pub scheduler: SchedulerConfig,
    /// `[worker]`
    pub worker: WorkerConfig,
    /// `[checker]`
    pub checker: CheckerConfig,
    /// `[persister]`
    pub persister: PersisterConfig,
    /// `[supervisor]`
    pub supervisor: SupervisorConfig,
    /// `[retention]`
    pub retention: RetentionConfig,
    /// `[web]`
    pub web: WebConfig,
    /// `[log]`
    pub log: LogConfig,
}

impl Config {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let config = Self {
            database: DatabaseConfig::read(reader.section("database")),
            result_log: ResultLogConfig::read(reader.section("result_log")),
            scheduler: SchedulerConfig::read(reader.section("scheduler")),
            worker: WorkerConfig::read(reader.section("worker")),
            checker: CheckerConfig::read(reader.section("checker")),
            persister: PersisterConfig::read(reader.section("persister")),
            supervisor: SupervisorConfig::read(reader.section("supervisor")),
            retention: RetentionConfig::read(reader.section("retention")),
            web: WebConfig::read(reader.section("web")),
            log: LogConfig::read(reader.section("log")),
        };
        if config.result_log.kind == ResultLogKind::Kafka && config.database.sqlite_path().is_some() {
            reader.conflict(
                ["result_log.kind", "database.url"],
                "needs PostgreSQL, and not",
                "set database.url to postgres://…, or result_log.kind to \"local\"",
            );
        }
        config
    }
}

/// `[database]`: where configuration, queue and results are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// `sqlite://` and a path, see [`DatabaseConfig::sqlite_path`], or a URL of PostgreSQL.
    pub url: String,
    /// Whether migrations are applied at start.
    pub migrate: bool,
    /// PostgreSQL: the authority that has signed the server's certificate; the system's when `None`.
    pub ca_file: Option<PathBuf>,
    /// PostgreSQL: most connections of this process.
    pub connections: u32,
    /// PostgreSQL: for a connection to be made, or to become free.
    pub connect_timeout: Duration,
    /// PostgreSQL: for one statement.
    pub statement_timeout: Duration,
}

impl DatabaseConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            url: reader.text("url", services::database_url),
            migrate: reader.bool("migrate"),
            ca_file: reader.path("ca_file"),
            connections: reader.count("connections", 2..=100),
            connect_timeout: reader.duration("connect_timeout", 100 * MS..=MINUTE),
            statement_timeout: reader.duration("statement_timeout", SECOND..=10 * MINUTE),
        }
    }

    /// The path in [`DatabaseConfig::url`], as written: relative to the working directory or absolute. `None` for PostgreSQL.
    pub fn sqlite_path(&self) -> Option<&Path> {
        self.url.strip_prefix(services::SQLITE).map(Path::new)
    }
}

/// `[scheduler]`: how due slots are queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// Time between two looks for due slots; 100 ms to 10 s.
    pub tick: Duration,
}

impl SchedulerConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self { tick: reader.duration("tick", 100 * MS..=10 * SECOND) }
    }
}

/// `[worker]`: how jobs are claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The name that results carry. Empty: the hostname.
    pub name: String,
    /// The worker checks slots of this region only.
    pub region: Region,
    /// Threads that run checks; 0: one per core.
    pub threads: usize,
    /// Checks running at once; at least 1. The limit on open files bounds it further at start.
    pub concurrency: usize,
    /// How long a claim lasts on top of the site's own timeout.
    pub lease: Duration,
    /// How often an empty queue is looked at again.
    pub poll: Duration,
    /// Leases without a result before a job is given up; at least 1.
    pub max_attempts: u32,
}

impl WorkerConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            name: reader.text("name", parse::label),
            region: reader.choice("region", parse::region),
            threads: reader.count("threads", 0..=1_024),
            concurrency: reader.count("concurrency", 1..=1_000_000),
            lease: reader.duration("lease", SECOND..=HOUR),
            poll: reader.duration("poll", 10 * MS..=MINUTE),
            max_attempts: reader.count("max_attempts", 1..=100),
        }
    }
}

/// `[checker]`: how sites are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckerConfig {
    /// Default for sites; one whose half interval is shorter gets that half.
    pub timeout: Duration,
    /// The `User-Agent` header, with the version filled in.
    pub user_agent: String,
    /// Most of a decoded body that is read; bytes.
    pub body_limit: usize,
    /// Redirects that are followed.
    pub max_redirects: u32,
    /// Addresses never connected to: CIDRs, and [`DENY_WORDS`](super::DENY_WORDS). Validated, as written.
    pub deny_targets: Vec<String>,
    /// Name servers; empty: the system's.
    pub dns: Vec<SocketAddr>,
}

impl CheckerConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            timeout: reader.duration("timeout", MS..=HOUR),
            user_agent: reader.text("user_agent", parse::user_agent),
            body_limit: reader.size("body_limit", 1..=1 << 30),
            max_redirects: reader.count("max_redirects", 0..=100),
            deny_targets: reader.list("deny_targets", network::deny_target),
            dns: reader.list("dns", network::name_server),
        }
    }
}

/// `[persister]`: how results are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersisterConfig {
    /// Most results in one transaction; at least 1.
    pub batch: usize,
    /// How long a batch may wait to fill up.
    pub linger: Duration,
}

impl PersisterConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            batch: reader.count("batch", 1..=100_000),
            linger: reader.duration("linger", Duration::ZERO..=MINUTE),
        }
    }
}

/// `[supervisor]`: how actors are watched and restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorConfig {
    /// Restarts of one actor within `window` before the process gives up.
    pub max_restarts: u32,
    /// Over which restarts are counted.
    pub window: Duration,
    /// Pause before the first restart.
    pub backoff_min: Duration,
    /// Longest pause before a restart; not below `backoff_min`.
    pub backoff_max: Duration,
    /// After running this long, an actor starts again with `backoff_min`.
    pub healthy_after: Duration,
    /// How often an actor is asked for a sign of life; below `hang_timeout`.
    pub heartbeat: Duration,
    /// Without a sign of life for this long, an actor has hung.
    pub hang_timeout: Duration,
    /// With work but no progress for this long, an actor has stalled.
    pub stall: Duration,
    /// Time to finish after SIGTERM.
    pub shutdown_timeout: Duration,
}

impl SupervisorConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        let pause: RangeInclusive<Duration> = MS..=HOUR;
        let config = Self {
            max_restarts: reader.count("max_restarts", 0..=1_000_000),
            window: reader.duration("window", SECOND..=DAY),
            backoff_min: reader.duration("backoff_min", pause.clone()),
            backoff_max: reader.duration("backoff_max", pause),
            healthy_after: reader.duration("healthy_after", SECOND..=DAY),
            heartbeat: reader.duration("heartbeat", 10 * MS..=MINUTE),
            hang_timeout: reader.duration("hang_timeout", 100 * MS..=HOUR),
            stall: reader.duration("stall", SECOND..=DAY),
            shutdown_timeout: reader.duration("shutdown_timeout", Duration::ZERO..=10 * MINUTE),
        };
        if config.backoff_min > config.backoff_max {
            reader.conflict(
                ["backoff_min", "backoff_max"],
                "is longer than",
                "shorten the first or lengthen the second",
            );
        }
        if config.heartbeat >= config.hang_timeout {
            reader.conflict(
                ["heartbeat", "hang_timeout"],
                "is not shorter than",
                "ask several times per hang_timeout",
            );
        }
        config
    }
}

/// `[retention]`: how long things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Age after which results are deleted.
    pub results: Duration,
}

impl RetentionConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self { results: reader.duration("results", MINUTE..=3_650 * DAY) }
    }
}

/// `[web]`: what this process answers to HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfig {
    /// Where; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

impl WebConfig {
    fn read(reader: &mut Reader<'_>) -> Self {
        let listen = reader.text("listen", services::listen);
        // Refused already when it is no address.
        Self { listen: listen.parse().ok() }
    }
}
