//! What the ports promise, one test per promise, run on every implementation there is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::cognitive_complexity,
    reason = "a promise is told in one piece, from what is given to what must hold"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use common::world::World;
use common::{batch, jan_1, last, result, site};
use uptime_monitor::clock::Timestamp;
use uptime_monitor::model::settings::CheckSettings;
use uptime_monitor::model::{
    Certificate, CheckResult, Declared, Evidence, Freshness, Hop, Job, Origin, Reason, Region, Site, SiteId,
    SiteSpec, Slot, Status, Timings, Verdict,
};
use uptime_monitor::result_log::local::LocalResultLog;
use uptime_monitor::result_log::{LogError, ResultLog};
use uptime_monitor::schedule::{Cron, Interval, Rhythm, Schedule};
use uptime_monitor::store::{Listed, Pruned, Range, Retention, Seen, Start, StoreError, Turn};

const LEASE: Duration = Duration::from_secs(30);

/// Makes two tests of each promise, one per database.
macro_rules! on_every_database {
    ($($promise:ident),+ $(,)?) => {$(
        mod $promise {
            use super::World;

            #[actix::test]
            async fn sqlite() {
                super::$promise(&World::sqlite()).await;
            }

            #[actix::test]
            async fn postgres() {
                if let Some(world) = World::postgres().await {
                    super::$promise(&world).await;
                }
            }
        }
    )+};
}

#[path = "contracts/cron.rs"]
mod cron;
#[path = "contracts/region.rs"]
mod region;

fn slots(jobs: &[Job]) -> Vec<Slot> {
    jobs.iter().map(|job| job.slot).collect()
}

/// Retention that keeps results for so long, of a process that has just started.
fn retention(keep_s: u64, most: usize) -> Retention {
    Retention { keep: Duration::from_secs(keep_s), elapsed: Duration::ZERO, most }
}

/// The same, of a process that has been there all the time.
fn lived_through(keep_s: u64, most: usize) -> Retention {
    Retention { elapsed: Duration::from_hours(1_000), ..retention(keep_s, most) }
}

async fn many(database: &World, count: usize, every_s: u32) {
    many_called(database, "site", count, every_s).await;
}

async fn many_called(database: &World, name: &str, count: usize, every_s: u32) {
    let specs: Vec<SiteSpec> = (0..count).map(|number| site(&format!("{name}-{number}"), every_s)).collect();
    database
        .store
        .import(specs.into_iter().map(Into::into).collect(), false, Arc::new(|_| {}))
        .await
        .expect("sites are imported");
}

/// Lets `seconds` go by, and claims in each what has become due: what waits for longer than its interval is for nobody to claim.
async fn claimed_while(database: &World, seconds: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    for _ in 0..seconds {
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
        jobs.extend(database.queue.claim("a", Region::DEFAULT, 100, Duration::from_hours(1)).await.unwrap());
    }
    jobs
}

async fn many_more(database: &World, count: usize, every_s: u32) {
    let specs: Vec<SiteSpec> =
        (0..count).map(|number| site(&format!("site-of-{every_s}-{number}"), every_s)).collect();
    let declared = specs.into_iter().map(Into::into).collect();
    database.store.import(declared, false, Arc::new(|_| {})).await.expect("sites are imported");
}

mod queue {
    use super::*;

    on_every_database!(
        every_site_is_queued_once_per_interval_at_its_phase,
        schedulers_that_tick_at_once_queue_a_slot_once,
        after_an_outage_each_site_is_checked_once_and_the_gap_is_recorded,
        a_scheduler_that_is_some_seconds_late_skips_no_slot,
        an_unfinished_job_is_claimed_again_after_its_lease,
        claimers_never_share_a_job,
        only_the_owner_of_the_lease_completes_a_job,
        a_released_job_is_claimable_at_once,
        a_job_that_was_not_run_is_handed_back_without_an_attempt,
        a_late_job_is_not_claimed_and_ends_as_missed,
        late_jobs_of_any_number_do_not_keep_fresh_ones_from_being_claimed,
        what_has_waited_and_is_not_late_is_claimed_after_what_is_fresh,
        jobs_of_an_older_version_are_claimed_or_settled_by_the_interval_of_their_site,
        a_job_whose_lease_ended_too_late_is_settled_and_one_that_is_leased_is_not,
        a_late_slot_that_has_a_result_keeps_it,
        a_check_that_is_stored_after_its_slot_was_missed_takes_its_place,
        sites_that_can_wait_are_checked_although_more_is_due_than_can_be_checked,
        a_missed_slot_is_told_only_of_sites_that_know_nothing_newer,
        after_a_pause_of_any_length_fresh_slots_are_claimed_at_once_and_the_audit_is_exact,
        a_job_that_failed_twice_is_claimed_alone,
        jobs_of_a_removed_site_are_not_in_the_way,
        a_clock_that_is_set_back_does_not_stop_the_schedule,
        a_lease_that_is_renewed_ends_later,
        an_owner_is_told_what_it_holds,
        a_job_carries_what_its_check_needs,
        settings_that_nobody_can_read_keep_no_job_from_being_claimed,
    );

    async fn every_site_is_queued_once_per_interval_at_its_phase(database: &World) {
        many(database, 200, 60).await;

        let mut queued = 0;
        for _ in 0..120 {
            database.forward(1).await;
            queued += database.queue.enqueue_due().await.unwrap().queued;
        }
        let jobs = database.queue.claim("a", Region::DEFAULT, 1000, LEASE).await.unwrap();

        assert_eq!(queued, 400);
        for job in jobs {
            let phase_s = uptime_monitor::schedule::phase_s(&format!("site-{}", job.slot.site_id.0 - 1), 60);
            assert!(
                Rhythm::from(Interval { every_s: 60, phase_s }).is_slot(job.slot.scheduled_at.timestamp())
            );
        }
    }

    async fn schedulers_that_tick_at_once_queue_a_slot_once(database: &World) {
        many(database, 100, 1).await;
        database.forward(1).await;

        let (a, b) = tokio::join!(database.queue.enqueue_due(), database.queue.enqueue_due());

        assert_eq!(a.unwrap().queued + b.unwrap().queued, 100);
    }

