//! IPv4 and IPv6 side by side, and each alone.

use std::net::IpAddr;
use std::time::Duration;

use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::{Outcome, ProbeConfig};

use crate::double::{A, AAAA, NameServer, Query, Reply};
use crate::files::Files;
use crate::server::{hanging, refusing};
use crate::{
    PATIENCE, asking, assert_down, assert_tells, assert_up, check, check_name, dns_ms, of_family, probe,
    target, web, web_on_ipv6, web_on_ipv6_at,
};

/// `of_a` for A records and `of_aaaa` for AAAA records.
fn server(
    of_a: impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static,
    of_aaaa: impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static,
) -> NameServer {
    NameServer::new(move |query| if query.kind == A { of_a(query) } else { of_aaaa(query) })
}

fn good(query: &Query) -> Vec<Reply> {
    vec![Reply::loopback(query, 300)]
}

fn late(query: &Query) -> Vec<Reply> {
    vec![Reply::loopback(query, 60).after(300)]
}

fn silent(_: &Query) -> Vec<Reply> {
    Vec::new()
}

/// One address in answer to every question.
fn at(ip: &'static str) -> impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static {
    move |query| vec![Reply::empty().address(&query.name, ip, 300)]
}

/// `site.test` at `port`.
fn site_at(port: u16, timeout: Duration) -> Target {
    Target { url: format!("http://site.test:{port}/"), timeout, retries: 0, settings: None }
}

async fn check_site(server: &NameServer, port: u16, timeout: Duration) -> Outcome {
    check(&probe(&asking(&[server.addr])), &site_at(port, timeout)).await
}

#[track_caller]
fn assert_unreachable(outcome: &Outcome, parts: &[&str]) {
    assert_eq!((outcome.status, outcome.reason), (Status::Down, Some(Reason::Connect)), "{outcome:#?}");
    assert_tells(outcome, parts);
}

#[actix_rt::test]
async fn a_family_that_is_not_wanted_is_not_asked_for() {
    for (ip, wanted, other) in [("v4", A, AAAA), ("v6", AAAA, A)] {
        let server = NameServer::good();

        check(&probe(&asking(&[server.addr])), &of_family(target("site.test", &web()), ip)).await;

        assert_eq!((server.count("site.test", wanted), server.count("site.test", other)), (1, 0), "{ip}");
    }
}

#[actix_rt::test]
async fn silence_on_aaaa_costs_an_ipv4_site_nothing() {
    let server = server(good, silent);

    let outcome = check(&probe(&asking(&[server.addr])), &of_family(target("site.test", &web()), "v4")).await;

    assert_up(&outcome);
    assert!(dns_ms(&outcome) < 1_000, "{outcome:#?}");
}

#[actix_rt::test]
async fn silence_on_one_family_costs_fifty_milliseconds_once() {
    let (server, web) = (server(good, silent), web());
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    let probe = probe(&files.config());

    let first = check(&probe, &target("site.test", &web)).await;

    assert_up(&first);
    assert!((50..1_500).contains(&dns_ms(&first)), "{first:#?}");
    // Once the question has failed, nobody waits for it and nobody repeats it.
    let mut last = first;
    while dns_ms(&last) >= 50 {
        last = check(&probe, &target("site.test", &web)).await;
        assert_up(&last);
    }
    let asked = server.count("site.test", AAAA);
    assert_up(&check(&probe, &target("site.test", &web)).await);
    assert_eq!((server.count("site.test", AAAA), server.count("site.test", A)), (asked, 1));
}

#[actix_rt::test]
async fn an_error_for_aaaa_leaves_the_ipv4_addresses() {
    for reply in [Reply::code(2), Reply::code(5), Reply::no_such_name(), Reply::empty()] {
        let server = server(good, move |_| vec![reply.clone()]);

        let outcome = check_name(&[server.addr], "site.test").await;

        assert_up(&outcome);
    }
}

#[actix_rt::test]
async fn silence_on_a_leaves_the_ipv6_addresses() {
    let Some(web) = web_on_ipv6() else { return };
    let server = server(silent, good);

    let outcome = check(&probe(&asking(&[server.addr])), &target("site.test", &web)).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
    assert!(dns_ms(&outcome) < 1_500, "{outcome:#?}");
}

#[actix_rt::test]
async fn a_family_that_comes_late_is_tried_when_the_other_cannot_be_reached() {
    let Some(web) = web_on_ipv6() else { return };
    let server = server(good, late);

    // Nobody listens at 127.0.0.1.
    let outcome = check(&probe(&asking(&[server.addr])), &target("site.test", &web)).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
    assert_eq!(server.count("site.test", AAAA), 1);
}

#[actix_rt::test]
async fn a_family_that_comes_late_is_tried_when_this_machine_has_no_way_to_the_other() {
    // Without an interface nobody has a way there: as on a machine without IPv6.
    let (server, web) = (server(late, at("ff02::1")), web());

    let outcome = check_site(&server, web.port(), PATIENCE).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
}

#[actix_rt::test]
async fn a_family_that_comes_late_is_tried_while_the_other_does_not_answer() {
    let (_queue, full) = hanging().await;
    let port = full.local_addr().unwrap().port();
    let Some(web) = web_on_ipv6_at(port) else { return };
    let server = server(good, late);

    let outcome = check_site(&server, port, Duration::from_secs(5)).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
}

#[actix_rt::test]
async fn a_family_that_comes_late_is_tried_when_the_other_is_denied() {
    let (server, web) = (server(late, at("fe80::1")), web());
    let config = ProbeConfig { deny_targets: vec!["link-local".to_owned()], ..asking(&[server.addr]) };

    let outcome = check(&probe(&config), &site_at(web.port(), PATIENCE)).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
}

#[actix_rt::test]
async fn a_family_that_never_comes_does_not_hide_why_the_other_was_of_no_use() {
    let (_socket, addr) = refusing();
    let server = server(good, silent);

    let outcome = check_site(&server, addr.port(), Duration::from_secs(2)).await;

    assert_unreachable(&outcome, &[&format!("connection refused by {addr}")]);
}

#[actix_rt::test]
async fn a_late_family_that_is_of_no_use_either_is_told_beside_the_other() {
    let Some(web) = web_on_ipv6() else { return };
    let (_socket, addr) = refusing();
    assert_ne!(addr.port(), web.port());
    let server = server(good, late);

    let outcome = check_site(&server, addr.port(), PATIENCE).await;

    let other = format!("connection refused by [::1]:{}", addr.port());
    assert_unreachable(&outcome, &[&format!("connection refused by {addr}"), &other]);
    let addresses = &outcome.evidence.as_ref().unwrap().addresses;
    assert_eq!(*addresses, ["127.0.0.1", "::1"].map(|ip| ip.parse::<IpAddr>().unwrap()));
}

#[actix_rt::test]
async fn what_was_silent_and_what_answered_is_told() {
    let server = server(|_| vec![Reply::empty().soa(60, 60)], |_| vec![Reply::code(2)]);

    let outcome = check_name(&[server.addr], "site.test").await;

    let who = format!("{} answered SERVFAIL", server.addr);
    assert_down(&outcome, &["site.test has no IPv4 address", &who]);
}

#[actix_rt::test]
async fn a_name_without_the_wanted_family_says_which() {
    let server = server(good, |_| vec![Reply::empty().soa(60, 60)]);

    let outcome = check(&probe(&asking(&[server.addr])), &of_family(target("site.test", &web()), "v6")).await;

    assert_down(&outcome, &["site.test has no IPv6 address"]);
}
