//! Slots of several regions, on every database: each is checked by the workers of its region, and none is in another's way.

use uptime_monitor::clock::Clock;

use super::*;

on_every_database!(
    slots_of_a_region_are_claimed_by_its_workers_alone,
    one_site_and_second_in_two_regions_are_two_slots_with_two_results,
    a_lease_is_of_one_region,
    late_slots_of_a_region_without_workers_end_as_missed,
    leases_of_a_region_whose_workers_have_died_end_as_missed,
    jobs_that_may_kill_their_worker_are_for_workers_of_their_region,
    slots_of_an_older_version_are_settled_in_every_region,
    what_waits_in_another_region_delays_no_claim,
    results_of_another_region_change_no_state_report_or_audit,
    a_lost_slot_is_unaccounted_although_another_region_has_its_result,
    jobs_of_another_region_keep_no_audit_from_judging,
    jobs_of_a_removed_site_go_in_every_region,
    a_clock_that_is_set_back_takes_back_jobs_of_every_region,
    results_of_every_region_are_pruned,
);

fn eu() -> Region {
    "eu".parse().unwrap()
}

/// Queues everything that waits for a second time, for workers of another region.
async fn queue_in_eu_too(database: &World) {
    database
        .sql(
            "INSERT INTO job_queue (region, scheduled_at, site_id, visible_at, late_after_s)
             SELECT 'eu', scheduled_at, site_id, scheduled_at, late_after_s FROM job_queue WHERE region = ''",
        )
        .await;
}

/// So many sites that are due each minute, of which one minute has become due in both regions.
async fn due_in_both(database: &World, sites: usize) {
    many(database, sites, 60).await;
    for _ in 0..60 {
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
    }
    queue_in_eu_too(database).await;
}

async fn claim(database: &World, owner: &str, region: Region) -> Vec<Job> {
    let mut jobs = database.queue.claim(owner, region, 1_000, LEASE).await.unwrap();
    jobs.sort_by_key(|job| job.slot);
    jobs
}

async fn store(database: &World, results: Vec<CheckResult>) -> uptime_monitor::store::Persisted {
    database.store.persist(&batch(results)).await.unwrap()
}

async fn rows(database: &World, condition: &str) -> u64 {
    database.number(&format!("SELECT count(*) FROM ping_status WHERE {condition}")).await
}

async fn waiting(database: &World, condition: &str) -> u64 {
    database.number(&format!("SELECT count(*) FROM job_queue WHERE {condition}")).await
}

fn moments(jobs: &[Job]) -> Vec<(Timestamp, SiteId)> {
    jobs.iter().map(|job| (job.slot.scheduled_at, job.slot.site_id)).collect()
}

async fn slots_of_a_region_are_claimed_by_its_workers_alone(database: &World) {
    due_in_both(database, 5).await;

    let nowhere = claim(database, "n", "us".parse().unwrap()).await;
    let here = claim(database, "a", Region::DEFAULT).await;
    let there = claim(database, "b", eu()).await;

    assert_eq!((nowhere.len(), here.len(), there.len()), (0, 5, 5));
    assert!(here.iter().all(|job| job.slot.region.is_default()));
    assert!(there.iter().all(|job| job.slot.region == eu()));
    assert_eq!(moments(&here), moments(&there));
}

async fn one_site_and_second_in_two_regions_are_two_slots_with_two_results(database: &World) {
    due_in_both(database, 1).await;
    let (here, there) = (claim(database, "a", Region::DEFAULT).await, claim(database, "b", eu()).await);
    let found = |job: &Job, status| result(job, status);

    let first = store(database, vec![found(&here[0], Status::Up), found(&there[0], Status::Down)]).await;
    let again = store(database, vec![found(&there[0], Status::Up), found(&here[0], Status::Down)]).await;

    assert_eq!((first.new.len(), first.repeated), (2, 0));
    assert_eq!((again.new, again.repeated), (vec![], 2), "the first result of each stands");
    assert_eq!(rows(database, "region = '' AND status = 'up'").await, 1);
    assert_eq!(rows(database, "region = 'eu' AND status = 'down'").await, 1);
    assert_eq!(rows(database, "true").await, 2);
}

