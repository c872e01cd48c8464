//! What the ports promise, one test per promise, run on every implementation there is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::{Database, batch, jan_1, last, result, site};
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Job, SiteSpec, Slot, Status};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::result_log::local::LocalResultLog;
use uptime_monitor::result_log::{LogError, ResultLog};
use uptime_monitor::schedule::Rhythm;
use uptime_monitor::store::{Catalog, History, ResultStore, Start, StoreError};

const LEASE: Duration = Duration::from_secs(30);

fn clock() -> Clock {
    Clock::starting_at(jan_1())
}

fn forward(clock: &Clock, seconds: i64) {
    clock.jump(TimeDelta::seconds(seconds));
}

fn slots(jobs: &[Job]) -> Vec<Slot> {
    jobs.iter().map(|job| job.slot).collect()
}

async fn many(database: &Database, count: usize, every_s: u32) {
    let specs: Vec<SiteSpec> = (0..count).map(|number| site(&format!("site-{number}"), every_s)).collect();
    database
        .store
        .import(specs.into_iter().map(Into::into).collect(), false, Arc::new(|_| {}))
        .await
        .expect("sites are imported");
}

mod queue {
    use super::*;

    #[actix::test]
    async fn every_site_is_queued_once_per_interval_at_its_phase() {
        let database = Database::new(clock());
        many(&database, 200, 60).await;

        let mut queued = 0;
        for _ in 0..120 {
            forward(&database.clock, 1);
            queued += database.queue.enqueue_due().await.unwrap().queued;
        }
        let jobs = database.queue.claim("a", 1000, LEASE).await.unwrap();

        assert_eq!(queued, 400);
        for job in jobs {
            let phase_s = uptime_monitor::schedule::phase_s(&format!("site-{}", job.slot.site_id.0 - 1), 60);
            assert!(Rhythm { every_s: 60, phase_s }.is_slot(job.slot.scheduled_at.timestamp()));
        }
    }

    #[actix::test]
    async fn schedulers_that_tick_at_once_queue_a_slot_once() {
        let database = Database::new(clock());
        many(&database, 100, 1).await;
        forward(&database.clock, 1);

        let (a, b) = tokio::join!(database.queue.enqueue_due(), database.queue.enqueue_due());

        assert_eq!(a.unwrap().queued + b.unwrap().queued, 100);
    }

    #[actix::test]
    async fn after_an_outage_each_site_is_checked_once_and_the_gap_is_recorded() {
        let database = Database::new(clock());
        many(&database, 50, 10).await;
        forward(&database.clock, 10);
        database.queue.enqueue_due().await.unwrap();

        forward(&database.clock, 3600);
        let tick = database.queue.enqueue_due().await.unwrap();

        assert_eq!(tick.queued, 50);
        let gap = tick.gap.expect("a gap");
        assert_eq!((gap.until - gap.after).num_seconds(), 3600);
    }

    #[actix::test]
    async fn a_scheduler_that_is_some_seconds_late_skips_no_slot() {
        let database = Database::new(clock());
        many(&database, 5, 1).await;
        forward(&database.clock, 1);
        database.queue.enqueue_due().await.unwrap();

        forward(&database.clock, 4);
        let tick = database.queue.enqueue_due().await.unwrap();

        assert_eq!((tick.queued, tick.gap), (20, None));
    }

    #[actix::test]
    async fn an_unfinished_job_is_claimed_again_after_its_lease() {
        let database = Database::new(clock());
        many(&database, 1, 60).await;
        forward(&database.clock, 60);
        database.queue.enqueue_due().await.unwrap();

        let first = database.queue.claim("a", 10, LEASE).await.unwrap();
        let while_leased = database.queue.claim("b", 10, LEASE).await.unwrap();
        forward(&database.clock, 32);
        let second = database.queue.claim("b", 10, LEASE).await.unwrap();

        assert!(while_leased.is_empty());
        assert_eq!(slots(&first), slots(&second));
        assert_eq!((first[0].attempt, second[0].attempt), (1, 2));
    }