    async fn after_an_outage_each_site_is_checked_once_and_the_gap_is_recorded(database: &World) {
        many(database, 50, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();

        database.forward(3600).await;
        let tick = database.queue.enqueue_due().await.unwrap();

        assert_eq!(tick.queued, 50);
        let gap = tick.gap.expect("a gap");
        assert_eq!((gap.until - gap.after).num_seconds(), 3600);
    }

    async fn a_scheduler_that_is_some_seconds_late_skips_no_slot(database: &World) {
        many(database, 5, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();

        database.forward(4).await;
        let tick = database.queue.enqueue_due().await.unwrap();

        assert_eq!((tick.queued, tick.gap), (20, None));
    }

    async fn an_unfinished_job_is_claimed_again_after_its_lease(database: &World) {
        many(database, 1, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();

        let first = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        let while_leased = database.queue.claim("b", Region::DEFAULT, 10, LEASE).await.unwrap();
        database.forward(32).await;
        let second = database.queue.claim("b", Region::DEFAULT, 10, LEASE).await.unwrap();

        assert!(while_leased.is_empty());
        assert_eq!(slots(&first), slots(&second));
        assert_eq!((first[0].attempt, second[0].attempt), (1, 2));
    }

    async fn claimers_never_share_a_job(database: &World) {
        many(database, 500, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();

        let claims = (0..10).map(|owner| {
            let queue = database.queue.clone();
            async move { queue.claim(&owner.to_string(), Region::DEFAULT, 60, LEASE).await.unwrap() }
        });
        let claimed: Vec<Slot> =
            futures_util::future::join_all(claims).await.concat().iter().map(|job| job.slot).collect();

        let distinct: std::collections::HashSet<Slot> = claimed.iter().copied().collect();
        assert_eq!((claimed.len(), distinct.len()), (500, 500));
    }

    async fn only_the_owner_of_the_lease_completes_a_job(database: &World) {
        many(database, 1, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();
        database.forward(32).await;
        database.queue.claim("b", Region::DEFAULT, 1, LEASE).await.unwrap();

        let by_loser = database.queue.complete("a", &slots(&job)).await.unwrap();
        let by_owner = database.queue.complete("b", &slots(&job)).await.unwrap();

        assert_eq!((by_loser, by_owner), (0, 1));
        assert_eq!(database.queue.depth().await.unwrap().jobs, 0);
    }

    async fn a_released_job_is_claimable_at_once(database: &World) {
        many(database, 1, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();

        database.queue.release("a", &slots(&job)).await.unwrap();
        let again = database.queue.claim("b", Region::DEFAULT, 1, LEASE).await.unwrap();

        assert_eq!(again[0].attempt, 2);
    }

    async fn a_job_that_was_not_run_is_handed_back_without_an_attempt(database: &World) {
        many(database, 1, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();

        let by_other = database.queue.hand_back("b", &slots(&job)).await.unwrap();
        let by_owner = database.queue.hand_back("a", &slots(&job)).await.unwrap();
        let again = database.queue.claim("b", Region::DEFAULT, 1, LEASE).await.unwrap();

        assert_eq!((by_other, by_owner), (0, 1));
        assert_eq!(again[0].attempt, 1);
    }

    /// How much older than the newest of all its slot is.
    fn age_s(all: &[Job], job: &Job) -> i64 {
        let newest = all.iter().map(|job| job.slot.scheduled_at).max().unwrap();
        (newest - job.slot.scheduled_at).num_seconds()
    }

    /// Settles until nothing is late, and returns how many slots were recorded.
    async fn settle_all(database: &World) -> usize {
        let mut missed = 0;
        loop {
            let settled = database.queue.settle_late("me", 100).await.unwrap();
            assert!(settled.missed <= 100, "{settled:?}");
            missed += settled.missed;
            if !settled.more {
                return missed;
            }
        }
    }

    async fn missed_rows(database: &World) -> u64 {
        let found = database.store.statistics(last(&database.clock, 86_400), None).await.unwrap();
        found.iter().map(|site| site.missed).sum()
    }

    async fn a_late_job_is_not_claimed_and_ends_as_missed(database: &World) {
        many(database, 3, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();
        let before = database.queue.settle_late("me", 100).await.unwrap();

        database.forward(21).await;
        let jobs = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        let settled = database.queue.settle_late("me", 100).await.unwrap();

        assert_eq!((before.missed, before.more), (0, false));
        assert_eq!((jobs.len(), settled.missed, settled.more), (0, 3, false));
        assert_eq!(database.queue.depth().await.unwrap().jobs, 0);
        assert_eq!(missed_rows(database).await, 3);
        let site = database.store.site("site-0").await.unwrap();
        assert_eq!((site.verdict, site.since, site.freshness), (None, None, Freshness::Missed));
    }

    async fn late_jobs_of_any_number_do_not_keep_fresh_ones_from_being_claimed(database: &World) {
        many(database, 50, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
        // Each second's slots, and nobody to check them.
        for _ in 0..40 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }

        let fresh = database.queue.claim("a", Region::DEFAULT, 100, LEASE).await.unwrap();
        let settled = database.queue.settle_late("me", 1_000).await.unwrap();

        assert!(fresh.len() >= 50, "{}", fresh.len());
        assert!(fresh.iter().all(|job| age_s(&fresh, job) <= 1), "of the last two seconds");
        assert_eq!((settled.missed, settled.more), (1_000, true), "bounded");
        let missed = 1_000 + settle_all(database).await;
        assert_eq!(missed + database.queue.depth().await.unwrap().jobs, 41 * 50);
        assert!(missed >= 39 * 50, "{missed}");
    }

    async fn what_has_waited_and_is_not_late_is_claimed_after_what_is_fresh(database: &World) {
        many(database, 1_200, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let all = database.queue.claim("a", Region::DEFAULT, 10_000, LEASE).await.unwrap();
        database.queue.complete("a", &slots(&all)).await.unwrap();
        for _ in 0..59 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }

        let first = database.queue.claim("a", Region::DEFAULT, 8, LEASE).await.unwrap();
        let rest = database.queue.claim("a", Region::DEFAULT, 10_000, LEASE).await.unwrap();

        let all = [first.clone(), rest.clone()].concat();
        assert!(first.iter().all(|job| age_s(&all, job) <= 1), "fresh ones first");
        assert!(rest.iter().any(|job| age_s(&all, job) > 50), "and those that are nearly late as well");
        assert_eq!(settle_all(database).await, 0);
        let depth = database.queue.depth().await.unwrap();
        assert_eq!((depth.jobs, depth.leased), (first.len() + rest.len(), first.len() + rest.len()));
    }

    async fn jobs_of_an_older_version_are_claimed_or_settled_by_the_interval_of_their_site(database: &World) {
        many(database, 40, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        database.sql("UPDATE job_queue SET late_after_s = 0").await;
        database.forward(30).await;

        let missed = settle_all(database).await;
        let jobs = database.queue.claim("a", Region::DEFAULT, 1_000, LEASE).await.unwrap();

        let now = jan_1() + TimeDelta::seconds(150);
        assert!(missed > 0 && !jobs.is_empty());
        assert_eq!(missed + jobs.len(), 80);
        assert!(jobs.iter().all(|job| (now - job.slot.scheduled_at).num_seconds() <= 60));
    }

    async fn a_job_whose_lease_ended_too_late_is_settled_and_one_that_is_leased_is_not(database: &World) {
        many(database, 2, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, 2, LEASE).await.unwrap();
        // The lease of the first ends when it could still be checked, and nobody claims it in time.
        for _ in 0..3 {
            database.forward(25).await;
            database.queue.renew("a", &slots(&jobs[1..]), LEASE).await.unwrap();
        }

        let claimed = database.queue.claim("b", Region::DEFAULT, 10, LEASE).await.unwrap();
        let missed = settle_all(database).await;

        assert!(claimed.is_empty());
        assert_eq!((missed, database.queue.depth().await.unwrap().jobs), (1, 1));
        assert_eq!(database.queue.complete("a", &slots(&jobs)).await.unwrap(), 1, "the one that was renewed");
    }

    async fn a_late_slot_that_has_a_result_keeps_it(database: &World) {
        many(database, 1, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();
        let job =
            database.queue.claim("a", Region::DEFAULT, 1, Duration::from_secs(1)).await.unwrap().remove(0);
        database.store.persist(&batch(vec![result(&job, Status::Up)])).await.unwrap();

        database.forward(40).await;
        let missed = settle_all(database).await;

        assert_eq!((missed, missed_rows(database).await), (0, 0));
        assert_eq!(database.queue.depth().await.unwrap().jobs, 0);
        assert_eq!(database.store.site("site-0").await.unwrap().status(), Some(Status::Up));
    }

    async fn a_check_that_is_stored_after_its_slot_was_missed_takes_its_place(database: &World) {
        many(database, 1, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap().remove(0);
        database.forward(3_600).await;
        settle_all(database).await;
        let missed = database.store.site("site-0").await.unwrap();

        let late = batch(vec![result(&job, Status::Missed), result(&job, Status::Up)]);
        let stored = database.store.persist(&late).await.unwrap();
        let site = database.store.site("site-0").await.unwrap();
        let others = batch(vec![result(&job, Status::Missed), result(&job, Status::Down)]);
        let again = database.store.persist(&others).await.unwrap();

        assert_eq!((missed.freshness, missed.last_updated), (Freshness::Missed, Some(job.slot.scheduled_at)));
        assert_eq!((stored.new, again.new), (vec![job.slot], vec![]));
        assert_eq!((site.verdict, site.since), (Some(Verdict::Up), Some(job.slot.scheduled_at)));
        assert_eq!((site.freshness, site.last_updated), (Freshness::Fresh, Some(job.slot.scheduled_at)));
        let found = database.store.statistics(last(&database.clock, 86_400), None).await.unwrap();
        assert_eq!((found[0].up, found[0].down, found[0].missed), (1, 0, 0));
        assert_eq!(database.store.site("site-0").await.unwrap(), site);
    }

    /// 21 slots a second are due, and 15 can be checked.
    async fn sites_that_can_wait_are_checked_although_more_is_due_than_can_be_checked(database: &World) {
        many(database, 20, 1).await;
        many_more(database, 60, 60).await;
        let mut patient = 0;
        for _ in 0..150 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
            for _ in 0..5 {
                let jobs = database.queue.claim("a", Region::DEFAULT, 3, LEASE).await.unwrap();
                patient += jobs.iter().filter(|job| job.slot.site_id.0 > 20).count();
                database.queue.complete("a", &slots(&jobs)).await.unwrap();
            }
            settle_all(database).await;
        }

        let found = database.store.statistics(last(&database.clock, 86_400), None).await.unwrap();
        let missed = |of: fn(u32) -> bool| -> u64 {
            found
                .iter()
                .filter(|site| of(site.site.spec.schedule.every_s().unwrap()))
                .map(|site| site.missed)
                .sum()
        };
        assert!(patient >= 90, "{patient} of some 100 slots");
        assert_eq!(missed(|every_s| every_s == 60), 0);
        assert!(missed(|every_s| every_s == 1) > 0);
    }

    async fn a_missed_slot_is_told_only_of_sites_that_know_nothing_newer(database: &World) {
        many(database, 2, 1).await;
        for _ in 0..4 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }
        let fresh = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        let newest = fresh.iter().max_by_key(|job| job.slot).unwrap();
        let site_of = |job: &Job| format!("site-{}", job.slot.site_id.0 - 1);
        database.store.persist(&batch(vec![result(newest, Status::Up)])).await.unwrap();
        database.queue.hand_back("a", &slots(&fresh)).await.unwrap();

        database.forward(1).await;
        settle_all(database).await;

        let up = database.store.site(&site_of(newest)).await.unwrap();
        assert_eq!((up.verdict, up.freshness), (Some(Verdict::Up), Freshness::Fresh));
        let other = fresh.iter().find(|job| job.slot.site_id != newest.slot.site_id).unwrap();
        let missed = database.store.site(&site_of(other)).await.unwrap();
        assert_eq!((missed.verdict, missed.freshness), (None, Freshness::Missed));
        assert_eq!(missed.last_updated, Some(newest.slot.scheduled_at - TimeDelta::seconds(1)));
    }

    async fn after_a_pause_of_any_length_fresh_slots_are_claimed_at_once_and_the_audit_is_exact(
        database: &World,
    ) {
        many(database, 40, 1).await;
        many_more(database, 40, 60).await;
        let mut checked = 0;
        for pause_s in [5, 30, 600, 8 * 3_600] {
            database.forward(pause_s).await;
            for _ in 0..3 {
                database.forward(1).await;
                database.queue.enqueue_due().await.unwrap();
                let jobs = database.queue.claim("a", Region::DEFAULT, 10_000, LEASE).await.unwrap();
                let fresh = jobs.iter().filter(|job| age_s(&jobs, job) <= 1).count();
                assert!(fresh >= 40, "after {pause_s} s: {fresh}");
                let results = jobs.iter().map(|job| result(job, Status::Up)).collect();
                database.store.persist(&batch(results)).await.unwrap();
                database.queue.complete("a", &slots(&jobs)).await.unwrap();
                checked += jobs.len() as u64;
            }
        }

        // Until the youngest slot is old enough to be judged.
        database.forward(5).await;
        let waiting = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
        let missed = settle_all(database).await as u64;
        let settled = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();

        assert_eq!((waiting.unaccounted, settled.unaccounted), (0, 0), "{settled:?}");
        assert_eq!(waiting.expected, settled.expected);
        assert_eq!((settled.recorded, settled.waiting), (checked + missed, 0));
        let in_gaps: u64 = settled.gaps.iter().map(|gap| gap.slots).sum();
        assert_eq!(settled.expected, settled.recorded + in_gaps);
    }

    async fn a_job_that_failed_twice_is_claimed_alone(database: &World) {
        many(database, 10, 3_600).await;
        let of_the_first_minute = claimed_while(database, 61).await;
        database.queue.complete("a", &slots(&of_the_first_minute)).await.unwrap();
        database.forward(3_600).await;
        database.queue.enqueue_due().await.unwrap();
        database.sql("UPDATE job_queue SET attempt = 2 WHERE site_id <= 3").await;
        database.sql("UPDATE job_queue SET attempt = 5 WHERE site_id IN (4, 5)").await;

        let others = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        let first = database.queue.claim_suspects("a", Region::DEFAULT, LEASE, 5).await.unwrap();
        let second = database.queue.claim_suspects("a", Region::DEFAULT, LEASE, 5).await.unwrap();

        let attempts = |jobs: &[Job]| {
            let mut attempts: Vec<u32> = jobs.iter().map(|job| job.attempt).collect();
            attempts.sort_unstable();
            attempts
        };
        assert_eq!(attempts(&others), [1; 5]);
        assert_eq!(attempts(&first), [3, 6, 6], "one of those that may yet work, and all that are given up");
        assert_eq!(attempts(&second), [3]);
    }

    async fn jobs_of_a_removed_site_are_not_in_the_way(database: &World) {
        many(database, 2, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();

        database.store.remove("site-0").await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();

        assert_eq!(jobs.len(), 1, "the queue is not blocked");
        assert_eq!(database.queue.depth().await.unwrap().jobs, 1, "and keeps no orphan");
    }

    async fn a_clock_that_is_set_back_does_not_stop_the_schedule(database: &World) {
        many(database, 10, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();

        database.forward(-3600).await;
        let tick = database.queue.enqueue_due().await.unwrap();
        database.forward(10).await;
        let next = database.queue.enqueue_due().await.unwrap();

        assert_eq!(tick.set_back, Some(Duration::from_secs(3600)));
        assert_eq!(next.queued, 10);
    }

    async fn a_lease_that_is_renewed_ends_later(database: &World) {
        many(database, 2, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, 2, LEASE).await.unwrap();

        database.forward(25).await;
        let renewed = database.queue.renew("a", &slots(&jobs[..1]), LEASE).await.unwrap();
        let by_other = database.queue.renew("b", &slots(&jobs[1..]), LEASE).await.unwrap();
        database.forward(7).await;
        let again = database.queue.claim("b", Region::DEFAULT, 2, LEASE).await.unwrap();

        assert_eq!((renewed, by_other), (1, 0));
        assert_eq!(slots(&again), slots(&jobs[1..]), "only the one that was not renewed");
    }

    async fn an_owner_is_told_what_it_holds(database: &World) {
        many(database, 3, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let mine = database.queue.claim("a", Region::DEFAULT, 2, LEASE).await.unwrap();
        database.queue.claim("b", Region::DEFAULT, 1, LEASE).await.unwrap();

        let mut held = database.queue.leased("a").await.unwrap();
        held.sort_unstable();

        assert_eq!(held, slots(&mine));
        let depth = database.queue.depth().await.unwrap();
        assert_eq!((depth.jobs, depth.leased), (3, 3));
    }

    async fn a_job_carries_what_its_check_needs(database: &World) {
        let spec = SiteSpec { retries: 2, timeout: Duration::from_millis(1500), ..site("shop", 60) };
        database.store.add(spec.clone(), Start::AtOnce).await.unwrap();

        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap().remove(0);

        let left = job.next_slot - uptime_monitor::clock::Clock::instant();
        assert!(left > Duration::from_secs(58) && left <= Duration::from_secs(60), "{left:?}");
        assert_eq!(job.attempt, 1);
        assert_eq!((job.target.url, job.target.timeout, job.target.retries), (spec.url, spec.timeout, 2));
        assert_eq!(job.target.settings, None);
    }

    async fn settings_that_nobody_can_read_keep_no_job_from_being_claimed(database: &World) {
        for name in ["good", "newer"] {
            database.store.add(site(name, 60), Start::AtOnce).await.unwrap();
        }
        database
            .sql("UPDATE site_config SET settings = '{\"expect\": {\"mood\": \"sunny\"}}' WHERE name = 'newer'")
            .await;

        let jobs = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        let read = database.store.site("newer").await;

        let settings: Vec<_> = jobs.iter().map(|job| job.target.settings.as_deref()).collect();
        assert_eq!(settings, [None, Some("{\"expect\": {\"mood\": \"sunny\"}}")]);
        let Err(StoreError::Unreadable(newer)) = read else { panic!("{read:?}") };
        assert_eq!(newer.known().spec.name, "newer");
        assert!(newer.unreadable().is_some_and(|why| why.contains("mood")), "{newer:?}");
        assert_eq!(database.store.site("good").await.unwrap().spec.settings, None);
    }
}

mod store {
    use super::*;

    on_every_database!(
        storing_a_result_again_changes_nothing,
        an_older_result_does_not_overwrite_a_newer_status,
        a_status_stands_since_its_first_slot,
        old_results_are_removed_in_bounded_steps,
        of_two_results_for_a_slot_in_one_batch_the_first_counts,
        a_status_stands_since_its_first_slot_also_within_a_batch,
        a_verdict_stands_since_the_same_slot_whatever_the_order_of_arrival,
        our_own_faults_change_no_verdict,
        a_batch_tells_which_rows_are_new_and_which_sites_turned,
        a_late_verdict_that_breaks_a_run_moves_its_beginning,
        after_the_clock_was_set_back_what_is_found_in_that_time_counts_once_more,
        results_are_kept_for_less_than_a_day_where_that_is_asked_for,
        results_outlive_their_site,
        any_text_and_any_number_can_be_stored,
        slots_of_any_date_can_be_stored,
        a_check_that_began_at_any_time_can_be_stored,
        percentiles_are_those_of_checks_that_had_an_answer_by_nearest_rank,
        nothing_is_measured_where_nothing_was_stored,
        evidence_of_a_failure_is_read_as_it_was_stored,
        a_result_that_is_up_leaves_no_evidence,
        no_evidence_makes_a_batch_fail,
        evidence_that_comes_again_changes_nothing,
        the_last_failure_is_the_newest_also_when_it_came_late,
        the_last_failure_is_found_behind_many_good_results,
        the_last_failure_is_found_in_slots_of_an_earlier_schedule,
    );

    async fn one_job(database: &World) -> Job {
        many(database, 1, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap().remove(0)
    }

    async fn storing_a_result_again_changes_nothing(database: &World) {
        let job = one_job(database).await;

        let first = database.store.persist(&batch(vec![result(&job, Status::Up)])).await.unwrap();
        let again = database.store.persist(&batch(vec![result(&job, Status::Down)])).await.unwrap();

        assert_eq!((first.new.len(), again.new.len(), again.repeated), (1, 0, 1));
        let found = database.store.statistics(last(&database.clock, 3600), None).await.unwrap();
        assert_eq!((found[0].up, found[0].down), (1, 0));
        assert_eq!(found[0].site.verdict, Some(Verdict::Up));
    }

    async fn an_older_result_does_not_overwrite_a_newer_status(database: &World) {
        let newer = one_job(database).await;
        let mut older = newer.clone();
        older.slot.scheduled_at -= TimeDelta::seconds(60);

        database.store.persist(&batch(vec![result(&newer, Status::Up)])).await.unwrap();
        database.store.persist(&batch(vec![result(&older, Status::Down)])).await.unwrap();

        let site = database.store.site("site-0").await.unwrap();
        assert_eq!(site.verdict, Some(Verdict::Up));
        assert_eq!(site.last_updated, Some(newer.slot.scheduled_at));
    }

    async fn a_status_stands_since_its_first_slot(database: &World) {
        let mut job = one_job(database).await;
        let mut since = None;
        for status in [Status::Up, Status::Down, Status::Down] {
            database.forward(60).await;
            job.slot.scheduled_at += TimeDelta::seconds(60);
            if status == Status::Down && since.is_none() {
                since = Some(job.slot.scheduled_at);
            }
            database.store.persist(&batch(vec![result(&job, status)])).await.unwrap();
        }

        assert_eq!(database.store.site("site-0").await.unwrap().since, since);
    }

    async fn old_results_are_removed_in_bounded_steps(database: &World) {
        let job = one_job(database).await;
        let results = (0..100).map(|minute| {
            let mut job = job.clone();
            job.slot.scheduled_at += TimeDelta::seconds(60 * minute);
            result(&job, Status::Up)
        });
        database.store.persist(&batch(results.collect())).await.unwrap();

        database.forward(100 * 60).await;
        let older_than_50_minutes = lived_through(50 * 60 + 30, 20);
        let first = database.store.prune(older_than_50_minutes).await.unwrap().rows;
        let mut rest = 0;
        while let removed @ 1.. = database.store.prune(older_than_50_minutes).await.unwrap().rows {
            rest += removed;
        }

        assert_eq!((first, first + rest), (20, 50));
    }

    async fn results_are_kept_for_less_than_a_day_where_that_is_asked_for(database: &World) {
        many(database, 30, 60).await;
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, 100, LEASE).await.unwrap();
        let hour = |hour: i64| {
            let later = move |job: &Job| {
                let mut job = job.clone();
                job.slot.scheduled_at += TimeDelta::hours(hour);
                result(&job, Status::Up)
            };
            jobs.iter().map(later).collect::<Vec<_>>()
        };
        for results in (0..30).map(hour) {
            store(database, results).await;
        }
        database.forward(29 * 3_600).await;

        let mut steps = 0;
        while let Pruned { rows: 1.., .. } =
            database.store.prune(lived_through(10 * 3_600, 100)).await.unwrap()
        {
            steps += 1;
        }

        let range = Range { from: jobs[0].slot.scheduled_at - TimeDelta::hours(1), to: database.clock.now() };
        let found = database.store.statistics(range, None).await.unwrap();
        assert!(steps >= 6, "{steps} steps of at most 100 rows");
        assert!(found.iter().all(|site| (10..=11).contains(&site.up)), "{found:?}");
        let audit = database.store.audit(range, 0).await.unwrap();
        assert!(audit.range.from >= database.clock.now() - TimeDelta::hours(10) - TimeDelta::seconds(60));
    }

    async fn our_own_faults_change_no_verdict(database: &World) {
        use Status::{Down, Missed, Unknown};
        let job = one_job(database).await;
        database.forward(600).await;
        let minute = |minute: i64| job.slot.scheduled_at + TimeDelta::seconds(60 * minute);
        let now = async || database.store.site("site-0").await.unwrap();

        store(database, in_a_row(&job, &[Down, Missed, Unknown])).await;
        let unknown = now().await;
        store(database, in_a_row(&job, &[Down; 4]).split_off(3)).await;

        assert_eq!((unknown.verdict, unknown.since), (Some(Verdict::Down), Some(minute(0))));
        assert_eq!((unknown.freshness, unknown.last_updated), (Freshness::Unknown, Some(minute(2))));
        let down = now().await;
        assert_eq!((down.verdict, down.since), (Some(Verdict::Down), Some(minute(0))));
        assert_eq!((down.freshness, down.last_updated), (Freshness::Fresh, Some(minute(3))));
        assert_eq!((unknown.status(), down.status()), (Some(Down), Some(Down)));
    }

    async fn a_batch_tells_which_rows_are_new_and_which_sites_turned(database: &World) {
        use Status::{Down, Missed, Up};
        let job = one_job(database).await;
        database.forward(600).await;
        let first = database.store.persist(&batch(in_a_row(&job, &[Up, Missed]))).await.unwrap();
        let second = database.store.persist(&batch(in_a_row(&job, &[Up, Up, Down, Up]))).await.unwrap();

        let slot = |minute: i64| Slot {
            scheduled_at: job.slot.scheduled_at + TimeDelta::seconds(60 * minute),
            ..job.slot
        };
        let turn = |minute: i64, from, to| Turn {
            site_id: job.slot.site_id,
            at: slot(minute).scheduled_at,
            from,
            to,
        };
        assert_eq!((first.new, first.turns), (vec![slot(0), slot(1)], vec![turn(0, None, Verdict::Up)]));
        assert_eq!((second.new, second.repeated), (vec![slot(1), slot(2), slot(3)], 1));
        let turns = [turn(2, Some(Verdict::Up), Verdict::Down), turn(3, Some(Verdict::Down), Verdict::Up)];
        assert_eq!(second.turns, turns);
    }

    async fn a_late_verdict_that_breaks_a_run_moves_its_beginning(database: &World) {
        use Status::{Down, Up};
        let job = one_job(database).await;
        database.forward(600).await;
        let mut late = in_a_row(&job, &[Down, Up, Up, Down, Down]);
        let rest = late.split_off(1);

        // One after the other, the first slot last.
        for result in rest.into_iter().rev().chain(late) {
            store(database, vec![result]).await;
        }

        let site = database.store.site("site-0").await.unwrap();
        let since = job.slot.scheduled_at + TimeDelta::seconds(60 * 3);
        assert_eq!((site.verdict, site.since), (Some(Verdict::Down), Some(since)));
        let broken = database.store.persist(&batch(in_a_row(&job, &[Down; 9]))).await.unwrap();
        assert_eq!((broken.new.len(), broken.turns), (4, vec![]));
        store(database, in_a_row(&job, &[Down; 11]).split_off(10)).await;
        store(database, in_a_row(&job, &[Up; 10]).split_off(9)).await;
        let site = database.store.site("site-0").await.unwrap();
        let since = job.slot.scheduled_at + TimeDelta::seconds(60 * 10);
        assert_eq!((site.verdict, site.since), (Some(Verdict::Down), Some(since)));
    }

    async fn after_the_clock_was_set_back_what_is_found_in_that_time_counts_once_more(database: &World) {
        use Status::{Down, Up};
        let job = one_job(database).await;
        database.forward(3_600).await;
        store(database, in_a_row(&job, &[Up; 60])).await;
        database.queue.enqueue_due().await.unwrap();

        database.forward(-3_000).await;
        let tick = database.queue.enqueue_due().await.unwrap();
        database.forward(60).await;
        let minute = 12;
        let again = in_a_row(&job, &[Down; 13]).split_off(minute);
        let stored = database.store.persist(&batch(again)).await.unwrap();

        let site = database.store.site("site-0").await.unwrap();
        let at = job.slot.scheduled_at + TimeDelta::seconds(60 * minute as i64);
        assert!(
            tick.set_back.is_some() && at <= database.clock.now() + TimeDelta::seconds(60),
            "{tick:?} {at}"
        );
        assert_eq!((stored.new, stored.repeated, stored.turns.len()), (vec![], 1, 1));
        assert_eq!((site.verdict, site.since, site.last_updated), (Some(Verdict::Down), Some(at), Some(at)));
    }

    async fn a_verdict_stands_since_the_same_slot_whatever_the_order_of_arrival(database: &World) {
        let job = one_job(database).await;
        database.forward(600).await;
        use Status::{Down, Up};
        store(database, in_a_row(&job, &[Up])).await;

        let mut later = in_a_row(&job, &[Up, Down, Up, Up]).split_off(1);
        later.rotate_right(1);
        store(database, later).await;

        let since = database.store.site("site-0").await.unwrap().since;
        assert_eq!(since, Some(job.slot.scheduled_at + TimeDelta::seconds(120)));
    }

    async fn of_two_results_for_a_slot_in_one_batch_the_first_counts(database: &World) {
        let job = one_job(database).await;

        let results = vec![result(&job, Status::Up), result(&job, Status::Down)];
        let persisted = database.store.persist(&batch(results)).await.unwrap();

        assert_eq!((persisted.new.len(), persisted.repeated), (1, 1));
        let found = database.store.statistics(last(&database.clock, 3600), None).await.unwrap();
        assert_eq!((found[0].up, found[0].site.verdict), (1, Some(Verdict::Up)));
    }

    /// Results for `job` and the slots after it, a minute apart.
    fn in_a_row(job: &Job, statuses: &[Status]) -> Vec<uptime_monitor::model::CheckResult> {
        let nth = |(minute, status): (i64, &Status)| {
            let mut job = job.clone();
            job.slot.scheduled_at += TimeDelta::seconds(60 * minute);
            result(&job, *status)
        };
        (0..).zip(statuses).map(nth).collect()
    }

    async fn a_status_stands_since_its_first_slot_also_within_a_batch(database: &World) {
        let job = one_job(database).await;
        database.forward(3_600).await;
        let minute = |minute: i64| Some(job.slot.scheduled_at + TimeDelta::seconds(60 * minute));
        let since = async || database.store.site("site-0").await.unwrap().since;
        use Status::{Down, Up};

        database.store.persist(&batch(in_a_row(&job, &[Up, Down, Up, Up]))).await.unwrap();
        assert_eq!(since().await, minute(2));

        database.store.persist(&batch(in_a_row(&job, &[Up, Up, Up, Up, Up, Up]))).await.unwrap();
        assert_eq!(since().await, minute(2), "what goes on has not turned");

        database.store.persist(&batch(in_a_row(&job, &[Up; 6]))).await.unwrap();
        database.store.persist(&batch(in_a_row(&job, &[Up, Up, Up, Up, Up, Up, Down, Up]))).await.unwrap();
        assert_eq!(since().await, minute(7), "what turns back has turned");
    }

    async fn results_outlive_their_site(database: &World) {
        let job = one_job(database).await;
        database.store.remove("site-0").await.unwrap();

        let persisted = database.store.persist(&batch(vec![result(&job, Status::Up)])).await.unwrap();

        assert_eq!((persisted.new.len(), persisted.repeated), (1, 0));
    }

    async fn any_text_and_any_number_can_be_stored(database: &World) {
        let job = one_job(database).await;
        let mut odd = result(&job, Status::Down);
        odd.error = Some("a NUL \0, a quote ', a backslash \\ and \u{1F4A5}".to_owned());
        odd.http_status = Some(u16::MAX);
        odd.attempt = u32::MAX;
        odd.body_bytes = u64::MAX;
        odd.timings.total_us = Some(u64::MAX);

        let persisted = database.store.persist(&batch(vec![odd])).await.unwrap();

        assert_eq!(persisted.new.len(), 1);
    }

    async fn slots_of_any_date_can_be_stored(database: &World) {
        let mut job = one_job(database).await;
        let mut results = vec![];
        for days in [-30_000, -365, -1, 0, 1, 2, 30, 30_000] {
            let mut other = job.clone();
            other.slot.scheduled_at += TimeDelta::days(days);
            results.push(result(&other, Status::Up));
        }
        let all = results.len();

        let first = database.store.persist(&batch(results.clone())).await.unwrap();
        let again = database.store.persist(&batch(results)).await.unwrap();
        job.slot.scheduled_at += TimeDelta::seconds(60);
        let next = database.store.persist(&batch(vec![result(&job, Status::Up)])).await.unwrap();

        let new = [&first, &again, &next].map(|persisted| persisted.new.len());
        assert_eq!((new, again.repeated), ([all, 0, 1], all));
    }

    async fn a_check_that_began_at_any_time_can_be_stored(database: &World) {
        let job = one_job(database).await;
        let odd = [Timestamp::MIN_UTC, Timestamp::MAX_UTC, Timestamp::UNIX_EPOCH];
        let results: Vec<CheckResult> = odd
            .iter()
            .zip(0..)
            .map(|(&at, minute)| {
                let mut result = result(&job, Status::Down);
                result.scheduled_at += TimeDelta::seconds(60 * minute);
                result.started_at = at;
                let certificate = Certificate {
                    not_before: at,
                    not_after: at,
                    subject: "a\0b".to_owned(),
                    issuer: String::new(),
                    chain_not_after: at,
                    names: vec![],
                    fingerprint: String::new(),
                };
                CheckResult { certificate: Some(certificate), error: Some("\0".to_owned()), ..result }
            })
            .collect();

        store(database, results).await;
    }

    async fn percentiles_are_those_of_checks_that_had_an_answer_by_nearest_rank(database: &World) {
        let job = one_job(database).await;
        let timed = |(minute, us): (i64, u64)| {
            let mut job = job.clone();
            job.slot.scheduled_at += TimeDelta::seconds(60 * minute);
            let mut timed = result(&job, if us == 0 { Status::Down } else { Status::Up });
            timed.timings.total_us = Some(us);
            timed
        };
        let results: Vec<_> =
            (1..=200).chain([0; 50]).enumerate().map(|(n, us)| timed((n as i64, us))).collect();
        database.store.persist(&batch(results)).await.unwrap();

        let range = Range { from: job.slot.scheduled_at, to: job.slot.scheduled_at + TimeDelta::days(1) };
        let found = database.store.statistics(range, None).await.unwrap();

        assert_eq!((found[0].up, found[0].down), (200, 50));
        assert_eq!(found[0].percentiles_us, Some([100, 190, 198]));
    }

    async fn nothing_is_measured_where_nothing_was_stored(database: &World) {
        many(database, 2, 60).await;

        let found = database.store.statistics(last(&database.clock, 3600), None).await.unwrap();

        assert_eq!(
            found.iter().map(|site| (site.checks(), site.percentiles_us)).collect::<Vec<_>>(),
            [(0, None); 2]
        );
    }

    fn down(job: &Job, evidence: Evidence) -> CheckResult {
        CheckResult {
            reason: Some(Reason::Status),
            error: Some("status 503, expected 2xx".to_owned()),
            evidence: Some(Box::new(evidence)),
            ..result(job, Status::Down)
        }
    }

    pub(super) async fn store(database: &World, results: Vec<CheckResult>) {
        let all = results.len();
        assert_eq!(database.store.persist(&batch(results)).await.unwrap().new.len(), all);
    }

    /// What is known of the last failure of the only site.
    async fn seen(database: &World) -> Option<Seen> {
        database.store.last_failure(SiteId(1)).await.unwrap().expect("a failure").evidence
    }

    async fn evidence_of_a_failure_is_read_as_it_was_stored(database: &World) {
        let job = one_job(database).await;
        let evidence = Evidence {
            failed: vec!["status 503, expected 2xx".to_owned(), "no \"ok\" in the body".to_owned()],
            addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
            skipped: vec!["\"My Header: x\"".to_owned()],
            headers: vec![("server".to_owned(), "a".to_owned()), ("server".to_owned(), "b".to_owned())],
            body: Some("<h1>so sorry</h1>\r\n\tGröße \u{1F4A5}".to_owned()),
        };
        let hop = Hop {
            url: "https://example.com/".to_owned(),
            http_status: Some(302),
            remote_addr: Some("[2001:db8::7]:443".parse().unwrap()),
            timings: Timings { total_us: Some(u64::MAX), ..Timings::default() },
            certificate: None,
        };
        let failed = CheckResult { hops: vec![hop], tries: 3, ..down(&job, evidence.clone()) };

        store(database, vec![failed.clone()]).await;
        let found = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();

        assert_eq!(found.scheduled_at, job.slot.scheduled_at);
        assert_eq!((found.status, found.reason), (Status::Down, Some(Reason::Status)));
        assert_eq!(found.error, failed.error);
        assert_eq!(found.evidence, Some(Seen { evidence, hops: failed.hops, tries: Some(3) }));
    }

    async fn a_result_that_is_up_leaves_no_evidence(database: &World) {
        let job = one_job(database).await;
        let evidence = Evidence { body: Some("fine".to_owned()), ..Evidence::default() };

        store(database, vec![CheckResult { status: Status::Up, reason: None, ..down(&job, evidence) }]).await;
        assert_eq!(database.store.last_failure(SiteId(1)).await.unwrap(), None);
        database.sql("UPDATE ping_status SET status = 'down'").await;

        assert_eq!(seen(database).await, None);
    }

    /// Bodies are any bytes, and whoever writes to the log may send texts of any length.
    async fn no_evidence_makes_a_batch_fail(database: &World) {
        let job = one_job(database).await;
        let any_bytes: Vec<u8> = (0..=u8::MAX).cycle().take(4096).collect();
        let bodies = [
            "\0".to_owned(),
            "\\u0000 \\\0 \\\\u0000 \" \\".to_owned(),
            r"\ud800 \udfff \u".to_owned(),
            "\u{FFFD}\u{FFFE}\u{FFFF}\u{10FFFF}\u{7F}\u{80}\u{2028}".to_owned(),
            String::from_utf8_lossy(&any_bytes).into_owned(),
            "\u{1}".repeat(4096),
            "x".repeat(1_000_000),
        ];
        let results: Vec<CheckResult> = (0..)
            .zip(&bodies)
            .map(|(minute, body)| {
                let mut job = job.clone();
                job.slot.scheduled_at += TimeDelta::seconds(60 * minute);
                let headers = vec![("x\0".to_owned(), body.clone())];
                let failed = vec!["no \0 in the body".to_owned()];
                down(&job, Evidence { failed, headers, body: Some(body.clone()), ..Evidence::default() })
            })
            .collect();

        for (result, body) in results.iter().zip(&bodies) {
            database.forward(60).await;
            store(database, vec![result.clone()]).await;
            let evidence = seen(database).await.unwrap().evidence;
            let expected = Some(body.replace('\0', "\u{FFFD}")).filter(|body| body.len() < 100_000);
            assert_eq!(evidence.body, expected);
            assert_eq!(
                evidence.failed,
                ["no \u{FFFD} in the body"],
                "what is too long goes, what is short stays"
            );
        }
        let again = database.store.persist(&batch(results)).await.unwrap();
        assert_eq!((again.new.len(), again.repeated), (0, bodies.len()));
    }

    async fn evidence_that_comes_again_changes_nothing(database: &World) {
        let job = one_job(database).await;
        let with_body =
            |body: &str| down(&job, Evidence { body: Some(body.to_owned()), ..Evidence::default() });

        store(database, vec![with_body("first")]).await;
        let again = database.store.persist(&batch(vec![with_body("second")])).await.unwrap();

        assert_eq!((again.new.len(), again.repeated), (0, 1));
        assert_eq!(seen(database).await.unwrap().evidence.body.as_deref(), Some("first"));
    }

    async fn the_last_failure_is_the_newest_also_when_it_came_late(database: &World) {
        let job = one_job(database).await;
        use Status::{Degraded, Down, Up};
        let rows = in_a_row(&job, &[Down, Up, Degraded, Up, Up]);
        database.forward(240).await;
        let last =
            async || database.store.last_failure(SiteId(1)).await.unwrap().map(|found| found.scheduled_at);

        assert_eq!(last().await, None);
        for (stored, expected) in [(1, None), (0, Some(0)), (4, Some(0)), (3, Some(0)), (2, Some(2))] {
            store(database, vec![rows[stored].clone()]).await;
            assert_eq!(last().await, expected.map(|row: usize| rows[row].scheduled_at));
        }
    }

    async fn the_last_failure_is_found_behind_many_good_results(database: &World) {
        let job = one_job(database).await;
        let mut statuses = vec![Status::Up; 3_000];
        (statuses[0], statuses[700]) = (Status::Down, Status::Degraded);
        let rows = in_a_row(&job, &statuses);
        database.forward(60 * 3_000).await;

        store(database, rows.clone()).await;
        let found = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();

        assert_eq!((found.status, found.scheduled_at), (Status::Degraded, rows[700].scheduled_at));
    }

    async fn the_last_failure_is_found_in_slots_of_an_earlier_schedule(database: &World) {
        database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        let at_once = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap().remove(0);
        store(database, vec![result(&at_once, Status::Down)]).await;
        database.queue.complete("a", &[at_once.slot]).await.unwrap();
        let mut jobs = claimed_while(database, 90).await;
        database.store.change(site("shop", 17)).await.unwrap();
        jobs.extend(claimed_while(database, 30).await);
        assert!(jobs.len() > 1, "slots of both schedules");
        store(database, jobs.iter().map(|job| result(job, Status::Up)).collect()).await;

        let found = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();

        assert_eq!(found.scheduled_at, at_once.slot.scheduled_at);
    }
}

mod catalog {
    use super::*;

    on_every_database!(
        a_site_that_is_added_by_itself_is_queued_at_once_and_then_in_its_phase,
        no_change_of_a_site_loses_a_slot,
        a_site_that_changes_during_an_outage_is_accounted_for,
        changing_one_site_moves_no_other,
        reconciling_a_file_touches_only_the_sites_of_files,
        an_import_is_all_or_nothing,
        an_unknown_site_is_answered_with_the_nearest_name,
        statistics_of_one_site_are_those_it_has_among_all,
        a_site_is_read_as_it_was_declared,
        ids_move_along_with_an_import,
        an_import_updates_when_it_is_told_to,
        sites_that_leave_and_come_back_lose_no_slot,
        an_import_of_up_to_a_thousand_sites_is_checked_within_a_minute,
        new_sites_of_a_file_are_checked_within_a_minute,
        sites_that_come_back_into_their_file_are_checked_within_a_minute_and_not_at_once,
        a_site_that_changes_in_its_first_minute_loses_no_slot,
        settings_are_read_as_they_were_declared,
        settings_reach_the_check_as_their_text,
        an_import_sees_a_change_of_settings_alone,
        a_file_sees_a_change_of_settings_alone,
        a_site_that_leaves_the_file_keeps_its_settings,
        what_left_the_file_can_be_removed_and_taken_over,
        what_left_the_file_and_was_taken_over_is_not_the_files_any_more,
        what_left_the_file_is_imported_over,
        a_site_that_was_paused_in_the_file_has_left_it_too,
        of_two_changes_at_once_none_is_lost,
        a_change_beside_an_import_is_refused_and_not_lost,
        a_site_keeps_id_results_and_slots_under_a_new_name,
        a_new_name_that_is_taken_is_refused,
        one_site_that_cannot_be_read_hides_no_other,
        a_site_that_cannot_be_read_is_replaced_left_and_removed,
        a_status_of_a_newer_version_is_unknown,
        the_id_of_a_removed_site_is_given_to_no_other,
    );

    /// Lets a scheduler and a claimer that does nothing else run over `seconds`, and stores what they find.
    pub(super) async fn live(database: &World, seconds: usize) {
        live_in_steps(database, seconds, 1).await;
    }

    /// The same, where time goes by in steps of so many seconds.
    pub(super) async fn live_in_steps(database: &World, seconds: usize, step: i64) {
        for _ in 0..seconds / step as usize {
            database.forward(step).await;
            database.queue.enqueue_due().await.unwrap();
            let jobs = database.queue.claim("a", Region::DEFAULT, 10_000, LEASE).await.unwrap();
            if jobs.is_empty() {
                continue;
            }
            database
                .store
                .persist(&batch(jobs.iter().map(|job| result(job, Status::Up)).collect()))
                .await
                .unwrap();
            database.queue.complete("a", &slots(&jobs)).await.unwrap();
        }
    }

    pub(super) async fn unaccounted(database: &World) -> (u64, u64, u64) {
        let audit = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
        (audit.expected, audit.recorded, audit.unaccounted)
    }

    async fn a_site_that_is_added_by_itself_is_queued_at_once_and_then_in_its_phase(database: &World) {
        database.queue.enqueue_due().await.unwrap();

        let added = database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        live(database, 121).await;

        assert!(added.spec.enabled);
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!(unaccounted, 0);
        assert_eq!(expected, recorded);
        assert!((3..=4).contains(&recorded), "one at once and one in each of two minutes: {recorded}");
    }

    async fn no_change_of_a_site_loses_a_slot(database: &World) {
        many(database, 20, 7).await;
        live(database, 30).await;

        let change = |spec: SiteSpec| database.store.change(spec);
        for number in 0..20 {
            let name = format!("site-{number}");
            database.forward(1).await;
            change(site(&name, 11 + number)).await.unwrap();
            live(database, 3).await;
            change(SiteSpec { enabled: false, ..site(&name, 11 + number) }).await.unwrap();
            database.forward(2).await;
            change(site(&name, 5)).await.unwrap();
        }
        live(database, 40).await;

        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected - recorded, unaccounted), (0, 0));
    }

    async fn a_site_that_changes_during_an_outage_is_accounted_for(database: &World) {
        many(database, 5, 10).await;
        live(database, 20).await;

        database.forward(1000).await;
        database.store.change(site("site-1", 60)).await.unwrap();
        database.store.change(SiteSpec { enabled: false, ..site("site-2", 10) }).await.unwrap();
        database.forward(1000).await;
        live(database, 30).await;

        assert_eq!(unaccounted(database).await.2, 0);
    }

    async fn changing_one_site_moves_no_other(database: &World) {
        many(database, 50, 60).await;
        let rhythms = async || -> Vec<(String, Rhythm)> {
            let sites = database.store.sites().await.unwrap();
            sites
                .iter()
                .map(Listed::known)
                .filter(|site| site.spec.name != "site-7")
                .map(|site| (site.spec.name.clone(), site.rhythm.clone()))
                .collect()
        };
        let before = rhythms().await;

        database.store.change(site("site-7", 300)).await.unwrap();
        database.store.remove("site-7").await.unwrap();

        assert_eq!(rhythms().await, before);
    }

    async fn reconciling_a_file_touches_only_the_sites_of_files(database: &World) {
        database.store.add(site("by-hand", 60), Start::InPhase).await.unwrap();
        database.store.reconcile(vec![site("a", 60), site("b", 60)]).await.unwrap();

        let changes =
            database.store.reconcile(vec![site("b", 30), site("c", 60), site("by-hand", 10)]).await.unwrap();

        assert_eq!((changes.added, changes.changed, changes.disabled), (1, 1, 1));
        assert_eq!(changes.foreign, ["by-hand"]);
        assert_eq!(database.store.site("by-hand").await.unwrap().spec.schedule, Schedule::Every(60));
        assert!(!database.store.site("a").await.unwrap().spec.enabled);
    }

    async fn an_import_is_all_or_nothing(database: &World) {
        database.store.add(site("taken", 60), Start::InPhase).await.unwrap();

        let refused = database
            .store
            .import(vec![site("new", 60).into(), site("taken", 30).into()], false, Arc::new(|_| {}))
            .await;

        assert!(matches!(refused, Err(StoreError::Exists(names)) if names == ["taken"]));
        assert_eq!(database.store.sites().await.unwrap().len(), 1);
    }

    async fn an_unknown_site_is_answered_with_the_nearest_name(database: &World) {
        database.store.add(site("shop.example", 60), Start::InPhase).await.unwrap();

        let error = database.store.site("shop.exmaple").await.unwrap_err();

        let StoreError::UnknownSite { name, nearest } = error else { panic!("{error:?}") };
        assert_eq!((name.as_str(), nearest.as_deref()), ("shop.exmaple", Some("shop.example")));
    }

    async fn statistics_of_one_site_are_those_it_has_among_all(database: &World) {
        database.queue.enqueue_due().await.unwrap();
        database.store.add(site("extra", 30), Start::AtOnce).await.unwrap();
        many(database, 5, 7).await;
        live(database, 100).await;
        database.store.change(site("extra", 13)).await.unwrap();
        live(database, 100).await;

        let range = last(&database.clock, 150);
        let all = database.store.statistics(range, None).await.unwrap();
        let alone = database.store.statistics(range, Some(all[0].site.id)).await.unwrap();

        assert!(all[0].checks() > 5);
        assert_eq!(alone, all[..1]);
    }

    async fn a_site_is_read_as_it_was_declared(database: &World) {
        let spec = SiteSpec {
            url: "https://example.org/?q='%20\"".to_owned(),
            timeout: Duration::from_secs(31 * 86_400 - 1),
            retries: 3,
            tags: vec!["prod".to_owned(), "eu \"quoted\"".to_owned()],
            ..site("Größe", 2_678_400)
        };

        let added = database.store.add(spec.clone(), Start::InPhase).await.unwrap();
        let changed = SiteSpec {
            url: "http://b/".to_owned(),
            tags: vec![],
            retries: 0,
            enabled: false,
            ..spec.clone()
        };

        assert_eq!(added.spec, spec);
        assert_eq!(database.store.site("Größe").await.unwrap(), added);
        assert_eq!(database.store.change(changed.clone()).await.unwrap().spec, changed);
        let count = database.store.count().await.unwrap();
        assert_eq!((count.enabled, count.paused), (0, 1));
    }

    fn declared(id: i64, name: &str) -> Declared {
        Declared { id: Some(SiteId(id)), spec: site(name, 60) }
    }

    async fn ids_move_along_with_an_import(database: &World) {
        let first = database.store.add(site("here", 60), Start::InPhase).await.unwrap();
        let silently = || Arc::new(|_| {});

        let sites = vec![declared(1_000, "a"), site("b", 60).into(), declared(2, "c")];
        let changes = database.store.import(sites, false, silently()).await.unwrap();
        let refused =
            database.store.import(vec![declared(first.id.0, "d"), declared(5, "e")], false, silently()).await;
        let later = database.store.add(site("later", 60), Start::InPhase).await.unwrap();

        assert_eq!(changes.added, 3);
        assert_eq!(database.store.site("a").await.unwrap().id, SiteId(1_000));
        assert_eq!(database.store.site("c").await.unwrap().id, SiteId(2));
        assert!(matches!(refused, Err(StoreError::IdsTaken(ids)) if ids == [first.id]));
        assert!(later.id > SiteId(1_000), "{}", later.id);
    }

    async fn an_import_updates_when_it_is_told_to(database: &World) {
        many(database, 10, 60).await;
        live(database, 61).await;
        let sites =
            || (0..12).map(|number| site(&format!("site-{number}"), if number < 5 { 60 } else { 30 }).into());

        let changes = database.store.import(sites().collect(), true, Arc::new(|_| {})).await.unwrap();
        live(database, 61).await;

        assert_eq!((changes.added, changes.changed, changes.unchanged), (2, 5, 5));
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected - recorded, unaccounted), (0, 0));
    }

    async fn sites_that_leave_and_come_back_lose_no_slot(database: &World) {
        let file = |names: &[&str]| names.iter().map(|name| site(name, 5)).collect::<Vec<_>>();
        database.store.reconcile(file(&["a", "b"])).await.unwrap();
        live(database, 17).await;
        database.store.reconcile(file(&["b"])).await.unwrap();
        live(database, 17).await;
        database.store.reconcile(file(&["a", "b"])).await.unwrap();
        live(database, 17).await;

        let (expected, recorded, unaccounted) = unaccounted(database).await;

        assert_eq!((expected - recorded, unaccounted), (0, 0));
        assert!((17..=21).contains(&recorded), "{recorded}");
    }

    /// How many sites have been checked, and how many checks there were.
    async fn checked(database: &World) -> (usize, u64) {
        let found = database.store.statistics(last(&database.clock, 3600), None).await.unwrap();
        (found.iter().filter(|site| site.up > 0).count(), found.iter().map(|site| site.up).sum())
    }

    async fn an_import_of_up_to_a_thousand_sites_is_checked_within_a_minute(database: &World) {
        live(database, 3).await;
        many(database, 400, 86_400).await;
        let mut per_second = Vec::new();
        for _ in 0..60 {
            let before = checked(database).await.1;
            live(database, 1).await;
            per_second.push(checked(database).await.1 - before);
        }
        let too_many = (0..1_001).map(|number| site(&format!("more-{number}"), 86_400).into()).collect();
        database.store.import(too_many, false, Arc::new(|_| {})).await.unwrap();
        live(database, 70).await;

        let (sites, checks) = checked(database).await;
        assert!(per_second.iter().all(|checks| *checks < 30), "{per_second:?}");
        assert!((400..410).contains(&sites) && (400..410).contains(&checks), "{sites} {checks}");
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected, unaccounted), (recorded, 0));
        assert_eq!(recorded, checks, "each of these slots was due");
    }

    async fn sites_that_come_back_into_their_file_are_checked_within_a_minute_and_not_at_once(
        database: &World,
    ) {
        let file = || (0..300).map(|number| site(&format!("site-{number}"), 3_600)).collect::<Vec<_>>();
        database.store.reconcile(file()).await.unwrap();
        database.forward(4_000).await;
        database.queue.enqueue_due().await.unwrap();
        let before = database.queue.claim("a", Region::DEFAULT, 1_000, LEASE).await.unwrap();
        database.queue.complete("a", &slots(&before)).await.unwrap();

        // A file that was empty for a moment.
        database.store.reconcile(Vec::new()).await.unwrap();
        database.store.reconcile(file()).await.unwrap();
        let at_once = database.queue.claim("a", Region::DEFAULT, 1_000, LEASE).await.unwrap();
        let within_a_minute = claimed_while(database, 60).await;

        assert!(at_once.len() < 30, "{} of 300 at once", at_once.len());
        assert_eq!(at_once.len() + within_a_minute.len(), 300);
    }

    async fn new_sites_of_a_file_are_checked_within_a_minute(database: &World) {
        live(database, 3).await;
        let file = |count: usize| (0..count).map(|number| site(&format!("f-{number}"), 86_400)).collect();

        database.store.reconcile(file(100)).await.unwrap();
        live(database, 1).await;
        assert_eq!(checked(database).await.0, 100, "few are checked at once");

        database.store.reconcile(file(300)).await.unwrap();
        live(database, 60).await;
        assert_eq!(checked(database).await.0, 300);
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected, unaccounted), (recorded, 0));
    }

    async fn a_site_that_changes_in_its_first_minute_loses_no_slot(database: &World) {
        live(database, 3).await;
        many(database, 50, 86_400).await;
        live(database, 5).await;

        for number in 0..50 {
            let every_s = if number % 2 == 0 { 1 } else { 7 };
            database.store.change(site(&format!("site-{number}"), every_s)).await.unwrap();
        }
        live(database, 70).await;

        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected, unaccounted), (recorded, 0));
    }

    /// With each kind of value that settings can hold.
    fn settings() -> CheckSettings {
        serde_json::from_str(
            r#"{"request": {"method": "POST", "headers": {"accept": "a\"b", "x-größe": ""}, "body": "a\u0000b\r\n",
                            "basic_auth": {"username": "u", "password": "p 'ä\\"}, "follow_redirects": false, "max_redirects": 3},
                "tls": {"ca": "-----BEGIN CERTIFICATE-----\n", "min_version": "1.2", "expiry_warning": "14days"},
                "expect": {"status": ["2xx", 304, "400-404"], "headers": [{"name": "server", "absent": true}],
                           "body": {"contains": ["\u2028", "</script>"], "max_bytes": 18446744073709551615},
                           "json": [{"path": "$.a", "equals": {"b": [null, 1.5, "c"], "a": -1}}, {"path": "$.n", "gt": 0.1}],
                           "response_time": {"down": "1s 500ms"}, "http_version": ["HTTP/1.1"], "tls": "required"}}"#,
        )
        .unwrap()
    }

