//! What happens to results when actors die: the whole pipeline in this process, with faults injected into each
//! actor while it works, and an audit at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "faults/odd_queue.rs"]
mod odd_queue;
#[path = "faults/put_aside.rs"]
mod put_aside;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::target::Target;
use common::{Database, eventually, jan_1, last, site};
use uptime_monitor::app::settings::{Settings, settings};
use uptime_monitor::app::{Parts, Ports, Stages};
use uptime_monitor::clock::Clock;
use uptime_monitor::config::{Sources, load};
use uptime_monitor::database::sqlite;
use uptime_monitor::model::SiteSpec;
use uptime_monitor::pipeline::checker::CheckerSettings;
use uptime_monitor::queue::JobQueue;
use uptime_monitor::result_log::local::LocalResultLog;
use uptime_monitor::store::accounting::Audit;
use uptime_monitor::store::{Catalog, History};
use uptime_monitor::supervisor::{Ending, Fault, Policy};

const DEADLINE: Duration = Duration::from_secs(30);

/// The pipeline at work on sites that are due each second.
struct Monitor {
    database: Database,
    target: Target,
    stages: Stages,
}

impl Monitor {
    async fn start(sites: usize, policy: Policy) -> Self {
        Self::with_clock(sites, policy, Clock::system()).await
    }

    async fn with_clock(sites: usize, policy: Policy, clock: Clock) -> Self {
        let (database, target) = (Database::new(clock), Target::start());
        let spec = |number: usize| SiteSpec {
            url: target.url(&format!("/{number}")),
            ..site(&format!("s-{number}"), 1)
        };
        database
            .store
            .import((0..sites).map(|number| spec(number).into()).collect(), false, Arc::new(|_| {}))
            .await
            .unwrap();
        let queue = Arc::new(database.queue.clone());
        let stages = start_stages(&database, queue, policy);
        Self { database, target, stages }
    }

    /// With sites that are due every ten seconds, and with the settings that are shipped.
    async fn shipped(sites: usize) -> Self {
        let (database, target) = (Database::new(Clock::system()), Target::start());
        let spec = |number: usize| SiteSpec {
            url: target.url(&format!("/{number}")),
            ..site(&format!("s-{number}"), 10)
        };
        let specs = (0..sites).map(|number| spec(number).into()).collect();
        database.store.import(specs, false, Arc::new(|_| {})).await.unwrap();
        let queue = Arc::new(database.queue.clone());
        let shipped = load(Sources::default()).unwrap();
        let capacity = shipped.config.result_log.capacity;
        // Two checkers, as on two cores, and an end of what hangs that a test can wait for.
        let settings = Settings { policy: patient(), checkers: 2, ..settings(&shipped.config, 200).unwrap() };
        let stages = start_with(&database, queue, settings, capacity);
        Self { database, target, stages }
    }

    /// Waits until the burst of a second is over and its checks have ended: then checkers are idle, and results wait to be stored.
    async fn idle(&self) {
        eventually("an idle moment", DEADLINE, async || {
            let ms = self.database.clock.now().timestamp_subsec_millis();
            (400..600).contains(&ms) && self.stages.leases.checking() == 0
        })
        .await;
    }

    /// Rows that are not what a check of the first attempt leaves.
    fn not_at_first(&self) -> Vec<String> {
        rows_not_at_first(&self.database.path)
    }

    fn inject(&self, actor: &str, fault: Fault) {
        self.stages.running.inject(actor, fault);
    }

    fn restarts(&self, actor: &str) -> u64 {
        self.stages
            .running
            .status()
            .iter()
            .filter(|child| child.name == actor)
            .map(|child| child.restarts_total())
            .sum()
    }

    async fn stored_more(&self, results: u64) {
        let before = self.stages.tally.total();
        eventually("results go on", DEADLINE, async || self.stages.tally.total() >= before + results).await;
    }