    #[actix::test]
    async fn claimers_never_share_a_job() {
        let database = Database::new(clock());
        many(&database, 500, 1).await;
        forward(&database.clock, 1);
        database.queue.enqueue_due().await.unwrap();

        let claims = (0..10).map(|owner| {
            let queue = database.queue.clone();
            async move { queue.claim(&owner.to_string(), 60, LEASE).await.unwrap() }
        });
        let claimed: Vec<Slot> =
            futures_util::future::join_all(claims).await.concat().iter().map(|job| job.slot).collect();

        let distinct: std::collections::HashSet<Slot> = claimed.iter().copied().collect();
        assert_eq!((claimed.len(), distinct.len()), (500, 500));
    }

    #[actix::test]
    async fn only_the_owner_of_the_lease_completes_a_job() {
        let database = Database::new(clock());
        many(&database, 1, 60).await;
        forward(&database.clock, 60);
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", 1, LEASE).await.unwrap();
        forward(&database.clock, 32);
        database.queue.claim("b", 1, LEASE).await.unwrap();

        let by_loser = database.queue.complete("a", &slots(&job)).await.unwrap();
        let by_owner = database.queue.complete("b", &slots(&job)).await.unwrap();

        assert_eq!((by_loser, by_owner), (0, 1));
        assert_eq!(database.queue.depth().await.unwrap().jobs, 0);
    }

    #[actix::test]
    async fn a_released_job_is_claimable_at_once() {
        let database = Database::new(clock());
        many(&database, 1, 60).await;
        forward(&database.clock, 60);
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", 1, LEASE).await.unwrap();

        database.queue.release("a", &slots(&job)).await.unwrap();
        let again = database.queue.claim("b", 1, LEASE).await.unwrap();

        assert_eq!(again[0].attempt, 2);
    }

    #[actix::test]
    async fn a_job_more_than_one_interval_late_is_marked_so() {
        let database = Database::new(clock());
        many(&database, 1, 10).await;
        forward(&database.clock, 10);
        database.queue.enqueue_due().await.unwrap();

        forward(&database.clock, 21);
        let jobs = database.queue.claim("a", 1, LEASE).await.unwrap();

        assert!(jobs[0].late);
    }

    #[actix::test]
    async fn jobs_of_a_removed_site_are_not_in_the_way() {
        let database = Database::new(clock());
        many(&database, 2, 1).await;
        forward(&database.clock, 1);
        database.queue.enqueue_due().await.unwrap();

        database.store.remove("site-0").await.unwrap();
        let jobs = database.queue.claim("a", 1, LEASE).await.unwrap();

        assert_eq!(jobs.len(), 1, "the queue is not blocked");
        assert_eq!(database.queue.depth().await.unwrap().jobs, 1, "and keeps no orphan");
    }

    #[actix::test]
    async fn a_clock_that_is_set_back_does_not_stop_the_schedule() {
        let database = Database::new(clock());
        many(&database, 10, 10).await;
        forward(&database.clock, 10);
        database.queue.enqueue_due().await.unwrap();

        forward(&database.clock, -3600);
        let tick = database.queue.enqueue_due().await.unwrap();
        forward(&database.clock, 10);
        let next = database.queue.enqueue_due().await.unwrap();

        assert_eq!(tick.set_back, Some(Duration::from_secs(3600)));
        assert_eq!(next.queued, 10);
    }
}

mod store {
    use super::*;

    async fn one_job(database: &Database) -> Job {
        many(database, 1, 60).await;
        forward(&database.clock, 60);
        database.queue.enqueue_due().await.unwrap();
        database.queue.claim("a", 1, LEASE).await.unwrap().remove(0)
    }

    #[actix::test]
    async fn storing_a_result_again_changes_nothing() {
        let database = Database::new(clock());
        let job = one_job(&database).await;

        let first = database.store.persist(&batch(vec![result(&job, Status::Up)]).await).await.unwrap();
        let again = database.store.persist(&batch(vec![result(&job, Status::Down)]).await).await.unwrap();

        assert_eq!((first.new, again.new, again.repeated), (1, 0, 1));
        let found = database.store.statistics(last(&database.clock, 3600), None).await.unwrap();
        assert_eq!((found[0].up, found[0].down), (1, 0));
        assert_eq!(found[0].site.last_status, Some(Status::Up));
    }

