//! Each document against its schema in `docs/`: no key more, and none less.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::*;
use crate::model::settings::CheckSettings;
use crate::model::{Evidence, Hop, Kind, Reason, Region, Status, Timings};
use crate::report::samples::{at, day, measured, unmeasured};
use crate::schedule::{Cron, Schedule};
use crate::store::accounting::{GapCount, Lag};
use crate::store::{Listed, Seen, accounting};

fn written(document: &impl Serialize) -> Value {
    let mut out = Vec::new();
    write_line(document, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

fn schema(text: &str) -> (Value, Validator) {
    let schema = serde_json::from_str(text).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    (schema, validator)
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Refuses a document that the schema does not allow, and one of whose keys the schema knows nothing.
fn assert_described(part: &Value, document: &Value, validator: &Validator) {
    let faults: Vec<String> =
        validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, [""; 0], "{document:#}");
    assert_eq!(keys(&part["properties"]), keys(document), "{document:#}");
}

/// Each key of `object` that `part` requires.
fn assert_required(part: &Value, optional: &[&str]) {
    let required: BTreeSet<&str> =
        part["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let all = keys(&part["properties"]);
    assert_eq!(all.difference(&required).copied().collect::<Vec<_>>(), optional);
}

#[test]
fn the_report_has_exactly_the_documented_keys() {
    let sites = [measured("shop", 3, 1), unmeasured("new")];

    let report = written(&Report::of(day(), &sites));

    let expected = json!({
        "from": "1970-01-01T00:00:00Z",
        "to": "1970-01-02T00:00:00Z",
        "sites": [
            {"site_id": 7, "name": "shop", "url": "https://shop.example/health", "status": "up",
             "since": "1970-01-01T00:01:00Z", "checks": 4, "up": 3, "degraded": 0, "down": 1, "missed": 2,
             "unknown": 1, "uptime_percent": 75.0, "p50_ms": 65.9, "p95_ms": 120.0, "p99_ms": 1200.45},
            {"site_id": 7, "name": "new", "url": "https://new.example/health", "status": null, "since": null,
             "checks": 0, "up": 0, "degraded": 0, "down": 0, "missed": 0, "unknown": 0,
             "uptime_percent": null, "p50_ms": null, "p95_ms": null, "p99_ms": null},
        ],
    });
    assert_eq!(report, expected);
    let (schema, validator) = schema(include_str!("../../docs/report.schema.json"));
    assert_described(&schema, &report, &validator);
    assert_required(&schema, &[]);
    assert_eq!(keys(&schema["$defs"]["site"]["properties"]), keys(&report["sites"][0]));
    assert_required(&schema["$defs"]["site"], &[]);
}

#[test]
fn uptime_reads_100_only_where_nothing_was_down() {
    assert_eq!(measured("shop", 5, 0).uptime_percent(), Some(100.0));
    assert!(measured("shop", u64::MAX / 2, 1).uptime_percent().is_some_and(|percent| percent < 100.0));
    assert_eq!(unmeasured("new").uptime_percent(), None);
}

fn audit() -> accounting::Audit {
    accounting::Audit {
        range: day(),
        expected: 11,
        recorded: 6,
        waiting: 0,
        on_its_way: 0,
        unaccounted: 2,
        gaps: vec![GapCount { from: 59, to: 119, slots: 3 }],
        lag_ms: Some(Lag { p50: 12, p99: 80, max: 1_200 }),
        sites: Vec::new(),
    }
}

#[test]
fn the_audit_has_exactly_the_documented_keys() {
    let whole = written(&Audit::from(&audit()));

    let expected = json!({
        "from": "1970-01-01T00:00:00Z", "to": "1970-01-02T00:00:00Z", "sites": 0,
        "expected": 11, "recorded": 6, "missing": 5, "on_its_way": 0, "unaccounted": 2,
        "gaps": [{"from": "1970-01-01T00:01:00Z", "to": "1970-01-01T00:02:00Z", "slots": 3}],
        "lag_ms": {"p50": 12, "p99": 80, "max": 1200},
    });
    assert_eq!(whole, expected);
    let (schema, validator) = schema(include_str!("../../docs/audit.schema.json"));
    assert_described(&schema, &whole, &validator);
    assert_required(&schema, &[]);
}

#[test]
fn without_checks_the_lag_is_null_and_a_gap_never_reaches_out_of_the_range() {
    let gaps = vec![GapCount { from: -1, to: 86_400, slots: 1 }];
    let nothing = written(&Audit::from(&accounting::Audit { lag_ms: None, gaps, ..audit() }));

    assert_eq!(nothing["lag_ms"], json!({"p50": null, "p99": null, "max": null}));
    let (from, to) = ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z");
    assert_eq!(nothing["gaps"], json!([{"from": from, "to": to, "slots": 1}]));
}

fn failure() -> crate::store::Failure {
    let hop = Hop {
        url: "https://shop.example/".to_owned(),
        http_status: Some(302),
        remote_addr: Some("192.0.2.7:443".parse().unwrap()),
        timings: Timings::default(),
        certificate: None,
    };
    let evidence = Evidence {
        failed: vec!["status 503, expected 2xx".to_owned()],
        addresses: vec!["192.0.2.7".parse().unwrap()],
        headers: vec![("server".to_owned(), "test".to_owned())],
        skipped: vec!["My Header: x".to_owned()],
        body: Some("sorry".to_owned()),
    };
    crate::store::Failure {
        scheduled_at: at(60),
        status: Status::Down,
        reason: Some(Reason::Status),
        error: Some("status 503, expected 2xx".to_owned()),
        evidence: Some(Seen { evidence, hops: vec![hop], tries: Some(2) }),
    }
}

/// Sites that have, together, every key there is.
fn sites() -> [Listed; 4] {
    let interval = measured("shop", 1, 0).site;
    let mut cron = interval.clone();
    let expression = Cron::parse("*/5 8-18 * * mon-fri", Some("Europe/Berlin")).unwrap();
    cron.spec.schedule = Schedule::Cron(expression.clone());
    cron.rhythm = crate::schedule::Rhythm::Cron(expression);
    let mut bare = interval.clone();
    let mut settings = CheckSettings::of_kind(Kind::Tcp);
    settings.tcp.as_mut().unwrap().send = Some("PING\r\n".into());
    settings.request.hide = vec!["a secret".to_owned()];
    settings.tls.accept_invalid = true;
    settings.expect.response_time.degraded = Some(std::time::Duration::from_secs(1));
    bare.spec.settings = Some(Box::new(settings));
    [interval.clone().into(), cron.into(), bare.into(), Listed::unread(interval, "settings: unknown field")]
}

#[test]
fn a_site_has_exactly_the_documented_keys() {
    let (schema, validator) = schema(include_str!("../../docs/site.schema.json"));
    let mut all = BTreeMap::new();
    let failure = failure();

    for listed in &sites() {
        let shown = Shown { site: Site::from(listed), last_failure: Some(Failure::from(&failure)) };
        let document = written(&shown);
        let faults: Vec<_> = validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{document:#}");
        all.extend(document.as_object().unwrap().clone());
    }

    assert_eq!(keys(&schema["properties"]), all.keys().map(String::as_str).collect());
    let optional = [
        "every",
        "expect",
        "last_failure",
        "phase",
        "request",
        "schedule",
        "send",
        "tls",
        "unreadable",
        "zone",
    ];
    assert_required(&schema, &optional);
    let last_failure = &schema["$defs"]["failure"];
    assert_eq!(keys(&last_failure["properties"]), keys(&all["last_failure"]));
    assert_eq!(keys(&schema["$defs"]["evidence"]["properties"]), keys(&all["last_failure"]["evidence"]));
}

fn health() -> Health {
    Health {
        ready: false,
        problems: vec!["actor checker-0 is down".to_owned()],
        role: "run".to_owned(),
        worker: "host-1".to_owned(),
        region: Region::DEFAULT,
        warnings: Vec::new(),
        version: "1.0.0".to_owned(),
        uptime_s: 5,
        database: Some(Service { ok: true, error: None }),
        result_log: Some(Log { ok: true, error: None, unacknowledged: 0, lag: Some(0), deleted_unread: 0 }),
        queue: Some(Queue { jobs: 2, leased: 1, oldest_due: Some(time(at(60))), oldest_due_age_s: Some(3) }),
        failing: BTreeMap::from([("ticks".to_owned(), "the database says no".to_owned())]),
        results: Some(Status::ALL.iter().map(|status| (status.as_str().to_owned(), 1.into())).collect()),
        worst_lag_ms: Some(12),
        restarts: Some(1),
        actors: vec![Actor { name: "checker-0".to_owned(), alive: false, restarts: 1 }],
    }
}

#[test]
fn health_has_exactly_the_documented_keys_also_while_starting() {
    let (schema, validator) = schema(include_str!("../../docs/health.schema.json"));
    let whole = written(&health());

    assert_described(&schema, &whole, &validator);
    assert_required(&schema, &[]);
    for (name, part) in [
        ("service", &whole["database"]),
        ("log", &whole["result_log"]),
        ("queue", &whole["queue"]),
        ("actor", &whole["actors"][0]),
        ("results", &whole["results"]),
    ] {
        assert_eq!(keys(&schema["$defs"][name]["properties"]), keys(part), "{name}");
    }
    let starting = Health {
        database: None,
        result_log: None,
        queue: None,
        results: None,
        worst_lag_ms: None,
        restarts: None,
        actors: Vec::new(),
        ..health()
    };
    assert!(validator.is_valid(&written(&starting)));
}

#[test]
fn what_a_schema_forbids_is_refused() {
    let report = written(&Report::of(day(), &[measured("shop", 3, 1)]));
    let (_, validator) = schema(include_str!("../../docs/report.schema.json"));
    for (place, wrong) in [
        ("/from", json!("yesterday")),
        ("/sites/0/status", json!("fine")),
        ("/sites/0/uptime_percent", json!(100.1)),
        ("/sites/0/checks", json!(-1)),
    ] {
        let mut document = report.clone();
        *document.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{place}");
    }
    let (_, validator) = schema(include_str!("../../docs/health.schema.json"));
    for (place, wrong) in
        [("/ready", json!("yes")), ("/database", json!({"ok": true})), ("/actors", json!({}))]
    {
        let mut document = written(&health());
        *document.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{place}");
    }
    let (_, validator) = schema(include_str!("../../docs/site.schema.json"));
    let [site, ..] = sites();
    for (place, wrong) in [("/freshness", json!("stale")), ("/every", json!(60)), ("/revision", json!(-1))] {
        let mut document = written(&Site::from(&site));
        *document.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{place}");
    }
}