    /// Lets everything that is under way come to its end.
    async fn come_to_rest(&self) {
        self.stages.running.stop("scheduler", Duration::from_secs(1)).await;
        eventually("the queue is empty", DEADLINE, async || {
            self.database.queue.depth().await.unwrap().jobs == 0
        })
        .await;
    }

    /// Lets everything that is under way come to its end, and counts.
    async fn finish(self) -> Audit {
        self.come_to_rest().await;
        let Self { database, stages, .. } = self;
        let audit = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
        stages.running.shutdown(Duration::from_secs(1)).await;
        assert_eq!(duplicate_rows(&database.path), 0);
        audit
    }
}

fn start_stages(database: &Database, queue: Arc<dyn JobQueue>, policy: Policy) -> Stages {
    start_with(database, queue, Settings { policy, ..quick_settings() }, 20_000)
}

fn start_with(database: &Database, queue: Arc<dyn JobQueue>, settings: Settings, capacity: usize) -> Stages {
    let ports = Ports {
        queue,
        log: Arc::new(LocalResultLog::new(capacity)),
        store: Arc::new(database.store.clone()),
        clock: database.clock.clone(),
    };
    Stages::start(Parts::ALL, settings, ports)
}

/// The product's own settings with short times.
fn quick_settings() -> Settings {
    let quick = [
        ("persister.linger", "50ms"),
        ("worker.poll", "100ms"),
        ("worker.lease", "3s"),
        ("worker.threads", "2"),
    ];
    let overrides = quick.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let loaded = load(Sources { overrides, ..Sources::default() }).unwrap();
    settings(&loaded.config, 200).unwrap()
}

/// Restarts quickly and never gives up.
fn patient() -> Policy {
    Policy {
        max_restarts: u32::MAX,
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        heartbeat: Duration::from_millis(50),
        hang_timeout: Duration::from_millis(500),
        max_zombies: u32::MAX,
        ..Policy::default()
    }
}

const ACTORS: [&str; 5] = ["scheduler", "claimer", "checker-0", "publisher", "persister"];

fn assert_nothing_lost(audit: &Audit) {
    assert!(audit.expected > 0);
    assert_eq!(audit.unaccounted, 0, "{audit:?}");
}

async fn survives(fault: Fault) {
    let monitor = Monitor::start(40, patient()).await;
    monitor.stored_more(40).await;

    for actor in ACTORS {
        let before = monitor.restarts(actor);
        monitor.inject(actor, fault);
        eventually(&format!("{actor} comes back"), DEADLINE, async || monitor.restarts(actor) > before).await;
        monitor.stored_more(80).await;
    }

    let untouched = monitor.restarts("checker-1");
    let audit = monitor.finish().await;
    assert_eq!(untouched, 0, "the others go on");
    assert_nothing_lost(&audit);
}

#[actix::test]
async fn every_actor_may_stop() {
    survives(Fault::Stop).await;
}

#[actix::test]
async fn every_actor_may_panic_in_a_handler() {
    survives(Fault::PanicInHandler).await;
}

#[actix::test]
async fn every_actor_may_panic_in_a_spawned_future() {
    survives(Fault::PanicInFuture).await;
}

#[actix::test]
async fn every_actor_may_hang() {
    survives(Fault::HangAsync).await;
}

#[actix::test]
async fn every_actor_may_block_its_thread() {
    survives(Fault::BlockThread(Duration::from_secs(2))).await;
}

#[actix::test]
async fn every_actor_may_lose_its_thread() {
    survives(Fault::KillThread).await;
}

/// Whoever fails while there is nothing to do costs nothing: no slot is missed, and none is checked twice.
async fn is_no_matter_to_idle_actors(fault: Fault) {
    let monitor = Monitor::shipped(200).await;
    monitor.stored_more(20).await;

    for actor in ["checker-0", "checker-1", "claimer", "publisher", "persister", "scheduler"] {
        monitor.idle().await;
        let before = monitor.restarts(actor);
        monitor.inject(actor, fault);
        eventually(&format!("{actor} comes back"), DEADLINE, async || monitor.restarts(actor) > before).await;
        monitor.stored_more(20).await;
    }

    assert_eq!(monitor.not_at_first(), [""; 0]);
    monitor.come_to_rest().await;
    let (requests, results) = (monitor.target.requests() as u64, monitor.stages.tally.total());
    assert_eq!(requests, results, "each slot was checked once");
    assert_nothing_lost(&monitor.finish().await);
}

