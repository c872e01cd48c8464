//! A database that the version before has made and left in the middle of its work, under this version.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers;

const OLD: &str = include_str!("../upgrade/postgres.sql");

/// The same as if it had been left within this hour, a multiple of every interval; and a hundred sites more, each due every second.
const SHIFTED: &str = "
    CREATE TEMP TABLE shift AS
      SELECT floor(extract(epoch FROM now() - last_tick) / 3600) * interval '1 hour' AS by FROM scheduler_state;
    UPDATE site_config SET active_from = active_from + by FROM shift;
    UPDATE site_schedule SET valid_from = valid_from + by, valid_to = valid_to + by, first_slot = first_slot + by FROM shift;
    UPDATE job_queue SET scheduled_at = scheduled_at + by, visible_at = visible_at + by FROM shift;
    UPDATE sites SET last_updated = last_updated + by, since = since + by, verdict_at = verdict_at + by,
      differed_at = differed_at + by FROM shift;
    UPDATE ping_status SET scheduled_at = scheduled_at + by, started_at = started_at + by FROM shift;
    UPDATE schedule_gap SET after_at = after_at + by, until_at = until_at + by FROM shift;
    UPDATE scheduler_state SET last_tick = last_tick + by FROM shift;
    UPDATE retention_state SET seen_at = seen_at + by, believed_until = believed_until + by FROM shift;
    INSERT INTO site_config (name, url, every_s, phase_s, timeout_ms, retries, enabled, origin, active_from)
      SELECT 'second-' || n, '', 1, 0, 900, 0, true, 'command', last_tick FROM scheduler_state, generate_series(0, 99) AS n;
    INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s)
      SELECT id, active_from, every_s, phase_s FROM site_config WHERE name LIKE 'second-%';
    INSERT INTO sites (site_id, url) SELECT id, url FROM site_config WHERE name LIKE 'second-%';";

/// Rows that tell what was seen by the version before.
const EVIDENCE: &str = "SELECT count(*) FROM ping_status WHERE http_status = 503 AND evidence::text LIKE '%expected 2xx%' AND worker = 'old'";

fn leave_behind(cluster: &Cluster<'_>) {
    let there = cluster.target.url("/");
    let watched = format!(
        "UPDATE site_config SET url = '{there}' WHERE name <> 'broken'; UPDATE sites SET url = '{there}'"
    );
    cluster.ask(&format!("SET ROLE uptime; SET search_path = public; {OLD}; {SHIFTED}; {watched}"));
}

#[test]
fn a_database_of_the_version_before_is_migrated_by_several_processes_at_once_that_then_check() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres).alone();
    leave_behind(&cluster);
    // What comes after the first job that was left is for this version to find out.
    let settled = "FROM ping_status WHERE scheduled_at < (SELECT min(scheduled_at) FROM job_queue)";
    let of = |status: &str| cluster.number(&format!("SELECT count(*) {settled} AND status = '{status}'"));
    let (old, left) =
        ([of("up"), of("down"), of("missed")], cluster.number("SELECT count(*) FROM job_queue"));
    let time = |at: &str| {
        cluster.ask(&format!("SELECT to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"))
    };
    let from = time("(SELECT min(scheduled_at) FROM ping_status)");
    let to = time("(SELECT min(scheduled_at) FROM job_queue)");
    assert!(old[0] > 20 && old[1] > 2 && left > 0, "{old:?}, and {left} jobs");

    let roles = ["scheduler", "worker", "scheduler", "worker"].map(|role| cluster.spawn(role));
    let beside = ["migrate", "sites list", "report", "sites show broken"];
    let beside = beside.map(|command| Process::spawn(&mut cluster.command(command)));
    for command in beside {
        let done = command.ends();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    roles.iter().for_each(|role| role.says("watching"));
    cluster.records_more(500);
    let [scheduler, killed, other_scheduler, worker] = roles;
    killed.kill();
    cluster.records_more(300);

    cluster.assert_every_slot_once(vec![scheduler, other_scheduler], 800);
    worker.kill();
    let report = cluster.cli(&format!("report --from {from} --to {to} --format json"));
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let sum = |key: &str| -> u64 {
        report["sites"].as_array().unwrap().iter().map(|site| site[key].as_u64().unwrap()).sum()
    };
    assert_eq!([sum("up"), sum("down"), sum("missed")], old);
    assert_eq!(cluster.number("SELECT count(*) FROM ping_status WHERE region <> ''"), 0);
    assert_eq!(cluster.number(EVIDENCE), old[1], "what was seen is kept");
}