    fn with_settings(name: &str, settings: CheckSettings) -> SiteSpec {
        SiteSpec { settings: Some(Box::new(settings)), ..site(name, 60) }
    }

    fn with_body(body: &str) -> CheckSettings {
        let mut settings = CheckSettings::default();
        settings.expect.body.contains.push(body.to_owned());
        settings
    }

    async fn settings_are_read_as_they_were_declared(database: &World) {
        let added = with_settings("added", settings());
        let imported = with_settings("imported", settings());
        let in_file = with_settings("in file", settings());

        let read = database.store.add(added.clone(), Start::InPhase).await.unwrap();
        database.store.import(vec![imported.clone().into()], false, Arc::new(|_| {})).await.unwrap();
        database.store.reconcile(vec![in_file.clone()]).await.unwrap();
        assert_eq!(read.spec, added);
        for declared in [&added, &imported, &in_file] {
            assert_eq!(database.store.site(&declared.name).await.unwrap().spec, *declared);
        }

        let changed = with_settings("added", with_body("ok"));
        assert_eq!(database.store.change(changed.clone()).await.unwrap().spec, changed);
        let without = site("added", 60);
        assert_eq!(database.store.change(without.clone()).await.unwrap().spec, without);
    }

    async fn settings_reach_the_check_as_their_text(database: &World) {
        database.queue.enqueue_due().await.unwrap();
        database.store.add(with_settings("added", settings()), Start::AtOnce).await.unwrap();
        database
            .store
            .reconcile(vec![with_settings("in file", with_body("ok")), site("plain", 60)])
            .await
            .unwrap();
        database.store.change(with_settings("added", with_body("\0"))).await.unwrap();

        let jobs = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();

        let mut claimed: Vec<Option<String>> =
            jobs.iter().map(|job| job.target.settings.as_deref().map(str::to_owned)).collect();
        claimed.sort_unstable();
        assert_eq!(claimed, [None, Some(with_body("\0").to_text()), Some(with_body("ok").to_text())]);
        database
            .store
            .import(vec![with_settings("late", settings()).into()], false, Arc::new(|_| {}))
            .await
            .unwrap();
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
        assert!(jobs.iter().any(|job| job.target.settings.as_deref() == Some(&settings().to_text())));
    }

