//! Timeouts hold, wherever the server stalls, and phases say where the time went.

use std::time::{Duration, Instant};

use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Reason, Target, Timings};
use uptime_monitor::probe::Outcome;

use crate::server::{Server, answer, hanging};
use crate::{assert_down, assert_up, check, no_deadline, open_config, probe};

const TIMEOUT: Duration = Duration::from_millis(300);
/// How much longer than its timeout a try may take on a busy machine.
const SLACK: Duration = Duration::from_millis(250);

/// Checks with [`TIMEOUT`], and does not accept that it took longer.
async fn check_in_time(url: String) -> Outcome {
    let probe = probe(&open_config());
    let began = Clock::instant();
    let outcome =
        probe.check(&Target { url, timeout: TIMEOUT, retries: 0, settings: None }, no_deadline()).await;
    let took = Clock::instant() - began;
    assert!(took >= TIMEOUT && took <= TIMEOUT + SLACK, "took {took:?}: {outcome:#?}");
    outcome
}

#[track_caller]
fn assert_stalled(us: Option<u64>) {
    let us = us.expect("the phase that the timeout cut short is measured");
    assert!(us >= 200_000, "{us} us");
}

#[actix_rt::test]
async fn a_server_that_never_answers_is_given_up_at_the_timeout() {
    let server = Server::new(|exchange| exchange.hang());

    let outcome = check_in_time(server.url("/")).await;

    assert_down(&outcome, Reason::Timeout, "no answer within 300ms: waiting for the first byte");
    assert_eq!(outcome.remote_addr, Some(server.addr));
    assert!(outcome.timings.connect_us.is_some());
    assert_stalled(outcome.timings.ttfb_us);
    assert_eq!(outcome.timings.download_us, None);
}

#[actix_rt::test]
async fn a_head_that_stalls_is_given_up_at_the_timeout() {
    let server = Server::new(|mut exchange| {
        exchange.send("HTTP/1.1 200 OK\r\nServer: x");
        exchange.hang();
    });

    let outcome = check_in_time(server.url("/")).await;

    assert_down(&outcome, Reason::Timeout, "reading the answer");
    assert_eq!(outcome.http_status, None);
    assert_stalled(outcome.timings.download_us);
}

#[actix_rt::test]
async fn a_body_that_stalls_is_given_up_with_what_came_so_far() {
    let server = Server::new(|mut exchange| {
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        exchange.hang();
    });

    let outcome = check_in_time(server.url("/")).await;

    assert_down(&outcome, Reason::Timeout, "reading the answer");
    assert_eq!(outcome.http_status, Some(200));
    assert_eq!(outcome.body_bytes, 3);
    assert_stalled(outcome.timings.download_us);
}

#[actix_rt::test]
async fn a_handshake_that_stalls_is_given_up_at_the_timeout() {
    let server = Server::new(|exchange| exchange.hang());

    let outcome = check_in_time(format!("https://{}/", server.addr)).await;

    assert_down(&outcome, Reason::Timeout, "in the TLS handshake");
    assert_stalled(outcome.timings.tls_us);
    assert_eq!(outcome.timings.ttfb_us, None);
}

#[actix_rt::test]
async fn a_connection_that_stalls_is_given_up_at_the_timeout() {
    let (_queue, full) = hanging().await;
    let addr = full.local_addr().unwrap();

    let outcome = check_in_time(format!("http://{addr}/")).await;

    assert_down(&outcome, Reason::Timeout, "connecting");
    assert_stalled(outcome.timings.connect_us);
}

#[actix_rt::test]
async fn phases_do_not_overlap_and_those_that_did_not_happen_are_none() {
    let server = Server::answering(answer("200 OK", "hello"));

    let began: Instant = Clock::instant();
    let outcome = check(server.url("/")).await;
    let took = (Clock::instant() - began).as_micros() as u64;

    assert_up(&outcome);
    let Timings { dns_us, connect_us, tls_us, ttfb_us, download_us, total_us } = outcome.timings;
    assert_eq!((dns_us, tls_us), (None, None));
    let phases = connect_us.unwrap() + ttfb_us.unwrap() + download_us.unwrap();
    assert!(phases <= total_us.unwrap() && total_us.unwrap() <= took, "{:?} in {took}", outcome.timings);
}

#[actix_rt::test]
async fn a_name_has_a_resolution_phase_and_a_literal_has_none() {
    let server = Server::answering(answer("200 OK", ""));

    let name = check(format!("http://localhost:{}/", server.port())).await;
    let literal = check(server.url("/")).await;

    assert_up(&name);
    assert!(name.timings.dns_us.is_some());
    assert_eq!(literal.timings.dns_us, None);
}