    #[actix::test]
    async fn an_older_result_does_not_overwrite_a_newer_status() {
        let database = Database::new(clock());
        let newer = one_job(&database).await;
        let mut older = newer.clone();
        older.slot.scheduled_at -= TimeDelta::seconds(60);

        database.store.persist(&batch(vec![result(&newer, Status::Up)]).await).await.unwrap();
        database.store.persist(&batch(vec![result(&older, Status::Down)]).await).await.unwrap();

        let site = database.store.site("site-0").await.unwrap();
        assert_eq!(site.last_status, Some(Status::Up));
        assert_eq!(site.last_updated, Some(newer.slot.scheduled_at));
    }

    #[actix::test]
    async fn a_status_stands_since_its_first_slot() {
        let database = Database::new(clock());
        let mut job = one_job(&database).await;
        let mut since = None;
        for status in [Status::Up, Status::Down, Status::Down] {
            job.slot.scheduled_at += TimeDelta::seconds(60);
            if status == Status::Down && since.is_none() {
                since = Some(job.slot.scheduled_at);
            }
            database.store.persist(&batch(vec![result(&job, status)]).await).await.unwrap();
        }

        assert_eq!(database.store.site("site-0").await.unwrap().since, since);
    }

    #[actix::test]
    async fn old_results_are_removed_in_bounded_steps() {
        let database = Database::new(clock());
        let job = one_job(&database).await;
        let results = (0..100).map(|minute| {
            let mut job = job.clone();
            job.slot.scheduled_at += TimeDelta::seconds(60 * minute);
            result(&job, Status::Up)
        });
        database.store.persist(&batch(results.collect()).await).await.unwrap();

        let before = job.slot.scheduled_at + TimeDelta::seconds(60 * 50);
        let first = database.store.prune(before, 20).await.unwrap();
        let mut rest = 0;
        while let removed @ 1.. = database.store.prune(before, 20).await.unwrap() {
            rest += removed;
        }

        assert_eq!((first, first + rest), (20, 50));
    }
}

mod catalog {
    use super::*;

    /// Lets a scheduler and a claimer that does nothing else run over `seconds`, and stores what they find.
    async fn live(database: &Database, seconds: usize) {
        for _ in 0..seconds {
            forward(&database.clock, 1);
            database.queue.enqueue_due().await.unwrap();
            let jobs = database.queue.claim("a", 10_000, LEASE).await.unwrap();
            if jobs.is_empty() {
                continue;
            }
            database
                .store
                .persist(&batch(jobs.iter().map(|job| result(job, Status::Up)).collect()).await)
                .await
                .unwrap();
            database.queue.complete("a", &slots(&jobs)).await.unwrap();
        }
    }

    async fn unaccounted(database: &Database) -> (u64, u64, u64) {
        let audit = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
        (audit.expected, audit.recorded, audit.unaccounted)
    }

    #[actix::test]
    async fn a_site_that_is_added_by_itself_is_queued_at_once_and_then_in_its_phase() {
        let database = Database::new(clock());
        database.queue.enqueue_due().await.unwrap();

        let added = database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        live(&database, 121).await;

        assert!(added.spec.enabled);
        let (expected, recorded, unaccounted) = unaccounted(&database).await;
        assert_eq!(unaccounted, 0);
        assert_eq!(expected, recorded);
        assert!((3..=4).contains(&recorded), "one at once and one in each of two minutes: {recorded}");
    }

    #[actix::test]
    async fn no_change_of_a_site_loses_a_slot() {
        let database = Database::new(clock());
        many(&database, 20, 7).await;
        live(&database, 30).await;

        let change = |spec: SiteSpec| database.store.change(spec);
        for number in 0..20 {
            let name = format!("site-{number}");
            forward(&database.clock, 1);
            change(site(&name, 11 + number)).await.unwrap();
            live(&database, 3).await;
            change(SiteSpec { enabled: false, ..site(&name, 11 + number) }).await.unwrap();
            forward(&database.clock, 2);
            change(site(&name, 5)).await.unwrap();
        }
        live(&database, 40).await;

        let (expected, recorded, unaccounted) = unaccounted(&database).await;
        assert_eq!((expected - recorded, unaccounted), (0, 0));
    }