    async fn an_import_sees_a_change_of_settings_alone(database: &World) {
        let import = async |body: &str, update| {
            let sites = vec![with_settings("shop", with_body(body)).into()];
            database.store.import(sites, update, Arc::new(|_| {})).await
        };
        import("a", false).await.unwrap();

        let same = import("a", true).await.unwrap();
        let refused = import("b", false).await;
        let changed = import("b", true).await.unwrap();

        assert_eq!((same.unchanged, changed.changed), (1, 1));
        assert!(matches!(refused, Err(StoreError::Exists(_))));
    }

    async fn a_file_sees_a_change_of_settings_alone(database: &World) {
        let reconcile = async |spec: SiteSpec| {
            let changes = database.store.reconcile(vec![spec]).await.unwrap();
            (changes.added, changes.changed, changes.unchanged)
        };

        assert_eq!(reconcile(with_settings("shop", settings())).await, (1, 0, 0));
        assert_eq!(reconcile(with_settings("shop", settings())).await, (0, 0, 1));
        assert_eq!(reconcile(with_settings("shop", with_body("b"))).await, (0, 1, 0));
        assert_eq!(reconcile(site("shop", 60)).await, (0, 1, 0));
        assert_eq!(reconcile(site("shop", 60)).await, (0, 0, 1));
    }

