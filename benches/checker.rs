//! What does a check through the checker actor cost, beside the probe without actors, and beside bare hyper? What does it cost
//! that sites have names? And how much memory does a check need while it waits?
//!
//! Unit: µs of CPU, user and system, of this whole process per check; checks per second on one thread; KiB of resident memory
//! for each check that waits for an answer. The target is
//! a process of its own on the same machine, so a second's checks share the cores with it: what counts is the CPU.
//! Every check is a fresh connection. Contenders take turns within a round, and the order rotates from round to round.
//!
//! The actor has one checker thread. Its neighbours work, but their ports keep nothing: what the claimer and the
//! publisher do is in the figure, what a database does is not (`benches/pipeline.rs`). Jobs that it pulls together it
//! starts over 100 ms, on purpose, so with few jobs its checks per second are bounded by that and not by its work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and fails by panicking"
)]

mod support;

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use support::meter::{Cost, Meter, machine, rss_mb};
use support::ports::{Feed, without_database};
use support::table::{Samples, Table};
use support::target::Target;
use support::{Effort, expect_up, names, settings};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_local};
use tokio_rustls::TlsConnector;
use uptime_monitor::app::{Parts, Stages};
use uptime_monitor::clock::Clock;
use uptime_monitor::model;
use uptime_monitor::probe::Probe;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Sites with a name of their own.
const NAMED: usize = 10_000;

/// Checks of them at once.
const IN_FLIGHT: usize = 32;

/// Checks of each of them while one answer of the name server holds: every 10 s.
const CHECKS_PER_TTL: usize = names::TTL as usize / 10;

/// Longer than all checks need to begin to wait.
const WAIT: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

/// Who checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Actor,
    Probe,
    Hyper,
}

const CONTENDERS: [Contender; 3] = [Contender::Actor, Contender::Probe, Contender::Hyper];

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
struct Load {
    scheme: &'static str,
    in_flight: usize,
    /// Checks in one round of one contender.
    checks: usize,
}

const LOADS: [Load; 4] = [
    Load { scheme: "http", in_flight: 32, checks: 4_000 },
    Load { scheme: "http", in_flight: 1_000, checks: 5_000 },
    Load { scheme: "https", in_flight: 32, checks: 1_500 },
    Load { scheme: "https", in_flight: 1_000, checks: 2_000 },
];

#[derive(Default)]
struct Figures {
    cpu_us: Samples,
    rate: Samples,
}

async fn bench(effort: Effort) {
    let (rounds, divisor) = if effort == Effort::Quick { (2, 2) } else { (7, 1) };
    println!("one checker thread; {rounds} rounds; {}\n", machine());
    let target = Target::start();
    let mut table =
        Table::new(&["checks", "in flight", "by", "CPU µs/check", "× probe", "× hyper", "checks/s"]);
    for load in LOADS {
        let load = Load { checks: load.checks / divisor, ..load };
        let figures = measure(&target, load, rounds).await;
        let [_, probe, hyper] = &figures;
        for (contender, figures) in CONTENDERS.iter().zip(&figures) {
            table.row([
                format!("{}, fresh connections", load.scheme),
                load.in_flight.to_string(),
                format!("{contender:?}").to_lowercase(),
                figures.cpu_us.show(1),
                figures.cpu_us.relative_to(&probe.cpu_us).show(2),
                figures.cpu_us.relative_to(&hyper.cpu_us).show(2),
                figures.rate.show(0),
            ]);
        }
    }
    table.print();
    println!();
    by_name(&target, 20 / divisor).await;
    println!();
    memory(&target, 5_000 / divisor).await;
}

