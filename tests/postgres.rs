//! What only a server promises: many processes at once, jobs without a site, partitions, TLS, and sentences for every refusal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "postgres/addresses.rs"]
mod addresses;
mod common;
#[path = "postgres/conditions.rs"]
mod conditions;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta, Timelike as _};
use common::world::{connect, migrated, settings};
use common::{batch, eventually, result, servers, site};
use futures_util::future::join_all;
use uptime_monitor::clock::Clock;
use uptime_monitor::database::DatabaseError;
use uptime_monitor::database::postgres::{Postgres, PostgresSettings};
use uptime_monitor::model::{CheckResult, Job, Region, SiteId, Slot, Status, Target};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::queue::postgres::PostgresJobQueue;
use uptime_monitor::store::postgres::PostgresStore;
use uptime_monitor::store::{Catalog, History, Pruned, Range, ResultStore, Retention, Start};

const LEASE: Duration = Duration::from_secs(30);

/// A database of one's own, in real time.
struct Shop {
    server: &'static servers::Postgres,
    url: String,
    queue: PostgresJobQueue,
    store: PostgresStore,
}

impl Shop {
    async fn open() -> Option<Self> {
        let server = servers::postgres()?;
        let url = server.fresh_database();
        let database = migrated(&url).await;
        Some(Self {
            server,
            url,
            queue: PostgresJobQueue::new(database.clone()),
            store: PostgresStore::new(database),
        })
    }

    async fn with_sites(count: usize, every_s: u32) -> Option<Self> {
        let shop = Self::open().await?;
        let sites = (0..count).map(|number| site(&format!("site-{number}"), every_s).into()).collect();
        shop.store.import(sites, false, Arc::new(|_| {})).await.unwrap();
        Some(shop)
    }

    fn ask(&self, sql: &str) -> String {
        self.server.ask(&self.url, sql)
    }

    fn number(&self, sql: &str) -> i64 {
        self.ask(sql).parse().unwrap()
    }

    /// Due jobs for sites 1 to `count`, whether there are such sites or not, and no others.
    /// Waits until a session of this database waits for a lock.
    async fn somebody_waits(&self) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("somebody waits for a lock", Duration::from_secs(10), async || self.number(waiting) > 0)
            .await;
    }

    fn queue_jobs(&self, count: usize) {
        self.ask(&format!(
            "DELETE FROM job_queue;
             INSERT INTO job_queue (scheduled_at, site_id, visible_at)
             SELECT at, id, at FROM generate_series(1, {count}) AS id, date_trunc('second', now()) AS at"
        ));
    }
}

/// A look of retention that keeps results for so many hours.
fn keeping(hours: u64) -> Retention {
    Retention { keep: Duration::from_hours(hours), elapsed: Duration::ZERO, most: 5_000 }
}

/// A result of site `id` in the slot at `at`.
fn found(id: i64, at: uptime_monitor::clock::Timestamp) -> CheckResult {
    let target = Target { url: "http://127.0.0.1:9/".to_owned(), timeout: LEASE, retries: 0, settings: None };
    let slot =
        Slot { scheduled_at: at.with_nanosecond(0).unwrap(), site_id: SiteId(id), region: Region::DEFAULT };
    result(&Job { slot, attempt: 1, next_slot: Clock::instant(), target }, Status::Up)
}

#[actix::test]
async fn many_that_migrate_an_empty_database_at_once_do_it_once() {
    let Some(server) = servers::postgres() else { return };
    let url = server.fresh_database();
    let databases = join_all((0..8).map(|_| Postgres::open(settings(&url)))).await;

    let applied = join_all(databases.iter().map(|database| database.as_ref().unwrap().migrate())).await;

    let applied: Vec<usize> = applied.into_iter().map(|names| names.unwrap().len()).collect();
    assert_eq!(applied.iter().filter(|count| **count > 0).count(), 1, "{applied:?}");
}