    async fn a_site_that_leaves_the_file_keeps_its_settings(database: &World) {
        database.store.reconcile(vec![with_settings("shop", settings())]).await.unwrap();

        database.store.reconcile(vec![]).await.unwrap();

        let left = database.store.site("shop").await.unwrap().spec;
        assert_eq!((left.enabled, left.settings.as_deref()), (false, Some(&settings())));
    }

    async fn read(database: &World, name: &str) -> Site {
        database.store.site(name).await.unwrap()
    }

    /// Sites of these names that were in the file, one after the other, and are not any more.
    async fn left_behind(database: &World, names: &[&str]) {
        let declared = names.iter().map(|name| site(name, 60)).collect();
        database.store.reconcile(declared).await.unwrap();
        let changes = database.store.reconcile(vec![]).await.unwrap();
        assert_eq!(changes.disabled, names.len());
    }

    async fn what_left_the_file_can_be_removed_and_taken_over(database: &World) {
        left_behind(database, &["removed", "resumed", "added", "back"]).await;
        let was = read(database, "added").await;
        assert_eq!((was.origin, was.spec.enabled), (Origin::Left, false));

        database.store.remove("removed").await.unwrap();
        let resumed = database.store.change(site("resumed", 60)).await.unwrap();
        let added = database.store.add(site("added", 30), Start::AtOnce).await.unwrap();
        let changes = database.store.reconcile(vec![site("back", 60)]).await.unwrap();

        assert!(matches!(database.store.site("removed").await, Err(StoreError::UnknownSite { .. })));
        assert_eq!((resumed.origin, resumed.spec.enabled), (Origin::Command, true));
        assert_eq!(
            (added.origin, added.id, added.spec.schedule),
            (Origin::Command, was.id, Schedule::Every(30))
        );
        assert_eq!((changes.added, changes.changed, changes.disabled), (0, 1, 0));
        let back = read(database, "back").await;
        assert_eq!((back.origin, back.spec.enabled), (Origin::File, true));
        live(database, 61).await;
        assert_eq!(unaccounted(database).await.2, 0);
    }

