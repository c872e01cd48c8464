//! Names: what a check asks name servers, in which order, how often, and what it makes of their answers. The table in
//! `docs/CHECKS.md`, "Names", says where each behaviour is written down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

#[path = "../common/authority.rs"]
mod authority;
mod cache;
mod canary;
mod double;
mod families;
mod files;
mod order;
#[path = "../common/loopback.rs"]
mod server;
mod wire;

use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use authority::Authority;
use rustls::RootCertStore;
use serde_json::json;
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::{Outcome, Probe, ProbeConfig, ProbeSettings};

use crate::server::{Server, answer};

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn asking(servers: &[SocketAddr]) -> ProbeConfig {
    ProbeConfig { deny_targets: Vec::new(), dns: servers.to_vec(), ..ProbeConfig::default() }
}

fn settings(config: &ProbeConfig) -> ProbeSettings {
    let mut roots = RootCertStore::empty();
    roots.add(Authority::new("CN of nobody").der()).unwrap();
    ProbeSettings::with_roots(config, roots).unwrap()
}

fn probe(config: &ProbeConfig) -> Probe {
    Probe::with_settings(&settings(config), Clock::system())
}

/// A web server that is well, at 127.0.0.1.
fn web() -> Server {
    Server::answering(answer("200 OK", ""))
}

/// The same at ::1; `None` on a machine without IPv6.
fn web_on_ipv6() -> Option<Server> {
    web_on_ipv6_at(0)
}

/// The same at this port.
fn web_on_ipv6_at(port: u16) -> Option<Server> {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        println!("LEFT OUT: this machine has no IPv6 loopback");
        return None;
    }
    Some(Server::raw((Ipv6Addr::LOCALHOST, port).into(), |mut tcp, _| {
        server::read_head(&mut tcp);
        let _ = std::io::Write::write_all(&mut tcp, answer("200 OK", "").as_bytes());
    }))
}

fn target(name: &str, web: &Server) -> Target {
    Target { url: format!("http://{name}:{}/", web.port()), timeout: PATIENCE, retries: 0, settings: None }
}

fn of_family(target: Target, ip: &str) -> Target {
    Target { settings: Some(json!({"request": {"ip": ip}}).to_string().into()), ..target }
}

async fn check(probe: &Probe, target: &Target) -> Outcome {
    probe.check(target, Clock::instant() + Duration::from_secs(3600)).await
}

/// Checks `name` with a fresh probe.
async fn check_name(servers: &[SocketAddr], name: &str) -> Outcome {
    check(&probe(&asking(servers)), &target(name, &web())).await
}

/// Checks until it comes out as it should.
async fn until(probe: &Probe, target: &Target, fits: impl Fn(&Outcome) -> bool) {
    let deadline: Instant = Clock::instant() + Duration::from_secs(5);
    loop {
        let outcome = check(probe, target).await;
        if fits(&outcome) {
            return;
        }
        assert!(Clock::instant() < deadline, "{outcome:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_up(outcome: &Outcome) -> bool {
    outcome.status == Status::Up
}

#[track_caller]
fn assert_up(outcome: &Outcome) {
    assert!(is_up(outcome), "{outcome:#?}");
}

#[track_caller]
fn assert_down(outcome: &Outcome, parts: &[&str]) {
    assert_eq!((outcome.status, outcome.reason), (Status::Down, Some(Reason::Dns)), "{outcome:#?}");
    assert_tells(outcome, parts);
}

#[track_caller]
fn assert_unknown(outcome: &Outcome, parts: &[&str]) {
    assert_eq!((outcome.status, outcome.reason), (Status::Unknown, Some(Reason::Internal)), "{outcome:#?}");
    assert_tells(outcome, parts);
}

#[track_caller]
fn assert_tells(outcome: &Outcome, parts: &[&str]) {
    let error = outcome.error.as_deref().unwrap_or_default();
    for part in parts {
        assert!(error.contains(part), "{error:?} does not tell {part:?}");
    }
}

fn dns_ms(outcome: &Outcome) -> u64 {
    outcome.timings.dns_us.unwrap() / 1_000
}
