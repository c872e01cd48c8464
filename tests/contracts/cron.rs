//! Sites that follow the calendar: every promise that sites with an interval have, on every database.

use super::catalog::{live_in_steps, unaccounted};
use super::store::store;
use super::*;

on_every_database!(
    slots_of_a_cron_expression_are_queued_at_its_moments,
    slots_are_queued_as_clocks_show_them_where_they_change,
    after_an_outage_of_any_length_each_cron_site_is_checked_once_and_the_audit_is_exact,
    a_site_that_changes_between_interval_and_cron_loses_no_slot,
    a_cron_job_may_wait_until_the_next_moment,
    results_of_one_cron_site_are_those_it_has_among_all,
    the_last_failure_of_a_cron_site_is_found,
    an_expression_of_a_newer_version_hides_nothing,
    a_clock_that_is_set_back_takes_no_cron_slot,
);

fn cron(expression: &str, zone: &str) -> Schedule {
    Schedule::Cron(Cron::parse(expression, Some(zone)).unwrap())
}

fn cron_site(name: &str, expression: &str, zone: &str) -> SiteSpec {
    SiteSpec { schedule: cron(expression, zone), ..site(name, 60) }
}

async fn add(database: &World, spec: SiteSpec) -> SiteId {
    database.store.add(spec, Start::InPhase).await.unwrap().id
}

/// Seconds since midnight of the first day.
fn second(slot: &Slot) -> i64 {
    (slot.scheduled_at - jan_1()).num_seconds()
}

async fn slots_of_a_cron_expression_are_queued_at_its_moments(database: &World) {
    database.queue.enqueue_due().await.unwrap();
    // Berlin is an hour ahead, and 1 January 2026 a Thursday.
    let shop = add(database, cron_site("shop", "*/20 1-2 * * thu", "Europe/Berlin")).await;
    let same = add(database, cron_site("same", "*/20 1-2 * * thu", "Europe/Berlin")).await;
    add(database, cron_site("other", "0 0 * * fri", "UTC")).await;

    let jobs = claimed_while(database, 3 * 60 * 60, 60).await;

    let moments = |id| -> Vec<i64> {
        jobs.iter().filter(|job| job.slot.site_id == id).map(|job| second(&job.slot) / 60).collect()
    };
    assert_eq!(
        moments(shop),
        [20, 40, 60, 80, 100],
        "the first was due at the very moment at which it was added"
    );
    assert_eq!(moments(same), moments(shop));
    assert_eq!(jobs.len(), 10);
}

/// Lets `seconds` go by in steps, and claims after each what has become due.
async fn claimed_while(database: &World, seconds: i64, step: i64) -> Vec<Job> {
    let mut jobs = Vec::new();
    for _ in 0..seconds / step {
        database.forward(step).await;
        database.queue.enqueue_due().await.unwrap();
        jobs.extend(
            database.queue.claim("a", Region::DEFAULT, 1_000, Duration::from_hours(10)).await.unwrap(),
        );
    }
    jobs
}

async fn slots_are_queued_as_clocks_show_them_where_they_change(database: &World) {
    // 2026-03-28T20:00:00Z; in Berlin clocks skip the hour from 2 to 3 in that night.
    database.forward(87 * 86_400 - 4 * 3_600).await;
    database.queue.enqueue_due().await.unwrap();
    for (name, expression) in [("night", "30 2 * * *"), ("flows", "*/10 1-3 * * *"), ("hourly", "@hourly")] {
        add(database, cron_site(name, expression, "Europe/Berlin")).await;
    }

    live_in_steps(database, 8 * 3_600, 600).await;

    let range = last(&database.clock, 86_400);
    let found = database.store.statistics(range, None).await.unwrap();
    let checks = |name: &str| found.iter().find(|site| site.site.spec.name == name).unwrap().checks();
    assert_eq!((checks("night"), checks("flows"), checks("hourly")), (1, 12, 8));
    // The slot of this very moment is too young.
    assert_eq!(unaccounted(database).await, (20, 20, 0));
}

async fn after_an_outage_of_any_length_each_cron_site_is_checked_once_and_the_audit_is_exact(
    database: &World,
) {
    add(database, cron_site("often", "* * * * *", "UTC")).await;
    add(database, cron_site("seldom", "*/30 * * * *", "UTC")).await;
    add(database, site("hourly", 3_600)).await;
    live_in_steps(database, 120, 1).await;

    for pause_s in [5, 30, 600, 8 * 3_600] {
        database.forward(pause_s).await;
        live_in_steps(database, 120, 1).await;

        let audit = database.store.audit(last(&database.clock, 86_400), 0).await.unwrap();
        let in_gaps: u64 = audit.gaps.iter().map(|gap| gap.slots).sum();
        assert_eq!(audit.unaccounted, 0, "{pause_s} s: {audit:?}");
        assert_eq!(audit.expected, audit.recorded + in_gaps, "{pause_s} s: {audit:?}");
    }
    let recorded = database.number("SELECT count(*) FROM ping_status WHERE site_id = 1").await;
    assert!(
        (11..=14).contains(&recorded),
        "each two minutes of work, and one slot of each pause: {recorded}"
    );
}