    async fn what_left_the_file_and_was_taken_over_is_not_the_files_any_more(database: &World) {
        left_behind(database, &["shop"]).await;
        database.store.change(site("shop", 30)).await.unwrap();

        let changes = database.store.reconcile(vec![site("shop", 60)]).await.unwrap();

        assert_eq!(changes.foreign, ["shop"]);
        assert_eq!(read(database, "shop").await.spec.schedule, Schedule::Every(30));
    }

    async fn what_left_the_file_is_imported_over(database: &World) {
        left_behind(database, &["shop", "same"]).await;
        let same = SiteSpec { enabled: false, ..site("same", 60) };

        let sites = vec![site("shop", 60).into(), same.into()];
        let changes = database.store.import(sites, false, Arc::new(|_| {})).await.unwrap();

        assert_eq!((changes.added, changes.changed, changes.unchanged), (0, 2, 0));
        let (shop, same) = (read(database, "shop").await, read(database, "same").await);
        assert_eq!((shop.origin, same.origin), (Origin::Command, Origin::Command));
        assert!(!same.spec.enabled);
    }

    async fn a_site_that_was_paused_in_the_file_has_left_it_too(database: &World) {
        let paused = SiteSpec { enabled: false, ..site("shop", 60) };
        database.store.reconcile(vec![paused]).await.unwrap();
        assert!(matches!(database.store.remove("shop").await, Err(StoreError::DeclaredInFile(_))));

        database.store.reconcile(vec![]).await.unwrap();

        assert_eq!(read(database, "shop").await.origin, Origin::Left);
        database.store.remove("shop").await.unwrap();
    }

    /// Makes one change, again when somebody else was faster. Each has read the site before the first one writes.
    async fn edit(database: &World, together: &tokio::sync::Barrier, edit: impl Fn(&mut SiteSpec)) -> usize {
        let mut refused = 0;
        let mut seen = read(database, "shop").await;
        together.wait().await;
        loop {
            let mut spec = seen.spec.clone();
            edit(&mut spec);
            match database.store.replace(&seen, spec).await {
                Ok(_) => return refused,
                Err(StoreError::ChangedMeanwhile(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
            seen = read(database, "shop").await;
        }
    }

    async fn of_two_changes_at_once_none_is_lost(database: &World) {
        let added = database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        let together = tokio::sync::Barrier::new(4);

        let refused = tokio::join!(
            edit(database, &together, |spec| spec.schedule = Schedule::Every(300)),
            edit(database, &together, |spec| spec.timeout = Duration::from_secs(3)),
            edit(database, &together, |spec| spec.enabled = false),
            edit(database, &together, |spec| spec.tags.push("prod".to_owned())),
        );

        let shop = read(database, "shop").await;
        assert_eq!((shop.spec.schedule, shop.spec.timeout), (Schedule::Every(300), Duration::from_secs(3)));
        assert_eq!((shop.spec.enabled, shop.spec.tags), (false, vec!["prod".to_owned()]));
        assert_eq!(shop.revision, added.revision + 4);
        assert!(refused.0 + refused.1 + refused.2 + refused.3 >= 3, "{refused:?}");
    }

    async fn a_change_beside_an_import_is_refused_and_not_lost(database: &World) {
        let seen = database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        let sites = vec![site("shop", 30).into()];
        database.store.import(sites, true, Arc::new(|_| {})).await.unwrap();

        let refused = database.store.replace(&seen, SiteSpec { retries: 5, ..seen.spec.clone() }).await;

        assert!(matches!(&refused, Err(StoreError::ChangedMeanwhile(name)) if name == "shop"), "{refused:?}");
        assert_eq!(read(database, "shop").await.spec, site("shop", 30));
        database.store.remove("shop").await.unwrap();
        let gone = database.store.replace(&seen, site("shop", 60)).await;
        assert!(matches!(gone, Err(StoreError::ChangedMeanwhile(_))), "{gone:?}");
    }

    async fn a_site_keeps_id_results_and_slots_under_a_new_name(database: &World) {
        many(database, 1, 60).await;
        live(database, 61).await;
        let old = read(database, "site-0").await;

        let new = database.store.replace(&old, site("an other name", 60)).await.unwrap();
        live(database, 121).await;
        // An unrelated change moves it as little.
        let later =
            database.store.change(SiteSpec { retries: 3, ..site("an other name", 60) }).await.unwrap();
        live(database, 60).await;

        assert_eq!((new.id, &new.rhythm, &later.rhythm), (old.id, &old.rhythm, &old.rhythm));
        assert!(matches!(database.store.site("site-0").await, Err(StoreError::UnknownSite { .. })));
        let found = &database.store.statistics(last(&database.clock, 3600), None).await.unwrap()[0];
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((found.site.spec.name.as_str(), found.up), ("an other name", recorded));
        assert_eq!((expected - recorded, unaccounted), (0, 0));
        assert!((4..=5).contains(&recorded), "one in each of four minutes: {recorded}");
    }

    async fn a_new_name_that_is_taken_is_refused(database: &World) {
        many(database, 2, 60).await;
        let seen = read(database, "site-0").await;

        let refused = database.store.replace(&seen, site("site-1", 60)).await;

        assert!(matches!(refused, Err(StoreError::Exists(names)) if names == ["site-1"]));
        assert_eq!(read(database, "site-0").await, seen);
    }

    /// What a newer version might write: more retries, a setting, tags of another form, a word for a status.
    const NEWER: [&str; 4] = [
        "UPDATE site_config SET retries = 300 WHERE name = 'newer'",
        "UPDATE site_config SET settings = '{\"grpc\": {}}' WHERE name = 'newer'",
        "UPDATE site_config SET tags = '{\"team\": \"a\"}' WHERE name = 'newer'",
        "UPDATE sites SET last_status = 'flapping', since = last_updated WHERE site_id = 2",
    ];

    async fn one_site_that_cannot_be_read_hides_no_other(database: &World) {
        for name in ["good", "newer"] {
            database.store.add(site(name, 60), Start::AtOnce).await.unwrap();
        }
        live(database, 61).await;
        for statement in NEWER {
            database.sql(statement).await;
            let range = last(&database.clock, 3600);

            let listed = database.store.sites().await.unwrap();
            let found = database.store.statistics(range, None).await.unwrap();
            let audit = database.store.audit(range, 0).await.unwrap();

            let unread: Vec<bool> = listed.iter().map(|site| site.unreadable().is_some()).collect();
            assert_eq!(unread, [false, true], "{statement}");
            assert_eq!((found.len(), audit.unaccounted), (2, 0), "{statement}");
            assert!(found[1].up >= 2, "{statement}: {found:?}");
            assert_eq!(listed[0].clone().complete().unwrap().spec, site("good", 60));
            assert_eq!(database.store.last_failure(SiteId(2)).await.unwrap(), None);
            database.sql("UPDATE site_config SET settings = NULL, tags = '[]', retries = 0").await;
        }
        assert_eq!(read(database, "newer").await.status(), Some(Status::Unknown));
    }

    async fn a_site_that_cannot_be_read_is_replaced_left_and_removed(database: &World) {
        let unreadable = || database.sql("UPDATE site_config SET settings = '{\"grpc\": {}}'");
        database.store.reconcile(vec![site("a", 60), site("b", 60), site("c", 60)]).await.unwrap();
        unreadable().await;

        let changes = database.store.reconcile(vec![site("a", 60), site("b", 30)]).await.unwrap();
        assert_eq!((changes.changed, changes.disabled), (2, 1));
        assert_eq!(read(database, "b").await.spec, site("b", 30));
        let listed = database.store.sites().await.unwrap();
        let left = listed[2].known();
        assert_eq!((left.origin, left.spec.enabled), (Origin::Left, false));
        assert!(listed[2].unreadable().unwrap().contains("grpc"), "what a newer version has written stays");

        database.store.remove("c").await.unwrap();
        database.store.reconcile(vec![]).await.unwrap();
        unreadable().await;
        let sites = vec![site("a", 60).into()];
        database.store.import(sites, true, Arc::new(|_| {})).await.unwrap();
        assert_eq!(read(database, "a").await.spec, site("a", 60));
        let added = database.store.add(site("b", 60), Start::InPhase).await.unwrap();
        assert_eq!(added.spec, site("b", 60));
    }

    async fn a_status_of_a_newer_version_is_unknown(database: &World) {
        database.store.add(site("shop", 60), Start::AtOnce).await.unwrap();
        live(database, 61).await;
        database.sql("UPDATE ping_status SET status = 'flapping', reason = 'mood'").await;
        let range = last(&database.clock, 3600);

        let all = database.store.statistics(range, None).await.unwrap();
        let one = database.store.statistics(range, Some(SiteId(1))).await.unwrap();
        let audit = database.store.audit(range, 0).await.unwrap();
        let failure = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();

        assert!(audit.recorded >= 2 && audit.unaccounted == 0, "{audit:?}");
        assert_eq!((all[0].up, all[0].unknown, all[0].checks()), (0, audit.recorded, 0));
        assert_eq!(all, one);
        assert_eq!((failure.status, failure.reason), (Status::Unknown, None));
    }

    async fn the_id_of_a_removed_site_is_given_to_no_other(database: &World) {
        let silently = || Arc::new(|_| {});
        many(database, 3, 60).await;
        database.store.import(vec![declared(1_000, "far")], false, silently()).await.unwrap();
        database.store.remove("site-1").await.unwrap();
        database.store.remove("far").await.unwrap();

        let sites = vec![declared(2, "a"), declared(5, "b"), declared(1_000, "c")];
        let refused = database.store.import(sites, false, silently()).await;
        let free = database.store.import(vec![declared(5, "b")], false, silently()).await.unwrap();
        let next = database.store.add(site("next", 60), Start::InPhase).await.unwrap();

        assert!(
            matches!(&refused, Err(StoreError::IdsTaken(ids)) if *ids == [SiteId(2), SiteId(1_000)]),
            "{refused:?}"
        );
        assert_eq!((free.added, next.id), (1, SiteId(1_001)));
    }
}

mod accounting {
    use super::*;

    on_every_database!(
        a_lost_slot_is_found,
        slots_that_wait_in_the_queue_are_not_lost,
        a_gap_is_counted_once_with_its_slots,
        the_time_since_a_monitor_was_stopped_is_an_open_gap,
        young_slots_are_not_judged,
        a_range_that_begins_inside_of_a_second_has_the_slots_of_that_second,
        a_site_that_was_checked_at_once_long_ago_is_still_counted,
        results_that_nobody_has_read_from_the_log_are_on_their_way,
        without_a_log_between_a_slot_that_left_the_queue_is_stored_or_lost,
        what_is_settled_is_what_no_job_waits_for,
    );

    async fn a_range_that_begins_inside_of_a_second_has_the_slots_of_that_second(database: &World) {
        many(database, 5, 1).await;
        for _ in 0..10 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }
        let audit = async |from_ms, to_ms| {
            let at = |ms| jan_1() + TimeDelta::milliseconds(ms);
            let audit = database.store.audit(Range { from: at(from_ms), to: at(to_ms) }, 0).await.unwrap();
            (audit.expected, audit.waiting, audit.unaccounted)
        };

        assert_eq!(audit(3_600, 8_000).await, (25, 25, 0));
        assert_eq!(audit(3_000, 7_600).await, (20, 20, 0));
        assert_eq!(audit(3_600, 7_600).await, (20, 20, 0));
    }

    /// Checks all of three sites for 30 s, and stores nothing of it.
    async fn check_without_storing(database: &World) -> Vec<Job> {
        many(database, 3, 10).await;
        let jobs = claimed_while(database, 30).await;
        database.queue.complete("a", &slots(&jobs)).await.unwrap();
        jobs
    }

    async fn results_that_nobody_has_read_from_the_log_are_on_their_way(database: &World) {
        database.store.note_read(Some(chrono::DateTime::UNIX_EPOCH)).await.unwrap();
        let mut jobs = check_without_storing(database).await;
        jobs.sort_by_key(|job| job.slot);
        let counts = async || {
            let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();
            assert_eq!(audit.expected, audit.recorded + audit.missing());
            assert_eq!(audit.on_its_way, audit.sites.iter().map(|site| site.on_its_way).sum::<u64>());
            (audit.recorded, audit.on_its_way, audit.unaccounted)
        };
        assert_eq!(counts().await, (0, 9, 0));

        // All but one of the first five arrive, and whoever reads has come as far.
        let stored = jobs[1..5].iter().map(|job| result(job, Status::Up)).collect();
        database.store.persist(&batch(stored)).await.unwrap();
        assert_eq!(counts().await, (4, 5, 0));
        database.store.note_read(Some(jobs[5].slot.scheduled_at)).await.unwrap();
        let equal = jobs[..5].iter().filter(|job| job.slot.scheduled_at == jobs[5].slot.scheduled_at).count();
        assert_eq!((counts().await, equal), ((4, 4, 1), 0), "the one that is lost is found");

        // An older note changes nothing.
        database.store.note_read(Some(jobs[0].slot.scheduled_at)).await.unwrap();
        assert_eq!(counts().await, (4, 4, 1));
    }

    async fn without_a_log_between_a_slot_that_left_the_queue_is_stored_or_lost(database: &World) {
        database.store.note_read(Some(chrono::DateTime::UNIX_EPOCH)).await.unwrap();
        check_without_storing(database).await;

        database.store.note_read(None).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();
        assert_eq!((audit.on_its_way, audit.unaccounted), (0, 9));
    }

    async fn what_is_settled_is_what_no_job_waits_for(database: &World) {
        let settled = async || database.store.settled_before().await.unwrap();
        assert_eq!(settled().await, None);
        many(database, 1, 3_600).await;
        database.queue.enqueue_due().await.unwrap();
        let ticked = database.store.now().await.unwrap();
        assert!(settled().await <= Some(ticked), "its first check is to come");

        many_called(database, "b", 3, 10).await;
        let mut jobs = claimed_while(database, 70).await;
        jobs.sort_by_key(|job| job.slot);
        assert_eq!(settled().await, Some(jobs[0].slot.scheduled_at));
        database.queue.complete("a", &slots(&jobs[..1])).await.unwrap();
        assert_eq!(settled().await, Some(jobs[1].slot.scheduled_at));
        database.queue.complete("a", &slots(&jobs[1..])).await.unwrap();
        assert!(settled().await >= jobs.last().map(|job| job.slot.scheduled_at));
    }

    async fn a_lost_slot_is_found(database: &World) {
        many(database, 3, 10).await;
        let jobs = claimed_while(database, 30).await;
        let kept = &jobs[1..];
        database
            .store
            .persist(&batch(kept.iter().map(|job| result(job, Status::Up)).collect()))
            .await
            .unwrap();
        database.queue.complete("a", &slots(&jobs)).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.recorded, audit.unaccounted), (9, 8, 1));
    }

