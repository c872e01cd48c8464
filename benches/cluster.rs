//! What do a tick, a claim, a completion and a stored result cost on PostgreSQL, with a million sites and a backlog of 600,000 jobs,
//! and how far is that from a bare client that sends the same statements?
//!
//! Units: rows per second of wall time; ms of wall time per call; µs of CPU, user and system, per row, of the server (all of
//! its processes) and of this process. Server and client share the machine, so rates are lower bounds.
//!
//! The bare client is tokio-postgres with prepared statements, whose text is read from the server's list of activities: they
//! are the very statements that we send. Both work on the same database in turns. Results come through a real Kafka.
//! PostgreSQL and Kafka are started from the machine's packages, see `scripts/support`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

#[path = "../tests/common/servers/mod.rs"]
mod servers;
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use servers::{Kafka, Postgres};
use support::Effort;
use support::meter::{Meter, ServerCpu, machine};
use support::table::{Samples, Table};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::postgres::{self, PostgresSettings};
use uptime_monitor::model::{CheckResult, Job, Region, SiteId, Slot, Status, Target, Timings, Unchecked};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::queue::postgres::PostgresJobQueue;
use uptime_monitor::result_log::ResultLog;
use uptime_monitor::result_log::kafka::KafkaResultLog;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;
use uptime_monitor::store::ResultStore;
use uptime_monitor::store::postgres::PostgresStore;

const SITES: i64 = 1_000_000;
const BACKLOG: usize = 600_000;
const CLAIMERS: usize = 4;
const JOBS: usize = 500;
const ROWS: usize = 5_000;
const LEASE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

async fn bench(effort: Effort) {
    let rounds = if effort == Effort::Quick { 1 } else { 3 };
    println!("{}\n", machine());
    let server = Postgres::start().expect("PostgreSQL is installed");
    let world = World::with_sites(&server).await;
    let mut table = Table::new(&["what", "client", "rows/s", "ms/call", "server µs/row", "client µs/row"]);
    world.ticks().await.enter("tick, 1,000,000 sites every minute", "ours", &mut table);
    world.queue(rounds, &mut table).await;
    world.results(rounds, &mut table).await;
    table.print();
}

/// What calls of one kind cost.
#[derive(Default)]
struct Figures {
    rate: Samples,
    ms: Samples,
    server_us: Samples,
    client_us: Samples,
}

impl Figures {
    fn enter(self, what: &str, client: &str, table: &mut Table) {
        table.row([
            what.to_owned(),
            client.to_owned(),
            self.rate.show(0),
            self.ms.show(1),
            self.server_us.show(1),
            self.client_us.show(1),
        ]);
    }
}

/// A database with sites, our ports on it, and a bare client beside them.
struct World<'a> {
    server: &'a Postgres,
    url: String,
    cpu: ServerCpu,
    queue: PostgresJobQueue,
    store: PostgresStore,
}

impl<'a> World<'a> {
    async fn with_sites(server: &'a Postgres) -> Self {
        // Room for whole statements in the list of activities.
        server.ask(server.url(), "ALTER SYSTEM SET track_activity_query_size = '64kB'");
        server.ask(server.url(), "ALTER SYSTEM SET shared_buffers = '1GB'");
        server.ask(server.url(), "ALTER SYSTEM SET max_wal_size = '8GB'");
        server.stop_fast();
        server.start_again();
        let url = server.fresh_database();
        let settings = PostgresSettings {
            url: url.clone(),
            ca_file: None,
            connections: 8,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(60),
        };
        let database = postgres::Postgres::open(settings).await.unwrap();
        database.migrate().await.unwrap();
        server.ask(&url, &sites());
        server.ask(&url, "VACUUM ANALYZE");
        let folder = server.ask(&url, "SHOW data_directory");
        Self {
            server,
            url,
            cpu: ServerCpu::of(&folder),
            queue: PostgresJobQueue::new(database.clone()),
            store: PostgresStore::new(database),
        }
    }

    /// Measures work on `rows` rows.
    async fn measure<T>(
        &self,
        figures: &mut Figures,
        rows: usize,
        calls: usize,
        work: impl Future<Output = T>,
    ) -> T {
        let (meter, server) = (Meter::read(), self.cpu.read());
        let done = work.await;
        let (cost, server) = (meter.cost(), self.cpu.read() - server);
        figures.rate.add(cost.rate(rows));
        figures.ms.add(cost.wall.as_secs_f64() * 1e3 / calls as f64);
        figures.server_us.add(server.as_secs_f64() * 1e6 / rows as f64);
        figures.client_us.add(cost.cpu_us_per(rows));
        done
    }

