//! The servers that other tests rely on: that they start, can be hurt, recover, and leave nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/servers/mod.rs"]
mod servers;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use servers::{Kafka, Postgres, Proxy};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use uptime_monitor::clock::Clock;

/// Longer than a machine that is busy with other tests takes to forward a few bytes.
const SOON: Duration = Duration::from_secs(10);
/// Long enough to believe that nothing comes.
const A_WHILE: Duration = Duration::from_millis(300);

#[test]
fn every_user_of_the_shared_postgres_gets_a_database_of_its_own() {
    let Some(server) = servers::postgres() else { return };
    let (one, other) = (server.fresh_database(), server.fresh_database());

    server.ask(&one, "CREATE TABLE seen AS SELECT 1 AS number");

    assert_eq!(server.ask(&one, "SELECT number, NULL FROM seen"), "1|");
    assert_eq!(server.ask(&other, "SELECT to_regclass('seen') IS NULL"), "t");
}

#[test]
fn a_postgres_that_crashed_comes_back_at_its_place_with_what_was_committed() {
    let Some(server) = Postgres::start() else { return };
    let url = server.fresh_database();
    server.ask(&url, "CREATE TABLE kept AS SELECT 7 AS number");

    for stop in [Postgres::stop_immediate, Postgres::stop_fast] {
        stop(&server);
        assert!(TcpStream::connect(server.address()).is_err());
        server.start_again();
        assert_eq!(server.ask(&url, "SELECT number FROM kept"), "7");
    }
}

#[tokio::test]
async fn a_postgres_with_tls_refuses_connections_without() {
    let Some(server) = Postgres::start_with_tls() else { return };
    assert!(server.url().ends_with("?sslmode=verify-full"), "{}", server.url());
    assert!(std::fs::read_to_string(server.ca_file()).unwrap().contains("BEGIN CERTIFICATE"));

    let plain = server.url().replace("verify-full", "disable");
    let refused = tokio_postgres::connect(&plain, NoTls).await.err().expect("a refusal");

    assert!(refused.as_db_error().unwrap().message().contains("no encryption"), "{refused:?}");
}

#[tokio::test]
async fn a_frozen_backend_goes_on_when_it_is_let() {
    let Some(server) = Postgres::start() else { return };
    let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let backends = server.backends(server.url());

    let frozen = server.freeze(backends[0]);
    let mut answer = Box::pin(client.simple_query("SELECT 1"));
    assert!(timeout(A_WHILE, &mut answer).await.is_err());

    drop(frozen);
    assert!(timeout(SOON, answer).await.unwrap().is_ok());
}

#[test]
fn what_a_test_started_is_gone_when_the_test_is() {
    let Some(server) = Postgres::start() else { return };
    let address = server.address();

    drop(server);

    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_server_goes_down_with_the_process_it_was_started_for() {
    let Some(_installed) = servers::postgres() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/support/postgres");
    let mut parent = Command::new("sleep").arg("600").spawn().unwrap();
    let output =
        Command::new(script).args(["up", "--with-parent", &parent.id().to_string()]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let folder = Path::new(said.split("POSTGRES_DIR='").nth(1).unwrap().split('\'').next().unwrap());
    assert!(folder.exists());

    parent.kill().unwrap();
    parent.wait().unwrap();

    eventually("the server is gone", || (!folder.exists()).then_some(()));
}

#[test]
fn the_shared_kafka_can_be_reached() {
    let Some(kafka) = servers::kafka() else { return };

    assert!(reaches_all(kafka.brokers()), "{}", kafka.brokers());
}

#[test]
fn a_kafka_node_can_be_killed_and_started_while_the_others_stay() {
    let Some(kafka) = Kafka::start(3) else { return };
    let brokers: Vec<&str> = kafka.brokers().split(',').collect();
    assert_eq!(brokers.len(), 3);

    kafka.kill(2);
    assert!(reaches_all(brokers[0]) && !reaches_all(brokers[1]) && reaches_all(brokers[2]));

    kafka.start_node(2);
    assert!(reaches_all(kafka.brokers()));
}

#[test]
fn a_secure_kafka_has_listeners_for_each_way_in() {
    let Some(kafka) = Kafka::start_secure(1) else { return };

    for brokers in [kafka.brokers(), kafka.sasl_brokers(), kafka.tls_brokers()] {
        assert!(reaches_all(brokers), "{brokers}");
    }
    assert!(std::fs::read_to_string(kafka.ca_file()).unwrap().contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_cut_network_says_nothing_and_delivers_what_it_held_when_it_is_mended() {
    let proxy = Proxy::to(echo());
    let mut stream = connect(proxy.address());
    assert_eq!(said_back(&mut stream, b"before"), b"before");

    proxy.cut();
    stream.write_all(b"during").unwrap();
    let mut late = connect(proxy.address());
    late.write_all(b"late").unwrap();
    assert!(is_silent(&mut stream) && is_silent(&mut late));

    proxy.resume();
    assert_eq!(heard(&mut stream, 6), b"during");
    assert_eq!(heard(&mut late, 4), b"late");
}

#[test]
fn a_slow_network_delivers_late() {
    let proxy = Proxy::to(echo());
    let mut stream = connect(proxy.address());
    proxy.slow(A_WHILE);
    let started = Clock::instant();

    assert_eq!(said_back(&mut stream, b"slowly"), b"slowly");

    // There and back.
    assert!(started.elapsed() >= 2 * A_WHILE);
}

#[test]
fn a_network_that_refuses_closes_what_is_open() {
    let proxy = Proxy::to(echo());
    let mut stream = connect(proxy.address());
    assert_eq!(said_back(&mut stream, b"open"), b"open");

    proxy.refuse();

    assert!(is_closed(&mut stream));
    assert!(is_closed(&mut connect(proxy.address())));
}

/// A server that says back what it hears.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    address
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

fn said_back(stream: &mut TcpStream, words: &[u8]) -> Vec<u8> {
    stream.write_all(words).unwrap();
    heard(stream, words.len())
}

fn heard(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut words = vec![0; count];
    stream.read_exact(&mut words).unwrap();
    words
}

fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(A_WHILE)).unwrap();
    let silent = stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(SOON)).unwrap();
    silent
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn reaches_all(brokers: &str) -> bool {
    brokers.split(',').all(|broker| TcpStream::connect(broker).is_ok())
}

/// Waits for something to be there.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Clock::instant();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