    #[actix::test]
    async fn a_site_that_changes_during_an_outage_is_accounted_for() {
        let database = Database::new(clock());
        many(&database, 5, 10).await;
        live(&database, 20).await;

        forward(&database.clock, 1000);
        database.store.change(site("site-1", 60)).await.unwrap();
        database.store.change(SiteSpec { enabled: false, ..site("site-2", 10) }).await.unwrap();
        forward(&database.clock, 1000);
        live(&database, 30).await;

        assert_eq!(unaccounted(&database).await.2, 0);
    }

    #[actix::test]
    async fn changing_one_site_moves_no_other() {
        let database = Database::new(clock());
        many(&database, 50, 60).await;
        let phases = async || -> Vec<(String, u32)> {
            let sites = database.store.sites().await.unwrap();
            sites
                .into_iter()
                .filter(|site| site.spec.name != "site-7")
                .map(|site| (site.spec.name, site.phase_s))
                .collect()
        };
        let before = phases().await;

        database.store.change(site("site-7", 300)).await.unwrap();
        database.store.remove("site-7").await.unwrap();

        assert_eq!(phases().await, before);
    }

    #[actix::test]
    async fn reconciling_a_file_touches_only_the_sites_of_files() {
        let database = Database::new(clock());
        database.store.add(site("by-hand", 60), Start::InPhase).await.unwrap();
        database.store.reconcile(vec![site("a", 60), site("b", 60)]).await.unwrap();

        let changes =
            database.store.reconcile(vec![site("b", 30), site("c", 60), site("by-hand", 10)]).await.unwrap();

        assert_eq!((changes.added, changes.changed, changes.disabled), (1, 1, 1));
        assert_eq!(changes.foreign, ["by-hand"]);
        assert_eq!(database.store.site("by-hand").await.unwrap().spec.every_s, 60);
        assert!(!database.store.site("a").await.unwrap().spec.enabled);
    }

    #[actix::test]
    async fn an_import_is_all_or_nothing() {
        let database = Database::new(clock());
        database.store.add(site("taken", 60), Start::InPhase).await.unwrap();

        let refused = database
            .store
            .import(vec![site("new", 60).into(), site("taken", 30).into()], false, Arc::new(|_| {}))
            .await;

        assert!(matches!(refused, Err(StoreError::Exists(names)) if names == ["taken"]));
        assert_eq!(database.store.sites().await.unwrap().len(), 1);
    }

    #[actix::test]
    async fn an_unknown_site_is_answered_with_the_nearest_name() {
        let database = Database::new(clock());
        database.store.add(site("shop.example", 60), Start::InPhase).await.unwrap();

        let error = database.store.site("shop.exmaple").await.unwrap_err();

        assert!(error.to_string().contains("did you mean \"shop.example\"?"), "{error}");
    }

    #[actix::test]
    async fn statistics_of_one_site_are_those_it_has_among_all() {
        let database = Database::new(clock());
        database.queue.enqueue_due().await.unwrap();
        database.store.add(site("extra", 30), Start::AtOnce).await.unwrap();
        many(&database, 5, 7).await;
        live(&database, 100).await;
        database.store.change(site("extra", 13)).await.unwrap();
        live(&database, 100).await;

        let range = last(&database.clock, 150);
        let all = database.store.statistics(range, None).await.unwrap();
        let alone = database.store.statistics(range, Some(all[0].site.id)).await.unwrap();

        assert!(all[0].checks() > 5);
        assert_eq!(alone, all[..1]);
    }
}

mod accounting {
    use super::*;

