//! Limits, what breaks a head, and frames that belong to no answer.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use super::frames::*;
use super::{http2, no, row, sends};
use crate::table::{Case, Scene, Want, down, open, up};
use crate::trust::at_localhost;

pub(crate) fn cases() -> Vec<Case> {
    [limits(), grammar(), connections(), dialogues()].into_iter().flatten().collect()
}

fn limits() -> Vec<Case> {
    let many = |count: usize| {
        let fields: Vec<u8> = (0..count).flat_map(|_| field("a", "b")).collect();
        [block(200, &[]), fields].concat()
    };
    let large = |size: usize| {
        [block(200, &[]), (0..size / 1000).flat_map(|_| field("a", "x".repeat(1000))).collect()].concat()
    };
    // In frames of the size that every client takes.
    let split = |block: Vec<u8>| {
        let count = block.len().div_ceil(16_384);
        let pieces = block.chunks(16_384).enumerate().map(|(at, piece)| {
            let (kind, begins) = if at == 0 { (HEADERS, END_STREAM) } else { (CONTINUATION, 0) };
            frame(kind, begins | if at + 1 == count { END_HEADERS } else { 0 }, 1, piece)
        });
        pieces.collect::<Vec<_>>()
    };
    let too_large = down(Reason::TooLarge);
    let bomb = |references: usize| {
        // An entry of 4,000 bytes in the table, and references to it of one byte each.
        let entry = [vec![0x40], field("a", "x".repeat(4000))[1..].to_vec()].concat();
        [block(200, &[]), entry, vec![0xbe; references]].concat()
    };
    vec![
        sends("150 headers", split(many(150)), up()),
        sends("512 headers", split(many(512)), up()),
        sends("513 headers", split(many(513)), too_large.clone().tells("more than 512 headers")),
        sends("16 KiB of head", split(large(16_000)), up()),
        sends("60 KB of head", split(large(60_000)), up()),
        sends("70 KB of head", split(large(70_000)), too_large.clone().tells("over 64 KiB")),
        sends("300 KB of head", split(large(300_000)), too_large.clone().tells("over 64 KiB")),
        sends("2 MB of head", split(large(2_000_000)), too_large.clone().tells("over 64 KiB")),
        sends(
            "CONTINUATION without end",
            std::iter::once(frame(HEADERS, END_STREAM, 1, block(200, &[])))
                .chain((0..2000).map(|_| frame(CONTINUATION, 0, 1, []))),
            too_large.clone().tells("over 64 KiB"),
        ),
        sends("4 KB that stand for 16 MB of head", split(bomb(4000)), too_large.tells("over 64 KiB")),
        // Between 256 KiB and 1 MiB it cannot be told from a broken one.
        sends(
            "4 KB that stand for 400 KB of head",
            split(bomb(100)),
            no().tells("a broken head (PROTOCOL_ERROR)"),
        ),
        sends(
            "a body over the limit",
            [head(200, &[]), data("x".repeat(9000)), last("x".repeat(9000))],
            up().bytes(10_000),
        )
        .config(ProbeConfig { body_limit: 10_000, ..open() }),
        sends(
            "200 empty frames of a body",
            std::iter::once(head(200, &[])).chain((0..200).map(|_| data(""))).chain([last("hello")]),
            no().tells("breaks the rules of HTTP/2 (ENHANCE_YOUR_CALM)"),
        ),
        sends("a body over max_bytes", [head(200, &[]), last("x".repeat(101))], down(Reason::TooLarge))
            .with(json!({"expect": {"http_version": ["HTTP/2"], "body": {"max_bytes": 100}}})),
    ]
}

/// What breaks a head.
fn grammar() -> Vec<Case> {
    let broken = |name: &str, block: Vec<u8>| {
        let tells = "sends an answer with a broken head (PROTOCOL_ERROR)";
        sends(name, [frame(HEADERS, END_HEADERS | END_STREAM, 1, block)], no().tells(tells))
    };
    // Where a field cannot be decoded, the table of both sides is lost, and with it the connection.
    let rules = |name: &str, block: Vec<u8>| {
        let tells = "breaks the rules of HTTP/2 (PROTOCOL_ERROR)";
        sends(name, [frame(HEADERS, END_HEADERS | END_STREAM, 1, block)], no().tells(tells))
    };
    let with = |name: &str, value: &str| [block(200, &[]), field(name, value)].concat();
    let latin = [block(200, &[]), field("x-city", b"K\xf6ln")].concat();
    vec![
        broken("connection", with("connection", "close")),
        broken("transfer-encoding", with("transfer-encoding", "chunked")),
        broken("keep-alive", with("keep-alive", "timeout=5")),
        broken("no status", field("a", "b")),
        broken("two of them", [block(200, &[]), block(404, &[])].concat()),
        broken("a status behind a header", [field("a", "b"), block(200, &[])].concat()),
        rules("a name in capitals", with("X-Up", "yes")),
        rules("a name with one capital", with("x-Up", "yes")),
        rules("a name with a blank", with("x up", "yes")),
        rules("an empty name", with("", "yes")),
        rules("a value with a line break", with("a", "b\r\nc: d")),
        rules("a value with a NUL", with("a", "b\0")),
        rules("a status that is none", field(":status", "2000")),
        rules("a pseudo header that nobody knows", [block(200, &[]), field(":up", "yes")].concat()),
        sends("a pseudo header of requests is passed over", [only_head(200, &[(":path", "/")])], up()),
        sends("a value in Latin-1", [frame(HEADERS, END_HEADERS | END_STREAM, 1, latin)], up()),
        sends(
            "an index that is not there",
            [frame(HEADERS, END_HEADERS | END_STREAM, 1, [0xff, 0x7f])],
            no().tells("breaks the rules of HTTP/2"),
        ),
        sends(
            "connection, and a page behind it",
            [frame(HEADERS, END_HEADERS, 1, with("connection", "close"))]
                .into_iter()
                .chain((0..6).map(|_| data("x".repeat(16_000))))
                .chain([last("")]),
            no().tells("sends an answer with a broken head (PROTOCOL_ERROR)"),
        ),
        sends("half a field", [frame(HEADERS, END_HEADERS | END_STREAM, 1, &field("a", "b")[..3])], no()),
    ]
}

