//! What does a check cost in the whole pipeline on SQLite: how much CPU on top of the check itself, and how many bytes on disk?
//!
//! Units: µs of CPU, user and system, of this whole process per check; bytes written to disk per check; ms between a slot
//! and the start of its check. Plain http on fresh connections, sites every 10 s, the target a process of its own.
//!
//! Three contenders check at the same pace, one after the other: the pipeline; its actors with ports that keep nothing;
//! and the same awc calls in a bare loop. The pace matters, for the fewer checks there are in a second, the more of them
//! pay for waking threads up, with actors and without. At a pace that the machine can't keep slots end as `missed`.
//!
//! Bytes are counted twice: what was written while checks ran, which is the database's log and what was moved from there
//! into the database by the way; and the same with all of the rest moved at the end of the measurement, which is as much
//! as it can become over a longer time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and fails by panicking"
)]

mod support;

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use support::meter::{Cost, Meter, machine, rss_mb};
use support::ports::{Feed, without_database};
use support::table::{Samples, Table};
use support::target::Target;
use support::{Effort, expect_up, settings};
use tokio::task::JoinSet;
use uptime_monitor::app::{Parts, Ports, Stages};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::sqlite::{self, Sqlite};
use uptime_monitor::model::{self, SiteSpec, Status};
use uptime_monitor::probe::Probe;
use uptime_monitor::queue::sqlite::SqliteJobQueue;
use uptime_monitor::result_log::local::LocalResultLog;
use uptime_monitor::schedule::Schedule;
use uptime_monitor::store::accounting::Audit;
use uptime_monitor::store::sqlite::SqliteStore;
use uptime_monitor::store::{Catalog, History, Range};

/// From one check of a site to the next, and so the shortest time in which every site is checked once.
const EVERY: Duration = Duration::from_secs(10);
/// Before each measurement.
const WARM_UP: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
/// As the reference configuration has it.
const IN_FLIGHT: usize = 10_000;

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

async fn bench(effort: Effort) {
    let (rounds, paces): (usize, &[usize]) = match effort {
        Effort::Quick => (1, &[1_000]),
        Effort::Full => (2, &[100, 1_000, 5_000]),
    };
    println!("{rounds} rounds; {}\n", machine());
    let target = Target::start();
    let mut cpu = Table::new(&[
        "checks/s",
        "pipeline, CPU µs/check",
        "actors",
        "awc",
        "pipeline − actors",
        "pipeline − awc",
    ]);
    let mut rest = Table::new(&[
        "checks/s",
        "done/s",
        "bytes/check",
        "with all moved",
        "lag p50 ms",
        "p99",
        "max",
        "missed",
        "RSS MB",
    ]);
    for &pace in paces {
        let mut figures = Figures::default();
        for _ in 0..rounds {
            figures.add(&whole(&target, pace).await);
            figures.actors.add(actors(&target, pace).await);
            figures.awc.add(bare(&target, pace).await);
        }
        figures.enter(pace, &mut cpu, &mut rest);
    }
    cpu.print();
    println!();
    rest.print();
}

/// What was measured at one pace.
#[derive(Default)]
struct Figures {
    pipeline: Samples,
    actors: Samples,
    awc: Samples,
    rate: Samples,
    bytes: Samples,
    bytes_moved: Samples,
    lag: [Samples; 3],
    missed: Samples,
    rss_mb: Samples,
}

/// One measurement of the pipeline.
struct Whole {
    checks: usize,
    cost: Cost,
    /// `cost.written`, and what moving all of the log into the database adds.
    written: u64,
    audit: Audit,
    missed: u64,
    rss_mb: f64,
}

impl Figures {
    fn add(&mut self, whole: &Whole) {
        self.pipeline.add(whole.cost.cpu_us_per(whole.checks));
        self.rate.add(whole.cost.rate(whole.checks));
        self.bytes.add(whole.cost.bytes_per(whole.checks));
        self.bytes_moved.add(whole.written as f64 / whole.checks as f64);
        let lag = whole.audit.lag_ms.expect("checked slots");
        for (samples, ms) in self.lag.iter_mut().zip([lag.p50, lag.p99, lag.max]) {
            samples.add(ms as f64);
        }
        self.missed.add(whole.missed as f64);
        self.rss_mb.add(whole.rss_mb);
    }

    fn enter(&self, pace: usize, cpu: &mut Table, rest: &mut Table) {
        let Self { pipeline, actors, awc, .. } = self;
        let differences = [pipeline.on_top_of(actors), pipeline.on_top_of(awc)];
        let columns = [pipeline, actors, awc].into_iter().chain(&differences);
        cpu.row(std::iter::once(pace.to_string()).chain(columns.map(|samples| samples.show(0))));
        let [p50, p99, max] = &self.lag;
        let columns = [&self.rate, &self.bytes, &self.bytes_moved, p50, p99, max, &self.missed, &self.rss_mb];
        rest.row(std::iter::once(pace.to_string()).chain(columns.map(|samples| samples.show(0))));
    }
}

