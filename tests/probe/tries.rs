//! When a check is tried again.

use std::time::Duration;

use uptime_monitor::clock::Clock;
use uptime_monitor::config::SiteDefaults;
use uptime_monitor::model::{Reason, Target};

use crate::server::{Server, answer};
use crate::{PATIENCE, assert_down, assert_up, no_deadline, open_config, probe, target};

/// Fails `failures` times, then is well.
fn recovering(failures: usize) -> Server {
    Server::new(move |mut exchange| {
        let wire = if exchange.number <= failures { answer("500 Oh", "") } else { answer("200 OK", "") };
        exchange.send(wire);
    })
}

fn retrying(server: &Server, retries: u8) -> Target {
    Target { url: server.url("/"), timeout: PATIENCE, retries, settings: None }
}

#[actix_rt::test]
async fn a_down_is_tried_again_on_a_fresh_connection_until_one_is_up() {
    let server = recovering(2);

    let outcome = probe(&open_config()).check(&retrying(&server, 5), no_deadline()).await;

    assert_up(&outcome);
    assert_eq!(server.connections(), 3);
}

#[actix_rt::test]
async fn a_down_stands_when_the_retries_are_used_up() {
    let server = recovering(9);

    let outcome = probe(&open_config()).check(&retrying(&server, 2), no_deadline()).await;

    assert_down(&outcome, Reason::Status, "500");
    assert_eq!(server.connections(), 3);
}

#[actix_rt::test]
async fn without_retries_there_is_one_try() {
    let server = recovering(1);

    let outcome = probe(&open_config()).check(&retrying(&server, 0), no_deadline()).await;

    assert_down(&outcome, Reason::Status, "500");
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn a_retry_that_could_outlast_the_slot_is_not_made() {
    let server = recovering(1);
    let deadline = Clock::instant() + PATIENCE;

    let outcome = probe(&open_config()).check(&retrying(&server, 5), deadline).await;

    assert_down(&outcome, Reason::Status, "500");
    assert_eq!(server.connections(), 1);
}

/// With the defaults of a site that is checked every second.
#[actix_rt::test]
async fn the_default_timeout_lets_a_try_that_hung_be_repeated_within_the_shortest_interval() {
    let server = Server::new(|mut exchange| match exchange.number {
        1 => exchange.hang(),
        _ => exchange.send(answer("200 OK", "")),
    });
    let defaults = SiteDefaults { timeout: PATIENCE, body_limit: 1 << 20, name_from_url: true };
    let every = Duration::from_secs(1);
    let retries = SiteDefaults::retries_for("GET");
    let target = Target { timeout: defaults.timeout_for(every), ..retrying(&server, retries) };

    let outcome = probe(&open_config()).check(&target, Clock::instant() + every).await;

    assert_up(&outcome);
    assert_eq!((outcome.tries, server.connections()), (2, 2));
}

#[actix_rt::test]
async fn the_start_is_that_of_the_first_try_and_the_timings_are_those_of_the_last() {
    let server = recovering(1);
    let clock = Clock::system();
    let before = clock.now();

    let outcome = probe(&open_config()).check(&retrying(&server, 1), no_deadline()).await;

    let took = (clock.now() - before).to_std().unwrap();
    let last_try = Duration::from_micros(outcome.timings.total_us.unwrap());
    assert!(outcome.started_at - before < chrono::TimeDelta::milliseconds(200));
    assert!(
        last_try < took - Duration::from_millis(200),
        "{last_try:?} of {took:?}: the pause is no part of a try"
    );
}

#[actix_rt::test]
async fn no_connection_is_used_twice_even_when_the_server_would_keep_it() {
    let server = Server::new(|mut exchange| {
        exchange.send("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
        exchange.hang();
    });
    let probe = probe(&open_config());

    for _ in 0..3 {
        assert_up(&probe.check(&target(server.url("/")), no_deadline()).await);
    }

    assert_eq!(server.connections(), 3);
}
