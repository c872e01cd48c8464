//! A check ends at its timeout, wherever a server stalls or dawdles, and tells where the time went.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use uptime_monitor::model::Reason;

use crate::authority::{self, VALID, serve_with};
use crate::server::{Exchange, LOOPBACK, Server, answer, hanging, redirect, refusing};
use crate::table::{AUTHORITY, Case, Scene, Want, degraded, down, run_alone, up};

const TIMEOUT: u64 = 400;
/// How much longer than its timeout a check may take.
const SLACK: u64 = 250;

#[actix_rt::test]
async fn every_case() {
    run_alone("time", cases()).await;
}

fn given_up(doing: &str) -> Want {
    down(Reason::Timeout).tells(format!("no answer within 400ms: {doing}")).within(TIMEOUT..=TIMEOUT + SLACK)
}

pub(crate) fn cases() -> Vec<Case> {
    [stalling(), dawdling(), flooding(), hopping(), quick(), limits()].into_iter().flatten().collect()
}

fn case(name: &str, act: impl Fn(Exchange) + Send + Sync + Clone + 'static, want: Want) -> Case {
    Case::serving(name, act, want).timeout(TIMEOUT)
}

/// Sends `start`, then nothing more.
fn stall(name: &str, start: &'static [u8], doing: &str) -> Case {
    let act = move |mut exchange: Exchange| {
        exchange.send(start);
        exchange.hang();
    };
    case(name, act, given_up(doing))
}

fn stalling() -> Vec<Case> {
    let reading = "reading the answer";
    vec![
        Case::staged("a connection that hangs", full_queue, given_up("connecting")).timeout(TIMEOUT),
        Case::new("a handshake that hangs", || tls_of(|tcp| hang(&tcp)), given_up("in the TLS handshake"))
            .timeout(TIMEOUT),
        stall("no answer", b"", "waiting for the first byte"),
        stall("one byte", b"H", reading),
        stall("half a head", b"HTTP/1.1 200 OK\r\nServer: x", reading),
        stall("a head and no body", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", reading).also(
            |outcome, _| {
                assert_eq!((outcome.http_status, outcome.body_bytes), (Some(200), 0));
            },
        ),
        stall("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", reading).also(
            |outcome, _| {
                assert_eq!((outcome.http_status, outcome.body_bytes), (Some(200), 3));
            },
        ),
        stall(
            "chunks without the last",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            reading,
        ),
        stall("a body until the end, which does not come", b"HTTP/1.1 200 OK\r\n\r\nhello", reading),
        stall("an interim head alone", b"HTTP/1.1 103 Early Hints\r\n\r\n", reading),
        stall("an empty line alone", b"\r\n", reading),
        Case::new("no answer over TLS", silent_tls, given_up("waiting for the first byte")).timeout(TIMEOUT),
        stall(
            "half a gzip body",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0",
            reading,
        ),
    ]
}

