//! Connections without HTTP: what makes them up, what does not, and what is said of it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use uptime_monitor::clock::Clock;
use uptime_monitor::config::{Format, SiteDefaults, parse_sites};
use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::{Outcome, ProbeConfig};

use crate::name_server::name_server;
use crate::server::{LOOPBACK, Server, refusing};
use crate::{PATIENCE, assert_down, assert_up, no_deadline, open_config, probe};

/// For cases in which something is waited for in vain.
const SHORT: Duration = Duration::from_millis(300);

/// A site with these keys, validated like one of a file, as a check gets it.
pub(crate) fn site(url: &str, keys: Json) -> Target {
    let mut site = json!({"name": "a", "url": url});
    for (key, value) in keys.as_object().unwrap() {
        site[key] = value.clone();
    }
    let defaults = SiteDefaults { timeout: PATIENCE, body_limit: 1 << 20, name_from_url: false };
    let text = json!([site]).to_string();
    let import = parse_sites(text.as_bytes(), Format::Json, Path::new("sites.json"), &defaults, &[]).unwrap();
    assert!(import.rejected.is_empty(), "{:?}", import.rejected);
    Target { retries: 0, ..import.sites[0].spec.target() }
}

pub(crate) fn url(server: &Server) -> String {
    format!("tcp://{}", server.addr)
}

pub(crate) async fn check(server: &Server, keys: Json) -> Outcome {
    probe(&open_config()).check(&site(&url(server), keys), no_deadline()).await
}

pub(crate) async fn check_shortly(server: &Server, keys: Json) -> Outcome {
    let target = Target { timeout: SHORT, ..site(&url(server), keys) };
    let began = Clock::instant();
    let outcome = probe(&open_config()).check(&target, no_deadline()).await;
    assert!(Clock::instant() - began <= SHORT + Duration::from_millis(250), "{outcome:#?}");
    outcome
}

pub(crate) fn hang(mut tcp: TcpStream) {
    let _ = tcp.read_to_end(&mut Vec::new());
}

/// Sends `bytes` at once and says nothing more.
pub(crate) fn greeting(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes = bytes.into();
    Server::raw(LOOPBACK, move |mut tcp, _| {
        let _ = tcp.write_all(&bytes);
        hang(tcp);
    })
}

/// Sends `bytes` and closes.
pub(crate) fn leaving(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes = bytes.into();
    Server::raw(LOOPBACK, move |mut tcp, _| {
        let _ = tcp.write_all(&bytes);
        let _ = tcp.shutdown(Shutdown::Write);
        hang(tcp);
    })
}

/// Answers each line that comes with what `answer` makes of it.
fn answering(answer: fn(&str) -> String) -> Server {
    Server::raw(LOOPBACK, move |mut tcp, _| {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while matches!(tcp.read(&mut byte), Ok(1)) {
            line.push(byte[0]);
            if byte == *b"\n" {
                let _ = tcp.write_all(answer(&String::from_utf8_lossy(&line)).as_bytes());
                line.clear();
            }
        }
    })
}

pub(crate) fn redis() -> Server {
    answering(|line| match line {
        "PING\r\n" => "+PONG\r\n".to_owned(),
        other => format!("-ERR unknown command '{}'\r\n", other.trim()),
    })
}

#[actix_rt::test]
async fn a_connection_that_is_made_is_up_where_nothing_is_expected() {
    for server in [greeting(""), greeting("hello"), leaving(""), redis()] {
        for keys in [json!({}), json!({"send": "PING\r\n"})] {
            let outcome = check_shortly(&server, keys).await;

            assert_up(&outcome);
            assert_eq!((outcome.body_bytes, outcome.wire_bytes), (0, 0));
        }
    }
}

#[actix_rt::test]
async fn what_is_expected_makes_it_up_as_soon_as_it_is_there() {
    let dripping = || {
        Server::raw(LOOPBACK, |mut tcp, _| {
            for byte in b"+PO\xc3\xb6NG and so on" {
                let _ = tcp.write_all(&[*byte]);
                std::thread::sleep(Duration::from_millis(5));
            }
            hang(tcp);
        })
    };
    let garbage = [&[0x80, 0x81, 0, 0xff][..], b"+PONG", &[0xc3; 9]].concat();
    for (server, keys) in [
        (greeting("220 mail ready\r\n"), json!({"expect": "220 mail"})),
        (greeting("SSH-2.0-x\r\n"), json!({"expect": {"body": {"matches": ["^SSH-2"], "contains": "x"}}})),
        (redis(), json!({"send": "PING\r\n", "expect": "+PONG"})),
        (dripping(), json!({"expect": "ö"})),
        (greeting(garbage), json!({"expect": "+PONG"})),
        (greeting("x".repeat(300_000) + "+PONG"), json!({"expect": "+PONG"})),
        (leaving("0123456789"), json!({"expect": {"body": {"contains": "0", "max_bytes": 10}}})),
        (leaving("+PONG"), json!({"expect": {"body": {"contains": "+PONG", "not_contains": "ERR"}}})),
        (leaving("+PONG"), json!({"expect": {"body": {"not_matches": "^$"}}})),
        (leaving(""), json!({"expect": {"body": {"not_contains": "ERR"}}})),
    ] {
        let outcome = check(&server, keys.clone()).await;

        assert_up(&outcome);
        let took = Duration::from_micros(outcome.timings.total_us.unwrap());
        assert!(took < Duration::from_secs(2), "{keys}: {took:?}");
    }
}