async fn a_site_that_changes_between_interval_and_cron_loses_no_slot(database: &World) {
    add(database, site("shop", 20)).await;
    live_in_steps(database, 130, 1).await;

    for schedule in [
        cron("* * * * *", "UTC"),
        cron("*/2 * * * *", "Asia/Kolkata"),
        Schedule::Every(7),
        cron("* * * * *", "UTC"),
    ] {
        database.store.change(SiteSpec { schedule: schedule.clone(), ..site("shop", 1) }).await.unwrap();
        assert_eq!(database.store.site("shop").await.unwrap().spec.schedule, schedule);
        live_in_steps(database, 130, 1).await;
        let (expected, recorded, unaccounted) = unaccounted(database).await;
        assert_eq!((expected - recorded, unaccounted), (0, 0), "{schedule:?}");
    }

    let disabled = SiteSpec { enabled: false, ..cron_site("shop", "* * * * *", "UTC") };
    database.store.change(disabled).await.unwrap();
    live_in_steps(database, 130, 1).await;
    database.store.change(cron_site("shop", "* * * * *", "UTC")).await.unwrap();
    live_in_steps(database, 130, 1).await;

    let (expected, recorded, unaccounted) = unaccounted(database).await;
    assert_eq!((expected - recorded, unaccounted), (0, 0));
}

async fn a_cron_job_may_wait_until_the_next_moment(database: &World) {
    add(database, cron_site("shop", "5,25 * * * *", "UTC")).await;
    database.forward(5 * 60).await;
    database.queue.enqueue_due().await.unwrap();

    database.forward(20 * 60 - 1).await;
    let in_time = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
    database.queue.hand_back("a", &slots(&in_time)).await.unwrap();
    database.forward(2).await;
    let late = database.queue.claim("a", Region::DEFAULT, 10, LEASE).await.unwrap();
    let settled = database.queue.settle_late("a", 10).await.unwrap();

    assert_eq!(in_time.iter().map(|job| second(&job.slot)).collect::<Vec<_>>(), [300]);
    assert_eq!((late.len(), settled.missed), (0, 1));
}

async fn results_of_one_cron_site_are_those_it_has_among_all(database: &World) {
    add(database, cron_site("a", "* * * * *", "UTC")).await;
    add(database, cron_site("b", "*/3 * * * *", "UTC")).await;
    live_in_steps(database, 1_200, 60).await;
    database.store.change(site("a", 30)).await.unwrap();
    live_in_steps(database, 120, 1).await;

    let range = last(&database.clock, 86_400);
    let all = database.store.statistics(range, None).await.unwrap();
    for one in &all {
        let alone = database.store.statistics(range, Some(one.site.id)).await.unwrap();
        assert_eq!(alone, std::slice::from_ref(one));
    }
    assert_eq!(all.iter().map(|site| site.checks()).collect::<Vec<_>>(), [24, 7]);
}

async fn the_last_failure_of_a_cron_site_is_found(database: &World) {
    let id = add(database, cron_site("shop", "* * * * *", "UTC")).await;
    let jobs = claimed_while(database, 600, 60).await;
    let rows = jobs.iter().enumerate();
    let status = |number| if number == 3 { Status::Down } else { Status::Up };
    store(database, rows.map(|(number, job)| result(job, status(number))).collect()).await;

    let found = database.store.last_failure(id).await.unwrap().expect("a failure");

    assert_eq!(found.scheduled_at, jobs[3].slot.scheduled_at);
}

async fn an_expression_of_a_newer_version_hides_nothing(database: &World) {
    add(database, cron_site("known", "* * * * *", "UTC")).await;
    add(database, cron_site("strange", "0 0 * * *", "UTC")).await;
    database.sql("UPDATE site_config SET cron = '0 0 L * * UTC' WHERE name = 'strange'").await;
    database.sql("UPDATE site_schedule SET cron = '0 0 L * * UTC' WHERE site_id = 2").await;

    live_in_steps(database, 300, 60).await;

    let sites = database.store.sites().await.unwrap();
    let unreadable: Vec<_> = sites.iter().map(|site| site.unreadable().is_some()).collect();
    assert_eq!(unreadable, [false, true]);
    assert!(matches!(database.store.site("strange").await, Err(StoreError::Unreadable(_))));
    // The slot of this very moment is too young.
    assert_eq!(unaccounted(database).await, (4, 4, 0));
}

async fn a_clock_that_is_set_back_takes_no_cron_slot(database: &World) {
    add(database, cron_site("shop", "* * * * *", "UTC")).await;
    live_in_steps(database, 130, 1).await;
    database.forward(3_600).await;
    live_in_steps(database, 130, 1).await;
    database.forward(-3_600).await;
    live_in_steps(database, 130, 1).await;

    let (_, recorded, unaccounted) = unaccounted(database).await;
    assert_eq!(unaccounted, 0);
    assert!(recorded >= 4, "{recorded}");
}
