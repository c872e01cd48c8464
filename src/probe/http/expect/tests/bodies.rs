//! Conditions on the text of the body.

use serde_json::json;

use super::{Answer, Reason, Status, answer, expect, only};

fn with(body: &[u8]) -> Answer<'_> {
    Answer { body, body_bytes: body.len() as u64, ..answer() }
}

#[test]
fn each_text_and_each_expression_is_a_condition_of_its_own() {
    let body = json!({"body": {
        "contains": ["all", "is"], "not_contains": ["error"], "matches": ["w[el]+$"], "not_matches": ["(?i)FATAL"],
    }});

    let verdicts = expect(body.clone()).judge(&with(b"all is well"));
    assert!(verdicts.iter().all(|verdict| verdict.met), "{verdicts:?}");
    assert_eq!(verdicts.len(), 6);

    let verdicts = expect(body).judge(&with(b"fatal error"));
    let failed: Vec<String> =
        verdicts.iter().map(|verdict| verdict.failure()).filter(|it| !it.is_empty()).collect();
    assert_eq!(
        failed,
        [
            r#"body is "fatal error", expected to contain "all""#,
            r#"body is "fatal error", expected to contain "is""#,
            r#"body has "error", expected not to contain "error""#,
            r#"body is "fatal error", expected to match "w[el]+$""#,
            r#"body has "fatal", expected not to match "(?i)FATAL""#,
        ]
    );
}

#[test]
fn a_failure_is_down_because_of_the_body_and_shows_a_bearable_part_of_it() {
    let long = "x".repeat(100_000);

    let verdict = only(json!({"body": {"contains": ["ok"]}}), &with(long.as_bytes()));

    assert_eq!((verdict.met, verdict.reason, verdict.severity), (false, Reason::Body, Status::Down));
    assert!(verdict.actual.chars().count() < 220 && verdict.failure().chars().count() < 300, "{verdict:?}");
    assert_eq!(only(json!({"body": {"contains": ["ok"]}}), &with(b"")).actual, "empty");
}

#[test]
fn what_was_not_read_is_said_to_be_so() {
    let answer = Answer { body: b"abc", body_bytes: 3, truncated: true, ..answer() };

    let verdict = only(json!({"body": {"contains": ["z"]}}), &answer);

    assert_eq!(verdict.failure(), r#"body is "abc" in its first 3 bytes, expected to contain "z""#);
}

#[test]
fn the_text_is_read_in_the_charset_of_the_answer() {
    let headers: &[(&str, &[u8])] = &[("Content-Type", b"text/plain; charset=iso-8859-1")];
    let latin = Answer { headers, ..with(b"Gr\xf6\xdfe") };

    assert!(only(json!({"body": {"contains": ["Größe"]}}), &latin).met);
    assert!(only(json!({"body": {"matches": ["^Gr.ße$"]}}), &latin).met);
}

#[test]
fn a_part_of_a_coded_body_meets_no_condition() {
    let part = Answer { is_coded_part: true, ..with(b"\x1f\x8b\x08") };
    let is = "is a part of a coded one, which cannot be read alone, expected";

    for (condition, expected) in [
        (json!({"body": {"contains": ["ok"]}}), format!("body {is} to contain \"ok\"")),
        (json!({"body": {"not_contains": ["error"]}}), format!("body {is} not to contain \"error\"")),
        (json!({"body": {"not_matches": ["error"]}}), format!("body {is} not to match \"error\"")),
        (json!({"json": [{"path": "$.a", "exists": false}]}), format!("the body {is} $.a to be absent")),
    ] {
        assert_eq!(only(condition, &part).failure(), expected);
    }
}
