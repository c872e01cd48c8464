//! Results that the database or the log never takes: they hold up nobody, and are not tried for ever.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use uptime_monitor::clock::Timestamp;
use uptime_monitor::model::{CheckResult, SiteId};
use uptime_monitor::result_log::{Condition, LogError, LogReader, ResultLog};
use uptime_monitor::store::sqlite::SqliteStore;
use uptime_monitor::store::{Persisted, Pruned, ResultStore, Retention, StoreError};

use super::*;

/// The site whose results are refused: the first one that was imported.
const REFUSED: SiteId = SiteId(1);

/// A database that refuses one site's results for good: whole, or also their verdicts alone.
struct Choosy {
    store: SqliteStore,
    verdicts_too: bool,
}

#[async_trait]
impl ResultStore for Choosy {
    async fn persist(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        let refuses =
            |result: &CheckResult| result.site_id == Some(REFUSED) && (self.verdicts_too || is_whole(result));
        if groups.iter().flat_map(|group| group.iter()).any(refuses) {
            return Err(StoreError::Exists(vec!["a value that it never takes".to_owned()]));
        }
        self.store.persist(groups).await
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        self.store.prune(retention).await
    }

    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.settled_before().await
    }

    async fn note_read(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        self.store.note_read(before).await
    }
}

/// Not an essence, and not a verdict alone.
fn is_whole(result: &CheckResult) -> bool {
    result.final_url.is_some()
}

/// A log that never takes one site's results: whole, or also their essences. It counts what is put aside.
struct Picky {
    log: LocalResultLog,
    whole: bool,
    essences_too: bool,
    /// It keeps nothing that is put aside.
    keeps_nothing: bool,
    /// It takes nothing at all.
    is_shut: bool,
    aside: AtomicU64,
    refusals: AtomicU64,
}

impl Picky {
    fn taking_all() -> Self {
        let (aside, refusals) = (AtomicU64::new(0), AtomicU64::new(0));
        let log = LocalResultLog::new(20_000);
        Self { log, whole: true, essences_too: true, keeps_nothing: false, is_shut: false, aside, refusals }
    }

    fn takes(&self, result: &CheckResult) -> bool {
        result.site_id != Some(REFUSED) || if is_whole(result) { self.whole } else { self.essences_too }
    }
}

#[async_trait]
impl ResultLog for Picky {
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError> {
        if self.is_shut {
            return Err(LogError::Closed);
        }
        let taken = results.iter().filter(|result| self.takes(result)).cloned().collect::<Vec<_>>();
        let which: Vec<usize> = (0..results.len()).filter(|&index| !self.takes(&results[index])).collect();
        if !taken.is_empty() {
            self.log.append(Arc::new(taken)).await?;
        }
        if which.is_empty() {
            return Ok(());
        }
        self.refusals.fetch_add(1, Ordering::Relaxed);
        Err(LogError::Unacceptable { which, message: "too large".to_owned() })
    }

    async fn set_aside(&self, result: &CheckResult, _: &str) -> Result<(), LogError> {
        assert_eq!(result.site_id, Some(REFUSED));
        self.aside.fetch_add(1, Ordering::Relaxed);
        if self.keeps_nothing {
            let (server, message, remedy) = ("brokers".into(), "no".into(), "ask for it".into());
            return Err(LogError::Refused { server, message, remedy });
        }
        Ok(())
    }

    fn reader(&self) -> Box<dyn LogReader> {
        self.log.reader()
    }

    fn depth(&self) -> usize {
        self.log.depth()
    }

    fn close(&self, within: Duration) {
        self.log.close(within);
    }

    fn condition(&self) -> Condition {
        self.log.condition()
    }
}

/// At work with this log, on a database that takes everything, or not: `Some(verdicts_too)`.
async fn monitor(log: &Arc<Picky>, choosy: Option<bool>) -> Monitor {
    monitor_with(log, choosy, patient()).await
}

async fn monitor_with(log: &Arc<Picky>, choosy: Option<bool>, policy: Policy) -> Monitor {
    let (database, target) = (Database::new(Clock::system()), Target::start());
    let spec = |number: usize| SiteSpec {
        url: target.url(&format!("/{number}")),
        ..site(&format!("s-{number}"), 1)
    };
    let sites = (0..20).map(|number| spec(number).into()).collect();
    database.store.import(sites, false, Arc::new(|_| {})).await.unwrap();
    let store: Arc<dyn ResultStore> = match choosy {
        Some(verdicts_too) => Arc::new(Choosy { store: database.store.clone(), verdicts_too }),
        None => Arc::new(database.store.clone()),
    };
    let ports = Ports {
        queue: Arc::new(database.queue.clone()),
        log: Arc::clone(log) as Arc<dyn ResultLog>,
        store,
        clock: database.clock.clone(),
    };
    let stages = Stages::start(Parts::ALL, Settings { policy, ..quick_settings() }, ports);
    Monitor { database, target, stages }
}

