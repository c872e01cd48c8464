//! What several tests need: a database in a temporary folder, sites, results, and waiting for a condition.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub mod servers;
pub mod target;
pub mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use diesel::connection::SimpleConnection as _;
use tempfile::TempDir;
use uptime_monitor::clock::{Clock, Timestamp};
use uptime_monitor::database::sqlite::{self, Sqlite};
use uptime_monitor::model::{CheckResult, Job, SiteSpec, Status, Unchecked};
use uptime_monitor::queue::sqlite::SqliteJobQueue;
use uptime_monitor::schedule::Schedule;
use uptime_monitor::store::Range;
use uptime_monitor::store::sqlite::SqliteStore;

/// A moment at the start of a minute, long ago enough for every test to end before now.
pub fn jan_1() -> Timestamp {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a valid moment")
}

/// What diesel notes after the first migration.
pub const APPLIED: &str =
    "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
     INSERT INTO __diesel_schema_migrations (version) VALUES ('20261124000001')";

/// A migrated database in a folder of its own.
pub struct Database {
    pub folder: TempDir,
    pub path: PathBuf,
    pub clock: Clock,
    pub queue: SqliteJobQueue,
    pub store: SqliteStore,
}

impl Database {
    pub fn new(clock: Clock) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("uptime.db");
        Self::in_folder(folder, path, clock)
    }

    /// As the first migration has made it, with what `rows` says, and then brought up to date.
    pub fn upgraded(clock: Clock, rows: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("uptime.db");
        let first = include_str!("../../migrations/sqlite/2026-11-24-000001_init/up.sql");
        let mut connection = sqlite::connect(&path).expect("the database opens");
        for statements in [first, APPLIED, rows] {
            connection.batch_execute(statements).expect("the first version's statements work");
        }
        Self::in_folder(folder, path, clock)
    }

    fn in_folder(folder: TempDir, path: PathBuf, clock: Clock) -> Self {
        sqlite::migrate(&path).expect("migrations apply");
        let database = Sqlite::open(&path).expect("the database opens");
        let queue = SqliteJobQueue::new(database.clone(), clock.clone());
        let store = SqliteStore::new(database, clock.clone());
        Self { folder, path, clock, queue, store }
    }
}

pub fn site(name: &str, every_s: u32) -> SiteSpec {
    SiteSpec {
        name: name.to_owned(),
        url: format!("http://127.0.0.1:9/{name}"),
        schedule: Schedule::Every(every_s),
        timeout: Duration::from_millis(500),
        retries: 0,
        enabled: true,
        tags: vec![],
        settings: None,
    }
}

/// A result for `job`, as a checker would make it.
pub fn result(job: &Job, status: Status) -> CheckResult {
    CheckResult { status, ..CheckResult::unchecked(job, job.slot.scheduled_at, "test", Unchecked::Late) }
}

/// Results as the persister gets them.
pub fn batch(results: Vec<CheckResult>) -> [Arc<Vec<CheckResult>>; 1] {
    [Arc::new(results)]
}

/// The last `seconds` up to now, and a little of the future.
pub fn last(clock: &Clock, seconds: i64) -> Range {
    let now = clock.now();
    Range { from: now - TimeDelta::seconds(seconds), to: now + TimeDelta::seconds(60) }
}

/// Waits until `condition` holds; fails after `deadline`, saying what was waited for.
pub async fn eventually(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let started = Clock::instant();
    while !condition().await {
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
