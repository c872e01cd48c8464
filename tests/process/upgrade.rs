//! A database that the version before has made and left in the middle of its work, under this version.

use diesel::connection::SimpleConnection as _;
use serde_json::Value;

use crate::machine::Machine;
use crate::process::Process;

const OLD: &str = include_str!("../upgrade/sqlite.sql");

/// The same as if it had been left within this hour, a multiple of every interval (rounded down, also for a clock that is behind); and a hundred sites more, each due every second.
const SHIFTED: &str = "
    CREATE TEMP TABLE shift AS SELECT (unixepoch() - last_tick + 360000000) / 3600 * 3600 - 360000000 AS s FROM scheduler_state;
    UPDATE site_config SET active_from = active_from + (SELECT s FROM shift);
    UPDATE site_schedule SET valid_from = valid_from + (SELECT s FROM shift), valid_to = valid_to + (SELECT s FROM shift),
      first_slot = first_slot + (SELECT s FROM shift);
    UPDATE job_queue SET scheduled_at = scheduled_at + (SELECT s FROM shift), visible_at = visible_at + (SELECT s FROM shift);
    UPDATE sites SET last_updated = last_updated + (SELECT s FROM shift), since = since + (SELECT s FROM shift),
      verdict_at = verdict_at + (SELECT s FROM shift), differed_at = differed_at + (SELECT s FROM shift);
    UPDATE ping_status SET scheduled_at = scheduled_at + (SELECT s FROM shift),
      started_at_us = started_at_us + (SELECT s FROM shift) * 1000000;
    UPDATE schedule_gap SET after_s = after_s + (SELECT s FROM shift), until_s = until_s + (SELECT s FROM shift);
    UPDATE scheduler_state SET last_tick = last_tick + (SELECT s FROM shift);
    UPDATE retention_state SET seen_at = seen_at + (SELECT s FROM shift), believed_until = believed_until + (SELECT s FROM shift);
    WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 99)
    INSERT INTO site_config (name, url, every_s, phase_s, timeout_ms, retries, enabled, origin, active_from)
      SELECT 'load-' || n, '', 1, 0, 900, 0, 1, 'command', (SELECT last_tick FROM scheduler_state) FROM number;
    INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s)
      SELECT id, active_from, every_s, phase_s FROM site_config WHERE name LIKE 'load-%';
    INSERT INTO sites (site_id, every_s, phase_s, url) SELECT id, every_s, phase_s, url FROM site_config WHERE name LIKE 'load-%';";

/// Rows that tell what was seen by the version before.
const EVIDENCE: &str = "SELECT count(*) AS number FROM ping_status WHERE http_status = 503 AND evidence LIKE '%expected 2xx%' AND worker = 'old'";

fn leave_behind(machine: &Machine) {
    let mut connection = machine.connect();
    connection.batch_execute(OLD).unwrap();
    connection.batch_execute(SHIFTED).unwrap();
    let there = machine.target.url("/");
    let watched = format!(
        "UPDATE site_config SET url = '{there}' WHERE name <> 'broken'; UPDATE sites SET url = '{there}'"
    );
    connection.batch_execute(&watched).unwrap();
}

#[test]
fn a_database_of_the_version_before_is_migrated_by_several_processes_at_once_that_then_check() {
    let machine = Machine::new();
    leave_behind(&machine);
    // What comes after the first job that was left is for this version to find out.
    let settled = "FROM ping_status WHERE scheduled_at < (SELECT min(scheduled_at) FROM job_queue)";
    let of = |status: &str| {
        machine.number(&format!("SELECT count(*) AS number {settled} AND status = '{status}'"))
    };
    let (old, left) = ([of("up"), of("down"), of("missed")], machine.jobs());
    let first = |table: &str| machine.number(&format!("SELECT min(scheduled_at) AS number FROM {table}"));
    let (from, to) = (first("ping_status"), first("job_queue"));
    assert!(old[0] > 20 && old[1] > 2 && left > 0, "{old:?}, and {left} jobs");

    let run = Process::spawn(&mut machine.command("run"));
    let beside = ["migrate", "sites list", "report", "migrate", "sites show broken"];
    let beside = beside.map(|command| Process::spawn(&mut machine.command(command)));
    for command in beside {
        let done = command.ends();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    run.says("watching");
    machine.records_more(500);
    run.kill();
    let run = machine.start();
    machine.records_more(300);
    run.kill();

    machine.assert_nothing_lost(800);
    let at = |s: i64| {
        chrono::DateTime::from_timestamp(s, 0).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let report = machine.cli(&format!("report --from {} --to {} --format json", at(from), at(to))).fine();
    let report: Value = serde_json::from_str(&report).unwrap();
    let sum = |key: &str| -> i64 {
        report["sites"].as_array().unwrap().iter().map(|site| site[key].as_i64().unwrap()).sum()
    };
    assert_eq!([sum("up"), sum("down"), sum("missed")], old);
    assert_eq!(machine.number("SELECT count(*) AS number FROM ping_status WHERE region <> ''"), 0);
    assert_eq!(machine.number(EVIDENCE), old[1], "what was seen is kept");
}