/// Rows by site: of the one that is refused, and of any other the fewest.
async fn rows(monitor: &Monitor) -> (u64, u64) {
    let found = monitor.database.store.statistics(last(&monitor.database.clock, 60), None).await.unwrap();
    let rows = |id: bool| {
        found
            .iter()
            .filter(move |site| (site.site.id == REFUSED) == id)
            .map(|site| site.checks() + site.missed + site.unknown)
    };
    (rows(true).sum(), rows(false).min().unwrap_or_default())
}

#[actix::test]
async fn a_result_that_the_database_refuses_leaves_its_verdict_and_goes_aside() {
    let log = Arc::new(Picky::taking_all());
    let monitor = monitor(&log, Some(false)).await;

    monitor.stored_more(60).await;

    let (refused, others) = rows(&monitor).await;
    assert!(refused > 0 && others > 0, "{refused} {others}");
    assert!(log.aside.load(Ordering::Relaxed) > 0);
    assert_eq!(monitor.restarts("persister"), 0);
    assert_nothing_lost(&monitor.finish().await);
}

#[actix::test]
async fn a_slot_of_which_the_database_takes_nothing_holds_up_no_other() {
    let log = Arc::new(Picky::taking_all());
    let monitor = monitor(&log, Some(true)).await;

    monitor.stored_more(60).await;
    eventually("it is put aside", DEADLINE, async || log.aside.load(Ordering::Relaxed) > 1).await;

    let (refused, others) = rows(&monitor).await;
    assert_eq!(refused, 0);
    assert!(others > 0);
    let audit = monitor.finish().await;
    let refused = audit.sites.iter().find(|site| site.name == "s-0").unwrap();
    assert!(refused.unaccounted > 0, "a slot without a row is not hidden");
    assert_eq!(audit.unaccounted, refused.unaccounted);
}

#[actix::test]
async fn of_a_result_that_the_log_refuses_the_essence_goes_on_its_way() {
    let log = Arc::new(Picky { whole: false, ..Picky::taking_all() });
    let monitor = monitor(&log, None).await;

    monitor.stored_more(60).await;

    let (refused, others) = rows(&monitor).await;
    assert!(refused > 0 && others > 0, "{refused} {others}");
    assert_eq!(log.aside.load(Ordering::Relaxed), 0);
    assert_nothing_lost(&monitor.finish().await);
}

#[actix::test]
async fn a_result_that_the_log_refuses_in_every_form_is_put_aside_after_two_tries() {
    let log = Arc::new(Picky { whole: false, essences_too: false, ..Picky::taking_all() });
    let monitor = monitor(&log, None).await;

    monitor.stored_more(60).await;
    eventually("it is put aside", DEADLINE, async || log.aside.load(Ordering::Relaxed) > 1).await;

    let others = rows(&monitor).await.1;
    assert!(others > 0);
    monitor.finish().await;
    assert_eq!(log.refusals.load(Ordering::Relaxed), 2 * log.aside.load(Ordering::Relaxed));
}

#[actix::test]
async fn a_log_that_keeps_nothing_that_is_put_aside_is_asked_once_for_each_result() {
    let log = Arc::new(Picky { keeps_nothing: true, ..Picky::taking_all() });
    let monitor = monitor(&log, Some(true)).await;

    eventually("two results were to be put aside", DEADLINE, async || log.aside.load(Ordering::Relaxed) > 1)
        .await;

    monitor.stored_more(60).await;
    assert!(rows(&monitor).await.1 > 0);
}

#[actix::test]
async fn a_log_that_takes_nothing_more_ends_the_process_with_the_reason() {
    let log = Arc::new(Picky { is_shut: true, ..Picky::taking_all() });
    let policy = Policy { max_restarts: 3, window: Duration::from_secs(60), ..patient() };
    let mut monitor = monitor_with(&log, None, policy).await;

    let ending = tokio::time::timeout(DEADLINE, monitor.stages.running.ended()).await.expect("it gives up");

    assert!(matches!(&ending, Ending::GaveUp { child, .. } if child == "publisher"), "{ending}");
    assert!(ending.to_string().contains("closed"), "{ending}");
}