    async fn slots_that_wait_in_the_queue_are_not_lost(database: &World) {
        many(database, 3, 10).await;
        for _ in 0..10 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.missing(), audit.waiting, audit.unaccounted), (3, 3, 0));
    }

    async fn a_gap_is_counted_once_with_its_slots(database: &World) {
        many(database, 2, 10).await;
        database.forward(10).await;
        database.queue.enqueue_due().await.unwrap();
        let mut jobs =
            database.queue.claim("a", Region::DEFAULT, 100, Duration::from_hours(1)).await.unwrap();
        database.forward(100).await;
        database.queue.enqueue_due().await.unwrap();
        jobs.extend(database.queue.claim("a", Region::DEFAULT, 100, LEASE).await.unwrap());
        database
            .store
            .persist(&batch(jobs.iter().map(|job| result(job, Status::Up)).collect()))
            .await
            .unwrap();
        database.queue.complete("a", &slots(&jobs)).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.recorded, audit.unaccounted), (22, 4, 0));
        assert_eq!(audit.gaps.iter().map(|gap| gap.slots).sum::<u64>(), 18);
    }

    async fn the_time_since_a_monitor_was_stopped_is_an_open_gap(database: &World) {
        many(database, 2, 10).await;

        database.forward(100).await;
        let audit = database.store.audit(last(&database.clock, 3600), 0).await.unwrap();

        assert_eq!((audit.expected, audit.missing(), audit.unaccounted), (20, 20, 0));
        assert_eq!(audit.gaps.len(), 1);
    }

    async fn young_slots_are_not_judged(database: &World) {
        many(database, 1, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
        database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();

        let audit = database.store.audit(last(&database.clock, 3600), 30).await.unwrap();

        assert_eq!(audit.expected, 0);
    }

    async fn a_site_that_was_checked_at_once_long_ago_is_still_counted(database: &World) {
        database.store.add(site("shop", 10), Start::AtOnce).await.unwrap();
        for _ in 0..100 {
            database.forward(1).await;
            database.queue.enqueue_due().await.unwrap();
        }

        let audit = database.store.audit(last(&database.clock, 20), 0).await.unwrap();

        assert!((2..=3).contains(&audit.expected), "{}", audit.expected);
        assert_eq!(audit.unaccounted, 0);
    }
}

mod clocks {
    //! Wall time that jumps: what was recorded from a wrong clock does not outlive its correction, and nothing is removed for it.

    use super::catalog::live;
    use super::*;

    on_every_database!(
        a_clock_that_is_days_ahead_removes_no_result_and_leaves_nothing_behind,
        a_clock_that_is_wrong_for_certain_changes_nothing,
        a_computer_that_was_off_for_months_removes_old_results_in_the_end,
        what_was_recorded_from_a_wrong_clock_does_not_outlive_its_correction,
        a_site_that_changes_while_the_clock_is_a_second_back_loses_no_slot,
        a_site_that_changes_before_a_tick_has_seen_the_clock_set_back_loses_no_slot,
        a_clock_that_is_hours_back_for_a_while_loses_no_slot,
        schedules_that_ended_before_what_is_kept_are_forgotten,
    );

    const DAY: i64 = 86_400;
    const MONTH: u64 = 30 * 86_400;

    /// Slots without a row, a job or a gap, since `from`.
    async fn lost(database: &World, from: uptime_monitor::clock::Timestamp) -> u64 {
        let range = Range { from, to: database.clock.now() + TimeDelta::seconds(1) };
        database.store.audit(range, 0).await.unwrap().unaccounted
    }

    /// Results of the last day and of every third day before, for a month, of one of the sites.
    async fn results_of_a_month(database: &World) {
        let now = database.clock.now().trunc_subsecs(0);
        let target = uptime_monitor::model::Target {
            url: "http://127.0.0.1:9/".to_owned(),
            timeout: Duration::from_secs(1),
            retries: 0,
            settings: None,
        };
        let at = |days: i64| Slot {
            scheduled_at: now - TimeDelta::days(days),
            site_id: SiteId(1),
            region: Region::DEFAULT,
        };
        let next_slot = uptime_monitor::clock::Clock::instant();
        let job = |slot| Job { slot, attempt: 1, next_slot, target: target.clone() };
        let results = (1..10).map(|n| result(&job(at(3 * n)), Status::Up)).collect();
        database.store.persist(&batch(results)).await.unwrap();
    }

    /// In whole seconds, as ranges are given.
    fn now(database: &World) -> uptime_monitor::clock::Timestamp {
        database.clock.now().trunc_subsecs(0)
    }

    async fn rows(database: &World) -> u64 {
        database.number("SELECT count(*) FROM ping_status").await
    }

    /// One report is what the other one says of that site.
    async fn assert_reports_agree(database: &World) {
        let range = last(&database.clock, 2 * DAY);
        let all = database.store.statistics(range, None).await.unwrap();
        for site in &all {
            let alone = database.store.statistics(range, Some(site.site.id)).await.unwrap();
            assert_eq!(alone, std::slice::from_ref(site));
        }
    }

    /// Nothing that is known of a site lies in the future.
    async fn assert_nothing_is_of_the_future(database: &World) {
        let now = database.clock.now();
        for listed in database.store.sites().await.unwrap() {
            let site = listed.known();
            assert!(site.last_updated.is_none_or(|at| at <= now), "{site:?}");
            assert!(site.since.is_none_or(|at| at <= now), "{site:?}");
            let failure = database.store.last_failure(site.id).await.unwrap();
            assert!(failure.as_ref().is_none_or(|failure| failure.scheduled_at <= now), "{failure:?}");
        }
        let oldest = database.queue.depth().await.unwrap().oldest;
        assert!(oldest.is_none_or(|at| at <= now), "{oldest:?}");
    }

    async fn a_clock_that_is_days_ahead_removes_no_result_and_leaves_nothing_behind(database: &World) {
        many(database, 5, 10).await;
        live(database, 30).await;
        results_of_a_month(database).await;
        let (before, from) = (rows(database).await, now(database) - TimeDelta::seconds(40));
        let looked = database.store.prune(retention(MONTH, 100)).await.unwrap();
        assert_eq!(looked, Pruned::default());

        // Off for a week, and then on with a clock that is ahead of that, until it is corrected.
        for wrong in [20 * DAY, 4 * 365 * DAY] {
            database.forward(wrong).await;
            let looked = database.store.prune(retention(MONTH, 100)).await.unwrap();
            assert!(looked.rows == 0 && looked.doubt.is_some(), "{looked:?}");
            live(database, 30).await;
            database
                .store
                .prune(Retention { elapsed: Duration::from_secs(30), ..retention(MONTH, 100) })
                .await
                .unwrap();
            database.forward(DAY - 30 - wrong).await;
            live(database, 30).await;
            let looked =
                database.store.prune(Retention { elapsed: Duration::from_secs(30), ..retention(MONTH, 100) });
            assert_eq!(looked.await.unwrap().rows, 0);
        }

        assert!(rows(database).await >= before);
        let audit = database.store.audit(last(&database.clock, 3 * DAY), 0).await.unwrap();
        assert_eq!(audit.unaccounted, 0, "{audit:?}");
        assert!(audit.expected > 2 * 5 * 8_000 && audit.recorded >= 5 * 3 * 3, "{audit:?}");
        let in_gaps: u64 = audit.gaps.iter().map(|gap| gap.slots).sum();
        assert_eq!(audit.missing(), in_gaps);
        assert_eq!(lost(database, from).await, 0);
        assert_nothing_is_of_the_future(database).await;
        assert_reports_agree(database).await;
    }

    async fn a_clock_that_is_wrong_for_certain_changes_nothing(database: &World) {
        many(database, 5, 10).await;
        live(database, 30).await;
        results_of_a_month(database).await;
        let (before, from) = (rows(database).await, now(database) - TimeDelta::seconds(40));
        let to_1970 = database.clock.now().timestamp() - 60;

        database.forward(-to_1970).await;
        let tick = database.queue.enqueue_due().await.unwrap();
        assert!(tick.impossible.is_some() && tick.set_back.is_none() && tick.queued == 0, "{tick:?}");
        assert_eq!(database.store.prune(retention(MONTH, 100)).await.unwrap(), Pruned::default());
        database.store.add(site("in 1970", 10), Start::InPhase).await.unwrap();
        database.store.change(site("site-1", 20)).await.unwrap();
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        database.forward(to_1970 + 7 * DAY).await;
        live(database, 60).await;

        assert!(rows(database).await >= before + 5);
        assert_eq!(lost(database, from).await, 0);
        let audit = database.store.audit(last(&database.clock, 8 * DAY), 0).await.unwrap();
        assert_eq!(audit.unaccounted, 0);
        assert!(audit.recorded >= 5 * 6, "{audit:?}");
        assert_nothing_is_of_the_future(database).await;
        assert_reports_agree(database).await;
    }

    async fn a_computer_that_was_off_for_months_removes_old_results_in_the_end(database: &World) {
        many(database, 1, 60).await;
        live(database, 60).await;
        results_of_a_month(database).await;
        database.store.prune(retention(MONTH, 100)).await.unwrap();

        database.forward(60 * DAY).await;
        let looked = database.store.prune(retention(MONTH, 100)).await.unwrap();
        let doubt = looked.doubt.expect("it is said");
        assert_eq!((looked.rows, doubt.patience), (0, Duration::from_hours(24)));

        let mut removed = 0;
        for _ in 0..24 * 6 + 10 {
            database.forward(600).await;
            let ten_minutes = Retention { elapsed: Duration::from_secs(600), ..retention(MONTH, 100) };
            removed += database.store.prune(ten_minutes).await.unwrap().rows;
        }
        assert!(removed >= 9, "{removed}");
        assert_eq!(rows(database).await, 0);
    }

    async fn what_was_recorded_from_a_wrong_clock_does_not_outlive_its_correction(database: &World) {
        many(database, 5, 10).await;
        live(database, 30).await;
        let from = now(database);

        database.forward(DAY).await;
        live(database, 10).await;
        database.store.add(site("beside", 1), Start::AtOnce).await.unwrap();
        database.store.change(site("site-1", 7)).await.unwrap();
        database.store.change(SiteSpec { enabled: false, ..site("site-2", 10) }).await.unwrap();
        live(database, 5).await;
        database.store.change(site("site-1", 4)).await.unwrap();
        database.store.change(site("site-2", 10)).await.unwrap();
        database.forward(3).await;
        database.queue.enqueue_due().await.unwrap();
        let held = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();
        database.store.persist(&batch(vec![result(&held[0], Status::Down)])).await.unwrap();
        database.queue.complete("a", &slots(&held)).await.unwrap();
        database.forward(3).await;
        database.queue.enqueue_due().await.unwrap();
        let in_work = database.queue.claim("a", Region::DEFAULT, 2, LEASE).await.unwrap();

        database.forward(-DAY).await;
        let tick = database.queue.enqueue_due().await.unwrap();
        assert!(tick.set_back.is_some_and(|by| by.as_secs() == 86_400), "{tick:?}");
        assert_nothing_is_of_the_future(database).await;
        // What was in work ends afterwards.
        let ended = in_work.iter().map(|job| result(job, Status::Down)).collect();
        database.store.persist(&batch(ended)).await.unwrap();
        database.queue.complete("a", &slots(&in_work)).await.unwrap();
        assert_nothing_is_of_the_future(database).await;
        live(database, 120).await;

        assert_eq!(lost(database, from).await, 0);
        assert_reports_agree(database).await;
        // The wrong day had left a gap and schedules that would excuse any slot for a day.
        let newest = "(SELECT max(scheduled_at) FROM ping_status WHERE site_id = 1 AND scheduled_at <
            (SELECT min(scheduled_at) FROM ping_status AS other WHERE other.site_id = 6) + ";
        let minute = if database.is_postgres() { "interval '1 minute')" } else { "60)" };
        database
            .sql(&format!("DELETE FROM ping_status WHERE site_id = 1 AND scheduled_at = {newest}{minute}"))
            .await;
        assert_eq!(lost(database, from).await, 1, "a slot that is lost now is found");
    }