#[actix_rt::test]
async fn what_ends_without_what_is_expected_is_down() {
    let much = "x".repeat(3 << 20) + "+PONG";
    for (server, keys, reason, says) in [
        (
            leaving(""),
            json!({"expect": "+PONG"}),
            Reason::Body,
            "answer is empty, expected to contain \"+PONG\"",
        ),
        (
            leaving("-LOADING\r\n"),
            json!({"expect": "+PONG"}),
            Reason::Body,
            "answer is \"-LOADING\\r\\n\", expected to contain \"+PONG\"",
        ),
        (
            leaving("-LOADING\r\n"),
            json!({"expect": {"body": {"matches": "^\\+", "not_contains": ["LOAD"]}}}),
            Reason::Body,
            "answer has \"LOAD\", expected not to contain \"LOAD\"",
        ),
        (
            greeting("-ERR"),
            json!({"expect": {"body": {"not_contains": "ERR"}}}),
            Reason::Body,
            "answer has \"ERR\"",
        ),
        (
            leaving("-ERR"),
            json!({"expect": {"body": {"not_matches": "^-"}}}),
            Reason::Body,
            "answer has \"-\", expected not to match \"^-\"",
        ),
        (greeting(much), json!({"expect": "+PONG"}), Reason::Body, "in its first 1048576 bytes"),
        (
            greeting("0123456789x"),
            json!({"expect": {"body": {"contains": "9", "max_bytes": 10}}}),
            Reason::TooLarge,
            "answer of more than 10 bytes, expected at most 10",
        ),
        (leaving([0xff, 0xfe, 0xfd]), json!({"expect": "+PONG"}), Reason::Body, "expected to contain"),
    ] {
        let outcome = check(&server, keys).await;

        assert_down(&outcome, reason, says);
        assert!(outcome.judged.iter().any(|judged| !judged.met), "{outcome:#?}");
    }
}

#[actix_rt::test]
async fn what_came_is_kept_for_the_person_who_asks_why() {
    let outcome = check(&leaving("-LOADING\r\n"), json!({"expect": "+PONG"})).await;

    let evidence = outcome.evidence.unwrap();
    assert_eq!(evidence.body.as_deref(), Some("-LOADING\r\n"));
    assert_eq!((outcome.body_bytes, outcome.wire_bytes, outcome.body_truncated), (10, 10, false));
    assert_eq!((outcome.http_status, outcome.http_version, outcome.redirects), (None, None, 0));
    assert!(evidence.headers.is_empty() && evidence.skipped.is_empty());
}

#[actix_rt::test]
async fn a_server_that_says_nothing_in_time_is_told_from_one_that_cannot_be_reached() {
    let server = greeting("");

    let outcome = check_shortly(&server, json!({"send": "PING\r\n", "expect": "+PONG"})).await;

    let waiting = format!("no answer within 300ms: connected to {} and waiting for the answer", server.addr);
    assert_down(&outcome, Reason::Timeout, &waiting);
    assert_down(&outcome, Reason::Timeout, "to contain \"+PONG\"; nothing came");
    assert_eq!(outcome.remote_addr, Some(server.addr));
    assert!(outcome.timings.ttfb_us.unwrap() > 200_000 && outcome.timings.download_us.is_none());
}

#[actix_rt::test]
async fn what_came_until_the_time_was_over_counts_for_what_must_not_come_and_not_for_what_must() {
    let absent = json!({"expect": {"body": {"not_contains": "ERR"}}});
    let both = json!({"expect": {"body": {"contains": "+OK", "not_contains": "ERR"}}});

    assert_up(&check_shortly(&greeting("+OK"), absent.clone()).await);
    assert_up(&check_shortly(&greeting("+OK"), both.clone()).await);
    let small = json!({"expect": {"body": {"contains": "+OK", "max_bytes": 3}}});
    assert_up(&check_shortly(&greeting("+OK"), small).await);
    assert_down(
        &check_shortly(&greeting(""), absent).await,
        Reason::Timeout,
        "waiting for the answer to begin",
    );
    let partial = check_shortly(&greeting("+O"), both).await;
    assert_down(&partial, Reason::Timeout, "waiting for the answer to contain \"+OK\"; this came: \"+O\"");
    assert_eq!(partial.evidence.unwrap().body.as_deref(), Some("+O"));
    assert_eq!(partial.body_bytes, 2);
}

