//! Conditions on the body as JSON.

use serde_json::{Value as Json, json};

use super::{Answer, Reason, Verdict, answer, expect, only};

const BODY: &[u8] = br#"{"status": "UP", "count": 3, "ratio": "0.5", "list": [1, 2.0, 3], "none": null, "name": "Gr\u00f6\u00dfe"}"#;

fn judged(condition: Json, body: &[u8]) -> Verdict {
    only(json!({"json": [condition]}), &Answer { body, body_bytes: body.len() as u64, ..answer() })
}

#[test]
fn every_operator_says_what_it_means() {
    for (condition, met) in [
        (json!({"path": "$.status"}), true),
        (json!({"path": "$.none"}), true),
        (json!({"path": "$.nothing"}), false),
        (json!({"path": "$.status", "exists": true}), true),
        (json!({"path": "$.nothing", "exists": false}), true),
        (json!({"path": "$.status", "exists": false}), false),
        (json!({"path": "$.status", "equals": "UP"}), true),
        (json!({"path": "$.status", "equals": "up"}), false),
        (json!({"path": "$.count", "equals": 3.0}), true),
        (json!({"path": "$.count", "equals": "3"}), false),
        (json!({"path": "$.list", "equals": [1.0, 2, 3]}), true),
        (json!({"path": "$.list[*]", "equals": 2}), true),
        (json!({"path": "$[?@ == null]"}), true),
        (json!({"path": "$.none", "equals": null}), true),
        (json!({"path": "$.count", "equals": null}), false),
        (json!({"path": "$.nothing", "equals": null}), false),
        (json!({"path": "$.none", "is_null": true}), true),
        (json!({"path": "$.status", "is_null": true}), false),
        (json!({"path": "$.none", "not_equals": null}), false),
        (json!({"path": "$.count", "not_equals": null}), true),
        (json!({"path": "$.nothing", "not_equals": null}), false),
        (json!({"path": "$.status", "is_null": false}), true),
        (json!({"path": "$.none", "is_null": false}), false),
        (json!({"path": "$.count", "not_equals": 4}), true),
        (json!({"path": "$.list[*]", "not_equals": 2}), false),
        (json!({"path": "$.nothing", "not_equals": 4}), false),
        (json!({"path": "$.count", "gt": 2}), true),
        (json!({"path": "$.count", "gt": 3}), false),
        (json!({"path": "$.count", "ge": 3}), true),
        (json!({"path": "$.ratio", "lt": 0.6}), true),
        (json!({"path": "$.ratio", "le": 0.4}), false),
        (json!({"path": "$.status", "gt": 0}), false),
        (json!({"path": "$.name", "length": 5}), true),
        (json!({"path": "$.list", "length": 3}), true),
        (json!({"path": "$", "length": 6}), true),
        (json!({"path": "$.count", "length": 1}), false),
        (json!({"path": "$.status", "matches": "^U"}), true),
        (json!({"path": "$.count", "matches": "3"}), false),
        (json!({"path": "$.list[?@ > 2]", "equals": 3}), true),
    ] {
        let verdict = judged(condition.clone(), BODY);

        assert_eq!((verdict.met, verdict.reason), (met, Reason::Json), "{condition}: {verdict:?}");
    }
}

#[test]
fn a_failure_names_the_path_and_what_is_there() {
    for (condition, failure) in [
        (json!({"path": "$.status", "equals": "DOWN"}), r#"$.status is "UP", expected to equal "DOWN""#),
        (json!({"path": "$.count", "is_null": true}), "$.count is 3, expected to equal null"),
        (json!({"path": "$.none", "is_null": false}), "$.none is null, expected not to equal null"),
        (json!({"path": "$.count", "gt": 5}), "$.count is 3, expected to be more than 5"),
        (json!({"path": "$.nothing", "le": 5}), "$.nothing is missing, expected to be at most 5"),
        (json!({"path": "$.list[*]", "equals": 9}), "$.list[*] is 1, 2.0, 3, expected to equal 9"),
    ] {
        assert_eq!(judged(condition, BODY).failure(), failure);
    }
}

#[test]
fn a_body_that_is_no_json_fails_and_says_why() {
    let condition = || json!({"path": "$.a", "exists": false});

    assert_eq!(judged(condition(), b"").failure(), "the body is empty, expected $.a to be absent");
    let failure = judged(condition(), b"<html>").failure();
    assert!(failure.starts_with("the body is no JSON (expected value at line 1 column 1)"), "{failure}");
    let cut = Answer { body: b"{\"a\":", body_bytes: 5, truncated: true, ..answer() };
    let verdict = only(json!({"json": [condition()]}), &cut);
    assert_eq!(verdict.failure(), "the body is only read for 5 bytes, expected $.a to be absent");
}

#[test]
fn nested_deeper_than_can_be_read_is_no_json() {
    let deep = "[".repeat(100_000);

    assert!(!judged(json!({"path": "$"}), deep.as_bytes()).met);
}

#[test]
fn what_others_read_is_json() {
    let latin: &[(&str, &[u8])] = &[("Content-Type", b"application/json;charset=ISO-8859-1")];
    let up = || json!({"path": "$.s", "equals": "UP"});
    for body in [
        &br#"{"s":"UP","note":"party \ud83c"}"#[..],
        br#"{"s":"UP","n":1e400}"#,
        b"{\"s\":\"UP\",\"city\":\"K\xf6ln\"}",
        format!("{{\"s\":\"UP\",\"l\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000)).as_bytes(),
    ] {
        assert!(judged(up(), body).met, "{}", String::from_utf8_lossy(body));
    }
    let city = json!({"json": [{"path": "$.city", "equals": "Zürich"}]});
    let body = b"{\"city\":\"Z\xfcrich\"}";
    assert!(only(city, &Answer { headers: latin, body, body_bytes: body.len() as u64, ..answer() }).met);
}

#[test]
fn a_path_that_is_too_much_work_meets_no_condition() {
    let body = format!("[{}]", vec!["[1,2,3,4,5,6,7]"; 2_000].join(","));
    for exists in [true, false] {
        let verdict = judged(json!({"path": "$..[?count($..*) > 0]", "exists": exists}), body.as_bytes());

        assert!(!verdict.met && verdict.failure().contains("more work to find"), "{verdict:?}");
    }
}

#[test]
fn large_numbers_are_compared_to_the_last_digit() {
    let body = br#"{"id": 9007199254740993}"#;

    assert!(judged(json!({"path": "$.id", "equals": 9_007_199_254_740_993_u64}), body).met);
    assert!(!judged(json!({"path": "$.id", "equals": 9_007_199_254_740_992_u64}), body).met);
}

#[test]
fn all_conditions_are_judged() {
    let conditions = json!({"json": [{"path": "$.a"}, {"path": "$.status"}, {"path": "$.b"}]});
    let verdicts = expect(conditions).judge(&Answer { body: BODY, ..answer() });

    assert_eq!(verdicts.iter().map(|verdict| verdict.met).collect::<Vec<_>>(), [true, false, true, false]);
}
