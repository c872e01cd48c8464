//! Conditions on headers.

use serde_json::json;

use super::{Answer, Json, Reason, Verdict, answer, only};

const HEADERS: &[(&str, &[u8])] = &[
    ("Content-Type", b" text/html; charset=utf-8\t"),
    ("Cache-Control", b"no-cache"),
    ("cache-control", b"max-age=0"),
    ("X-Place", b"M\xfcnchen"),
    ("X-Utf8", "Zürich".as_bytes()),
    ("X-Empty", b""),
];

fn judge(condition: &Json) -> Verdict {
    only(json!({"headers": [condition]}), &Answer { headers: HEADERS, ..answer() })
}

#[test]
fn a_condition_on_a_header_holds_as_its_operator_says() {
    for condition in [
        json!({"name": "content-type"}),
        json!({"name": "CONTENT-TYPE", "equals": "text/html; charset=utf-8"}),
        json!({"name": "content-type", "contains": "html"}),
        json!({"name": "content-type", "matches": "^text/(html|plain)"}),
        json!({"name": "content-type", "not_matches": "json"}),
        json!({"name": "etag", "absent": true}),
        json!({"name": "x-empty"}),
        json!({"name": "x-empty", "equals": ""}),
    ] {
        let verdict = judge(&condition);

        assert!(verdict.met, "{condition}: {verdict:?}");
        assert_eq!(verdict.failure(), "", "{condition}");
    }
}

#[test]
fn a_condition_on_a_header_fails_with_the_value_that_is_there() {
    for (condition, failure) in [
        (
            json!({"name": "Content-Type", "equals": "text/html"}),
            r#"header content-type is "text/html; charset=utf-8", expected to equal "text/html""#,
        ),
        (
            json!({"name": "content-type", "contains": "HTML"}),
            r#"header content-type is "text/html; charset=utf-8", expected to contain "HTML""#,
        ),
        (
            json!({"name": "content-type", "matches": r"json\b"}),
            r#"header content-type is "text/html; charset=utf-8", expected to match "json\b""#,
        ),
        (
            json!({"name": "content-type", "not_matches": "html"}),
            r#"header content-type is "text/html; charset=utf-8", expected not to match "html""#,
        ),
        (
            json!({"name": "cache-control", "absent": true}),
            r#"header cache-control is "no-cache", "max-age=0", expected to be absent"#,
        ),
        (json!({"name": "etag"}), "header etag is missing, expected to be there"),
    ] {
        let verdict = judge(&condition);

        assert_eq!(verdict.failure(), failure);
        assert_eq!((verdict.met, verdict.reason), (false, Reason::Header));
    }
}

#[test]
fn one_value_of_several_is_enough_but_none_may_match_what_must_not() {
    for (condition, met) in [
        (json!({"name": "cache-control", "equals": "max-age=0"}), true),
        (json!({"name": "cache-control", "contains": "age"}), true),
        (json!({"name": "cache-control", "matches": "^no-cache$"}), true),
        (json!({"name": "cache-control", "equals": "no-cache, max-age=0"}), false),
        (json!({"name": "cache-control", "not_matches": "max-age"}), false),
        (json!({"name": "cache-control", "not_matches": "public"}), true),
    ] {
        assert_eq!(judge(&condition).met, met, "{condition}");
    }
}

#[test]
fn a_missing_header_fails_every_condition_unless_it_may_be_missing() {
    for operator in ["equals", "contains", "matches", "not_matches"] {
        let strict = judge(&json!({"name": "etag", operator: "x"}));
        let lenient = judge(&json!({"name": "etag", operator: "x", "allow_missing": true}));

        assert_eq!((strict.met, strict.actual.as_str()), (false, "missing"), "{operator}");
        assert_eq!((lenient.met, lenient.actual.as_str()), (true, "missing"), "{operator}");
    }
}

#[test]
fn a_header_that_may_be_missing_is_judged_when_it_is_there() {
    let verdict = judge(&json!({"name": "content-type", "equals": "x", "allow_missing": true}));

    assert!(!verdict.met);
}

#[test]
fn a_value_that_is_no_utf_8_is_read_as_latin_1() {
    assert!(judge(&json!({"name": "x-place", "equals": "München"})).met);
    assert!(judge(&json!({"name": "x-utf8", "equals": "Zürich"})).met);
}

#[test]
fn several_operators_in_one_condition_must_all_hold() {
    let headers = Answer { headers: HEADERS, ..answer() };

    let verdicts = super::expect(
        json!({"headers": [{"name": "content-type", "contains": "html", "not_matches": "charset"}]}),
    )
    .judge(&headers);

    let met: Vec<_> = verdicts.iter().map(|verdict| verdict.met).collect();
    assert_eq!(met, [true, true, false]);
}

#[test]
fn a_long_value_is_told_in_part() {
    let long = "ä".repeat(10_000);
    let headers: Vec<_> = (0..1000).map(|_| ("x-long", long.as_bytes())).collect();

    let verdict = only(
        json!({"headers": [{"name": "x-long", "equals": long.as_str()}]}),
        &Answer { headers: &headers, ..answer() },
    );

    assert!(verdict.met);
    assert!(verdict.actual.chars().count() <= 201, "{}", verdict.actual);
    assert!(verdict.what.chars().count() <= 160, "{}", verdict.what);
}
