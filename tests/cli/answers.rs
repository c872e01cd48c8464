//! `report` and `audit`, over results that were put there by hand.

use serde_json::{Value, json};

use crate::support::Desk;

/// 2020-11-24T00:00:00Z
const MIDNIGHT: i64 = 1_606_176_000;
const HOUR: &str = "--from 2020-11-24T00:00:00Z --to 2020-11-24T01:00:00Z";

/// Two sites since before midnight, with every slot of the hour after it queued and none recorded.
fn desk() -> Desk {
    let desk = Desk::with_sites(&["shop", "blog"]);
    desk.sql(&format!(
        "DELETE FROM job_queue; UPDATE scheduler_state SET last_tick = {};
         UPDATE site_schedule SET valid_from = {MIDNIGHT} - 60, first_slot = NULL;",
        MIDNIGHT + 7_200
    ));
    desk
}

/// Records the slots of `site` number `from..to` of the hour.
fn record(desk: &Desk, site: &str, slots: std::ops::Range<i64>, status: &str, total_us: &str) {
    desk.sql(&format!(
        "WITH RECURSIVE n(n) AS (SELECT {} UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {})
         INSERT INTO ping_status (scheduled_at, site_id, status, started_at_us, total_us, body_bytes, worker, attempt)
         SELECT {MIDNIGHT} + phase_s + 60 * n, id, '{status}', ({MIDNIGHT} + phase_s + 60 * n) * 1000000 + 250000, {total_us}, 0, 'w', 1
         FROM n, site_config WHERE name = '{site}'",
        slots.start, slots.end
    ));
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_report_has_the_documented_shape() {
    let desk = desk();
    record(&desk, "shop", 0..50, "up", "20000");
    record(&desk, "shop", 50..55, "down", "NULL");
    record(&desk, "shop", 55..58, "missed", "NULL");
    record(&desk, "shop", 58..60, "unknown", "NULL");

    let report = desk.say(&format!("report --format json {HOUR}")).json();

    assert_eq!(keys(&report), ["from", "sites", "to"]);
    assert_eq!([&report["from"], &report["to"]], ["2020-11-24T00:00:00Z", "2020-11-24T01:00:00Z"]);
    let shop = json!({"site_id": 1, "name": "shop", "url": "https://shop.example/", "status": null, "since": null,
        "checks": 55, "up": 50, "degraded": 0, "down": 5, "missed": 3, "unknown": 2,
        "uptime_percent": 50.0 * 100.0 / 55.0, "p50_ms": 20.0, "p95_ms": 20.0, "p99_ms": 20.0});
    assert_eq!(report["sites"][1], shop);
    assert_eq!(report["sites"][0]["uptime_percent"], Value::Null);
}

#[test]
fn a_report_can_be_of_one_site_and_in_every_format() {
    let desk = desk();
    record(&desk, "shop", 0..60, "up", "20000");

    let table = desk.say(&format!("report --site shop {HOUR}")).fine();
    let csv = desk.say(&format!("report --site shop --format csv {HOUR}")).fine();
    let json = desk.say(&format!("report --site shop --format json {HOUR}")).json();

    assert!(table.ends_with("1 site, 60 checks, 100 % up\n"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains("blog"), "{table}");
    assert_eq!(
        csv.lines().nth(1).unwrap(),
        "1,shop,https://shop.example/,,,60,60,0,0,0,0,100.0,20.0,20.0,20.0"
    );
    assert_eq!(json["sites"].as_array().unwrap().len(), 1);
}

#[test]
fn the_range_takes_its_first_moment_and_not_its_last() {
    let desk = desk();
    record(&desk, "shop", 0..2, "up", "20000");
    let phase = desk.say("sites show shop --json").json()["phase"].as_i64().unwrap();
    let checks = |from: i64, to: i64| {
        let time = |second: i64| format!("2020-11-24T00:{:02}:{:02}Z", second / 60, second % 60);
        let report = format!("report --site shop --format json --from {} --to {}", time(from), time(to));
        desk.say(&report).json()["sites"][0]["checks"].clone()
    };

    assert_eq!(checks(phase, phase + 60), 1);
    assert_eq!(checks(phase, phase + 61), 2);
    assert_eq!(checks(phase + 1, phase + 60), 0);
}

#[test]
fn an_audit_finds_every_slot_and_exits_0() {
    let desk = desk();
    record(&desk, "shop", 0..60, "up", "20000");
    record(&desk, "blog", 0..60, "missed", "NULL");

    let json = desk.say(&format!("audit --json {HOUR}")).json();
    let text = desk.say(&format!("audit {HOUR}")).fine();

    let expected = json!({"from": "2020-11-24T00:00:00Z", "to": "2020-11-24T01:00:00Z", "sites": 2, "expected": 120,
        "recorded": 120, "missing": 0, "on_its_way": 0, "unaccounted": 0, "gaps": [], "lag_ms": {"p50": 250, "p99": 250, "max": 250}});
    assert_eq!(json, expected);
    assert!(text.ends_with("\nevery slot is accounted for\n"), "{text}");
}

#[test]
fn a_lost_slot_makes_an_audit_exit_1_and_names_the_site() {
    let desk = desk();
    record(&desk, "shop", 0..58, "up", "20000");
    record(&desk, "blog", 0..60, "up", "20000");

    let json = desk.say(&format!("audit --json {HOUR}"));
    let text = desk.say(&format!("audit {HOUR}"));

    assert_eq!((json.code, text.code), (1, 1));
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json!([json["recorded"], json["missing"], json["unaccounted"]]), json!([118, 2, 2]));
    assert!(text.out.contains("\nshop ") && !text.out.contains("\nblog "), "{text:?}");
    assert!(text.out.ends_with("\n2 slots of 1 site are unaccounted for\n"), "{text:?}");
}

#[test]
fn a_declared_gap_is_missing_and_accounted_for() {
    let desk = desk();
    record(&desk, "shop", 0..60, "up", "20000");
    record(&desk, "blog", 30..60, "up", "20000");
    desk.sql(&format!("INSERT INTO schedule_gap VALUES ({MIDNIGHT} - 1, {MIDNIGHT} + 1860)"));

    let json = desk.say(&format!("audit --json {HOUR}")).json();

    assert_eq!(json!([json["missing"], json["unaccounted"], json["gaps"][0]["slots"]]), json!([30, 0, 30]));
    assert_eq!(
        [&json["gaps"][0]["from"], &json["gaps"][0]["to"]],
        ["2020-11-24T00:00:00Z", "2020-11-24T00:31:01Z"]
    );
}

#[test]
fn an_audit_lists_every_site_when_asked_to() {
    let desk = desk();
    record(&desk, "shop", 0..60, "up", "20000");
    record(&desk, "blog", 0..60, "up", "20000");

    let text = desk.say(&format!("audit --sites {HOUR}")).fine();

    assert!(text.contains("\nblog ") && text.contains("\nshop "), "{text}");
}

#[test]
fn without_checks_there_is_no_lag() {
    let desk = Desk::with_sites(&["shop"]);

    let json = desk.say("audit --json --last 10m").json();

    assert_eq!(json["lag_ms"], json!({"p50": null, "p99": null, "max": null}));
}

#[test]
fn a_range_that_makes_no_sense_is_refused() {
    let desk = desk();
    for command in ["report", "audit"] {
        let reversed = format!("{command} --from 2020-11-24T01:00:00Z --to 2020-11-24T00:00:00Z");
        assert!(desk.say(&reversed).refused(2).contains("is not before"));
        assert!(desk.say(&format!("{command} --last 10")).refused(2).contains("write for example 10m"));
        assert!(desk.say(&format!("{command} --from yesterday")).refused(2).contains("2026-11-24T00:00:00Z"));
    }
}