async fn a_lease_is_of_one_region(database: &World) {
    due_in_both(database, 1).await;
    // One process has both, as no two have.
    let (here, there) = (claim(database, "a", Region::DEFAULT).await, claim(database, "a", eu()).await);
    let queue = &database.queue;
    let mut held = queue.leased("a").await.unwrap();
    held.sort();
    assert_eq!(held, [here[0].slot, there[0].slot]);

    let long = LEASE * 4;
    assert_eq!(queue.renew("a", &[there[0].slot], long).await.unwrap(), 1);
    assert_eq!(queue.release("a", &[here[0].slot]).await.unwrap(), 1);
    assert_eq!(queue.leased("a").await.unwrap(), [there[0].slot]);
    assert_eq!(slots(&claim(database, "b", Region::DEFAULT).await), [here[0].slot]);
    assert_eq!(queue.hand_back("b", &[here[0].slot, there[0].slot]).await.unwrap(), 1);
    assert_eq!(claim(database, "b", Region::DEFAULT).await[0].attempt, 2, "one lease of two did not count");

    assert_eq!(queue.complete("b", &[there[0].slot]).await.unwrap(), 0, "it is another's");
    assert_eq!(queue.complete("b", &[here[0].slot]).await.unwrap(), 1);
    assert_eq!((waiting(database, "true").await, waiting(database, "region = 'eu'").await), (1, 1));
    assert_eq!(queue.complete("a", &[there[0].slot]).await.unwrap(), 1);
}

async fn late_slots_of_a_region_without_workers_end_as_missed(database: &World) {
    due_in_both(database, 30).await;
    for job in claim(database, "a", Region::DEFAULT).await {
        store(database, vec![result(&job, Status::Up)]).await;
        database.queue.complete("a", &[job.slot]).await.unwrap();
    }
    assert_eq!(database.queue.depth().await.unwrap().jobs, 30);

    database.forward(130).await;
    // As much as one portion takes, and then the rest.
    let settled = [
        database.queue.settle_late("w", 20).await.unwrap(),
        database.queue.settle_late("w", 20).await.unwrap(),
    ];

    assert_eq!(settled.map(|settled| (settled.missed, settled.more)), [(20, true), (10, false)]);
    assert_eq!(rows(database, "region = 'eu' AND status = 'missed'").await, 30);
    assert_eq!(rows(database, "region = '' AND status = 'up'").await, 30);
    assert_eq!(database.queue.depth().await.unwrap().jobs, 0);
    let sites = database.store.sites().await.unwrap();
    assert!(sites.iter().all(|site| site.known().freshness == Freshness::Fresh), "checked where it counts");
}

async fn leases_of_a_region_whose_workers_have_died_end_as_missed(database: &World) {
    due_in_both(database, 3).await;
    let here = claim(database, "a", Region::DEFAULT).await;
    database.queue.complete("a", &slots(&here)).await.unwrap();
    assert_eq!(claim(database, "dead", eu()).await.len(), 3);

    database.forward(20).await;
    assert_eq!(claim(database, "b", eu()).await.len(), 0);
    assert_eq!(database.queue.settle_late("w", 10).await.unwrap().missed, 0, "somebody may work on them");
    database.forward(120).await;
    let settled = database.queue.settle_late("w", 10).await.unwrap();

    assert_eq!(settled.missed, 3);
    assert_eq!(rows(database, "region = 'eu' AND status = 'missed' AND attempt = 1").await, 3);
    assert_eq!(waiting(database, "true").await, 0);
}