    /// Each queues the slots of one second.
    async fn ticks(&self) -> Figures {
        let mut figures = Figures::default();
        self.queue.enqueue_due().await.unwrap();
        for _ in 0..10 {
            self.server.ask(&self.url, "TRUNCATE job_queue");
            let back = "UPDATE scheduler_state SET last_tick = date_trunc('second', uptime_now()) - interval '1 second'";
            self.server.ask(&self.url, back);
            let rows = usize::try_from(SITES / 60).unwrap();
            let tick = self.measure(&mut figures, rows, 1, self.queue.enqueue_due()).await.unwrap();
            assert!(tick.queued * 2 > rows, "one second of sixty, give or take one: {tick:?}");
        }
        figures
    }

    fn fill(&self) {
        self.server.ask(&self.url, "TRUNCATE job_queue");
        let fill = format!(
            "INSERT INTO job_queue (scheduled_at, site_id, visible_at)
             SELECT at, id, at FROM site_config, (SELECT date_trunc('second', uptime_now()) - interval '10 seconds' AS at) AS due
             WHERE id <= {BACKLOG}"
        );
        self.server.ask(&self.url, &fill);
        self.server.ask(&self.url, "VACUUM ANALYZE job_queue");
    }

    /// Four claimers take a backlog away, 500 jobs at a time, and complete them.
    async fn queue(&self, rounds: usize, table: &mut Table) {
        let (mut ours, mut bare) = (Figures::default(), Figures::default());
        self.fill();
        let claimers = join_all((0..CLAIMERS).map(|_| Bare::connect(&self.url))).await;
        let [claim, complete] = self.statements().await;
        for _ in 0..rounds {
            self.fill();
            let work = join_all((0..CLAIMERS).map(|number| drain(&self.queue, number)));
            let jobs: usize =
                self.measure(&mut ours, BACKLOG, 2 * BACKLOG / JOBS / CLAIMERS, work).await.iter().sum();
            assert_eq!(jobs, BACKLOG);
            self.fill();
            let work = join_all(
                claimers.iter().enumerate().map(|(number, bare)| bare.drain(number, &claim, &complete)),
            );
            let jobs: usize =
                self.measure(&mut bare, BACKLOG, 2 * BACKLOG / JOBS / CLAIMERS, work).await.iter().sum();
            assert_eq!(jobs, BACKLOG);
        }
        let what = "claim and complete, 4 × 500";
        let ratio = ours.rate.relative_to(&bare.rate);
        let (of_server, of_client) =
            (ours.server_us.relative_to(&bare.server_us), ours.client_us.relative_to(&bare.client_us));
        ours.enter(what, "ours", table);
        bare.enter(what, "bare", table);
        table.row([
            what.to_owned(),
            "ours ÷ bare".to_owned(),
            ratio.show(2),
            "–".to_owned(),
            of_server.show(2),
            of_client.show(2),
        ]);
    }

    /// The texts that our own calls leave behind.
    async fn statements(&self) -> [String; 2] {
        let last = || {
            let sql = "SELECT query FROM pg_stat_activity
                       WHERE application_name = 'uptime-monitor' ORDER BY query_start DESC LIMIT 1";
            self.server.ask(&self.url, sql)
        };
        let jobs = self.queue.claim("look", Region::DEFAULT, 1, LEASE).await.unwrap();
        let claim = last();
        self.queue.complete("look", &slots(&jobs)).await.unwrap();
        [claim, last()]
    }

    /// Results through Kafka into the database, 5,000 at a time.
    async fn results(&self, rounds: usize, table: &mut Table) {
        let kafka = Kafka::start(1).expect("Kafka is installed");
        let rows = 40 * ROWS;
        let settings = KafkaSettings {
            brokers: vec![kafka.brokers().to_owned()],
            capacity: rows,
            ..KafkaSettings::default()
        };
        let log = KafkaResultLog::open(settings).await.unwrap();
        let mut reader = log.reader();
        let (mut append, mut persist) = (Figures::default(), Figures::default());
        for round in 0..=rounds {
            // The first round fills caches.
            let (mut first_append, mut first_persist) = (Figures::default(), Figures::default());
            let (append, persist) = if round == 0 {
                (&mut first_append, &mut first_persist)
            } else {
                (&mut append, &mut persist)
            };
            let groups = results(round, rows);
            let appending = join_all(groups.iter().map(|group| log.append(Arc::clone(group))));
            self.measure(append, rows, groups.len(), appending).await.into_iter().for_each(Result::unwrap);
            let storing = async {
                let mut stored = 0;
                while stored < rows {
                    let batch = reader.next(ROWS, Duration::from_millis(50)).await.unwrap();
                    stored += self.store.persist(&batch.groups).await.unwrap().new.len();
                    reader.commit(batch).await.unwrap();
                }
            };
            self.measure(persist, rows, rows / ROWS, storing).await;
        }
        append.enter("append to Kafka", "ours", table);
        persist.enter("read from Kafka and store, up to 5,000", "ours", table);
    }
}

