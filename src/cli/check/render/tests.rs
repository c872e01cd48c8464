//! What a person reads.

use super::samples::{at, judged, loading, nameless, redirected, up};
use super::*;
use crate::model::{Evidence, Status};

fn rendered(found: &Outcome, colour: bool) -> String {
    let mut out = Vec::new();
    outcome("https://shop.test/", found, Page { width: None, colour }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn bars(from: usize, width: usize) -> String {
    format!("{}{}", " ".repeat(from), "█".repeat(width))
}

#[test]
fn a_site_that_is_up_is_told_with_its_expectations_phases_and_certificate() {
    let expected = [
        "UP https://shop.test/".to_owned(),
        String::new(),
        "  ✓ status 2xx                             200 OK".to_owned(),
        "  ✓ certificate of shop.test good for 14d  expires in 30 days".to_owned(),
        String::new(),
        "  answer      HTTP/1.1 200 from 192.0.2.7:443".to_owned(),
        format!("  connect          10.0 ms {}", bars(0, 9)),
        format!("  tls              20.0 ms {}", bars(9, 20)),
        format!("  wait             10.0 ms {}", bars(29, 10)),
        format!("  download          0.0 ms {}", bars(39, 1)),
        "  total            41.2 ms".to_owned(),
        "  size        1256 bytes of body; 648 bytes on the wire, heads included".to_owned(),
        String::new(),
        "  certificate CN=shop.test".to_owned(),
        "  names       shop.test, www.shop.test".to_owned(),
        "  issuer      CN=the authority".to_owned(),
        "  valid       from 2025-01-01 00:00 UTC, expires in 30 days, 2026-02-01 00:00 UTC".to_owned(),
        format!("  sha256      {}", "5e".repeat(32)),
    ];
    assert_eq!(rendered(&up(), false).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn every_hop_is_told_on_one_axis_and_a_bad_answer_with_what_it_said() {
    let found = Outcome { certificate: None, ..redirected() };

    let expected = [
        "DOWN https://shop.test/ (status)".to_owned(),
        "  status 404 Not Found, expected 2xx".to_owned(),
        String::new(),
        "  ✗ status 2xx  404 Not Found".to_owned(),
        String::new(),
        "  hop 1       https://shop.test/".to_owned(),
        "  answer      302 from 192.0.2.7:443".to_owned(),
        format!("  connect          10.0 ms {}", bars(0, 10)),
        format!("  tls              10.0 ms {}", bars(10, 10)),
        format!("  wait             10.0 ms {}", bars(20, 10)),
        "  certificate expires in 30 days, 2026-02-01 00:00 UTC".to_owned(),
        String::new(),
        "  hop 2       http://www.shop.test/".to_owned(),
        "              from https to http: from here on, others can read and change everything".to_owned(),
        "  answer      HTTP/1.1 404 from 192.0.2.7:80".to_owned(),
        format!("  connect           0.0 ms {}", bars(30, 1)),
        format!("  wait             10.0 ms {}", bars(30, 10)),
        String::new(),
        "  total            40.0 ms".to_owned(),
        "  size        12 bytes of body, and more that was not read; 180 bytes on the wire, heads included"
            .to_owned(),
        "  resolved    192.0.2.7, 192.0.2.8".to_owned(),
        "  tries       2; all of this is of the last one".to_owned(),
        String::new(),
        "  headers of the answer".to_owned(),
        "    Content-Type: text/html".to_owned(),
        String::new(),
        "  beginning of the body".to_owned(),
        "    <h1>".to_owned(),
        "      gone".to_owned(),
    ];
    assert_eq!(rendered(&found, false).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_check_without_an_answer_is_told_in_few_lines() {
    let expected = [
        "DOWN https://shop.test/ (dns)".to_owned(),
        "  cannot resolve shop.test".to_owned(),
        String::new(),
        format!("  dns               5.0 ms {}", bars(0, 40)),
        "  total             5.1 ms".to_owned(),
    ];
    assert_eq!(rendered(&nameless(), false).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn colour_comes_only_when_asked_for() {
    for (found, start) in [(up(), "\x1b[1;32mUP\x1b[0m "), (redirected(), "\x1b[1;31mDOWN\x1b[0m ")] {
        assert!(!rendered(&found, false).contains('\x1b'));
        assert!(rendered(&found, true).starts_with(start));
    }
    assert!(rendered(&redirected(), true).contains("\x1b[1;31m✗\x1b[0m status"));
    assert!(rendered(&up(), true).contains("\x1b[1;32m✓\x1b[0m status"));
}

#[test]
fn a_warning_is_marked_in_the_colour_of_its_verdict() {
    let slow = judged("response time at most 1s", "2s", false);
    let found = Outcome { status: Status::Degraded, judged: vec![slow], ..up() };

    assert!(rendered(&found, true).contains("\x1b[1;33m✗\x1b[0m response time"));
}

#[test]
fn a_long_expectation_does_not_push_the_others_away() {
    let long = format!("body contains \"{}\"", "x".repeat(100));
    let found =
        Outcome { judged: vec![judged(&long, "no", false), judged("status 2xx", "200 OK", true)], ..up() };

    let text = rendered(&found, false);

    assert!(text.contains("x\"  no\n") && text.contains("✓ status 2xx  200 OK\n"), "{text}");
}

#[test]
fn the_chain_and_a_certificate_of_tomorrow_are_told() {
    let mut found = up();
    let certificate = found.certificate.as_mut().unwrap();
    certificate.chain_not_after = at("2025-12-30T00:00:00Z");
    certificate.not_before = at("2026-01-02T00:00:00Z");

    let text = rendered(&found, false);

    assert!(text.contains("  chain       expired 2 days ago, 2025-12-30 00:00 UTC\n"), "{text}");
    assert!(text.contains("  valid       not yet: from 2026-01-02 00:00 UTC, "), "{text}");
}

#[test]
fn what_a_server_says_stays_within_a_screenful_and_leaves_the_terminal_alone() {
    let nasty = "\x1b[2J\u{7}\u{202e}\r".to_owned();
    let header = (format!("x{nasty}"), nasty.repeat(1000));
    let evidence = Evidence {
        headers: vec![header; 200],
        body: Some(format!("{nasty}\n").repeat(1000)),
        ..Evidence::default()
    };
    let mut found = Outcome { evidence: Some(Box::new(evidence)), ..redirected() };
    found.error = Some(nasty.clone());
    found.hops[1].url = nasty.clone();
    found.judged = vec![judged(&nasty, &nasty, false)];
    let certificate = found.certificate.as_mut().unwrap();
    certificate.subject = nasty.clone();
    certificate.names = vec![nasty; 20];

    let text = rendered(&found, false);

    assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert!(text.lines().count() <= 64, "{text}");
    let evidence = text.split_once("headers of the answer\n").unwrap().1;
    assert!(evidence.lines().all(|line| line.chars().count() <= 106), "{evidence}");
    assert!(evidence.contains("… and 188 more; --json has them all"), "{evidence}");
}

#[test]
fn a_connection_is_told_without_phases_and_words_of_http() {
    let expected = [
        "DOWN tcp://redis.test:6379 (body)".to_owned(),
        "  answer is \"-LOADING\", expected to contain \"+PONG\"".to_owned(),
        String::new(),
        "  ✗ answer contains \"+PONG\"  \"-LOADING\"".to_owned(),
        String::new(),
        "  connected   to 192.0.2.7:6379".to_owned(),
        format!("  connect          10.0 ms {}", bars(0, 20)),
        format!("  wait             10.0 ms {}", bars(20, 20)),
        "  total            20.0 ms".to_owned(),
        "  size        8 bytes of answer".to_owned(),
        String::new(),
        "  beginning of the answer".to_owned(),
        "    -LOADING".to_owned(),
    ];
    let mut out = Vec::new();
    outcome("tcp://redis.test:6379", &loading(), Page { width: None, colour: false }, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn evidence_is_cut_to_the_page() {
    let mut out = Vec::new();
    let evidence = Evidence { body: Some("x".repeat(500)), ..Evidence::default() };

    super::evidence::write(&evidence, None, Page { width: Some(60), colour: false }, &mut out).unwrap();

    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, format!("\n  beginning of the body\n    {}…\n", "x".repeat(55)));
}

#[test]
fn lines_that_were_passed_over_are_told_of() {
    let found = Outcome { skipped: vec!["\"My Header: x\"".into(), "and 3 more".into()], ..up() };

    let text = rendered(&found, false);

    assert!(text.contains("  passed over what is no header line: \"My Header: x\"\n"), "{text}");
    assert!(text.contains("              and 3 more\n"), "{text}");
}