async fn jobs_that_may_kill_their_worker_are_for_workers_of_their_region(database: &World) {
    due_in_both(database, 3).await;
    database.sql("UPDATE job_queue SET attempt = 2").await;
    database.sql("UPDATE job_queue SET attempt = 9 WHERE site_id = 3").await;
    assert_eq!(claim(database, "a", Region::DEFAULT).await.len() + claim(database, "b", eu()).await.len(), 0);

    let suspects = database.queue.claim_suspects("b", eu(), LEASE, 5).await.unwrap();

    // The one that is given up, and one to be tried alone.
    let found = |attempt| suspects.iter().filter(|job| job.attempt == attempt).count();
    assert_eq!((suspects.len(), found(10), found(3)), (2, 1, 1));
    assert!(suspects.iter().all(|job| job.slot.region == eu()));
    assert_eq!(waiting(database, "region = '' AND lease_owner IS NULL").await, 3);
    // And without a worker they do not stay either.
    database.forward(300).await;
    assert_eq!(database.queue.settle_late("w", 10).await.unwrap().missed, 6);
}

async fn slots_of_an_older_version_are_settled_in_every_region(database: &World) {
    due_in_both(database, 3).await;
    database.sql("UPDATE job_queue SET late_after_s = 0").await;

    database.forward(130).await;
    let mut missed = 0;
    for _ in 0..4 {
        missed += database.queue.settle_late("w", 10).await.unwrap().missed;
    }

    assert_eq!((missed, waiting(database, "true").await), (6, 0));
}

/// How long a hundred small claims take, and what they have found.
async fn claims(database: &World) -> (Duration, usize) {
    let began = Clock::instant();
    let mut claimed = 0;
    for _ in 0..100 {
        claimed += database.queue.claim("a", Region::DEFAULT, 5, LEASE).await.unwrap().len();
    }
    (began.elapsed(), claimed)
}

async fn what_waits_in_another_region_delays_no_claim(database: &World) {
    many(database, 500, 60).await;
    for _ in 0..60 {
        database.forward(1).await;
        database.queue.enqueue_due().await.unwrap();
    }
    // On a slow machine as well nothing becomes late meanwhile.
    database.sql("UPDATE job_queue SET late_after_s = 3600").await;
    let (alone, first) = claims(database).await;
    let series = if database.is_postgres() {
        "INSERT INTO job_queue (region, scheduled_at, site_id, visible_at, late_after_s)
         SELECT 'eu', at, id, at, 3600 FROM site_config,
           (SELECT date_trunc('second', uptime_now()) - interval '1 second' * n AS at FROM generate_series(0, 399) AS n) AS slot"
    } else {
        "WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < 399)
         INSERT INTO job_queue (region, scheduled_at, site_id, visible_at, late_after_s)
         SELECT 'eu', at, id, at, 3600 FROM (SELECT 1767225660 - n AS at FROM series), site_config"
    };
    database.sql(series).await;
    database.sql("UPDATE job_queue SET visible_at = scheduled_at, lease_owner = NULL, attempt = 0 WHERE region = ''").await;

    let (beside, second) = claims(database).await;

    assert_eq!((first, second, waiting(database, "region = 'eu'").await), (500, 500, 200_000));
    assert!(
        beside < alone * 4 + Duration::from_millis(500),
        "{alone:?} alone, and {beside:?} beside 200,000 others"
    );
}