/// Frames that belong to no answer, and frames where none may be.
fn connections() -> Vec<Case> {
    let rules = |code: &str| no().tells(format!("breaks the rules of HTTP/2 ({code})"));
    let whole = || [head(200, &[]), last("hello")];
    let before =
        |name: &str, before: Vec<u8>, want: Want| sends(name, std::iter::once(before).chain(whole()), want);
    vec![
        before("a frame that nobody knows", frame(0xee, 0xff, 1, "what?"), up().bytes(5)),
        before("PRIORITY", frame(PRIORITY, 0, 1, [0, 0, 0, 3, 1]), up().bytes(5)),
        before("SETTINGS again", frame(SETTINGS, 0, 0, [0, 3, 0, 0, 0, 1]), up().bytes(5)),
        before("a setting that nobody knows", frame(SETTINGS, 0, 0, [0xf0, 0, 0, 0, 0, 1]), up().bytes(5)),
        before("a window of more", frame(8, 0, 0, [0, 0, 0, 1]), up().bytes(5)),
        before("a window of nothing", frame(8, 0, 0, [0; 4]), rules("PROTOCOL_ERROR")),
        before(
            "a window over all bounds",
            frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff]),
            rules("FLOW_CONTROL_ERROR"),
        ),
        before("a setting out of range", frame(SETTINGS, 0, 0, [0, 5, 0, 0, 0, 1]), no()),
        before("SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, [0; 5]), no()),
        before("SETTINGS on our stream", frame(SETTINGS, 0, 1, []), no()),
        before(
            "PUSH_PROMISE",
            frame(PUSH_PROMISE, END_HEADERS, 1, [&[0, 0, 0, 2][..], &block(200, &[])].concat()),
            no(),
        ),
        before("a stream that nobody opened", frame(DATA, 0, 3, "hello"), rules("PROTOCOL_ERROR")),
        before("a body before its head", data("hello"), rules("PROTOCOL_ERROR")),
        before("CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, []), rules("PROTOCOL_ERROR")),
        before("a frame over 16 KiB", frame(0xee, 0, 1, [0; 16_385]), rules("FRAME_SIZE_ERROR")),
        before(
            "another frame between HEADERS and CONTINUATION",
            [frame(HEADERS, 0, 1, block(200, &[])), frame(PING, 0, 0, [0; 8])].concat(),
            rules("PROTOCOL_ERROR"),
        ),
        sends(
            "padding that is longer than its frame",
            [head(200, &[]), frame(DATA, PADDED | END_STREAM, 1, b"\x09hello")],
            no().tells("the body is broken"),
        ),
    ]
}

/// What a server waits for before it answers, or after that.
fn dialogues() -> Vec<Case> {
    let after = |kind: u8, sent: Vec<u8>| {
        move |mut peer: Peer| {
            peer.send(&sent);
            if peer.await_frame(kind, ACK) {
                peer.send(whole_answer());
            }
            peer.close();
        }
    };
    let flood = |mut peer: Peer| {
        // More than any answer of the table, and an end to it for when nobody hears us.
        for _ in 0..400 {
            peer.send(frame(0xee, 0, 0, [0; 16_384]));
        }
        peer.close();
    };
    vec![
        row(
            "PING, and no answer before its echo",
            after(PING, frame(PING, 0, 0, b"are you?")),
            up().bytes(5),
        ),
        row("no answer before SETTINGS are taken", after(SETTINGS, Vec::new()), up().bytes(5)),
        row("a flood of frames that nobody knows", flood, no().tells("floods the connection")),
        Case::new("GOAWAY of the client behind the answer", parting, up().bytes(5)).with(http2()).also(
            |_, scene| {
                let came =
                    scene.held.as_ref().and_then(|held| held.downcast_ref::<Receiver<bool>>()).unwrap();
                assert_eq!(came.recv_timeout(Duration::from_secs(3)), Ok(true), "no GOAWAY came");
            },
        ),
    ]
}

/// A server that tells whether the client has said that it goes.
fn parting() -> Scene {
    let (told, came) = channel();
    let server = serve(move |mut peer| {
        peer.send(whole_answer());
        told.send(peer.await_frame(GOAWAY, 0)).unwrap();
    });
    Scene { held: Some(Box::new(came)), ..at_localhost(server) }
}

fn whole_answer() -> Vec<u8> {
    [head(200, &[]), last("hello")].concat()
}
