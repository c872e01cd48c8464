//! Every answer of the list that the parser is tested with, sent in several ways: over TCP and TLS, at once and in pieces.

use std::io::{Read as _, Write};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls::ServerConfig;
use serde_json::json;
use uptime_monitor::model::Reason;

use crate::authority::{self, VALID, serve_with};
use crate::cases::{self, Is, Then};
use crate::server::{LOOPBACK, Server};
use crate::table::{AUTHORITY, Case, Scene, Want, down, run, up};

#[actix_rt::test]
async fn every_case() {
    run("answers on the wire", cases()).await;
}

/// A pair of writes is a pair of reads only when the other side gets the time to read.
const BETWEEN: Duration = Duration::from_millis(2);

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    AtOnce,
    /// Each byte by itself; of a large answer only the beginning, or it would take all day.
    ByteByByte,
    /// In two writes.
    SplitAt(usize),
}

/// What carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Tcp,
    Tls,
    /// TLS that ends without its farewell.
    CurtTls,
}

/// Those that are sent in more ways than the others: one of each kind that has a state of its own in the parser.
const TYPICAL: [&str; 16] = [
    "103 before 200",
    "100, 102, 103, 103, then 200",
    "only a 103, then the end",
    "101 unasked",
    "204 with bytes of body",
    "HEAD with chunks announced, held open",
    "a length",
    "5 of 100 bytes",
    "until the end",
    "chunks with extensions and trailers",
    "chunks cut inside of trailers",
    "a chunk longer than its size",
    "a length and chunks: chunks win",
    "a value over several lines",
    "three empty lines before it",
    "SSH",
];

pub(crate) fn cases() -> Vec<Case> {
    let mut rows = Vec::new();
    for case in cases::all() {
        let case = Arc::new(case);
        let mut row = |over, way| rows.push(row(&case, over, way));
        row(Over::Tcp, Way::AtOnce);
        if case.then == Then::Resets {
            continue;
        }
        row(Over::Tcp, Way::ByteByByte);
        row(Over::Tls, Way::AtOnce);
        if case.then == Then::Closes {
            row(Over::CurtTls, Way::AtOnce);
        }
        if TYPICAL.contains(&case.name) {
            row(Over::Tls, Way::ByteByByte);
            for at in places(&case.bytes) {
                row(Over::Tcp, Way::SplitAt(at));
            }
        }
    }
    rows
}

/// Where an answer is broken in two: after its first byte, inside of its name, status and first line end, around the end of its
/// head, inside of its body, and before its last byte.
fn places(bytes: &[u8]) -> Vec<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len() / 2, |at| at + 4);
    let last = bytes.len() - 1;
    let mut places = vec![1, 6, 11, 16, head - 3, head - 1, head, head + 1, head.midpoint(last), last];
    places.retain(|at| (1..=last).contains(at));
    places.sort_unstable();
    places.dedup();
    places
}

fn row(case: &Arc<cases::Case>, over: Over, way: Way) -> Case {
    let name = format!("{} [{over:?}, {way:?}]", case.name);
    let served = Arc::clone(case);
    let row = Case::new(name, move || scene(&served, over, way), want(case));
    if case.to_head { row.with(json!({"request": {"method": "HEAD"}})) } else { row }
}

fn want(case: &cases::Case) -> Want {
    match case.is {
        Is::Whole(status @ 200..300, bytes) => up().http(status).bytes(bytes),
        Is::Whole(status, bytes) => down(Reason::Status).http(status).bytes(bytes),
        Is::Fault(reason, tells) => down(reason.parse().unwrap()).tells(tells),
    }
}

static TLS: LazyLock<Arc<ServerConfig>> =
    LazyLock::new(|| authority::config(AUTHORITY.leaf(&["localhost"], VALID), rustls::ALL_VERSIONS, None));

fn scene(case: &Arc<cases::Case>, over: Over, way: Way) -> Scene {
    let case = Arc::clone(case);
    if case.then == Then::Resets {
        return resetting(case).into();
    }
    if over == Over::Tcp {
        let server = Server::new(move |mut exchange| {
            exchange.tcp.set_nodelay(true).unwrap();
            send(&mut exchange.tcp, &case.bytes, way);
            if case.then == Then::Stays {
                exchange.hang();
            }
        });
        return server.into();
    }
    let server = serve_with(Arc::clone(&TLS), move |mut stream, _| {
        send(&mut stream, &case.bytes, way);
        if case.then == Then::Stays {
            let _ = stream.read(&mut [0]);
        } else if over == Over::Tls {
            authority::send_and_close(stream, b"");
        }
    });
    Scene { url: format!("https://localhost:{}/", server.port()), servers: vec![server], held: None }
}

/// Closing a socket that holds unread bytes resets the connection, so most of the request is left unread.
fn resetting(case: Arc<cases::Case>) -> Server {
    Server::raw(LOOPBACK, move |mut tcp, _| {
        tcp.read_exact(&mut [0]).unwrap();
        tcp.peek(&mut [0]).unwrap();
        send(&mut tcp, &case.bytes, Way::AtOnce);
        // A reset may overtake what was sent before it, and who closes at once would test that instead.
        std::thread::sleep(10 * BETWEEN);
    })
}

/// The other side may go at any time, which is its right when it has seen enough.
fn send(out: &mut impl Write, bytes: &[u8], way: Way) {
    let pieces: Vec<&[u8]> = match way {
        Way::AtOnce => vec![bytes],
        Way::ByteByByte => {
            let (beginning, rest) = bytes.split_at(bytes.len().min(1_500));
            beginning.chunks(1).chain(rest.chunks(997)).collect()
        }
        Way::SplitAt(at) => vec![&bytes[..at], &bytes[at..]],
    };
    for (number, piece) in pieces.iter().enumerate() {
        if number == 1 && matches!(way, Way::SplitAt(_)) {
            std::thread::sleep(BETWEEN);
        }
        if out.write_all(piece).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
