//! `docs/result.schema.json` is a promise to other programs: it says what a `CheckResult` is, no more and no less.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use common::jan_1;
use jsonschema::Validator;
use serde_json::{Map, Value};
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{
    Certificate, CheckResult, Evidence, Hop, Job, Reason, Region, SiteId, Slot, Status, Target, Timings,
    Unchecked,
};

const SCHEMA: &str = include_str!("../docs/result.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::options().should_validate_formats(true).build(&schema()).unwrap()
}

/// Every way in which the value breaks the schema, with its place.
fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

fn json(result: &CheckResult) -> Value {
    serde_json::to_value(result).unwrap()
}

/// A check over https that went well; every optional field is there.
fn checked() -> CheckResult {
    CheckResult {
        v: CheckResult::VERSION,
        site_id: Some(SiteId(42)),
        url: "https://example.com/".to_owned(),
        scheduled_at: jan_1(),
        region: Region::DEFAULT,
        started_at: jan_1() + TimeDelta::microseconds(12_345),
        status: Status::Up,
        reason: None,
        error: None,
        http_status: Some(200),
        http_version: Some("HTTP/1.1".to_owned()),
        remote_addr: Some("[2001:db8::7]:443".parse().unwrap()),
        redirects: 1,
        final_url: Some("https://example.com/home".to_owned()),
        body_bytes: 1_256,
        wire_bytes: 1_500,
        body_truncated: false,
        timings: Timings {
            dns_us: Some(1_200),
            connect_us: Some(9_800),
            tls_us: Some(21_000),
            ttfb_us: Some(33_000),
            download_us: Some(0),
            total_us: Some(65_900),
        },
        certificate: Some(Certificate {
            not_before: jan_1() - TimeDelta::days(30),
            not_after: jan_1() + TimeDelta::days(60),
            subject: "CN=example.com".to_owned(),
            issuer: "CN=Example CA".to_owned(),
            chain_not_after: jan_1() + TimeDelta::days(50),
            names: vec!["example.com".to_owned()],
            fingerprint: "00".repeat(32),
        }),
        hops: Vec::new(),
        tries: 1,
        evidence: None,
        worker: "host-1".to_owned(),
        attempt: 1,
    }
}

/// A check with everything that a result can hold.
fn in_full() -> CheckResult {
    let checked = checked();
    let hop = Hop {
        url: "https://example.com/".to_owned(),
        http_status: Some(302),
        remote_addr: checked.remote_addr,
        timings: checked.timings,
        certificate: checked.certificate.clone(),
    };
    let evidence = Evidence {
        failed: vec!["status 404, expected 2xx".to_owned()],
        addresses: vec!["192.0.2.7".parse().unwrap()],
        headers: vec![("server".to_owned(), "test".to_owned())],
        skipped: vec!["My Header: x".to_owned()],
        body: Some("not found".to_owned()),
    };
    CheckResult {
        status: Status::Down,
        reason: Some(Reason::Status),
        body_truncated: true,
        region: "eu-west".parse().unwrap(),
        hops: vec![hop],
        evidence: Some(Box::new(evidence)),
        ..checked
    }
}

/// A check of an address literal over http that nobody asked a database for, and that nobody answered.
fn refused() -> CheckResult {
    CheckResult {
        site_id: None,
        status: Status::Down,
        reason: Some(Reason::Connect),
        error: Some("127.0.0.1:9: connection refused".to_owned()),
        http_status: None,
        http_version: None,
        remote_addr: Some("127.0.0.1:9".parse().unwrap()),
        final_url: None,
        timings: Timings { connect_us: Some(80), total_us: Some(120), ..Timings::default() },
        certificate: None,
        ..checked()
    }
}

fn unchecked(why: Unchecked) -> CheckResult {
    let slot = Slot { scheduled_at: jan_1(), site_id: SiteId(7), region: Region::DEFAULT };
    let target = Target {
        url: "http://127.0.0.1:9/".to_owned(),
        timeout: std::time::Duration::from_secs(1),
        retries: 0,
        settings: None,
    };
    let job = Job { slot, attempt: 6, next_slot: Clock::instant(), target };
    CheckResult::unchecked(&job, jan_1() + TimeDelta::seconds(90), "host-1", why)
}

#[test]
fn every_kind_of_result_is_valid() {
    let validator = validator();
    let truncated = CheckResult { body_truncated: true, ..checked() };
    let on_the_second = CheckResult { started_at: jan_1(), ..checked() };
    let long_ago =
        CheckResult { scheduled_at: DateTime::UNIX_EPOCH, started_at: DateTime::UNIX_EPOCH, ..checked() };

    for result in [
        checked(),
        refused(),
        truncated,
        in_full(),
        on_the_second,
        long_ago,
        unchecked(Unchecked::Late),
        unchecked(Unchecked::Poison),
    ] {
        let value = json(&result);

        assert_eq!(faults(&validator, &value), [""; 0], "{value:#}");
    }
}