#[actix::test]
async fn many_that_claim_at_once_never_get_the_same_job() {
    let Some(shop) = Shop::with_sites(2_000, 3_600).await else { return };
    shop.queue_jobs(2_000);

    let claims = (0..16).map(|number| {
        let queue = shop.queue.clone();
        async move {
            let mut all = Vec::new();
            loop {
                let jobs =
                    queue.claim(&format!("worker-{number}"), Region::DEFAULT, 50, LEASE).await.unwrap();
                if jobs.is_empty() {
                    return all;
                }
                all.extend(jobs.into_iter().map(|job| job.slot));
            }
        }
    });
    let all: Vec<Slot> = join_all(claims).await.concat();

    assert_eq!(all.len(), 2_000);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 2_000);
}

#[actix::test]
async fn jobs_whose_sites_are_gone_hold_nobody_up() {
    let Some(shop) = Shop::with_sites(10, 3_600).await else { return };
    // Sites 11 to 510 have never been; theirs are the oldest jobs.
    shop.queue_jobs(510);
    shop.ask("UPDATE job_queue SET visible_at = visible_at - interval '1 hour' WHERE site_id > 10");

    let jobs = shop.queue.claim("a", Region::DEFAULT, 5, LEASE).await.unwrap();

    assert_eq!(jobs.len(), 5, "an empty claim would look like an empty queue");
    let jobs = shop.queue.claim("a", Region::DEFAULT, 100, LEASE).await.unwrap();
    assert_eq!(jobs.len(), 5);
    assert_eq!(shop.number("SELECT count(*) FROM job_queue"), 10);
}

#[actix::test]
async fn a_site_that_somebody_deletes_by_hand_takes_its_jobs_along() {
    let Some(shop) = Shop::with_sites(2, 3_600).await else { return };
    shop.queue_jobs(2);

    shop.ask("DELETE FROM site_config WHERE id = 1");

    assert_eq!(shop.ask("SELECT site_id FROM job_queue"), "2");
}

#[actix::test]
async fn a_late_owner_can_neither_complete_nor_give_back_nor_renew() {
    let Some(shop) = Shop::with_sites(1, 3_600).await else { return };
    shop.queue_jobs(1);
    let [job] = &shop.queue.claim("late", Region::DEFAULT, 1, LEASE).await.unwrap()[..] else {
        panic!("one job")
    };
    shop.ask("UPDATE job_queue SET visible_at = now() - interval '1 second'");
    let again = shop.queue.claim("next", Region::DEFAULT, 1, LEASE).await.unwrap();

    assert_eq!((again.len(), again[0].attempt), (1, 2));
    assert_eq!(shop.queue.renew("late", &[job.slot], LEASE).await.unwrap(), 0);
    assert_eq!(shop.queue.release("late", &[job.slot]).await.unwrap(), 0);
    assert_eq!(shop.queue.complete("late", &[job.slot]).await.unwrap(), 0);
    assert_eq!(shop.queue.complete("next", &[job.slot]).await.unwrap(), 1);
}

#[actix::test]
async fn writers_of_the_same_sites_at_once_never_lock_each_other_out() {
    let Some(shop) = Shop::with_sites(20, 60).await else { return };
    let now = Clock::system().now();

    let writers = (0..8).map(|writer| {
        let store = shop.store.clone();
        async move {
            for round in 0..20 {
                // Each in an order of its own, and half of the slots are everybody's.
                let slot =
                    |turn: i64| now - TimeDelta::seconds(60 * (round * 40 + turn % 40 + 20 * (writer % 2)));
                let mut results: Vec<CheckResult> =
                    (0..400).map(|turn| found(1 + (turn * (writer + 3)) % 20, slot(turn))).collect();
                if writer % 2 == 0 {
                    results.reverse();
                }
                store.persist(&batch(results)).await.unwrap();
            }
        }
    });
    join_all(writers).await;

    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(shop.number(deadlocks), 0);
    let newest = "SELECT count(*) FROM sites JOIN (SELECT site_id, max(scheduled_at) AS at FROM ping_status GROUP BY 1) AS row
                  USING (site_id) WHERE last_updated <> at";
    assert_eq!(shop.number(newest), 0, "a site's status is that of its newest slot");
}

