//! Conditions on the text of a body, in whatever it is written.

use encoding_rs::{Encoding, SHIFT_JIS, WINDOWS_1252};
use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::server::answer;
use crate::table::{Case, Want, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("bodies", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [texts(), expressions(), charsets(), cut(), framed()].into_iter().flatten().collect()
}

fn no(tells: &str) -> Want {
    down(Reason::Body).tells(tells)
}

fn expecting(name: impl Into<String>, wire: impl Into<Vec<u8>>, body: Json, want: Want) -> Case {
    Case::answer(name, wire, want).with(json!({"expect": {"body": body}}))
}

const PAGE: &str = "<html>\n<h1>Welcome, 4711 guests</h1>\nAll systems operational.\n</html>";

fn row(condition: Json, want: Want) -> Case {
    expecting(condition.to_string(), answer("200 OK", PAGE), condition, want)
}

fn texts() -> Vec<Case> {
    vec![
        row(json!({"contains": ["operational"]}), up()),
        row(json!({"contains": ["Welcome", "operational"]}), up()),
        row(json!({"contains": ["WELCOME"]}), no("expected to contain \"WELCOME\"")),
        row(json!({"contains": ["Welcome", "goodbye"]}), no("to contain \"goodbye\"")),
        row(
            json!({"contains": ["hello", "goodbye"]}),
            no("to contain \"hello\"").tells("to contain \"goodbye\""),
        ),
        row(json!({"contains": ["</h1>\nAll"]}), up()),
        row(json!({"not_contains": ["error"]}), up()),
        row(
            json!({"not_contains": ["error", "guests"]}),
            no("body has \"guests\", expected not to contain \"guests\""),
        ),
        row(json!({"contains": [".*"]}), no("to contain \".*\"")),
        expecting(
            "an empty body has no text",
            answer("200 OK", ""),
            json!({"contains": ["x"]}),
            no("body is empty, expected to contain"),
        ),
        expecting(
            "an empty body has no forbidden text",
            answer("200 OK", ""),
            json!({"not_contains": ["x"]}),
            up(),
        ),
        expecting(
            "a body of another status counts, too",
            answer("404 Not Found", "x"),
            json!({"contains": ["y"]}),
            down(Reason::Status).tells("\"y\""),
        ),
        expecting(
            "no body, but one is expected",
            "HTTP/1.1 204 No Content\r\n\r\n",
            json!({"contains": ["x"]}),
            no("body is empty"),
        ),
    ]
}

fn expressions() -> Vec<Case> {
    let evil = "a".repeat(50_000);
    vec![
        row(json!({"matches": ["[0-9]+ guests"]}), up()),
        row(json!({"matches": ["^<html>"]}), up()),
        row(json!({"matches": ["^All"]}), no("to match \"^All\"")),
        row(json!({"matches": ["(?m)^All systems"]}), up()),
        row(json!({"matches": ["(?s)Welcome.*operational"]}), up()),
        row(json!({"matches": ["Welcome.*operational"]}), no("to match")),
        row(json!({"matches": ["(?i)WELCOME", "guests"]}), up()),
        row(json!({"not_matches": ["error|fail"]}), up()),
        row(json!({"not_matches": ["error|guests"]}), no("body has \"guests\", expected not to match")),
        row(
            json!({"matches": ["guests"], "not_matches": ["operational"]}),
            no("not to match \"operational\""),
        ),
        expecting(
            "an expression that others take for ever for",
            answer("200 OK", &evil),
            json!({"matches": ["(a*)*b"]}),
            no("to match"),
        ),
        expecting(
            "an empty body matches nothing but emptiness",
            answer("200 OK", ""),
            json!({"matches": ["^$"]}),
            up(),
        ),
    ]
}

fn written(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    encoding.encode(text).0.into_owned()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn charsets() -> Vec<Case> {
    let row = |name: &str, content_type: &str, body: Vec<u8>, wanted: &str, want: Want| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
        expecting(name, [head.into_bytes(), body].concat(), json!({"contains": [wanted]}), want)
    };
    let (street, sun) = ("Große Straße", "日本語");
    let meta = |charset: &str| format!("<meta charset=\"{charset}\">");
    vec![
        row("UTF-8", "text/html; charset=utf-8", street.into(), street, up()),
        row("UTF-8, unsaid", "text/html", street.into(), street, up()),
        row("Latin-1", "text/html; charset=ISO-8859-1", written(WINDOWS_1252, street), street, up()),
        row("Latin-1, unsaid", "text/html", written(WINDOWS_1252, street), street, up()),
        row(
            "Latin-1, but it says UTF-8",
            "text/html; charset=utf-8",
            written(WINDOWS_1252, street),
            street,
            no("Gro\u{fffd}e"),
        ),
        row("UTF-16 with a mark, low first", "text/plain", utf16(street, u16::to_le_bytes), street, up()),
        row("UTF-16 with a mark, high first", "text/plain", utf16(street, u16::to_be_bytes), street, up()),
        row(
            "UTF-16 with a mark, but it says UTF-8",
            "text/plain; charset=utf-8",
            utf16(street, u16::to_le_bytes),
            street,
            up(),
        ),
        row("UTF-8 with a mark", "text/plain", [b"\xef\xbb\xbf", street.as_bytes()].concat(), street, up()),
        row("Shift_JIS", "text/html; charset=Shift_JIS", written(SHIFT_JIS, sun), sun, up()),
        row(
            "Shift_JIS, said by the page",
            "text/html",
            written(SHIFT_JIS, &format!("{}{sun}", meta("shift_jis"))),
            sun,
            up(),
        ),
        row(
            "a charset in quotes",
            "text/html; charset=\"iso-8859-1\"",
            written(WINDOWS_1252, street),
            street,
            up(),
        ),
        row("a charset that nobody knows", "text/html; charset=klingon", street.into(), street, up()),
        row("no text at all", "image/png", vec![0x89, b'P', b'N', b'G', 0, 0xff], "PNG", up()),
    ]
}

/// A body that is longer than what is read of it.
fn cut() -> Vec<Case> {
    let page = format!("start{}end", "x".repeat(5000));
    let limited = |name: &str, condition: Json, want: Want| {
        expecting(name, answer("200 OK", &page), condition, want)
            .config(ProbeConfig { body_limit: 1000, ..open() })
    };
    vec![
        limited("what is read counts", json!({"contains": ["start"]}), up().bytes(1000)),
        limited("what is not read does not", json!({"contains": ["end"]}), no("in its first 1000 bytes")),
        limited("nor does it speak against it", json!({"not_contains": ["end"]}), up()),
        limited("an end that is none", json!({"matches": ["x$"]}), up()),
        limited(
            "a text behind max_bytes",
            json!({"contains": ["end"], "max_bytes": 50}),
            no("in its first 50 bytes").tells("more than 50 bytes"),
        ),
    ]
}

/// However it came, a body is one text.
fn framed() -> Vec<Case> {
    let hello = json!({"matches": ["^hello world$"]});
    vec![
        expecting(
            "over two chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            hello.clone(),
            up(),
        ),
        expecting("until the end", "HTTP/1.0 200 OK\r\n\r\nhello world", hello.clone(), up()),
        expecting(
            "without what comes behind it",
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world!!!",
            hello.clone(),
            up(),
        ),
        expecting(
            "cut, and so not judged",
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello",
            hello,
            down(Reason::Protocol).tells("it ends after 5 of 99 bytes"),
        ),
        expecting(
            "of the last answer",
            crate::server::redirect("http://127.0.0.1:1/").replace("302", "300"),
            json!({"contains": ["x"]}),
            down(Reason::Status).tells("body is empty"),
        ),
    ]
}