    #[actix::test]
    async fn a_lost_slot_is_found() {
        let database = Database::new(clock());
        many(&database, 3, 10).await;
        for _ in 0..30 {
            forward(&database.clock, 1);
            database.queue.enqueue_due().await.unwrap();
        }
        let jobs = database.queue.claim("a", 100, LEASE).await.unwrap();
        let kept = &jobs[1..];
        database
            .store
            .persist(&batch(kept.iter().map(|job| result(job, Status::Up)).collect()).await)
            .await
            .unwrap();
        database.queue.complete("a", &slots(&jobs)).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.recorded, audit.unaccounted), (9, 8, 1));
    }

    #[actix::test]
    async fn slots_that_wait_in_the_queue_are_not_lost() {
        let database = Database::new(clock());
        many(&database, 3, 10).await;
        for _ in 0..10 {
            forward(&database.clock, 1);
            database.queue.enqueue_due().await.unwrap();
        }

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.missing(), audit.waiting, audit.unaccounted), (3, 3, 0));
    }

    #[actix::test]
    async fn a_gap_is_counted_once_with_its_slots() {
        let database = Database::new(clock());
        many(&database, 2, 10).await;
        forward(&database.clock, 10);
        database.queue.enqueue_due().await.unwrap();
        forward(&database.clock, 100);
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", 100, LEASE).await.unwrap();
        database
            .store
            .persist(&batch(jobs.iter().map(|job| result(job, Status::Up)).collect()).await)
            .await
            .unwrap();
        database.queue.complete("a", &slots(&jobs)).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.recorded, audit.unaccounted), (22, 4, 0));
        assert_eq!(audit.gaps.iter().map(|gap| gap.slots).sum::<u64>(), 18);
    }

    #[actix::test]
    async fn the_time_since_a_monitor_was_stopped_is_an_open_gap() {
        let database = Database::new(clock());
        many(&database, 2, 10).await;

        forward(&database.clock, 100);
        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.missing(), audit.unaccounted), (20, 20, 0));
        assert_eq!(audit.gaps.len(), 1);
    }

    #[actix::test]
    async fn young_slots_are_not_judged() {
        let database = Database::new(clock());
        many(&database, 1, 1).await;
        forward(&database.clock, 1);
        database.queue.enqueue_due().await.unwrap();
        database.queue.claim("a", 1, LEASE).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 30).await.unwrap();

        assert_eq!(audit.expected, 0);
    }
}

mod result_log {
    use super::*;

    async fn some_results(count: usize) -> Arc<Vec<uptime_monitor::model::CheckResult>> {
        let database = Database::new(clock());
        many(&database, count, 1).await;
        forward(&database.clock, 1);
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", count, LEASE).await.unwrap();
        Arc::new(jobs.iter().map(|job| result(job, Status::Up)).collect())
    }

    #[actix::test]
    async fn results_are_acknowledged_when_they_are_committed_and_not_before() {
        let log = Arc::new(LocalResultLog::new(100));
        let results = some_results(3).await;
        let mut reader = log.reader();
        let append = tokio::task::spawn_local({
            let log = Arc::clone(&log);
            async move { log.append(results).await }
        });

        let batch = reader.next(10, Duration::ZERO).await.unwrap();
        assert_eq!(batch.results().count(), 3);
        assert!(!append.is_finished());
        reader.commit(batch).await.unwrap();

        append.await.unwrap().unwrap();
        assert_eq!(log.depth(), 0);
    }

    #[actix::test]
    async fn what_was_read_and_not_committed_is_read_again() {
        let log = Arc::new(LocalResultLog::new(100));
        let results = some_results(3).await;
        let mut first = log.reader();
        let append = tokio::task::spawn_local({
            let log = Arc::clone(&log);
            async move { log.append(results).await }
        });
        let lost = first.next(10, Duration::ZERO).await.unwrap();

        let mut second = log.reader();
        let batch = second.next(10, Duration::ZERO).await.unwrap();
        let too_late = first.commit(lost).await;
        second.commit(batch).await.unwrap();

        assert!(matches!(too_late, Err(LogError::Closed)));
        append.await.unwrap().unwrap();
    }

    #[actix::test]
    async fn appending_waits_while_the_log_is_full() {
        let log = Arc::new(LocalResultLog::new(4));
        let results = some_results(3).await;
        let mut reader = log.reader();
        for _ in 0..2 {
            let (log, results) = (Arc::clone(&log), Arc::clone(&results));
            tokio::task::spawn_local(async move { log.append(results).await });
        }

        let first = reader.next(10, Duration::from_millis(50)).await.unwrap();
        assert_eq!((first.results().count(), log.depth()), (3, 3));
        reader.commit(first).await.unwrap();
        let second = reader.next(10, Duration::ZERO).await.unwrap();

        assert_eq!(second.results().count(), 3);
    }
}