/// Sites by name beside the same ones by address, which take turns: all of them once in each turn, and all turns within one TTL, so
/// that the first turn asks every question.
async fn by_name(target: &Target, turns: usize) {
    let named = Fleet::new(target, |number| target.url_at("http", &format!("site{number}.test")));
    let addressed = Fleet::new(target, |number| format!("{}site{number}", target.url("http")));
    // Each side's caches and heap as they are after a while, all but the names.
    addressed.check_all().await;
    let first = [named.check_all().await, addressed.check_all().await];
    let mut later = [Samples::default(), Samples::default()];
    for turn in 0..turns {
        for side in [turn % 2, 1 - turn % 2] {
            later[side].add([&named, &addressed][side].check_all().await);
        }
    }
    // Of all turns in one TTL only the first asks.
    let mean = |side: usize| {
        let turns = CHECKS_PER_TTL as f64;
        (first[side] + later[side].median() * (turns - 1.0)) / turns
    };
    let mut table = Table::new(&["of 10,000 sites", "by address", "by name", "× address"]);
    let mut row = |checks: &str, [named, addressed]: [f64; 2]| {
        let relative = format!("{:.3}", named / addressed);
        table.row([checks.to_owned(), format!("{addressed:.1}"), format!("{named:.1}"), relative]);
    };
    row("CPU µs/check while every name is asked for", first);
    row("while answers hold, median of turns", [later[0].median(), later[1].median()]);
    row("every 10 s with a TTL of 300 s", [mean(0), mean(1)]);
    table.print();
    println!("by turns: {} ×", later[0].relative_to(&later[1]).show(3));
}

/// Sites, and the probe that checks them.
struct Fleet {
    sites: Rc<[model::Target]>,
    probe: Probe,
}

impl Fleet {
    fn new(target: &Target, url: impl Fn(usize) -> String) -> Self {
        let site = |number| model::Target { url: url(number), timeout: TIMEOUT, retries: 0, settings: None };
        let probe = Probe::with_settings(&settings(IN_FLIGHT, target, &[]).probe, Clock::system());
        Self { sites: (0..NAMED).map(site).collect(), probe }
    }

    /// Checks each site once. CPU per check, µs.
    async fn check_all(&self) -> f64 {
        let next = Cell::new(0);
        let (sites, probe) = (Rc::clone(&self.sites), self.probe.clone());
        let check = Rc::new(async move || {
            let number = next.replace(next.get() + 1);
            let outcome = probe.check(&sites[number], Clock::instant()).await;
            expect_up(outcome.status, outcome.error.as_deref());
        });
        let meter = Meter::read();
        loops(IN_FLIGHT, NAMED, &check).await;
        meter.cost().cpu_us_per(NAMED)
    }
}

/// Checks that all wait for an answer that does not come.
async fn memory(target: &Target, checks: usize) {
    let mut table = Table::new(&["waiting checks", "of", "KiB of memory a check"]);
    for scheme in ["http", "https"] {
        let probe = Probe::with_settings(&settings(checks, target, &[]).probe, Clock::system());
        let url = format!("{}hang", target.url(scheme));
        let job = model::Target { url, timeout: WAIT, retries: 0, settings: None };
        let before = rss_mb();
        let mut waiting = JoinSet::new();
        for _ in 0..checks {
            let (probe, job) = (probe.clone(), job.clone());
            waiting.spawn_local(async move { probe.check(&job, Clock::instant()).await });
        }
        settle().await;
        let each = (rss_mb() - before) * 1024.0 / checks as f64;
        table.row([checks.to_string(), scheme.to_owned(), format!("{each:.1}")]);
        waiting.shutdown().await;
    }
    table.print();
}

/// Waits until this process has nothing more to do.
async fn settle() {
    const LOOK: Duration = Duration::from_millis(500);
    loop {
        let meter = Meter::read();
        tokio::time::sleep(LOOK).await;
        if meter.cost().cpu < LOOK / 100 {
            return;
        }
    }
}

