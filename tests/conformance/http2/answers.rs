//! Answers that are whole, and what is a part of them: interim heads, lengths, trailers.

use serde_json::json;
use uptime_monitor::model::Reason;

use super::frames::*;
use super::{held, no, row, sends};
use crate::table::{Case, down, up};

pub(crate) fn cases() -> Vec<Case> {
    [answers(), slow(), bodiless(), interim(), lengths(), trailers()].into_iter().flatten().collect()
}

fn answers() -> Vec<Case> {
    let hello = || [head(200, &[("content-type", "text/plain")]), last("hello")];
    vec![
        sends("a body", hello(), up().http(200).bytes(5))
            .also(|outcome, _| assert_eq!(outcome.http_version, Some("HTTP/2"))),
        held("a body", hello(), up().http(200).bytes(5)),
        sends("no body at all", [only_head(200, &[])], up().http(200).bytes(0)),
        held("no body at all", [only_head(200, &[])], up().http(200).bytes(0)),
        sends("an empty body", [head(200, &[]), last("")], up().bytes(0)),
        sends(
            "a body in 5,000 small frames",
            std::iter::once(head(200, &[])).chain((0..5_000).map(|_| data("0123456789"))).chain([last("")]),
            up().bytes(50_000),
        ),
        sends(
            "pieces, some of them empty",
            [head(200, &[]), data("he"), data(""), data("llo"), last("")],
            up().bytes(5),
        ),
        sends(
            "a piece with padding",
            [head(200, &[]), frame(DATA, PADDED | END_STREAM, 1, b"\x03hello\0\0\0")],
            up().bytes(5),
        ),
        sends(
            "a head with padding",
            [frame(
                HEADERS,
                PADDED | END_HEADERS | END_STREAM,
                1,
                [&[2][..], &block(200, &[]), &[0, 0]].concat(),
            )],
            up(),
        ),
        sends("404", [head(404, &[]), last("no")], down(Reason::Status).http(404).bytes(2)),
        sends("599", [only_head(599, &[])], down(Reason::Status).http(599)),
        sends("a status above 599", [only_head(799, &[])], down(Reason::Status).http(799)),
        sends("a text that is expected", [head(200, &[]), last("all is well")], up())
            .with(json!({"expect": {"http_version": ["HTTP/2"], "body": {"contains": ["is well"]}}})),
        sends("a header that is expected", [only_head(200, &[("x-up", "yes")])], up()).with(
            json!({"expect": {"http_version": ["HTTP/2"], "headers": [{"name": "X-Up", "equals": "yes"}]}}),
        ),
        sends(
            "a header over CONTINUATION",
            [
                frame(HEADERS, END_STREAM, 1, block(200, &[("a", "b")])),
                frame(CONTINUATION, 0, 1, field("c", "d")),
                frame(CONTINUATION, END_HEADERS, 1, field("e", "f")),
            ],
            up(),
        ),
    ]
}

/// When it comes, and whether it does.
fn slow() -> Vec<Case> {
    vec![
        row(
            "a head byte by byte",
            |mut peer| {
                for byte in [head(200, &[]), last("hello")].concat() {
                    peer.send([byte]);
                }
                peer.close();
            },
            up().bytes(5),
        ),
        held("nothing", [], down(Reason::Timeout).tells("waiting for the first byte").within(900..=1250))
            .timeout(1000),
        held(
            "a head alone",
            [head(200, &[])],
            down(Reason::Timeout).tells("reading the answer").within(900..=1250),
        )
        .timeout(1000),
    ]
}

fn bodiless() -> Vec<Case> {
    let head_request = json!({"request": {"method": "HEAD"}, "expect": {"http_version": ["HTTP/2"]}});
    let expecting = |status: u16| json!({"expect": {"status": [status], "http_version": ["HTTP/2"]}});
    let length = [("content-length", "5")];
    vec![
        sends("HEAD", [only_head(200, &length)], up().bytes(0)).with(head_request.clone()),
        sends("HEAD without a length", [only_head(200, &[])], up().bytes(0)).with(head_request.clone()),
        held("HEAD without an end", [head(200, &length)], up().bytes(0)).with(head_request),
        sends("204", [only_head(204, &[])], up().http(204).bytes(0)),
        held("204 without an end", [head(204, &[])], up().http(204).bytes(0)),
        sends("304", [only_head(304, &[])], up().http(304).bytes(0)).with(expecting(304)),
        sends("304 with a length", [only_head(304, &length)], up().http(304).bytes(0)).with(expecting(304)),
    ]
}