fn dawdling() -> Vec<Case> {
    let reading = "reading the answer";
    let slow = |name, start: &'static str, again: &'static str| {
        let act = move |exchange: Exchange| drip(exchange, start, again);
        case(name, act, given_up(reading))
    };
    vec![
        slow("a head, byte by byte, that never ends", "HTTP/1.1 200 OK\r\nX: ", "x"),
        slow("a body, byte by byte", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"),
        slow(
            "chunks, one by one, without end",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\nx\r\n",
        ),
        slow("interim heads without end", "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        slow("empty lines without end", "", "\r\n"),
        slow("headers without end", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
        slow(
            "trailers without end",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X: y\r\n",
        ),
    ]
}

/// Sends `again` as fast as it goes: nothing may wait for a pause.
fn flood(coding: &str, again: &'static [u8]) -> Case {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
    let act = move |mut exchange: Exchange| {
        exchange.send(&head);
        let many = again.repeat(1_000);
        while exchange.tcp.write_all(&many).is_ok() {}
    };
    case(&format!("{coding} without end and without content"), act, given_up("reading the answer"))
}

fn flooding() -> Vec<Case> {
    let member = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";
    let frame = b"\x28\xb5\x2f\xfd\x20\0\x01\0\0";
    let deaf = |exchange: Exchange| hang_deaf(&exchange);
    vec![
        flood("gzip", member),
        flood("zstd", frame),
        case("a request that is never taken", deaf, given_up("waiting for the first byte"))
            .stored(json!({"request": {"method": "POST", "body": "x".repeat(3_000_000)}})),
    ]
}

/// Reads nothing, and keeps the connection for longer than anybody waits.
fn hang_deaf(_exchange: &Exchange) {
    std::thread::sleep(Duration::from_millis(2 * TIMEOUT));
}

fn hopping() -> Vec<Case> {
    // Each hop is quick enough for itself.
    let slow_chain = |mut exchange: Exchange| {
        std::thread::sleep(Duration::from_millis(90));
        let hop: u32 = exchange.path()[1..].parse().unwrap_or(0);
        exchange.send(redirect(&format!("/{}", hop + 1)));
    };
    let last_hangs = |mut exchange: Exchange| match exchange.path() {
        "/" => exchange.send(redirect("/next")),
        _ => exchange.hang(),
    };
    vec![
        case("a chain of slow redirects", slow_chain, given_up("")).also(|outcome, _| {
            assert!((2..=5).contains(&outcome.redirects), "{} hops", outcome.redirects);
            assert_eq!(outcome.http_status, Some(302));
        }),
        case("a redirect to what hangs", last_hangs, given_up("waiting for the first byte")).also(
            |outcome, _| {
                assert_eq!((outcome.redirects, outcome.http_status), (1, Some(302)));
            },
        ),
    ]
}

/// None of these may take as long as its timeout.
fn quick() -> Vec<Case> {
    let stays = |bytes: &'static str| {
        move |mut exchange: Exchange| {
            exchange.send(bytes);
            exchange.hang();
        }
    };
    let refused = || {
        let (port, addr) = refusing();
        Scene { url: format!("http://{addr}/"), servers: Vec::new(), held: Some(Box::new(port)) }
    };
    vec![
        Case::new(
            "a refused connection",
            refused,
            down(Reason::Connect).tells("connection refused by").within(0..=250),
        ),
        Case::serving(
            "a whole answer, held open",
            stays("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            up().within(0..=250),
        ),
        Case::serving("a banner, held open", stays("SSH-2.0-x"), down(Reason::Protocol).within(0..=250)),
        Case::serving(
            "a redirect with a body that does not end",
            first_redirects_and_hangs,
            up().within(0..=250),
        ),
    ]
}

fn first_redirects_and_hangs(mut exchange: Exchange) {
    if exchange.path() == "/next" {
        exchange.send(answer("200 OK", "there"));
    } else {
        exchange.send("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 9999\r\n\r\nnot yet");
        exchange.hang();
    }
}

fn limits() -> Vec<Case> {
    let late = |mut exchange: Exchange| {
        std::thread::sleep(Duration::from_millis(150));
        exchange.send(answer("200 OK", "late"));
    };
    let limits = |limits| json!({"expect": {"response_time": limits}});
    let says = "response time 1";
    vec![
        case("slower than degraded", late, degraded(Reason::Slow).tells(says))
            .with(limits(json!({"degraded": "100ms"}))),
        case("slower than down", late, down(Reason::Slow).tells("expected at most 120ms"))
            .with(limits(json!({"degraded": "100ms", "down": "120ms"}))),
        case("between degraded and down", late, degraded(Reason::Slow).tells("expected at most 100ms"))
            .stored(limits(json!({"degraded": "100ms", "down": "10s"}))),
        case("fast enough", late, up()).stored(limits(json!({"degraded": "10s", "down": "20s"}))),
        case(
            "slow, and not found",
            |mut exchange| {
                std::thread::sleep(Duration::from_millis(150));
                exchange.send(answer("404 Not Found", ""));
            },
            down(Reason::Status).tells("404").tells(says),
        )
        .with(limits(json!({"degraded": "100ms"}))),
    ]
}

async fn full_queue() -> Scene {
    let held = hanging().await;
    Scene {
        url: format!("http://{}/", held.1.local_addr().unwrap()),
        servers: Vec::new(),
        held: Some(Box::new(held)),
    }
}

fn hang(tcp: &TcpStream) {
    let mut tcp = tcp;
    let _ = std::io::copy(&mut tcp, &mut std::io::sink());
}

fn tls_of(act: impl Fn(TcpStream) + Send + Sync + 'static) -> Scene {
    let server = Server::raw(LOOPBACK, move |tcp, _| act(tcp));
    Scene { url: format!("https://localhost:{}/", server.port()), servers: vec![server], held: None }
}

fn silent_tls() -> Scene {
    let config = authority::config(AUTHORITY.leaf(&["localhost"], VALID), rustls::ALL_VERSIONS, None);
    let server = serve_with(config, |stream, _| hang(&stream.sock));
    Scene { url: format!("https://localhost:{}/", server.port()), servers: vec![server], held: None }
}

/// Sends `start`, then `again` every few milliseconds until nobody listens any more.
fn drip(mut exchange: Exchange, start: &str, again: &str) {
    let mut sent = exchange.tcp.write_all(start.as_bytes());
    while sent.is_ok() {
        std::thread::sleep(Duration::from_millis(5));
        sent = exchange.tcp.write_all(again.as_bytes());
    }
}