async fn drain(queue: &PostgresJobQueue, number: usize) -> usize {
    let owner = format!("claimer-{number}");
    let mut done = 0;
    loop {
        let jobs = queue.claim(&owner, Region::DEFAULT, JOBS, LEASE).await.unwrap();
        if jobs.is_empty() {
            return done;
        }
        done += queue.complete(&owner, &slots(&jobs)).await.unwrap();
    }
}

fn slots(jobs: &[Job]) -> Vec<Slot> {
    jobs.iter().map(|job| job.slot).collect()
}

/// A client with nothing around it.
struct Bare {
    client: Client,
}

impl Bare {
    async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        actix_rt::spawn(connection);
        Self { client }
    }

    async fn drain(&self, number: usize, claim: &str, complete: &str) -> usize {
        let owner = format!("bare-{number}");
        // In the order of `Claim`: `hurry` as in three claims of four, the limit twice, and the lease.
        let types = [Type::INT4, Type::INT8, Type::INT8, Type::TEXT, Type::FLOAT8];
        let claim: Statement = self.client.prepare_typed(claim, &types).await.unwrap();
        let types = [Type::TIMESTAMPTZ_ARRAY, Type::INT8_ARRAY, Type::TEXT];
        let complete: Statement = self.client.prepare_typed(complete, &types).await.unwrap();
        let mut done = 0;
        loop {
            let (hurry, limit, lease_s) = (3_i32, JOBS as i64, LEASE.as_secs_f64());
            let rows = self.client.query(&claim, &[&hurry, &limit, &limit, &owner, &lease_s]).await.unwrap();
            if rows.is_empty() {
                return done;
            }
            let mut slots: Vec<(DateTime<Utc>, i64)> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            slots.sort_unstable();
            let (ats, sites): (Vec<_>, Vec<_>) = slots.into_iter().unzip();
            done += usize::try_from(self.client.execute(&complete, &[&ats, &sites, &owner]).await.unwrap())
                .unwrap();
        }
    }
}

/// Groups as checkers make them.
fn results(round: usize, count: usize) -> Vec<Arc<Vec<CheckResult>>> {
    let slot = Clock::system().now() - TimeDelta::seconds(3_600 - round as i64 * 60);
    let scheduled_at = DateTime::from_timestamp(slot.timestamp(), 0).unwrap();
    let all: Vec<CheckResult> = (1..=count).map(|id| result(id as i64, scheduled_at)).collect();
    all.chunks(200).map(|group| Arc::new(group.to_vec())).collect()
}

/// What a check of a good site leaves behind.
fn result(id: i64, scheduled_at: DateTime<Utc>) -> CheckResult {
    let target = Target {
        url: format!("https://site-{id}.example.com/health"),
        timeout: Duration::from_secs(10),
        retries: 1,
        settings: None,
    };
    let slot = Slot { scheduled_at, site_id: SiteId(id), region: Region::DEFAULT };
    let job = Job { slot, attempt: 1, next_slot: Clock::instant(), target };
    CheckResult {
        status: Status::Up,
        error: None,
        started_at: scheduled_at + TimeDelta::milliseconds(57),
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
        ..CheckResult::unchecked(&job, scheduled_at, "worker-1", Unchecked::Late)
    }
}

/// What an import leaves behind, without the time that it takes. Phases are scattered as hashes are.
fn sites() -> String {
    format!(
        "INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, origin, active_from)
         SELECT id, 'site-' || id, 'https://site-' || id || '.example.com/health', 60, (id * 2654435761 >> 8) % 60, 10000, 1,
                true, 'command', uptime_now() - interval '1 day' FROM generate_series(1, {SITES}) AS id;
         INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s) SELECT id, active_from, every_s, phase_s FROM site_config;
         INSERT INTO sites (site_id, url) SELECT id, url FROM site_config;"
    )
}
