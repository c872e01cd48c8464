//! Answers that do not come, or not to their end: RST_STREAM, GOAWAY, and connections that are cut.

use serde_json::json;
use uptime_monitor::model::Reason;

use super::frames::*;
use super::{held, http2, no, row, sends};
use crate::table::{Case, Want, down, up};
use crate::trust::at_localhost;

pub(crate) fn cases() -> Vec<Case> {
    [resets(), goaways(), cuts()].into_iter().flatten().collect()
}

fn resets() -> Vec<Case> {
    let gone =
        |code: &str| down(Reason::Connect).tells(format!("reset the stream before it answered ({code})"));
    let blamed =
        |code: &str| no().tells(format!("reset the stream before it answered, and blames us ({code})"));
    let inside = |code: &str| {
        no().tells("the body is broken: 127.0.0.1:").tells(format!("reset the stream after 5 bytes ({code})"))
    };
    let body = |code: u32| [head(200, &[]), data("hello"), reset(code)];
    let post = json!({"request": {"method": "POST", "body": "x".repeat(200_000)}, "expect": {"http_version": ["HTTP/2"]}});
    vec![
        sends("reset: NO_ERROR", [reset(0)], gone("NO_ERROR")),
        sends("reset: PROTOCOL_ERROR", [reset(1)], blamed("PROTOCOL_ERROR")),
        sends("reset: INTERNAL_ERROR", [reset(2)], gone("INTERNAL_ERROR")).also(|outcome, _| {
            assert_eq!(outcome.timings.download_us, None, "nothing was answered");
        }),
        sends("reset: FLOW_CONTROL_ERROR", [reset(3)], blamed("FLOW_CONTROL_ERROR")),
        sends("reset: REFUSED_STREAM", [reset(7)], gone("REFUSED_STREAM")),
        held("reset: REFUSED_STREAM", [reset(7)], gone("REFUSED_STREAM")),
        sends("reset: CANCEL", [reset(8)], gone("CANCEL")),
        sends("reset: ENHANCE_YOUR_CALM", [reset(11)], gone("ENHANCE_YOUR_CALM")),
        sends(
            "reset: HTTP_1_1_REQUIRED",
            [reset(13)],
            no().tells("wants this request over HTTP/1.1 (HTTP_1_1_REQUIRED)"),
        ),
        sends("reset: an error that nobody knows", [reset(255)], gone("error 0xff")),
        sends("reset after a 103", [head(103, &[]), reset(2)], gone("INTERNAL_ERROR")),
        sends("reset in the body: INTERNAL_ERROR", body(2), inside("INTERNAL_ERROR")),
        held("reset in the body: CANCEL", body(8), inside("CANCEL")),
        sends("reset in the body: NO_ERROR", body(0), inside("NO_ERROR")),
        sends("reset behind the end: NO_ERROR", [head(200, &[]), last("hello"), reset(0)], up().bytes(5)),
        sends("reset behind the end: CANCEL", [head(200, &[]), last("hello"), reset(8)], up().bytes(5)),
        sends(
            "an answer to half of a request, and a reset: NO_ERROR",
            [head(200, &[]), last("hello"), reset(0)],
            up().bytes(5),
        )
        .with(post.clone()),
        sends("an answer to half of a request", [head(200, &[]), last("hello")], up().bytes(5)).with(post),
    ]
}