/// The pipeline as `run` composes it, without a log.
async fn whole(target: &Target, pace: usize) -> Whole {
    // Beside the program and not in /tmp, which may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("uptime.db");
    sqlite::migrate(&path).unwrap();
    let clock = Clock::system();
    let database = Sqlite::open(&path).unwrap();
    let store = SqliteStore::new(database.clone(), clock.clone());
    let sites = pace * EVERY.as_secs() as usize;
    store
        .import((0..sites).map(|number| site(target, number).into()).collect(), false, Arc::new(|_| {}))
        .await
        .unwrap();
    let ports = Ports {
        queue: Arc::new(SqliteJobQueue::new(database, clock.clone())),
        log: Arc::new(LocalResultLog::new(20_000)),
        store: Arc::new(store.clone()),
        clock: clock.clone(),
    };
    let stages = Stages::start(Parts::ALL, settings(IN_FLIGHT, target, &[]), ports);
    between_bursts(WARM_UP).await;
    move_log(&path);
    let (before, meter) = (stages.tally.total(), Meter::read());
    let from = clock.now() - TimeDelta::seconds(1);
    between_bursts(EVERY).await;
    let (cost, rss_mb) = (meter.cost(), rss_mb());
    let checks = (stages.tally.total() - before) as usize;
    move_log(&path);
    let written = meter.cost().written;
    let audit = store.audit(Range { from, to: from + TimeDelta::seconds(10) }, 0).await.unwrap();
    let missed = stages.tally.of(Status::Missed);
    let down = stages.tally.of(Status::Down) + stages.tally.of(Status::Unknown);
    assert_eq!(down, 0, "the target answers every check");
    stages.running.shutdown(Duration::from_secs(2)).await;
    Whole { checks, cost, written, audit, missed, rss_mb }
}

fn site(target: &Target, number: usize) -> SiteSpec {
    SiteSpec {
        name: format!("site-{number}"),
        url: format!("{}health/{number}", target.url("http")),
        schedule: Schedule::Every(EVERY.as_secs() as u32),
        timeout: TIMEOUT,
        retries: 1,
        enabled: true,
        tags: vec![],
        settings: None,
    }
}

/// Moves what is in the database's log into the database.
fn move_log(path: &Path) {
    sqlite::connect(path).unwrap().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// The pipeline's actors with ports that keep nothing: CPU µs per check.
async fn actors(target: &Target, pace: usize) -> f64 {
    let feed = Feed::new(job(target), Clock::system(), pace);
    let stages = Stages::start(Parts::ALL, settings(IN_FLIGHT, target, &[]), without_database(&feed));
    between_bursts(WARM_UP).await;
    let (before, meter) = (feed.completed(), Meter::read());
    between_bursts(EVERY / 2).await;
    let cost = meter.cost().cpu_us_per(feed.completed() - before);
    stages.running.shutdown(Duration::from_secs(1)).await;
    cost
}

/// The same awc calls, begun over the same tenth of each second: CPU µs per check.
async fn bare(target: &Target, pace: usize) -> f64 {
    const STEPS: usize = 20;
    let probe = Rc::new(Probe::with_settings(&settings(IN_FLIGHT, target, &[]).probe, Clock::system()));
    let job = Rc::new(job(target));
    let seconds = (EVERY / 2).as_secs() as usize;
    let mut checks = JoinSet::new();
    between_bursts(Duration::ZERO).await;
    let meter = Meter::read();
    for _ in 0..seconds {
        for step in 0..STEPS {
            for _ in pace * step / STEPS..pace * (step + 1) / STEPS {
                let (probe, job) = (Rc::clone(&probe), Rc::clone(&job));
                checks.spawn_local(async move {
                    let outcome = probe.check(&job, Clock::instant()).await;
                    expect_up(outcome.status, outcome.error.as_deref());
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            while checks.try_join_next().is_some() {}
        }
        between_bursts(Duration::ZERO).await;
    }
    while checks.join_next().await.is_some() {}
    meter.cost().cpu_us_per(pace * seconds)
}

fn job(target: &Target) -> model::Target {
    model::Target {
        url: format!("{}health/1", target.url("http")),
        timeout: TIMEOUT,
        retries: 0,
        settings: None,
    }
}

/// Waits for about `time`, until shortly before a whole second: what was due in the last one is done then.
async fn between_bursts(time: Duration) {
    tokio::time::sleep(time.saturating_sub(Duration::from_millis(500))).await;
    let past_ms = u64::from(Clock::system().now().timestamp_subsec_millis());
    tokio::time::sleep(Duration::from_millis((1_950 - past_ms) % 1_000)).await;
}