async fn results_of_another_region_change_no_state_report_or_audit(database: &World) {
    due_in_both(database, 2).await;
    let (here, there) = (claim(database, "a", Region::DEFAULT).await, claim(database, "b", eu()).await);
    let range = last(&database.clock, 60);
    let up: Vec<_> = here.iter().map(|job| result(job, Status::Up)).collect();
    store(database, up).await;
    database.queue.complete("a", &slots(&here)).await.unwrap();
    let before = (
        database.store.sites().await.unwrap(),
        database.store.statistics(range, None).await.unwrap(),
        database.store.statistics(range, Some(SiteId(1))).await.unwrap(),
        database.store.audit(range, 0).await.unwrap(),
    );
    assert_eq!((before.1[0].up, before.3.expected, before.3.recorded, before.3.waiting), (1, 2, 2, 0));

    // Of the same slot, and of one that the default region does not have.
    let mut other = there[1].clone();
    other.slot.scheduled_at += TimeDelta::seconds(1);
    let found =
        vec![result(&there[0], Status::Down), result(&there[1], Status::Down), result(&other, Status::Down)];
    let stored = store(database, found).await;

    assert_eq!((stored.new.len(), stored.turns), (3, vec![]));
    let after = (
        database.store.sites().await.unwrap(),
        database.store.statistics(range, None).await.unwrap(),
        database.store.statistics(range, Some(SiteId(1))).await.unwrap(),
        database.store.audit(range, 0).await.unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(database.store.last_failure(SiteId(1)).await.unwrap(), None);
    assert_eq!(rows(database, "region = 'eu' AND status = 'down'").await, 3);
}

async fn a_lost_slot_is_unaccounted_although_another_region_has_its_result(database: &World) {
    due_in_both(database, 2).await;
    let (here, there) = (claim(database, "a", Region::DEFAULT).await, claim(database, "b", eu()).await);
    let found = there.iter().chain(&here[..1]).map(|job| result(job, Status::Up)).collect();
    store(database, found).await;
    let waits = database.store.audit(last(&database.clock, 60), 0).await.unwrap();
    assert_eq!((waits.recorded, waits.waiting, waits.unaccounted), (1, 1, 0));

    database.queue.complete("a", &slots(&here)).await.unwrap();

    let audit = database.store.audit(last(&database.clock, 60), 0).await.unwrap();
    assert_eq!((audit.expected, audit.recorded, audit.unaccounted), (2, 1, 1));
}

async fn jobs_of_another_region_keep_no_audit_from_judging(database: &World) {
    due_in_both(database, 2).await;
    let here = claim(database, "a", Region::DEFAULT).await;
    database.queue.complete("a", &slots(&here)).await.unwrap();
    assert_eq!(waiting(database, "region = 'eu'").await, 2);

    let settled = database.store.settled_before().await.unwrap();

    let [first, second] = &here[..] else { panic!("two jobs") };
    assert!(first.slot.scheduled_at < second.slot.scheduled_at);
    assert_eq!(
        settled,
        Some(second.slot.scheduled_at),
        "the last tick with news: what waits elsewhere is not waited for"
    );
    let audit = database.store.audit(last(&database.clock, 60), 0).await.unwrap();
    assert_eq!((audit.waiting, audit.unaccounted), (0, 2), "a job of another region is no excuse");
}

async fn jobs_of_a_removed_site_go_in_every_region(database: &World) {
    due_in_both(database, 2).await;

    database.store.remove("site-0").await.unwrap();

    assert_eq!((waiting(database, "true").await, waiting(database, "region = 'eu'").await), (2, 1));
}

async fn a_clock_that_is_set_back_takes_back_jobs_of_every_region(database: &World) {
    due_in_both(database, 2).await;
    assert_eq!(waiting(database, "true").await, 4);

    database.forward(-3_600).await;
    assert!(database.queue.enqueue_due().await.unwrap().set_back.is_some());

    assert_eq!(waiting(database, "true").await, 0);
}

async fn results_of_every_region_are_pruned(database: &World) {
    due_in_both(database, 2).await;
    let (here, there) = (claim(database, "a", Region::DEFAULT).await, claim(database, "b", eu()).await);
    store(database, here.iter().chain(&there).map(|job| result(job, Status::Up)).collect()).await;

    database.forward(10_000).await;
    let mut removed = 0;
    loop {
        let pruned = database.store.prune(lived_through(3_600, 1_000)).await.unwrap();
        removed += pruned.rows;
        if pruned.rows == 0 {
            break;
        }
    }

    assert_eq!((removed, rows(database, "true").await), (4, 0));
}