#[test]
fn every_reason_and_status_is_in_the_schema_and_no_other() {
    let schema = schema();
    let words = |name: &str| -> BTreeSet<String> {
        serde_json::from_value(schema["$defs"][name]["enum"].clone()).unwrap()
    };

    let statuses: BTreeSet<String> = Status::ALL.iter().map(ToString::to_string).collect();
    let reasons: BTreeSet<String> = Reason::ALL.iter().map(ToString::to_string).collect();

    assert_eq!(words("status"), statuses);
    assert_eq!(words("reason"), reasons);
}

/// A field that is new in the code and not in the schema, or the other way round, is found here.
#[test]
fn the_schema_describes_exactly_the_fields_that_are_written() {
    let (schema, result) = (schema(), json(&in_full()));

    let described = |part: &Value| fields(part["properties"].as_object().unwrap());
    let written = |part: &Value| fields(part.as_object().unwrap());

    assert_eq!(described(&schema), written(&result));
    assert_eq!(described(&schema["$defs"]["timings"]), written(&result["timings"]));
    assert_eq!(described(&schema["$defs"]["certificate"]), written(&result["certificate"]));
    assert_eq!(described(&schema["$defs"]["hop"]), written(&result["hops"][0]));
    assert_eq!(described(&schema["$defs"]["evidence"]), written(&result["evidence"]));
}

#[test]
fn a_result_without_one_of_its_fields_is_refused() {
    let validator = validator();
    let whole = json(&checked());
    assert!(validator.is_valid(&whole));

    for place in ["", "/timings", "/certificate"] {
        for field in fields(whole.pointer(place).unwrap().as_object().unwrap()) {
            let mut value = whole.clone();
            value.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(&field);

            assert!(!validator.is_valid(&value), "{place}/{field} may be missing");
        }
    }
}

#[test]
fn a_result_with_a_wrong_value_is_refused() {
    let validator = validator();
    assert!(validator.is_valid(&json(&checked())));

    for (place, wrong) in [
        ("/v", Value::from(2)),
        ("/site_id", "42".into()),
        ("/scheduled_at", "2026-01-01T00:00:00.5Z".into()),
        ("/scheduled_at", "2026-13-01T00:00:00Z".into()),
        ("/started_at", "2026-01-01T00:00:00+01:00".into()),
        ("/status", "fine".into()),
        ("/status", "down".into()),
        ("/reason", "dns".into()),
        ("/reason", "unlucky".into()),
        ("/http_status", "200".into()),
        ("/remote_addr", "example.com:443".into()),
        ("/body_bytes", (-1).into()),
        ("/timings/dns_us", 1.5.into()),
        ("/certificate/not_after", Value::Null),
        ("/attempt", 0.into()),
    ] {
        let mut value = json(&checked());
        *value.pointer_mut(place).unwrap() = wrong.clone();

        assert!(!validator.is_valid(&value), "{place} may be {wrong}");
    }
}

#[test]
fn readers_accept_what_a_later_version_adds() {
    let mut value = json(&checked());
    value["carbon_g"] = 3.into();

    assert!(validator().is_valid(&value));
    assert_eq!(serde_json::from_value::<CheckResult>(value).unwrap(), checked());
}

#[test]
fn a_region_is_written_only_where_it_is_not_the_default() {
    let here = json(&checked());
    let there = CheckResult { region: "eu-west".parse().unwrap(), ..checked() };

    assert!(here.get("region").is_none(), "{here}");
    let mut value = json(&there);
    assert_eq!(value["region"], "eu-west");
    assert!(validator().is_valid(&value));
    for wrong in [Value::from("EU"), "".into(), 1.into(), Value::Null, "a".repeat(32).into()] {
        value["region"] = wrong.clone();
        assert!(!validator().is_valid(&value), "the region may be {wrong}");
    }
}

#[test]
fn what_is_written_can_be_read_again() {
    let there = CheckResult { region: "eu-west".parse().unwrap(), ..checked() };
    for result in [checked(), refused(), unchecked(Unchecked::Late), unchecked(Unchecked::Poison), there] {
        let line = serde_json::to_string(&result).unwrap();

        assert_eq!(serde_json::from_str::<CheckResult>(&line).unwrap(), result);
    }
}

fn fields(object: &Map<String, Value>) -> BTreeSet<String> {
    object.keys().cloned().collect()
}