#[actix_rt::test]
async fn a_connection_that_is_reset_is_down_as_connect() {
    // With bytes that nobody has read, a close is a reset.
    let server = Server::raw(LOOPBACK, |tcp, _| {
        let _ = tcp.peek(&mut [0]);
    });

    let outcome = check(&server, json!({"send": "PING\r\n", "expect": "+PONG"})).await;

    assert_down(&outcome, Reason::Connect, &format!("connection reset by {}", server.addr));
}

#[actix_rt::test]
async fn a_port_at_which_nobody_listens_and_an_address_that_is_denied_are_down() {
    let (_port_holder, nobody) = refusing();
    let server = greeting("");
    let denying = ProbeConfig { deny_targets: vec!["loopback".to_owned()], ..ProbeConfig::default() };

    let refused =
        probe(&open_config()).check(&site(&format!("tcp://{nobody}"), json!({})), no_deadline()).await;
    let denied = probe(&denying).check(&site(&url(&server), json!({})), no_deadline()).await;

    assert_down(&refused, Reason::Connect, &format!("connection refused by {nobody}"));
    assert_down(
        &denied,
        Reason::Blocked,
        "127.0.0.1 leads to 127.0.0.1, which deny_targets forbids (loopback)",
    );
    assert_eq!(server.connections(), 0);
}

#[actix_rt::test]
async fn names_resolve_and_families_count_as_for_every_check() {
    let server = redis();
    let config = ProbeConfig { dns: vec![name_server()], ..open_config() };
    let check = async |name: &str, keys: Json| {
        let url = format!("tcp://{name}:{}", server.port());
        probe(&config).check(&site(&url, keys), no_deadline()).await
    };

    let dual = check("DUAL.test", json!({"send": "PING\r\n", "expect": "+PONG"})).await;
    let v4 = check("dual.test", json!({"request": {"ip": "v4"}})).await;
    let v6 = check("web.test", json!({"request": {"ip": "v6"}})).await;
    let missing = check("missing.test", json!({})).await;

    for outcome in [dual, v4] {
        assert_up(&outcome);
        assert_eq!(outcome.remote_addr, Some(server.addr));
        assert!(outcome.timings.dns_us.is_some() && outcome.timings.connect_us.is_some());
    }
    assert_down(&v6, Reason::Dns, "web.test has no");
    assert_down(&missing, Reason::Dns, "no such name: missing.test");
}

#[actix_rt::test]
async fn phases_are_those_that_happened() {
    let silent = check(&redis(), json!({"send": "PING\r\n"})).await.timings;
    let answered = check(&redis(), json!({"send": "PING\r\n", "expect": "+PONG"})).await.timings;

    assert_eq!((silent.dns_us, silent.tls_us, silent.ttfb_us, silent.download_us), (None, None, None, None));
    assert!(silent.connect_us.is_some());
    let phases = answered.connect_us.unwrap() + answered.ttfb_us.unwrap() + answered.download_us.unwrap();
    assert!(phases <= answered.total_us.unwrap(), "{answered:?}");
}

#[actix_rt::test]
async fn a_down_is_tried_again_and_a_slow_answer_is_degraded() {
    let recovering = Server::raw(LOOPBACK, |mut tcp, number| {
        let _ = tcp.write_all(if number == 1 { b"-ERR" } else { b"+PONG" });
    });
    let slow = Server::raw(LOOPBACK, |mut tcp, _| {
        std::thread::sleep(Duration::from_millis(60));
        let _ = tcp.write_all(b"+PONG");
    });
    let limits = json!({"expect": {"body": {"contains": "+PONG"}, "response_time": {"degraded": "50ms"}}});

    let target = Target { retries: 1, ..site(&url(&recovering), json!({"expect": "+PONG"})) };
    let tried = probe(&open_config()).check(&target, no_deadline()).await;
    let late = check(&slow, limits).await;

    assert_up(&tried);
    assert_eq!((tried.tries, recovering.connections()), (2, 2));
    assert_eq!((late.status, late.reason), (Status::Degraded, Some(Reason::Slow)), "{late:#?}");
}

#[actix_rt::test]
async fn settings_of_one_kind_beside_a_url_of_the_other_are_our_own_fault() {
    let server = redis();
    let tcp = Some(r#"{"tcp":{}}"#.into());
    let wrong = Some(r#"{"tcp":{},"expect":{"status":[200]}}"#.into());
    for (url, settings, says) in [
        (server.url("/"), tcp, "it is neither tcp nor tls"),
        (url(&server), None, "tcp is neither http nor https"),
        (url(&server), wrong, "settings of HTTP"),
    ] {
        let target = Target { url, timeout: PATIENCE, retries: 0, settings };

        let outcome = probe(&open_config()).check(&target, no_deadline()).await;

        assert_eq!((outcome.status, outcome.reason), (Status::Unknown, Some(Reason::Internal)));
        assert!(outcome.error.as_deref().unwrap().contains(says), "{outcome:#?}");
    }
}
