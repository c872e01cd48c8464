//! Conditions on status, size, version, TLS and time, and what all of them make of a result.

use std::time::Duration;

use serde_json::json;

use super::{Answer, Expect, Expectations, Reason, Status, Verdict, answer, expect, only, summary};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn without_expectations_any_success_is_good_and_nothing_else() {
    let expect = Expect::compile(&Expectations::default()).unwrap();

    for (status, met) in [(199, false), (200, true), (204, true), (299, true), (300, false), (404, false)] {
        let verdicts = expect.judge(&Answer { status, ..answer() });

        assert_eq!(verdicts.len(), 1);
        assert_eq!((verdicts[0].what.as_str(), verdicts[0].met), ("status 2xx", met), "{status}");
    }
    assert!(!expect.needs_body());
    assert_eq!(expect.max_bytes(), None);
}

#[test]
fn a_status_is_one_of_those_expected() {
    let expect = expect(json!({"status": ["2xx", 304, "400-404"]}));

    for (status, met) in [(200, true), (304, true), (400, true), (404, true), (303, false), (405, false)] {
        let verdict = expect.judge(&Answer { status, ..answer() }).remove(0);

        assert_eq!(verdict.met, met, "{status}");
        assert_eq!(verdict.what, "status 2xx, 304, 400-404");
    }
}

#[test]
fn a_bad_status_is_told_with_its_name() {
    for (status, sentence) in [
        (404, "status 404 Not Found, expected 2xx"),
        (599, "status 599, expected 2xx"),
        (999, "status 999, expected 2xx"),
    ] {
        let verdict = expect(json!({})).judge(&Answer { status, ..answer() }).remove(0);

        assert_eq!(verdict.failure(), sentence);
        assert_eq!((verdict.reason, verdict.severity), (Reason::Status, Status::Down));
    }
}

#[test]
fn a_body_may_have_as_many_bytes_as_allowed() {
    for (body_bytes, truncated, met, actual) in [
        (0, false, true, "0 bytes"),
        (1000, false, true, "1000 bytes"),
        (1001, false, false, "1001 bytes"),
        (1001, true, false, "more than 1001 bytes"),
        (1000, true, false, "more than 1000 bytes"),
        (999, true, true, "more than 999 bytes"),
    ] {
        let verdict =
            only(json!({"body": {"max_bytes": 1000}}), &Answer { body_bytes, truncated, ..answer() });

        assert_eq!((verdict.met, verdict.actual.as_str()), (met, actual));
        assert_eq!(verdict.reason, Reason::TooLarge);
    }
    assert_eq!(expect(json!({"body": {"max_bytes": 1000}})).max_bytes(), Some(1000));
}

#[test]
fn a_limit_on_the_size_needs_no_text() {
    assert!(!expect(json!({"body": {"max_bytes": 1000}})).needs_body());
}

#[test]
fn a_body_that_is_too_large_is_told_with_both_numbers() {
    let verdict =
        only(json!({"body": {"max_bytes": 1000}}), &Answer { body_bytes: 1001, truncated: true, ..answer() });

    assert_eq!(verdict.failure(), "body of more than 1001 bytes, expected at most 1000");
}

#[test]
fn the_version_is_one_of_those_expected() {
    let verdict = only(json!({"http_version": ["HTTP/1.0", "HTTP/1.1"]}), &answer());
    assert!(verdict.met);

    let verdict = only(json!({"http_version": ["HTTP/1.0"]}), &answer());
    assert_eq!(verdict.failure(), "version HTTP/1.1, expected HTTP/1.0");
    assert_eq!(verdict.reason, Reason::Protocol);
}

#[test]
fn an_answer_comes_over_tls_as_expected() {
    for (policy, is_tls, failure) in [
        ("required", true, ""),
        ("required", false, "the answer came without TLS, expected https"),
        ("forbidden", false, ""),
        ("forbidden", true, "the answer came over TLS, expected plain http"),
    ] {
        let verdict = only(json!({"tls": policy}), &Answer { is_tls, ..answer() });

        assert_eq!(verdict.failure(), failure);
        assert_eq!((verdict.met, verdict.reason), (failure.is_empty(), Reason::Tls));
    }
}