#[actix::test]
async fn sites_that_are_added_while_schedulers_tick_lose_no_slot() {
    let Some(shop) = Shop::with_sites(50, 1).await else { return };
    let from = Clock::system().now();
    let ticking = (0..2).map(|_| {
        let queue = shop.queue.clone();
        async move {
            for _ in 0..80 {
                queue.enqueue_due().await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
    let adding = async {
        for number in 0..40 {
            shop.store.add(site(&format!("new-{number}"), 1), Start::InPhase).await.unwrap();
            let more = (0..25).map(|more| site(&format!("many-{number}-{more}"), 1).into()).collect();
            shop.store.import(more, false, Arc::new(|_| {})).await.unwrap();
        }
    };
    tokio::join!(join_all(ticking), adding);
    shop.queue.enqueue_due().await.unwrap();

    let range = Range { from, to: from + TimeDelta::hours(1) };
    let audit = shop.store.audit(range, 0).await.unwrap();
    assert!(audit.expected > 1_000, "{}", audit.expected);
    assert_eq!((audit.unaccounted, audit.gaps.len()), (0, 0));
    assert_eq!(audit.waiting, audit.expected, "every slot is queued, and none was checked");
}

#[actix::test]
async fn results_make_the_partition_of_their_day_and_nonsense_makes_none() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = Clock::system().now();
    let days = [now, now - TimeDelta::days(3), now + TimeDelta::days(3_000)];

    shop.store.persist(&batch(days.map(|day| found(1, day)).to_vec())).await.unwrap();

    let day = |at: uptime_monitor::clock::Timestamp| at.format("ping_status_%Y%m%d").to_string();
    let rows = shop.ask("SELECT DISTINCT tableoid::regclass FROM ping_status ORDER BY 1");
    let mut tables: Vec<&str> = rows.lines().collect();
    tables.sort_unstable();
    let mut expected = vec![day(now), day(now - TimeDelta::days(3)), "ping_status_default".to_owned()];
    expected.sort_unstable();
    assert_eq!(tables, expected);
}

#[actix::test]
async fn a_partition_takes_in_what_lay_in_the_default_one() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = Clock::system().now();
    let table = now.format("ping_status_%Y%m%d");
    // As from a time when it could not be made.
    shop.ask(&format!("DROP TABLE IF EXISTS {table}"));
    let stray = found(1, now - TimeDelta::minutes(1));
    shop.ask(&format!(
        "INSERT INTO ping_status (site_id, scheduled_at, started_at, body_bytes, attempt, status, worker)
         VALUES (1, '{0}', '{0}', 0, 1, 'up', 'x')",
        stray.scheduled_at.to_rfc3339()
    ));
    assert_eq!(shop.number("SELECT count(*) FROM ping_status_default"), 1);

    let fresh = PostgresStore::new(migrated(&shop.url).await);
    let persisted = fresh.persist(&batch(vec![stray, found(1, now)])).await.unwrap();

    assert_eq!((persisted.new.len(), persisted.repeated), (1, 1));
    assert_eq!(shop.number("SELECT count(*) FROM ping_status_default"), 0);
    assert_eq!(shop.number(&format!("SELECT count(*) FROM {table}")), 2);
}

#[actix::test]
async fn retention_drops_whole_days() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = Clock::system().now();
    let results = (0..5).map(|days| found(1, now - TimeDelta::days(days))).collect();
    shop.store.persist(&batch(results)).await.unwrap();

    while shop.store.prune(keeping(48)).await.unwrap().rows > 0 {}

    let oldest = (now - TimeDelta::days(2)).date_naive();
    assert_eq!(shop.ask("SELECT min(scheduled_at)::date FROM ping_status"), oldest.to_string());
    let gone = (now - TimeDelta::days(4)).format("ping_status_%Y%m%d");
    assert_eq!(shop.ask(&format!("SELECT to_regclass('{gone}')")), "");
}

#[actix::test]
async fn a_day_that_another_process_drops_meanwhile_is_no_failure() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = Clock::system().now();
    let results = (0..5).map(|days| found(1, now - TimeDelta::days(days))).collect();
    shop.store.persist(&batch(results)).await.unwrap();
    let other = connect(&shop.url).await;
    other.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7075746977)").await.unwrap();

    let day = (now - TimeDelta::days(4)).format("ping_status_%Y%m%d");
    let drop = format!("ALTER TABLE ping_status DETACH PARTITION {day}; DROP TABLE {day}; COMMIT");
    let dropping = async {
        shop.somebody_waits().await;
        other.batch_execute(&drop).await.unwrap();
    };
    let (pruned, ()) = tokio::join!(shop.store.prune(keeping(48)), dropping);

    assert!(pruned.unwrap().rows > 0, "the other day is ours to drop");
    assert_eq!(shop.number("SELECT count(*) FROM ping_status"), 3);
}

