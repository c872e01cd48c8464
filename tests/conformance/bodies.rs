//! Conditions on the text of a body, in whatever it is written.

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1251, WINDOWS_1252};
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
    [texts(), expressions(), charsets(), said_inside(), said_nowhere(), cut(), framed()]
        .into_iter()
        .flatten()
        .collect()
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

/// A page of HTML or XML that says itself what it is written in.
#[allow(clippy::too_many_lines, reason = "a table has as many lines as it has rows")]
fn said_inside() -> Vec<Case> {
    let row = |name: &str, content_type: &str, encoding: &'static Encoding, before: &str, text: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
        let body = written(encoding, &format!("{before}{text}"));
        expecting(name, [head.into_bytes(), body].concat(), json!({"contains": [text]}), up())
    };
    let (street, sun, moscow) = ("Große Straße", "日本語", "Москва");
    let html = "text/html";
    vec![
        row("a meta element", html, SHIFT_JIS, "<meta charset='Shift_JIS'>", sun),
        row(
            "a meta element with http-equiv",
            html,
            SHIFT_JIS,
            "<meta http-equiv=content-type content='text/html; charset=shift_jis'>",
            sun,
        ),
        row(
            "a meta element behind a comment",
            html,
            SHIFT_JIS,
            "<!-- <meta charset=utf-8> --><meta charset=shift_jis>",
            sun,
        ),
        row(
            "a meta element behind a script with a charset",
            html,
            SHIFT_JIS,
            "<script charset=utf-8></script><meta charset=shift_jis>",
            sun,
        ),
        row("a meta element says UTF-16: it is UTF-8", html, UTF_8, "<meta charset=utf-16>", street),
        row(
            "a meta element says UTF-16LE: it is UTF-8",
            html,
            UTF_8,
            "<meta http-equiv=Content-Type content='text/html; charset=utf-16le'>",
            street,
        ),
        row(
            "a meta element says x-user-defined: it is Windows-1252",
            html,
            WINDOWS_1252,
            "<meta charset=x-user-defined>",
            street,
        ),
        row(
            "a declaration of XML",
            "application/xml",
            WINDOWS_1251,
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>",
            moscow,
        ),
        row(
            "a feed",
            "application/rss+xml",
            WINDOWS_1251,
            "<?xml version='1.0' encoding='windows-1251' ?>",
            moscow,
        ),
        row(
            "a declaration of XML in HTML",
            html,
            WINDOWS_1251,
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>",
            moscow,
        ),
        row(
            "the header counts more than the page",
            "text/html; charset=windows-1251",
            WINDOWS_1251,
            "<meta charset=utf-8>",
            moscow,
        ),
        row(
            "a charset that nobody knows, and one in the page",
            "text/html; charset=klingon",
            SHIFT_JIS,
            "<meta charset=shift_jis>",
            sun,
        ),
        row("a page without a type", "", SHIFT_JIS, "<html><meta charset=shift_jis>", sun),
    ]
}

/// What says `charset=` and means something else. The text that must not be there is to be seen.
fn said_nowhere() -> Vec<Case> {
    let row = |(name, content_type, before): (&str, &str, &str)| {
        let wire = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n{before} Störung");
        expecting(name, wire, json!({"not_contains": ["Störung"]}), no("body has \"Störung\""))
    };
    [
        ("a script with a charset", "text/html", "<script src=a.js charset=utf-16></script>"),
        ("a script that mentions one", "text/html", "<script>var u = '/a?charset=utf-16'</script>"),
        ("a link with a charset", "text/html", "<link rel=stylesheet charset=utf-16 href=a.css>"),
        ("a form with a charset", "text/html", "<form accept-charset=utf-16>"),
        ("a comment with a meta element", "text/html", "<!-- <meta charset=utf-16> -->"),
        ("a style sheet inside", "text/html", "<style>@charset \"utf-16\";</style>"),
        (
            "a description that mentions one",
            "text/html",
            "<meta name=description content='charset=shift_jis'>",
        ),
        (
            "a refresh that mentions one",
            "text/html",
            "<meta http-equiv=refresh content='0; url=/?charset=shift_jis'>",
        ),
        ("a style sheet", "text/css", "/* charset=utf-16 */"),
        ("plain text", "text/plain", "charset=utf-16 <meta charset=utf-16>"),
        ("JSON", "application/json", "{\"a\": \"charset=utf-16\"}"),
        ("a script", "application/javascript", "'<meta charset=utf-16>'"),
        ("a header that says UTF-16 of a page that is not", "text/html; charset=utf-16", "<h1>"),
        ("a header that says what browsers refuse to read", "text/html; charset=iso-2022-kr", "<h1>"),
        ("a parameter of another name", "text/html; x-charset=utf-16", "<h1>"),
    ]
    .map(row)
    .into_iter()
    .chain([expecting(
        "a stray byte",
        b"HTTP/1.1 200 OK\r\n\r\nSt\xc3\xb6rung \xff".as_slice(),
        json!({"not_contains": ["Störung"]}),
        no("body has \"Störung\""),
    )])
    .collect()
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
        expecting(
            "caddy 2.6.2: a last chunk that the proxy has made up, and an end that is expected",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n<html>\nhe\r\n0\r\n\r\n",
            json!({"matches": [r"</html>\s*$"]}),
            no("to match"),
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
