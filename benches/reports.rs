//! Does a report of a month, made inside a `run` on SQLite, hold up its checks?
//!
//! Units: ms between a slot and the start of its check; s for a report; ms for a count of the queue, which `/health` waits for; MB
//! of the database's log beside the file, at its largest.
//!
//! One database with ten million results of a month, 10,000 of its sites checked every 10 s over plain http, the target a
//! process of its own. Three contenders, one after the other on the same file: nobody reports; reports of all of it, one after the
//! other, on a connection of their own; and the same reports on the connection that writes.
//!
//! Slots count from before the first report until some seconds after the last one, so that what a long read leaves to be tidied up
//! counts, too. Of the lag only checked slots are told: those that became late are `missed`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and fails by panicking"
)]

mod support;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use diesel::connection::SimpleConnection as _;
use support::meter::machine;
use support::table::{Samples, Table};
use support::target::Target;
use support::{Effort, settings};
use uptime_monitor::app::{Parts, Ports, Stages};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::sqlite::{self, Sqlite};
use uptime_monitor::model::{SiteSpec, Status};
use uptime_monitor::queue::JobQueue as _;
use uptime_monitor::queue::sqlite::SqliteJobQueue;
use uptime_monitor::result_log::local::LocalResultLog;
use uptime_monitor::schedule::Schedule;
use uptime_monitor::store::accounting::Audit;
use uptime_monitor::store::sqlite::SqliteStore;
use uptime_monitor::store::{Catalog, History, Range};

const SITES: i64 = 10_000;
const EVERY_S: u32 = 10;
/// As the reference configuration has it.
const IN_FLIGHT: usize = 10_000;
const WARM_UP: Duration = Duration::from_secs(3);
/// Reports begin for this long.
const REPORTING: Duration = Duration::from_secs(20);
/// And after the last one slots count for this long.
const AFTERWARDS: Duration = Duration::from_secs(5);
const DAY_S: i64 = 86_400;

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

async fn bench(effort: Effort) {
    let (rounds, slots) = match effort {
        Effort::Quick => (1, 100),
        Effort::Full => (3, 1_000),
    };
    println!("{rounds} rounds, {} results; {}\n", slots * SITES, machine());
    let target = Target::start();
    // Beside the program and not in /tmp, which may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("uptime.db");
    fill(&path, &target, slots).await;
    let contenders = [Contender::NoReport, Contender::Apart, Contender::Among];
    let mut figures = contenders.map(|contender| (contender, Figures::default()));
    for _ in 0..rounds {
        for (contender, figures) in &mut figures {
            figures.add(&measure(*contender, &path, &target).await);
        }
    }
    print(&figures);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    NoReport,
    Apart,
    Among,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::NoReport => "no report",
            Self::Apart => "on a connection of its own",
            Self::Among => "on the one that writes",
        }
    }

    fn open(self, path: &Path) -> Sqlite {
        match self {
            Self::NoReport | Self::Apart => Sqlite::open(path).unwrap(),
            // As commands have it: one connection for everything.
            Self::Among => Sqlite::open_patiently(path).unwrap(),
        }
    }
}

/// What was measured of one contender.
#[derive(Default)]
struct Figures {
    lag: [Samples; 3],
    missed: Samples,
    report_s: Samples,
    count_ms: Samples,
    log_mb: Samples,
}

/// One measurement.
struct Run {
    audit: Audit,
    missed: u64,
    report_s: Samples,
    worst: Worst,
}

/// The slowest count, and the largest log.
#[derive(Clone, Copy, Default)]
struct Worst {
    count_ms: f64,
    log_mb: f64,
}

impl Figures {
    fn add(&mut self, run: &Run) {
        let lag = run.audit.lag_ms.expect("checked slots");
        for (samples, ms) in self.lag.iter_mut().zip([lag.p50, lag.p99, lag.max]) {
            samples.add(ms as f64);
        }
        self.missed.add(run.missed as f64);
        if run.report_s.len() > 0 {
            self.report_s.add(run.report_s.median());
        }
        self.count_ms.add(run.worst.count_ms);
        self.log_mb.add(run.worst.log_mb);
    }
}

fn print(figures: &[(Contender, Figures)]) {
    let mut table = Table::new(&[
        "reports",
        "lag p50 ms",
        "p99",
        "max",
        "p99, times that without",
        "missed",
        "report s",
        "slowest count ms",
        "log MB",
    ]);
    let alone = &figures[0].1.lag[1];
    for (contender, figures) in figures {
        let Figures { lag: [p50, p99, max], missed, report_s, count_ms, log_mb } = figures;
        let cells = [
            p50.show(0),
            p99.show(0),
            max.show(0),
            p99.relative_to(alone).show(2),
            missed.show(0),
            report_s.show(1),
            count_ms.show(0),
            log_mb.show(0),
        ];
        table.row(std::iter::once(contender.name().to_owned()).chain(cells));
    }
    table.print();
}