#[actix::test]
async fn while_another_process_removes_rows_there_is_nothing_to_do() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = Clock::system().now();
    // Yesterday's noon, whatever time it is: rows of a day that goes as a whole are not removed one by one.
    let noon = (now - TimeDelta::days(1)).with_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap()).unwrap();
    let results = (-3..3).map(|hours| found(1, noon + TimeDelta::minutes(60 * hours + 30))).collect();
    let keep = (now - noon).to_std().unwrap();
    let retention = Retention { keep, ..keeping(0) };
    shop.store.persist(&batch(results)).await.unwrap();
    let second = PostgresStore::new(migrated(&shop.url).await);
    let other = connect(&shop.url).await;
    other.batch_execute("BEGIN; SELECT 1 FROM ping_status FOR UPDATE").await.unwrap();

    let looking = async {
        shop.somebody_waits().await;
        let looked = tokio::time::timeout(Duration::from_secs(5), second.prune(retention)).await;
        other.batch_execute("COMMIT").await.unwrap();
        looked
    };
    let (removed, looked) = tokio::join!(shop.store.prune(retention), looking);

    assert_eq!(looked.expect("it does not wait").unwrap(), Pruned::default());
    assert_eq!(removed.unwrap().rows, 3);
}

#[actix::test]
async fn text_that_postgresql_refuses_is_stored_all_the_same() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let odd = CheckResult { error: Some("a\0b".to_owned()), ..found(1, Clock::system().now()) };

    shop.store.persist(&batch(vec![odd])).await.unwrap();

    assert_eq!(shop.ask("SELECT error FROM ping_status"), "a\u{fffd}b");
}

#[actix::test]
async fn a_database_from_a_newer_version_is_refused_by_name() {
    let Some(shop) = Shop::open().await else { return };
    shop.ask("INSERT INTO __diesel_schema_migrations (version) VALUES ('2099-01-01-000001')");
    let database = Postgres::open(settings(&shop.url)).await.unwrap();

    for refused in [database.migrate().await.map(drop), database.verify().await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, DatabaseError::Newer { .. }), "{error:?}");
        assert!(error.to_string().contains("2099"), "{error}");
    }
}