/// GOAWAY.
fn goaways() -> Vec<Case> {
    let gone =
        |code: &str| down(Reason::Connect).tells(format!("ended the connection before it answered ({code})"));
    let inside = |code: &str| no().tells(format!("ended the connection after 5 bytes ({code})"));
    let part = || [head(200, &[]), data("hello")];
    vec![
        sends("GOAWAY that leaves us out", [go_away(0, 0)], gone("NO_ERROR")),
        held("GOAWAY that leaves us out", [go_away(0, 0)], gone("NO_ERROR")),
        sends("GOAWAY: ENHANCE_YOUR_CALM", [go_away(0, 11)], gone("ENHANCE_YOUR_CALM")),
        sends("GOAWAY: INTERNAL_ERROR", [go_away(0, 2)], gone("INTERNAL_ERROR")),
        sends("GOAWAY: PROTOCOL_ERROR", [go_away(0, 1)], no().tells("and blames us (PROTOCOL_ERROR)")),
        sends("GOAWAY: INADEQUATE_SECURITY", [go_away(0, 12)], no().tells("(INADEQUATE_SECURITY)")),
        sends(
            "GOAWAY, and the answer all the same",
            [go_away(1, 0), head(200, &[]), last("hello")],
            up().bytes(5),
        ),
        sends(
            "GOAWAY twice, and the answer",
            [go_away(0x7fff_ffff, 0), go_away(1, 0), head(200, &[]), last("hello")],
            up().bytes(5),
        ),
        sends("GOAWAY behind the head", [head(200, &[]), go_away(1, 0), last("hello")], up().bytes(5)),
        sends("GOAWAY behind the end", [head(200, &[]), last("hello"), go_away(1, 0)], up().bytes(5)),
        sends("GOAWAY that takes us along, and the end", [go_away(1, 0)], down(Reason::Connect)),
        sends(
            "GOAWAY that takes us along: PROTOCOL_ERROR",
            [go_away(1, 1)],
            no().tells("and blames us (PROTOCOL_ERROR)"),
        ),
        sends("GOAWAY that takes us along: ENHANCE_YOUR_CALM", [go_away(1, 11)], gone("ENHANCE_YOUR_CALM")),
        sends(
            "GOAWAY in the body that takes us along: INTERNAL_ERROR",
            part().into_iter().chain([go_away(1, 2)]),
            inside("INTERNAL_ERROR"),
        ),
        sends(
            "GOAWAY in the body, and the end",
            part().into_iter().chain([go_away(1, 0)]),
            no().tells("the body is broken"),
        ),
        sends(
            "GOAWAY in the body: INTERNAL_ERROR",
            part().into_iter().chain([go_away(0, 2)]),
            inside("INTERNAL_ERROR"),
        ),
    ]
}

/// The connection ends, or breaks.
fn cuts() -> Vec<Case> {
    let connect = |tells: &str| down(Reason::Connect).tells(tells);
    let raw = |name: &str, act: fn(Peer), want: Want| {
        Case::new(name, move || at_localhost(serve_raw(move |peer, _| act(peer))), want).with(http2())
    };
    let part = [head(200, &[]), data("hello")].concat();
    let of_nine = [head(200, &[("content-length", "9")]), data("hello")].concat();
    let cut = |name: &str, bytes: Vec<u8>, want: Want| {
        row(
            &format!("{name}, without close_notify"),
            move |mut peer| {
                peer.send(&bytes);
                peer.cut();
            },
            want,
        )
    };
    let broken = |tells: &str| no().tells(format!("the body is broken: it ends after {tells}"));
    vec![
        raw("the end instead of SETTINGS", Peer::close, connect("closed the connection before it answered")),
        raw(
            "the end instead of SETTINGS, without close_notify",
            Peer::cut,
            connect("closed the connection before it answered"),
        ),
        raw("a reset instead of SETTINGS", Peer::reset, connect("connection reset by")),
        sends("the end instead of a head", [], connect("before a whole answer")),
        cut("the end instead of a head", Vec::new(), connect("before a whole answer")),
        row("a reset instead of a head", Peer::reset, connect("connection reset by")),
        sends("half a head", [head(200, &[("a", "b")])[..12].to_vec()], connect("before a whole answer")),
        sends(
            "a head that CONTINUATION does not end",
            [frame(HEADERS, 0, 1, block(200, &[]))],
            connect("before a whole answer"),
        ),
        sends("a body without its end", [part.clone()], broken("5 bytes, before the end of its stream")),
        cut("a body without its end", part.clone(), broken("5 bytes, before the end of its stream")),
        sends("5 of 9 bytes", [of_nine.clone()], broken("5 of 9 bytes")),
        cut("5 of 9 bytes", of_nine, broken("5 of 9 bytes")),
        sends(
            "half a DATA frame",
            [head(200, &[]), last("hello")[..11].to_vec()],
            no().tells("the body is broken"),
        ),
        row(
            "a reset in the body",
            move |mut peer| {
                peer.send(&part);
                // A reset may overtake what was sent before it: the answer to a PING shows that the client has read that.
                peer.send(frame(PING, 0, 0, [0; 8]));
                assert!(peer.await_frame(PING, ACK));
                peer.reset();
            },
            no().tells("the body is broken: connection reset by"),
        ),
    ]
}
