//! When an answer without HTTP is over, and which time is its own.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};
use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::Outcome;

use crate::authority::{Authority, VALID, config};
use crate::server::{LOOPBACK, Server};
use crate::tcp::{check, greeting, hang, site, url};
use crate::{assert_down, assert_up, no_deadline, open_config, probe, probe_trusting};

/// A server that sends each text so many milliseconds after the one before, and then stays connected or leaves.
fn saying(texts: &'static [(u64, &str)], leaves: bool) -> Server {
    Server::raw(LOOPBACK, move |mut tcp, _| {
        for (after_ms, text) in texts {
            std::thread::sleep(Duration::from_millis(*after_ms));
            let _ = tcp.write_all(text.as_bytes());
        }
        if !leaves {
            hang(tcp);
        }
    })
}

async fn check_for(timeout_ms: u64, server: &Server, expect: Json) -> Outcome {
    let target = site(&url(server), json!({ "expect": expect }));
    let target = Target { timeout: Duration::from_millis(timeout_ms), ..target };
    probe(&open_config()).check(&target, no_deadline()).await
}

#[actix_rt::test]
async fn the_time_of_an_answer_ends_with_its_last_byte_where_the_server_stays_connected() {
    let server = greeting("* OK ready\r\n");
    for body in [
        // As in the reference.
        json!({"contains": ["* OK"], "not_contains": ["* BYE"]}),
        json!({"not_contains": ["* BYE"]}),
        json!({"not_matches": ["BYE"]}),
        json!({"max_bytes": 100}),
    ] {
        let limits = json!({"degraded": "700ms", "down": "800ms"});
        let outcome = check_for(1_000, &server, json!({"body": body, "response_time": limits})).await;

        assert_up(&outcome);
        assert!(outcome.timings.total_us.unwrap() >= 1_000_000, "{outcome:#?}");
    }
}

#[actix_rt::test]
async fn a_last_byte_and_an_end_that_come_late_are_slow() {
    let expect = json!({"body": {"not_contains": ["ERR"]}, "response_time": {"degraded": "100ms"}});
    for (server, timeout_ms) in [
        (saying(&[(0, "+OK"), (200, "and more")], false), 600),
        (saying(&[(0, "+OK"), (200, "")], true), 5_000),
    ] {
        let outcome = check_for(timeout_ms, &server, expect.clone()).await;

        assert_eq!((outcome.status, outcome.reason), (Status::Degraded, Some(Reason::Slow)), "{outcome:#?}");
    }
}

#[actix_rt::test]
async fn the_wait_for_an_objection_is_not_the_time_of_a_server() {
    let authority = Authority::new("the authority");
    let asking = config(authority.leaf(&["localhost"], VALID), &[&rustls::version::TLS13], Some(&authority));
    let mut silent = ServerConfig::clone(&asking);
    silent.send_tls13_tickets = 0;
    let silent = Arc::new(silent);
    let server = Server::raw(LOOPBACK, move |tcp, _| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&silent)).unwrap(), tcp);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let ours = authority.leaf(&["client.test"], VALID);
    let keys = json!({
        "tls": {"client_cert": ours.pem(), "client_key": ours.key_pem()},
        "expect": {"response_time": {"degraded": "900ms"}},
    });
    let target = site(&format!("tls://localhost:{}", server.port()), keys);

    let outcome = probe_trusting(&open_config(), &authority).check(&target, no_deadline()).await;

    assert_up(&outcome);
    assert!(outcome.timings.total_us.unwrap() >= 1_000_000, "{outcome:#?}");
}

#[actix_rt::test]
async fn where_the_size_counts_the_verdict_does_not_depend_on_the_pieces() {
    let expect = json!({"body": {"contains": ["+OK"], "max_bytes": 10}});
    for server in [
        saying(&[(0, "+OK and much more")], false),
        saying(&[(0, "+OK"), (100, " and much more")], false),
        saying(&[(0, "+OK and mu"), (100, "ch more")], true),
    ] {
        let outcome = check_for(5_000, &server, expect.clone()).await;

        assert_down(&outcome, Reason::TooLarge, "answer of more than 10 bytes");
    }
}

#[actix_rt::test]
async fn what_came_before_a_reset_counts_where_it_is_what_is_expected() {
    // Large enough that not each piece is looked at. With bytes that nobody has read, a close is a reset.
    let resetting = |end: &'static str| {
        Server::raw(LOOPBACK, move |mut tcp, _| {
            let _ = tcp.peek(&mut [0]);
            let _ = tcp.write_all(&[b'x'; 16_384]);
            std::thread::sleep(Duration::from_millis(100));
            let _ = tcp.write_all(end.as_bytes());
        })
    };
    let keys = json!({"send": "PING\r\n", "expect": "+PONG"});

    let said = check(&resetting("+PONG"), keys.clone()).await;
    let half = check(&resetting("+PO"), keys).await;

    assert_up(&said);
    assert_down(&half, Reason::Connect, "connection reset by");
}

#[actix_rt::test]
async fn no_first_bytes_hide_what_must_not_come() {
    for first in [&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf", b"<meta charset=utf-16be>"] {
        let server = greeting([first, b"ERROR"].concat());

        let outcome = check(&server, json!({"expect": {"body": {"not_contains": "ERROR"}}})).await;

        assert_down(&outcome, Reason::Body, "answer has \"ERROR\"");
    }
}