async fn measure(target: &Target, load: Load, rounds: usize) -> [Figures; 3] {
    let mut figures: [Figures; 3] = Default::default();
    for round in 0..rounds {
        for turn in 0..CONTENDERS.len() {
            let number = (round + turn) % CONTENDERS.len();
            let cost = match CONTENDERS[number] {
                Contender::Actor => through_actor(target, load).await,
                Contender::Probe => with_probe(target, load).await,
                Contender::Hyper => with_hyper(target, load).await,
            };
            figures[number].cpu_us.add(cost.cpu_us_per(load.checks));
            figures[number].rate.add(cost.rate(load.checks));
        }
    }
    figures
}

/// Checks before each measurement, for caches and for threads that are still starting.
fn warm_up(load: Load) -> usize {
    load.in_flight.min(load.checks / 4)
}

/// The pipeline's own actors, with ports that keep nothing.
async fn through_actor(target: &Target, load: Load) -> Cost {
    let job = model::Target { url: target.url(load.scheme), timeout: TIMEOUT, retries: 0, settings: None };
    let feed = Feed::new(job, Clock::system(), 0);
    // Between warm-up and measurement the queue is empty; a short poll finds the new jobs without a scheduler's hint.
    let changes = [("worker.threads", "1"), ("worker.poll", "10ms")];
    let stages =
        Stages::start(Parts::ALL, settings(load.in_flight, target, &changes), without_database(&feed));
    feed.run(warm_up(load)).await;
    let meter = Meter::read();
    feed.run(load.checks).await;
    let cost = meter.cost();
    stages.running.shutdown(Duration::from_secs(1)).await;
    cost
}

/// The same checks in bare loops.
async fn with_probe(target: &Target, load: Load) -> Cost {
    let probe = Probe::with_settings(&settings(load.in_flight, target, &[]).probe, Clock::system());
    let job = model::Target { url: target.url(load.scheme), timeout: TIMEOUT, retries: 0, settings: None };
    in_loops(load, async move || {
        let outcome = probe.check(&job, Clock::instant()).await;
        expect_up(outcome.status, outcome.error.as_deref());
    })
    .await
}

/// What HTTP on a fresh connection costs without timings, guard, redirects and limits.
async fn with_hyper(target: &Target, load: Load) -> Cost {
    let url = target.url(load.scheme);
    let authority = url.split('/').nth(2).unwrap().to_owned();
    let tls = (load.scheme == "https").then(|| TlsConnector::from(tls_config(target)));
    in_loops(load, async move || {
        let tcp = TcpStream::connect(&authority).await.expect("a connection");
        match &tls {
            None => request(tcp, &authority).await,
            Some(tls) => {
                tcp.set_nodelay(true).unwrap();
                let name = ServerName::try_from("127.0.0.1").unwrap();
                request(tls.connect(name, tcp).await.expect("a handshake"), &authority).await;
            }
        }
    })
    .await
}

async fn request(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, authority: &str) {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a fresh connection");
    let connection = spawn_local(connection);
    let request = Request::get("/")
        .header(HOST, authority)
        .header(USER_AGENT, "bench")
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.unwrap()).await.expect("an answer");
    assert!(answer.status().is_success());
    answer.into_body().collect().await.expect("a body");
    let _ = connection.await;
}

/// Verifies as the product does, and like it resumes nothing.
fn tls_config(target: &Target) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(target.roots.clone())
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// As many loops as checks may be in flight, on this thread.
async fn in_loops(load: Load, check: impl AsyncFn() + 'static) -> Cost {
    let check = Rc::new(check);
    loops(load.in_flight, warm_up(load), &check).await;
    let meter = Meter::read();
    loops(load.in_flight, load.checks, &check).await;
    meter.cost()
}

async fn loops(in_flight: usize, checks: usize, check: &Rc<impl AsyncFn() + 'static>) {
    let left = Rc::new(Cell::new(checks));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight.min(checks) {
        let (check, left) = (Rc::clone(check), Rc::clone(&left));
        tasks.spawn_local(async move {
            while left.get() > 0 {
                left.set(left.get() - 1);
                check().await;
            }
        });
    }
    while let Some(end) = tasks.join_next().await {
        end.expect("no check panics");
    }
}