#[test]
fn an_answer_over_tls_after_a_redirect_without_is_not_what_was_required() {
    let judged = |policy: &str| only(json!({"tls": policy}), &Answer { fell_back: true, ..answer() });

    let failure = "the answer came over TLS, after a redirect without, expected https";
    assert_eq!(judged("required").failure(), failure);
    assert!(!judged("forbidden").met);
}

#[test]
fn a_slow_answer_is_degraded_and_a_slower_one_is_down() {
    let limits = json!({"response_time": {"degraded": "1s", "down": "5s"}});
    let nanosecond = Duration::from_nanos(1);

    for (took, failure, severity) in [
        (SECOND, "", Status::Degraded),
        (SECOND + nanosecond, "response time 1.001s, expected at most 1s", Status::Degraded),
        (5 * SECOND, "response time 5s, expected at most 1s", Status::Degraded),
        (5 * SECOND + nanosecond, "response time 5.001s, expected at most 5s", Status::Down),
    ] {
        let verdict = only(limits.clone(), &Answer { took, ..answer() });

        assert_eq!((verdict.failure().as_str(), verdict.severity), (failure, severity));
        assert_eq!((verdict.met, verdict.reason), (failure.is_empty(), Reason::Slow));
    }
}

#[test]
fn one_limit_on_the_time_stands_alone() {
    let slow = Answer { took: Duration::from_millis(1200), ..answer() };

    let down = only(json!({"response_time": {"down": "1s"}}), &slow);
    let degraded = only(json!({"response_time": {"degraded": "1s"}}), &slow);
    let met = only(json!({"response_time": {"down": "90s"}}), &slow);

    assert_eq!((down.met, down.severity, down.actual.as_str()), (false, Status::Down, "1.2s"));
    assert_eq!((degraded.met, degraded.severity), (false, Status::Degraded));
    assert_eq!((met.met, met.what.as_str()), (true, "response time at most 90s"));
}

#[test]
fn nothing_failed_makes_no_summary() {
    assert_eq!(summary(&expect(json!({})).judge(&answer())), None);
}

#[test]
fn a_summary_names_the_first_reason_and_every_failure() {
    let expect = expect(json!({
        "status": [204],
        "headers": [{"name": "etag"}],
        "response_time": {"degraded": "100ms"},
    }));

    let (status, reason, error) = summary(&expect.judge(&answer())).unwrap();

    assert_eq!((status, reason), (Status::Down, Reason::Status));
    assert_eq!(
        error,
        "status 200 OK, expected 204; header etag is missing, expected to be there; \
         response time 350ms, expected at most 100ms"
    );
}

#[test]
fn slow_alone_degrades_and_slow_with_a_failure_is_down() {
    let slow = json!({"response_time": {"degraded": "100ms"}});
    let slow_and_plain = json!({"response_time": {"degraded": "100ms"}, "tls": "forbidden"});

    let (status, reason, _) = summary(&expect(slow).judge(&answer())).unwrap();
    assert_eq!((status, reason), (Status::Degraded, Reason::Slow));

    let (status, reason, _) = summary(&expect(slow_and_plain).judge(&answer())).unwrap();
    assert_eq!((status, reason), (Status::Down, Reason::Tls));
}

#[test]
fn the_reason_is_one_of_what_makes_the_status() {
    let expiring =
        Verdict::new(Reason::Tls, "certificate".into(), "soon".into(), false, str::to_owned).degrading();
    let slow = Verdict::new(Reason::Slow, "time".into(), "5s".into(), false, str::to_owned);

    let (status, reason, error) = summary(&[expiring, slow]).unwrap();

    assert_eq!((status, reason, error.as_str()), (Status::Down, Reason::Slow, "soon; 5s"));
}
