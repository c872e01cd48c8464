//! The probe against servers on loopback that answer, misbehave, redirect, hang and lie, byte by byte as each test says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

#[path = "../common/authority.rs"]
mod authority;
#[path = "../common/name_server.rs"]
mod name_server;
mod names;
#[path = "../common/loopback.rs"]
mod server;
mod shortage;
mod tcp;
mod tcp_end;
mod tcp_secrets;
mod tcp_tls;
mod time;
mod tls;
mod tries;

use std::time::{Duration, Instant};

use authority::Authority;
use rustls::RootCertStore;
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::{Outcome, Probe, ProbeConfig, ProbeSettings};

/// Long enough for any machine, short enough not to wait for when something hangs that should not.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing is forbidden and nothing is asked over the network.
fn open_config() -> ProbeConfig {
    ProbeConfig { deny_targets: Vec::new(), ..ProbeConfig::default() }
}

fn probe(config: &ProbeConfig) -> Probe {
    probe_trusting(config, &Authority::new("CN of nobody"))
}

fn probe_trusting(config: &ProbeConfig, authority: &Authority) -> Probe {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    Probe::with_settings(&ProbeSettings::with_roots(config, roots).unwrap(), Clock::system())
}

fn target(url: impl Into<String>) -> Target {
    Target { url: url.into(), timeout: PATIENCE, retries: 0, settings: None }
}

fn no_deadline() -> Instant {
    Clock::instant() + Duration::from_secs(3600)
}

async fn check(url: impl Into<String>) -> Outcome {
    check_with(&open_config(), url).await
}

async fn check_with(config: &ProbeConfig, url: impl Into<String>) -> Outcome {
    probe(config).check(&target(url), no_deadline()).await
}

#[track_caller]
fn assert_up(outcome: &Outcome) {
    assert_eq!((outcome.status, outcome.reason, &outcome.error), (Status::Up, None, &None), "{outcome:#?}");
}

/// `outcome` is down for `reason`, and its error tells `what`.
#[track_caller]
fn assert_down(outcome: &Outcome, reason: Reason, what: &str) {
    assert_eq!((outcome.status, outcome.reason), (Status::Down, Some(reason)), "{outcome:#?}");
    let error = outcome.error.as_deref().unwrap_or_default();
    assert!(error.contains(what), "{error:?} does not tell {what:?}");
}