#[actix::test]
async fn an_idle_actor_that_stops_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::Stop).await;
}

#[actix::test]
async fn an_idle_actor_that_panics_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::PanicInHandler).await;
}

#[actix::test]
async fn an_idle_actor_whose_future_panics_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::PanicInFuture).await;
}

#[actix::test]
async fn an_idle_actor_that_hangs_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::HangAsync).await;
}

#[actix::test]
async fn an_idle_actor_that_blocks_its_thread_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::BlockThread(Duration::from_secs(2))).await;
}

#[actix::test]
async fn an_idle_actor_that_loses_its_thread_costs_no_slot() {
    is_no_matter_to_idle_actors(Fault::KillThread).await;
}

#[actix::test]
async fn a_thousand_random_kills_lose_nothing() {
    const KILLS: u64 = 1_000;
    let monitor = Monitor::start(100, patient()).await;
    let faults = [Fault::Stop, Fault::PanicInHandler, Fault::PanicInFuture, Fault::KillThread];
    let kills = || ACTORS.iter().map(|actor| monitor.restarts(actor)).sum::<u64>();

    while kills() < KILLS {
        let (actor, fault) =
            (ACTORS[fastrand::usize(..ACTORS.len())], faults[fastrand::usize(..faults.len())]);
        monitor.inject(actor, fault);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..30))).await;
    }
    monitor.stored_more(200).await;

    assert_nothing_lost(&monitor.finish().await);
}

fn rows_not_at_first(path: &Path) -> Vec<String> {
    use diesel::prelude::*;
    use diesel::sql_types::Text;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let sql = "SELECT format('site %d at %d: %s at attempt %d, %d ms after its slot', site_id, scheduled_at, status, attempt,
                 started_at_us / 1000 - scheduled_at * 1000) AS row
               FROM ping_status WHERE status <> 'up' OR attempt <> 1";
    let rows = diesel::sql_query(sql).load::<Row>(&mut sqlite::connect(path).unwrap()).unwrap();
    rows.into_iter().map(|row| row.row).collect()
}

/// The table's key forbids them; this asks the table and not the key.
fn duplicate_rows(path: &Path) -> i64 {
    count(
        path,
        "SELECT count(*) AS rows FROM (SELECT 1 FROM ping_status GROUP BY site_id, scheduled_at HAVING count(*) > 1)",
    )
}

/// The column `rows` of the only row.
fn count(path: &Path, sql: &str) -> i64 {
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    diesel::sql_query(sql).get_result::<Count>(&mut sqlite::connect(path).unwrap()).unwrap().rows
}

#[actix::test]
async fn an_actor_that_keeps_failing_ends_the_process_with_the_reason() {
    let policy = Policy { max_restarts: 3, window: Duration::from_secs(60), ..patient() };
    let mut monitor = Monitor::start(1, policy).await;

    let ending = tokio::time::timeout(DEADLINE, async {
        loop {
            monitor.inject("publisher", Fault::PanicInHandler);
            if let Ok(ending) =
                tokio::time::timeout(Duration::from_millis(20), monitor.stages.running.ended()).await
            {
                break ending;
            }
        }
    });

    let ending = ending.await.expect("it gives up");
    assert!(matches!(&ending, Ending::GaveUp { child, .. } if child == "publisher"), "{ending}");
}

#[actix::test]
async fn a_supervisor_that_dies_ends_the_process() {
    let mut monitor = Monitor::start(1, patient()).await;

    monitor.stages.running.inject_supervisor_panic();
    let ending = tokio::time::timeout(DEADLINE, monitor.stages.running.ended()).await.expect("it is noticed");

    assert!(matches!(ending, Ending::SupervisorDied(_)), "{ending}");
}

