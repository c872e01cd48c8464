//! What do a tick, a claim, a persist and a complete cost on SQLite with ten thousand, a hundred thousand and a million sites?
//!
//! Units: ms of wall time per call, which holds the one transaction of the call with its fsync; µs of CPU, user and
//! system, of this whole process per row; bytes written to disk per row, which is the log of the database and, when it has
//! grown long enough, its transfer into the database.
//!
//! Every site is due each minute, so a tick, which queues one second, queues a sixtieth of them. Calls follow each other as
//! in the pipeline: ticks until there is enough to claim, then claim, persist and complete; what is left over in the queue
//! is cleared between calls and not measured. Time is simulated: nothing waits for a second to pass.
//!
//! A second table has ticks that queue every site, once each minute: of an interval, of one cron expression, and of a thousand
//! different ones; and an audit of what they have queued. The difference between its rows is what a cron expression costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use diesel::connection::SimpleConnection;
use support::Effort;
use support::meter::{Meter, machine};
use support::table::{Samples, Table};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::sqlite::{self, Sqlite};
use uptime_monitor::model::{CheckResult, Job, Region, Slot, Status, Timings, Unchecked};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::queue::sqlite::SqliteJobQueue;
use uptime_monitor::store::accounting::Audit;
use uptime_monitor::store::sqlite::SqliteStore;
use uptime_monitor::store::{History, Range, ResultStore, StoreError};

const OWNER: &str = "bench/00000000";
const LEASE: Duration = Duration::from_secs(30);
/// More than any queue here holds.
const ALL: usize = 10_000_000;

/// Jobs in one call, and how many turns are measured.
const BATCHES: [(usize, usize); 2] = [(500, 24), (5_000, 12)];

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

async fn bench(effort: Effort) {
    let sizes: &[usize] =
        if effort == Effort::Quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000] };
    println!("{}\n", machine());
    let mut table = Table::new(&["call", "sites", "rows", "calls", "ms/call", "CPU µs/row", "bytes/row"]);
    for &sites in sizes {
        let monitor = Monitor::with_sites(sites, SCATTERED);
        for (batch, turns) in BATCHES {
            // The first call of each kind prepares its statements and fills caches.
            monitor.turn(batch, &mut Calls::of(batch)).await;
            let mut calls = Calls::of(batch);
            for _ in 0..turns {
                monitor.turn(batch, &mut calls).await;
            }
            calls.enter(sites, &mut table);
        }
    }
    table.print();
    println!();
    minutes(effort).await;
}

/// Every phase of a minute.
const SCATTERED: &str = "60, (id * 2654435761 >> 8) % 60, NULL";

/// Rules by which all sites are due at each full minute: `every_s`, `phase_s` and `cron` of the site with this `id`.
const MINUTELY: [(&str, &str); 3] = [
    ("interval", "60, 0, NULL"),
    ("1 expression", "2678400, 0, '* * * * * Europe/Berlin'"),
    // They differ in what they say and not in what they mean.
    (
        "1,000 expressions",
        "2678400, 0, '* 0-23,' || (id % 20) || ' 1-31,' || (1 + id / 20 % 25) || ' 1-12,' || (1 + id / 500 % 2) || ' * Europe/Berlin'",
    ),
];

async fn minutes(effort: Effort) {
    let (sites, turns) = if effort == Effort::Quick { (50_000, 6) } else { (100_000, 20) };
    let mut table = Table::new(&["call", "sites", "rows", "calls", "ms/call", "CPU µs/row", "bytes/row"]);
    for (rule, columns) in MINUTELY {
        let monitor = Monitor::with_sites(sites, columns);
        let mut figures = [Figures::of(format!("tick, {rule}")), Figures::of(format!("audit, {rule}"))];
        for turn in 0..=turns {
            // The first call prepares its statements and fills caches.
            if turn == 1 {
                figures = figures.map(|figures| Figures::of(figures.call));
            }
            monitor.minute(&mut figures).await;
        }
        figures.into_iter().for_each(|figures| figures.enter(sites, &mut table));
    }
    table.print();
}

/// What the calls of several turns cost.
struct Calls {
    tick: Figures,
    claim: Figures,
    persist: Figures,
    complete: Figures,
}

impl Calls {
    fn of(batch: usize) -> Self {
        let figures = |call: &str| Figures::of(format!("{call} {batch}"));
        Self {
            tick: Figures::of("tick".to_owned()),
            claim: figures("claim"),
            persist: figures("persist"),
            complete: figures("complete"),
        }
    }

    fn enter(self, sites: usize, table: &mut Table) {
        for figures in [self.tick, self.claim, self.persist, self.complete] {
            figures.enter(sites, table);
        }
    }
}

/// What calls of one kind cost.
struct Figures {
    call: String,
    rows: Samples,
    ms: Samples,
    cpu_us: Samples,
    bytes: Samples,
}

impl Figures {
    fn of(call: String) -> Self {
        let [rows, ms, cpu_us, bytes] = Default::default();
        Self { call, rows, ms, cpu_us, bytes }
    }

    /// Measures one call, which tells its rows.
    async fn measure<T>(&mut self, call: impl Future<Output = T>, rows: impl Fn(&T) -> usize) -> T {
        let meter = Meter::read();
        let answer = call.await;
        let cost = meter.cost();
        let rows = rows(&answer);
        self.rows.add(rows as f64);
        self.ms.add(cost.wall.as_secs_f64() * 1e3);
        self.cpu_us.add(cost.cpu_us_per(rows));
        self.bytes.add(cost.bytes_per(rows));
        answer
    }