fn interim() -> Vec<Case> {
    let hints = |count: usize| (0..count).map(|_| head(103, &[("link", &"x".repeat(1000))]));
    let whole = || [head(200, &[]), last("hello")];
    let is_last = up().http(200).bytes(5);
    vec![
        sends("103 before 200", hints(1).chain(whole()), is_last.clone()),
        sends(
            "100, 102, 103, 103, then 200",
            [100, 102, 103, 103].map(|status| head(status, &[])).into_iter().chain(whole()),
            is_last.clone(),
        ),
        sends("60 KB of hints", hints(60).chain(whole()), is_last),
        sends("70 KB of hints", hints(70).chain(whole()), down(Reason::TooLarge).tells("over 64 KiB")),
        sends("hints without end", hints(400), down(Reason::TooLarge)),
        sends(
            "a header of a hint does not count",
            [head(103, &[("x-up", "yes")]), only_head(200, &[])],
            down(Reason::Header),
        )
        .with(json!({"expect": {"http_version": ["HTTP/2"], "headers": [{"name": "x-up"}]}})),
        sends("101", [head(101, &[])].into_iter().chain(whole()), no().tells("status 101")),
        sends("103 and the end of the stream", [only_head(103, &[])], no()),
        sends("103 and a body", [head(103, &[]), last("hello")], no()),
        sends(
            "only a 103, then the end",
            [head(103, &[])],
            down(Reason::Connect).tells("before a whole answer"),
        ),
    ]
}

/// What `content-length` says, and what comes.
fn lengths() -> Vec<Case> {
    let said = |length: &str| head(200, &[("content-length", length)]);
    let more = |want: u64| {
        no().tells(format!("it goes on wrongly after the {want} bytes that its content-length says"))
    };
    let not = |want: u64| {
        no().tells(format!(
            "the body is broken: it does not have the {want} bytes that its content-length says"
        ))
    };
    vec![
        sends("as long as it says", [said("5"), last("hello")], up().bytes(5)),
        sends("shorter than it says", [said("9"), last("hello")], not(9)),
        sends(
            "shorter than it says, with trailers",
            [said("9"), data("hello"), frame(HEADERS, END_HEADERS | END_STREAM, 1, field("a", "b"))],
            not(9),
        ),
        sends("longer than it says", [said("3"), last("hello")], not(3)),
        sends("longer than it says, in pieces", [said("3"), data("he"), data("llo"), last("")], not(3)),
        sends("a length and no body", [only_head(200, &[("content-length", "5")])], no()),
        sends("a length of nothing", [only_head(200, &[("content-length", "0")])], up().bytes(0)),
        sends("a length of 0, and a body", [said("0"), last("hello")], more(0)),
        sends("as long as it says, and more", [said("3"), data("hel"), last("lo")], more(3)),
        sends(
            "two lengths that are equal",
            [head(200, &[("content-length", "5"), ("content-length", "5")]), last("hello")],
            up(),
        ),
        sends(
            "two lengths that differ",
            [head(200, &[("content-length", "5"), ("content-length", "6")]), last("hello")],
            no(),
        ),
        sends("a length that is no number", [said("x"), last("hello")], no()),
        sends("a length with a sign", [said("+5"), last("hello")], no()),
    ]
}

fn trailers() -> Vec<Case> {
    let with = |flags: u8, block: Vec<u8>| [head(200, &[]), data("hello"), frame(HEADERS, flags, 1, block)];
    let end = END_HEADERS | END_STREAM;
    vec![
        sends("trailers", with(end, field("grpc-status", "0")), up().bytes(5)),
        held("trailers", with(end, field("grpc-status", "0")), up().bytes(5)),
        sends("trailers of no header", with(end, Vec::new()), up().bytes(5)),
        sends(
            "trailers instead of a body",
            [head(200, &[]), frame(HEADERS, end, 1, field("a", "b"))],
            up().bytes(0),
        ),
        sends(
            "trailers that do not end the stream",
            with(END_HEADERS, field("a", "b")),
            no().tells("the body is broken"),
        ),
        sends("a trailer in capitals", with(end, field("A", "b")), no().tells("the body is broken")),
        sends("a trailer is no header", with(end, field("x-up", "yes")), down(Reason::Header))
            .with(json!({"expect": {"http_version": ["HTTP/2"], "headers": [{"name": "x-up"}]}})),
    ]
}