/// What opening says, which must be one sentence that cannot heal by itself.
async fn refusal(settings: PostgresSettings) -> String {
    let Err(error) = Postgres::open(settings).await else { panic!("should be refused") };
    assert!(!error.may_heal(), "{error:?}");
    let text = uptime_monitor::failure::chain(&error);
    assert!(!text.contains("hunter2") && !text.contains('\n'), "{text}");
    text
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

#[actix::test]
async fn every_refusal_is_a_sentence_with_a_remedy() {
    let Some(server) = servers::postgres() else { return };
    let address = server.address();
    let at = |user: &str, database: &str| settings(&format!("postgres://{user}@{address}/{database}"));

    assert_says(
        &refusal(at("uptime:hunter2", "uptime")).await,
        &["password", "uptime", &address.to_string()],
    );
    assert_says(&refusal(at("nobody:hunter2", "uptime")).await, &["nobody"]);
    assert_says(&refusal(at("uptime:uptime", "nowhere")).await, &["nowhere", "CREATE DATABASE"]);
    let tls = settings(&format!("postgres://uptime:uptime@{address}/uptime?sslmode=require"));
    assert_says(&refusal(tls).await, &["TLS"]);
}

#[actix::test]
async fn what_may_heal_is_told_apart_and_names_the_server() {
    for (url, words) in [
        ("postgres://u:hunter2@127.0.0.1:1/x", ["127.0.0.1:1", "refused"]),
        ("postgres://u:hunter2@no-such-host.invalid/x", ["no-such-host.invalid", "PostgreSQL"]),
    ] {
        let Err(error) = Postgres::open(settings(url)).await else { panic!("nobody is there") };
        assert!(error.may_heal(), "{error:?}");
        assert_says(&uptime_monitor::failure::chain(&error), &words);
    }
}

#[actix::test]
async fn certificates_are_verified_as_sslmode_says() {
    let Some(server) = servers::Postgres::start_with_tls() else { return };
    let ca_file = Some(server.ca_file().to_owned());
    let with = |mode: &str, host: &str, ca_file: Option<std::path::PathBuf>| {
        let url = server.url().replace("sslmode=verify-full", &format!("sslmode={mode}"));
        let url = url.replace("localhost", host);
        PostgresSettings { ca_file, ..settings(&url) }
    };

    for mode in ["require", "verify-ca", "verify-full"] {
        Postgres::open(with(mode, "localhost", ca_file.clone())).await.unwrap();
    }
    Postgres::open(with("require", "localhost", None)).await.unwrap();
    assert_says(&refusal(with("verify-full", "localhost", None)).await, &["certificate", "ca_file"]);
    assert_says(&refusal(with("disable", "localhost", None)).await, &["TLS"]);
}

#[actix::test]
async fn a_foreign_ca_and_a_ca_file_that_is_no_use_are_refused_with_a_remedy() {
    let Some(server) = servers::Postgres::start_with_tls() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let remedies = ["database.ca_file", "sslrootcert"];
    let with = |mode: &str, ca_file: &std::path::Path| PostgresSettings {
        ca_file: Some(ca_file.to_owned()),
        ..settings(&server.url().replace("sslmode=verify-full", &format!("sslmode={mode}")))
    };

    std::fs::write(&path, foreign_ca()).unwrap();
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let text = refusal(with(mode, &path)).await;
        assert_says(&text, &["localhost:", "the certificate comes from an unknown issuer"]);
        assert_says(&text, &remedies);
    }

    let no_der = "-----BEGIN CERTIFICATE-----\nbm8gREVS\n-----END CERTIFICATE-----\n";
    let cut_off = foreign_ca().replace("-----END CERTIFICATE-----", "");
    for content in ["", "no certificate", no_der, &cut_off] {
        std::fs::write(&path, content).unwrap();
        assert_unusable(&refusal(with("verify-full", &path)).await, &path);
        // As with libpq: where a file is given, it counts.
        assert_unusable(&refusal(with("require", &path)).await, &path);
    }
    for unreadable in [folder.path(), &folder.path().join("nowhere.pem")] {
        assert_unusable(&refusal(with("verify-full", unreadable)).await, unreadable);
    }
}

fn assert_unusable(text: &str, ca_file: &std::path::Path) {
    let words = ["localhost:", &format!("cannot use the CA file {}", ca_file.display()), "database.ca_file"];
    assert_says(text, &words);
}

/// Somebody who has signed nothing of the server's.
fn foreign_ca() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}