    fn enter(self, sites: usize, table: &mut Table) {
        table.row([
            self.call,
            sites.to_string(),
            format!("{:.0}", self.rows.median()),
            self.rows.len().to_string(),
            self.ms.show(1),
            self.cpu_us.show(1),
            self.bytes.show(0),
        ]);
    }
}

/// A database with sites, and a clock to move.
struct Monitor {
    _folder: tempfile::TempDir,
    clock: Clock,
    queue: SqliteJobQueue,
    store: SqliteStore,
}

impl Monitor {
    /// `rule`: `every_s`, `phase_s` and `cron` of each site, in SQL.
    fn with_sites(sites: usize, rule: &str) -> Self {
        // Beside the program and not in /tmp, which may be memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("uptime.db");
        sqlite::migrate(&path).unwrap();
        let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        insert_sites(&mut sqlite::connect(&path).unwrap(), sites, rule, start.timestamp());
        let clock = Clock::starting_at(start);
        let database = Sqlite::open(&path).unwrap();
        let queue = SqliteJobQueue::new(database.clone(), clock.clone());
        let store = SqliteStore::new(database, clock.clone());
        Self { _folder: folder, clock, queue, store }
    }

    /// Queues every site, and counts what waits.
    async fn minute(&self, [tick, audit]: &mut [Figures; 2]) {
        // A scheduler that works has ticked in the second before. Calls take time, too.
        let left = 59 - self.clock.now().timestamp() % 60;
        self.clock.jump(TimeDelta::seconds(left));
        self.queue.enqueue_due().await.unwrap();
        self.clock.jump(TimeDelta::seconds(1));
        tick.measure(self.queue.enqueue_due(), |tick| tick.as_ref().unwrap().queued).await.unwrap();
        let now = self.clock.now();
        let range = Range { from: now, to: now + TimeDelta::seconds(1) };
        let waiting = |audit: &Result<Audit, StoreError>| audit.as_ref().unwrap().waiting as usize;
        // Even the slot of this moment is old enough.
        audit.measure(self.store.audit(range, -3_600), waiting).await.unwrap();
        self.clear().await;
    }

    /// Queues at least `batch` jobs, and takes `batch` of them all the way.
    async fn turn(&self, batch: usize, calls: &mut Calls) {
        let mut waiting = 0;
        while waiting < batch {
            self.clock.jump(TimeDelta::seconds(1));
            let tick = calls.tick.measure(self.queue.enqueue_due(), |tick| tick.as_ref().unwrap().queued);
            waiting += tick.await.unwrap().queued;
        }
        let claim = self.queue.claim(OWNER, Region::DEFAULT, batch, LEASE);
        let jobs = calls.claim.measure(claim, |jobs| jobs.as_ref().unwrap().len()).await.unwrap();
        self.persist(&jobs, &mut calls.persist).await;
        let slots: Vec<Slot> = jobs.iter().map(|job| job.slot).collect();
        let complete = self.queue.complete(OWNER, &slots);
        calls.complete.measure(complete, |rows| *rows.as_ref().unwrap()).await.unwrap();
        self.clear().await;
    }

    async fn persist(&self, jobs: &[Job], persists: &mut Figures) {
        let results = [Arc::new(jobs.iter().map(result).collect())];
        let stored = self.store.persist(&results);
        persists.measure(stored, |persisted| persisted.as_ref().unwrap().new.len()).await.unwrap();
    }

    /// Empties the queue.
    async fn clear(&self) {
        let jobs = self.queue.claim(OWNER, Region::DEFAULT, ALL, LEASE).await.unwrap();
        let slots: Vec<Slot> = jobs.iter().map(|job| job.slot).collect();
        self.queue.complete(OWNER, &slots).await.unwrap();
    }
}

/// What a check of a good site leaves behind.
fn result(job: &Job) -> CheckResult {
    CheckResult {
        status: Status::Up,
        error: None,
        started_at: job.slot.scheduled_at + TimeDelta::milliseconds(57),
        http_status: Some(200),
        timings: Timings {
            dns_us: Some(1_203),
            connect_us: Some(10_456),
            tls_us: Some(22_870),
            ttfb_us: Some(31_044),
            download_us: Some(519),
            total_us: Some(66_092),
        },
        body_bytes: 5_120,
        ..CheckResult::unchecked(job, job.slot.scheduled_at, "worker-1", Unchecked::Late)
    }
}

/// What an import leaves behind, without the time that a million single inserts take. Phases are scattered as hashes are.
fn insert_sites(connection: &mut impl SimpleConnection, sites: usize, rule: &str, now: i64) {
    let sql = format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         INSERT INTO site_config (id, name, url, every_s, phase_s, cron, timeout_ms, retries, enabled, origin, active_from)
         WITH RECURSIVE site(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM site WHERE id < {sites})
         SELECT id, 'site-' || id, 'https://site-' || id || '.example.com/health', {rule}, 10000, 1, 1, 'command', {now}
         FROM site;
         INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s, cron) SELECT id, {now}, every_s, phase_s, cron FROM site_config;
         INSERT INTO sites (site_id, every_s, phase_s, url) SELECT id, every_s, phase_s, url FROM site_config ORDER BY every_s, phase_s, id;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    connection.batch_execute(&sql).unwrap();
}
