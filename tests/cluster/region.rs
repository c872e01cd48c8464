//! Workers of a region for which nobody queues.

use serde_json::Value;

use crate::cluster::{Cluster, free_address};
use crate::servers;

#[test]
fn a_worker_of_a_region_takes_no_slot_of_another_and_says_so() {
    let Some(postgres) = servers::postgres() else { return };
    let address = free_address();
    let cluster = Cluster::with_local_log(postgres);
    cluster.import_load();
    let settings = [("worker.region", "eu"), ("worker.name", "far"), ("web.listen", address.as_str())];
    let far = cluster.spawn_with("worker", &settings);
    far.says("this worker checks nothing: worker.region = \"eu\"");
    far.says("watching");
    let (scheduler, near) = (cluster.start("scheduler"), cluster.start("worker"));
    cluster.records_more(300);

    let told = cluster.cli(&format!("health --url http://{address} --json"));
    assert_eq!(told.code, Some(0), "it works as configured: {told:?}");
    let report: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        (&report["region"], report["warnings"].as_array().map(Vec::len)),
        (&"eu".into(), Some(1)),
        "{report}"
    );
    assert!(report["warnings"][0].as_str().unwrap().contains("leave worker.region empty"), "{report}");
    let told = cluster.cli(&format!("health --url http://{address}"));
    assert!(told.out.starts_with("ready: worker; this worker checks nothing"), "{told:?}");

    cluster.assert_every_slot_once(vec![scheduler], 300);
    assert_eq!(
        cluster.number("SELECT count(*) FROM ping_status WHERE worker = 'far' AND status <> 'missed'"),
        0
    );
    [near, far].into_iter().for_each(crate::process::Process::kill);
}

#[test]
fn jobs_of_a_region_are_checked_by_its_worker_and_stored_with_it() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    cluster.import(20, "hourly", "/", "1h");
    // As a later scheduler will queue them.
    cluster.ask(
        "INSERT INTO job_queue (region, scheduled_at, site_id, visible_at, late_after_s)
         SELECT 'eu', date_trunc('second', now()), id, date_trunc('second', now()), 3600 FROM site_config",
    );

    let near = cluster.start("worker");
    let far = cluster.spawn_with("worker", &[("worker.region", "eu"), ("worker.name", "far")]);

    cluster.eventually("they are checked", || {
        cluster.number(
            "SELECT count(*) FROM ping_status WHERE region = 'eu' AND worker = 'far' AND status = 'up'",
        ) == 20
    });
    // A job is removed after its result is stored.
    cluster.eventually("their jobs are gone", || {
        cluster.number("SELECT count(*) FROM job_queue WHERE region = 'eu'") == 0
    });
    [near, far].into_iter().for_each(crate::process::Process::kill);
}