    async fn a_site_that_changes_while_the_clock_is_a_second_back_loses_no_slot(database: &World) {
        many(database, 3, 1).await;
        live(database, 10).await;
        let from = now(database) - TimeDelta::seconds(20);

        database.forward(-2).await;
        database.store.add(site("added", 1), Start::InPhase).await.unwrap();
        database.store.add(site("at once", 1), Start::AtOnce).await.unwrap();
        database.store.change(site("site-0", 2)).await.unwrap();
        live(database, 1).await;
        many_called(database, "imported", 3, 1).await;
        live(database, 10).await;

        let range = Range { from, to: database.clock.now() + TimeDelta::seconds(1) };
        let audit = database.store.audit(range, 0).await.unwrap();
        assert_eq!((audit.missing(), audit.unaccounted), (0, 0), "{audit:?}");
    }

    async fn a_site_that_changes_before_a_tick_has_seen_the_clock_set_back_loses_no_slot(database: &World) {
        many(database, 3, 1).await;
        live(database, 30).await;

        database.forward(-20).await;
        let from = now(database);
        database.store.add(site("added", 1), Start::InPhase).await.unwrap();
        database.store.add(site("at once", 5), Start::AtOnce).await.unwrap();
        many_called(database, "imported", 3, 1).await;
        live(database, 40).await;

        let range = Range { from, to: database.clock.now() + TimeDelta::seconds(1) };
        let audit = database.store.audit(range, 0).await.unwrap();
        assert_eq!((audit.missing(), audit.unaccounted), (0, 0), "{audit:?}");
        assert!(audit.recorded >= 40 * 6, "{audit:?}");
        assert_reports_agree(database).await;
    }

    /// As a computer whose clock is saved now and then: it starts with an old time, and is corrected after a while.
    async fn a_clock_that_is_hours_back_for_a_while_loses_no_slot(database: &World) {
        many(database, 5, 10).await;
        live(database, 60).await;
        database.store.change(site("site-3", 3)).await.unwrap();
        live(database, 60).await;
        let (before, from) = (rows(database).await, now(database) - TimeDelta::seconds(130));

        database.forward(-80).await;
        live(database, 20).await;
        database.forward(60 + 2 * DAY).await;
        live(database, 30).await;

        assert!(rows(database).await > before);
        assert_eq!(lost(database, from).await, 0);
        assert_nothing_is_of_the_future(database).await;
        assert_reports_agree(database).await;
    }

    async fn schedules_that_ended_before_what_is_kept_are_forgotten(database: &World) {
        many(database, 2, 60).await;
        live(database, 60).await;
        for minute in 0..20 {
            database.store.change(site("site-0", 61 + minute)).await.unwrap();
            live(database, 60).await;
        }
        let spans = async || database.number("SELECT count(*) FROM site_schedule").await;
        assert_eq!(spans().await, 22);

        database.forward(3 * DAY).await;
        live(database, 60).await;
        database.store.prune(retention(86_400, 10_000)).await.unwrap();
        for _ in 0..144 {
            database.forward(600).await;
            let ten_minutes = Retention { elapsed: Duration::from_secs(600), ..retention(86_400, 10_000) };
            database.store.prune(ten_minutes).await.unwrap();
        }

        assert_eq!(spans().await, 2);
        live(database, 60).await;
        assert_eq!(lost(database, now(database) - TimeDelta::seconds(60)).await, 0);
    }
}

mod result_log {
    use uptime_monitor::result_log::{Batch, LogReader};

    use super::*;

    type Results = Arc<Vec<uptime_monitor::model::CheckResult>>;

    async fn some_results(count: usize) -> Results {
        let database = World::sqlite();
        many(&database, count, 1).await;
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
        let jobs = database.queue.claim("a", Region::DEFAULT, count, LEASE).await.unwrap();
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

    /// Every implementation that there is here, empty.
    async fn logs() -> Vec<Arc<dyn ResultLog>> {
        let mut logs: Vec<Arc<dyn ResultLog>> = vec![Arc::new(LocalResultLog::new(100))];
        logs.extend(kafka_log().await);
        logs
    }

    #[cfg(not(feature = "kafka"))]
    async fn kafka_log() -> Option<Arc<dyn ResultLog>> {
        None
    }

    #[cfg(feature = "kafka")]
    async fn kafka_log() -> Option<Arc<dyn ResultLog>> {
        use uptime_monitor::result_log::kafka::KafkaResultLog;
        use uptime_monitor::result_log::kafka_settings::KafkaSettings;

        use crate::common::servers;
        let settings = KafkaSettings {
            brokers: servers::kafka()?.brokers().split(',').map(str::to_owned).collect(),
            topic: servers::unique_name("results"),
            dead_letter_topic: servers::unique_name("dead"),
            group: servers::unique_name("group"),
            ..KafkaSettings::default()
        };
        Some(Arc::new(KafkaResultLog::open(settings).await.expect("the log opens")))
    }

    /// Appends beside the test: some logs acknowledge when the store has the results.
    fn appending(
        log: &Arc<dyn ResultLog>,
        results: &Results,
    ) -> tokio::task::JoinHandle<Result<(), LogError>> {
        let (log, results) = (Arc::clone(log), Arc::clone(results));
        tokio::task::spawn_local(async move { log.append(results).await })
    }

    /// Reads exactly these, in as many batches as it takes, and returns the last of these.
    async fn read(reader: &mut dyn LogReader, results: &Results) -> Batch {
        let mut missing: Vec<Slot> = results.iter().filter_map(|result| result.slot()).collect();
        loop {
            let batch = reader.next(10, Duration::from_millis(50)).await.unwrap();
            for slot in batch.results().filter_map(|result| result.slot()) {
                let place = missing
                    .iter()
                    .position(|missing| *missing == slot)
                    .expect("a result that was appended, once");
                missing.swap_remove(place);
            }
            if missing.is_empty() {
                return batch;
            }
        }
    }

    #[actix::test]
    async fn what_was_read_and_not_committed_is_read_again_and_what_was_committed_is_not() {
        for log in logs().await {
            let (results, more) = (some_results(3).await, some_results(5).await);
            let mut first = log.reader();
            let append = appending(&log, &results);
            let lost = read(&mut *first, &results).await;

            let mut second = log.reader();
            let batch = read(&mut *second, &results).await;
            let too_late = first.commit(lost).await;
            second.commit(batch).await.unwrap();
            append.await.unwrap().unwrap();
            drop(second);

            let mut third = log.reader();
            let append = appending(&log, &more);
            let batch = read(&mut *third, &more).await;
            third.commit(batch).await.unwrap();

            assert!(matches!(too_late, Err(LogError::Closed)));
            append.await.unwrap().unwrap();
            assert_eq!(log.depth(), 0);
        }
    }

    #[actix::test]
    async fn a_reader_that_waits_learns_that_it_was_replaced() {
        for log in logs().await {
            let mut first = log.reader();
            let replace = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                log.reader()
            };

            let waiting = tokio::time::timeout(Duration::from_secs(10), first.next(10, Duration::ZERO));
            let (waited, _second) = tokio::join!(waiting, replace);

            assert!(matches!(waited, Ok(Err(LogError::Closed))));
        }
    }

    #[actix::test]
    async fn results_are_whole_and_those_of_a_site_in_order() {
        for log in logs().await {
            let mut results = some_results(1).await.to_vec();
            for minute in 1..40 {
                let mut later = results[0].clone();
                later.scheduled_at += TimeDelta::seconds(60 * minute);
                results.push(later);
            }
            let mut reader = log.reader();
            let append = appending(&log, &Arc::new(results.clone()));

            let mut read = Vec::new();
            while read.len() < results.len() {
                let batch = reader.next(7, Duration::ZERO).await.unwrap();
                read.extend(batch.results().cloned());
                reader.commit(batch).await.unwrap();
            }

            append.await.unwrap().unwrap();
            assert_eq!(read, results);
        }
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

mod upgrade {
    //! A database that the first released version has made and filled, under this version.

    use super::*;

    const SQLITE: &str = "
        INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, tags, origin, active_from)
          VALUES (1, 'shop', 'http://a/', 60, 0, 1000, 1, 1, '[\"prod\"]', 'command', unixepoch('2025-12-31')),
                 (2, 'blog', 'http://b/', 60, 0, 1000, 1, 0, '[]', 'command', unixepoch('2025-12-31'));
        INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s) VALUES (1, unixepoch('2025-12-31'), 60, 0);
        INSERT INTO sites (site_id, every_s, phase_s, url, last_updated, last_status, since)
          VALUES (1, 60, 0, 'http://a/', unixepoch('2026-01-01'), 'up', unixepoch('2026-01-01')),
                 (2, 60, 0, 'http://b/', unixepoch('2026-01-01'), 'missed', unixepoch('2026-01-01'));
        INSERT INTO job_queue (scheduled_at, site_id, visible_at) VALUES (unixepoch('2026-01-01'), 1, unixepoch('2026-01-01'));
        INSERT INTO ping_status (scheduled_at, site_id, status, reason, error, started_at_us, body_bytes, worker, attempt)
          VALUES (unixepoch('2025-12-31 23:59:00'), 1, 'down', 'status', 'status 503', 0, 0, 'w', 1),
                 (unixepoch('2026-01-01'), 1, 'up', NULL, NULL, 0, 0, 'w', 1)";

    /// One row in the partition of its day, and one in that for all others.
    const POSTGRES: &str = "
        INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, tags, origin, active_from)
          VALUES (1, 'shop', 'http://a/', 60, 0, 1000, 1, true, '[\"prod\"]', 'command', '2025-12-31Z'),
                 (2, 'blog', 'http://b/', 60, 0, 1000, 1, false, '[]', 'command', '2025-12-31Z');
        INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s) VALUES (1, '2025-12-31Z', 60, 0);
        INSERT INTO sites (site_id, url, last_updated, last_status, since)
          VALUES (1, 'http://a/', '2026-01-01Z', 'up', '2026-01-01Z'), (2, 'http://b/', '2026-01-01Z', 'missed', '2026-01-01Z');
        INSERT INTO job_queue (scheduled_at, site_id, visible_at) VALUES ('2026-01-01Z', 1, '2026-01-01Z');
        CREATE TABLE ping_status_20251231 (LIKE ping_status INCLUDING ALL);
        ALTER TABLE ping_status ATTACH PARTITION ping_status_20251231 FOR VALUES FROM ('2025-12-31Z') TO ('2026-01-01Z');
        INSERT INTO ping_status (scheduled_at, site_id, status, reason, error, started_at, body_bytes, worker, attempt)
          VALUES ('2025-12-31 23:59:00Z', 1, 'down', 'status', 'status 503', 'epoch', 0, 'w', 1),
                 ('2026-01-01Z', 1, 'up', NULL, NULL, 'epoch', 0, 'w', 1)";

    #[actix::test]
    async fn a_filled_database_goes_on_in_sqlite() {
        goes_on(&World::upgraded_sqlite(SQLITE)).await;
    }

    #[actix::test]
    async fn a_filled_database_goes_on_in_postgres() {
        if let Some(world) = World::upgraded_postgres(POSTGRES).await {
            goes_on(&world).await;
        }
    }

    async fn goes_on(database: &World) {
        let shop = database.store.site("shop").await.unwrap();
        assert_eq!(
            (shop.verdict, shop.since, shop.freshness),
            (Some(Verdict::Up), shop.last_updated, Freshness::Fresh)
        );
        let blog = database.store.site("blog").await.unwrap();
        assert_eq!((blog.verdict, blog.since, blog.freshness), (None, None, Freshness::Missed));
        assert_eq!((shop.spec.settings, shop.spec.tags), (None, vec!["prod".to_owned()]));
        let range = last(&database.clock, 3600);
        let found = &database.store.statistics(range, Some(SiteId(1))).await.unwrap()[0];
        assert_eq!((found.up, found.down), (1, 1));
        let failure = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();
        assert_eq!((failure.error.as_deref(), failure.evidence), (Some("status 503"), None));
        let waiting = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap();
        assert_eq!(waiting[0].target.settings, None);
        database.queue.complete("a", &slots(&waiting)).await.unwrap();

        let mut settings = CheckSettings::default();
        settings.request.method = "HEAD".to_owned();
        let spec = SiteSpec { settings: settings.if_any(), ..site("shop", 60) };
        assert_eq!(database.store.change(spec.clone()).await.unwrap().spec, spec);
        database.forward(60).await;
        database.queue.enqueue_due().await.unwrap();
        let job = database.queue.claim("a", Region::DEFAULT, 1, LEASE).await.unwrap().remove(0);
        let evidence = Box::new(Evidence { body: Some("sorry".to_owned()), ..Evidence::default() });
        let failed = CheckResult { evidence: Some(evidence), ..result(&job, Status::Down) };
        database.store.persist(&batch(vec![failed])).await.unwrap();

        let failure = database.store.last_failure(SiteId(1)).await.unwrap().unwrap();
        assert_eq!(failure.evidence.unwrap().evidence.body.as_deref(), Some("sorry"));
    }
}