#[actix::test]
async fn a_clock_that_jumps_an_hour_forward_and_back_loses_no_slot() {
    let monitor = Monitor::with_clock(20, patient(), Clock::starting_at(jan_1())).await;
    monitor.stored_more(40).await;

    monitor.database.clock.jump(TimeDelta::hours(1));
    monitor.stored_more(60).await;
    monitor.database.clock.jump(TimeDelta::hours(-1));
    monitor.stored_more(60).await;

    // What was queued for the time that has not come yet would be run then.
    let Monitor { database, stages, .. } = monitor;
    stages.running.stop("scheduler", Duration::from_secs(1)).await;
    let audit = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
    assert_nothing_lost(&audit);
    assert!(audit.recorded > 60);
}

/// As a computer without a battery does, which was off for a week.
#[actix::test]
async fn a_process_that_starts_with_a_clock_that_is_years_ahead_removes_no_result() {
    let monitor = Monitor::with_clock(20, patient(), Clock::starting_at(jan_1())).await;
    monitor.stored_more(60).await;
    let Monitor { database, target: _target, stages } = monitor;
    stages.running.shutdown(Duration::from_secs(1)).await;
    let rows = || count(&database.path, "SELECT count(*) AS rows FROM ping_status");
    let before = rows();

    database.clock.jump(TimeDelta::days(4 * 365));
    let stages = start_stages(&database, Arc::new(database.queue.clone()), patient());
    let looked = || count(&database.path, "SELECT seen_at AS rows FROM retention_state");
    let years_ahead = jan_1().timestamp() + 365 * 86_400;
    eventually("retention has looked", DEADLINE, async || looked() > years_ahead).await;
    eventually("it works", DEADLINE, async || stages.tally.total() >= 60).await;
    database.clock.jump(TimeDelta::days(7 - 4 * 365));
    let total = stages.tally.total();
    eventually("it goes on", DEADLINE, async || stages.tally.total() >= total + 60).await;

    stages.running.stop("scheduler", Duration::from_secs(1)).await;
    eventually("the queue is empty", DEADLINE, async || database.queue.depth().await.unwrap().jobs == 0)
        .await;
    assert!(rows() >= before + 100, "{} {before}", rows());
    let audit = database.store.audit(last(&database.clock, 8 * 86_400), 0).await.unwrap();
    assert_nothing_lost(&audit);
    assert!(audit.recorded >= 100 && audit.gaps.len() == 1, "{} {:?}", audit.recorded, audit.gaps);
    for site in database.store.sites().await.unwrap() {
        assert!(site.known().since <= Some(database.clock.now()), "{site:?}");
    }
}

#[actix::test]
async fn sites_that_never_answer_do_not_hold_up_the_others() {
    let monitor = Monitor::start(20, patient()).await;
    let hanging = |number: usize| SiteSpec {
        url: monitor.target.url("/hang"),
        timeout: Duration::from_millis(900),
        ..site(&format!("hang-{number}"), 1)
    };
    monitor
        .database
        .store
        .import((0..20).map(|number| hanging(number).into()).collect(), false, Arc::new(|_| {}))
        .await
        .unwrap();

    monitor.stored_more(200).await;

    let database_range = last(&monitor.database.clock, 60);
    let found = monitor.database.store.statistics(database_range, None).await.unwrap();
    let downs_of_healthy: u64 =
        found.iter().filter(|site| site.site.spec.name.starts_with("s-")).map(|site| site.down).sum();
    let downs_of_hanging: u64 =
        found.iter().filter(|site| site.site.spec.name.starts_with("hang-")).map(|site| site.down).sum();
    assert_eq!(downs_of_healthy, 0);
    assert!(downs_of_hanging > 0);
    assert_nothing_lost(&monitor.finish().await);
}