/// Makes a database with `slots` results of each site, spread over a month.
async fn fill(path: &Path, target: &Target, slots: i64) {
    const AT_ONCE: i64 = 20;
    sqlite::migrate(path).unwrap();
    let clock = Clock::system();
    let store = SqliteStore::new(Sqlite::open(path).unwrap(), clock.clone());
    let sites = (0..SITES).map(|number| site(target, number).into()).collect();
    store.import(sites, false, Arc::new(|_| {})).await.unwrap();
    let mut connection = sqlite::connect(path).unwrap();
    let (from, step) = (clock.now_s() - 29 * DAY_S, 28 * DAY_S / slots);
    for first in (0..slots).step_by(AT_ONCE as usize) {
        let end = slots.min(first + AT_ONCE);
        let insert = format!(
            "INSERT INTO ping_status (scheduled_at, site_id, status, http_status, started_at_us, dns_us, connect_us, ttfb_us,
               download_us, total_us, body_bytes, worker, attempt)
             WITH RECURSIVE slot (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM slot WHERE n + 1 < {end})
             SELECT {from} + n * {step}, site.id, 'up', 200, ({from} + n * {step}) * 1000000 + 40000, 300, 900, 2000, 100,
               3000 + (site.id * 7919 + n * 104729) % 90000, 1256, 'bench', 1
             FROM slot CROSS JOIN site_config AS site"
        );
        connection.batch_execute(&insert).unwrap();
    }
    connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

fn site(target: &Target, number: i64) -> SiteSpec {
    SiteSpec {
        name: format!("site-{number}"),
        url: format!("{}health/{number}", target.url("http")),
        schedule: Schedule::Every(EVERY_S),
        timeout: Duration::from_secs(5),
        retries: 1,
        enabled: true,
        tags: vec![],
        settings: None,
    }
}

/// The pipeline as `run` composes it, without a log.
async fn measure(contender: Contender, path: &Path, target: &Target) -> Run {
    let clock = Clock::system();
    let database = contender.open(path);
    let store = SqliteStore::new(database.clone(), clock.clone());
    let queue = SqliteJobQueue::new(database, clock.clone());
    let ports = Ports {
        queue: Arc::new(queue.clone()),
        log: Arc::new(LocalResultLog::new(20_000)),
        store: Arc::new(store.clone()),
        clock: clock.clone(),
    };
    let stages = Stages::start(Parts::ALL, settings(IN_FLIGHT, target, &[]), ports);
    tokio::time::sleep(WARM_UP).await;
    let (from, missed) = (clock.now(), stages.tally.of(Status::Missed));
    let worst = Cell::default();
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let report_s = tokio::select! {
        report_s = work(contender, &store, &clock) => report_s,
        () = look(&queue, &log, &worst) => unreachable!("it looks for ever"),
    };
    let to = clock.now() - TimeDelta::seconds(2);
    let missed = stages.tally.of(Status::Missed) - missed;
    let bad = stages.tally.of(Status::Down) + stages.tally.of(Status::Unknown);
    assert_eq!(bad, 0, "the target answers every check");
    stages.running.shutdown(Duration::from_secs(5)).await;
    let audit = store.audit(Range { from, to }, 0).await.unwrap();
    Run { audit, missed, report_s, worst: worst.get() }
}

/// Makes the contender's reports, and tells how many seconds each took.
async fn work(contender: Contender, store: &SqliteStore, clock: &Clock) -> Samples {
    let mut report_s = Samples::default();
    let began = Clock::instant();
    while contender != Contender::NoReport && began.elapsed() < REPORTING {
        let (to, began) = (clock.now(), Clock::instant());
        let month = Range { from: to - TimeDelta::days(30), to };
        let sites = store.statistics(month, None).await.unwrap();
        report_s.add(began.elapsed().as_secs_f64());
        assert_eq!(sites.len(), SITES as usize);
    }
    tokio::time::sleep(REPORTING.saturating_sub(began.elapsed()) + AFTERWARDS).await;
    report_s
}

async fn look(queue: &SqliteJobQueue, log: &Path, worst: &Cell<Worst>) {
    loop {
        let began: Instant = Clock::instant();
        queue.depth().await.unwrap();
        let count_ms = began.elapsed().as_secs_f64() * 1e3;
        let log_mb = log.metadata().map_or(0.0, |data| data.len() as f64 / 1e6);
        let Worst { count_ms: slowest, log_mb: largest } = worst.get();
        worst.set(Worst { count_ms: slowest.max(count_ms), log_mb: largest.max(log_mb) });
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
