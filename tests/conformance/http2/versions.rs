//! Which version of HTTP is spoken, by what the site expects and the server chooses.

use bytes::Bytes;
use serde_json::json;
use uptime_monitor::model::Reason;
use uptime_monitor::probe::Outcome;

use super::frames::{serve_raw, speaking};
use super::served::{self, Answer};
use super::{http2, no};
use crate::authority::{send_and_close, serve_with};
use crate::server::answer;
use crate::table::{Case, Scene, down, up};
use crate::trust::at_localhost;

pub(crate) fn cases() -> Vec<Case> {
    let expecting = |versions: &[&str]| json!({"expect": {"http_version": versions}});
    let both = expecting(&["HTTP/1.1", "HTTP/2"]);
    let hello = || answer("200 OK", "hello");
    let speaking_http1 = move |protocols: &'static [&'static str]| {
        move || -> Scene {
            at_localhost(serve_with(speaking(protocols), move |stream, _| {
                send_and_close(stream, hello().as_bytes())
            }))
        }
    };
    let told = |version: &'static str| {
        move |outcome: &Outcome, _: &Scene| assert_eq!(outcome.http_version, Some(version))
    };
    let not = no().tells("version HTTP/1.1, expected HTTP/2").http(200).bytes(5);
    let liar = || {
        at_localhost(serve_raw(|mut peer, _| {
            peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            peer.close();
        }))
    };
    let of_both = || {
        let answer = Answer::new(200, &[], Bytes::from_static(b"hello"));
        at_localhost(served::serve(&speaking(&["h2", "http/1.1"]), move |_| answer.clone()).0)
    };
    vec![
        Case::new("HTTP/1.1 chosen where HTTP/2 is expected", speaking_http1(&["http/1.1"]), not.clone())
            .with(http2()),
        Case::new("nothing chosen where HTTP/2 is expected", speaking_http1(&[]), not).with(http2()),
        Case::new("HTTP/1.1 chosen where either will do", speaking_http1(&["http/1.1"]), up())
            .with(both.clone())
            .also(told("HTTP/1.1")),
        Case::new("nothing chosen where either will do", speaking_http1(&[]), up())
            .with(both.clone())
            .also(told("HTTP/1.1")),
        Case::new("HTTP/2 where either will do", of_both, up().bytes(5)).with(both).also(told("HTTP/2")),
        Case::new("a server of both where nothing is said", speaking_http1(&["h2", "http/1.1"]), up())
            .also(told("HTTP/1.1")),
        Case::new("a server of both where HTTP/1.1 is expected", speaking_http1(&["h2", "http/1.1"]), up())
            .with(expecting(&["HTTP/1.1"]))
            .also(told("HTTP/1.1")),
        Case::new(
            "another protocol and nothing else",
            speaking_http1(&["imap"]),
            down(Reason::Tls).tells("it speaks neither HTTP/2 nor HTTP/1.1"),
        )
        .with(http2()),
        Case::new(
            "HTTP/1.1 after HTTP/2 was chosen",
            liar,
            no().tells("chose HTTP/2 in the TLS handshake, and answers in HTTP/1"),
        )
        .with(http2()),
        Case::answer(
            "HTTP/2 expected over plain http",
            hello(),
            no().tells("version HTTP/1.1, expected HTTP/2"),
        )
        .with(http2()),
    ]
}
