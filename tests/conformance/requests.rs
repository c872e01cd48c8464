//! What arrives at the server, to the byte.

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::server::{Exchange, Server, answer};
use crate::table::{Case, Scene, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("requests", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [methods(), bodies(), headers(), credentials(), urls()].into_iter().flatten().collect()
}

/// What is always said, with the address in place of HOST and ours in place of AGENT.
const USUAL: &str = "Host: HOST\r\nUser-Agent: AGENT\r\nAccept: */*\r\n";
const END: &str = "Connection: close\r\n\r\n";

/// Answers with the request, so that the check sees it: head and body.
fn mirror(mut exchange: Exchange) {
    let body = exchange.read_body();
    let request = [exchange.request.as_bytes(), &body].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
    exchange.send([head.as_bytes(), &request].concat());
}

/// What `request` sends is `expected`, and nothing else.
fn sends(name: &str, request: Json, expected: impl Into<String>) -> Case {
    at(name, "/", request, expected)
}

fn at(name: &str, path: &'static str, request: Json, expected: impl Into<String>) -> Case {
    let expected = expected.into();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&seen);
    let scene = move || -> Scene {
        let kept = std::sync::Arc::clone(&kept);
        let server = Server::new(move |mut exchange| {
            let body = exchange.read_body();
            kept.lock().unwrap().extend([exchange.request.as_bytes(), &body].concat());
            exchange.send(answer("200 OK", ""));
        });
        server.at(path)
    };
    let (row, settings) = (Case::new(name, scene, up()), json!({"request": request}));
    // No file can have a URL with a blank.
    let row = if path.contains(' ') { row.stored(settings) } else { row.with(settings) };
    row.also(move |_, scene| {
        let address = scene.servers[0].addr.to_string();
        let agent = concat!("uptime-monitor/", env!("CARGO_PKG_VERSION"));
        let seen = String::from_utf8(std::mem::take(&mut *seen.lock().unwrap())).unwrap();
        assert_eq!(seen, expected.replace("HOST", &address).replace("AGENT", agent));
    })
}

fn methods() -> Vec<Case> {
    let plain = |method: &str| format!("{method} / HTTP/1.1\r\n{USUAL}{END}");
    let sized = |method: &str| format!("{method} / HTTP/1.1\r\n{USUAL}Content-Length: 0\r\n{END}");
    let row = |method: &str, expected: String| sends(method, json!({"method": method}), expected);
    let mut rows: Vec<Case> =
        ["GET", "HEAD", "DELETE", "OPTIONS"].map(|method| row(method, plain(method))).to_vec();
    rows.extend(["POST", "PUT", "PATCH"].map(|method| row(method, sized(method))));
    rows
}

fn bodies() -> Vec<Case> {
    let with = |method: &str, length: usize, body: &str| {
        format!("{method} / HTTP/1.1\r\n{USUAL}Content-Length: {length}\r\n{END}{body}")
    };
    let large = "x".repeat(300_000);
    let form = json!({"method": "POST", "body": "a=1&b=2", "headers": {"Content-Type": "application/x-www-form-urlencoded"}});
    vec![
        sends("POST with a body", json!({"method": "POST", "body": "hello"}), with("POST", 5, "hello")),
        sends("PUT with a body", json!({"method": "PUT", "body": "hello"}), with("PUT", 5, "hello")),
        sends("PATCH with a body", json!({"method": "PATCH", "body": "hello"}), with("PATCH", 5, "hello")),
        sends("DELETE with a body", json!({"method": "DELETE", "body": "hello"}), with("DELETE", 5, "hello")),
        sends("GET with a body", json!({"body": "hello"}), with("GET", 5, "hello")),
        sends(
            "bytes are counted, not characters",
            json!({"method": "POST", "body": "Größe"}),
            with("POST", 7, "Größe"),
        ),
        sends(
            "lines as they are",
            json!({"method": "POST", "body": "a\r\nb\n"}),
            with("POST", 5, "a\r\nb\n"),
        ),
        sends("a large body", json!({"method": "POST", "body": large}), with("POST", 300_000, &large)),
        sends(
            "a form",
            form,
            format!(
                "POST / HTTP/1.1\r\n{USUAL}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n{END}a=1&b=2"
            ),
        ),
        sends_bytes("a body that is no text", "H4sIAP8K", b"\x1f\x8b\x08\0\xff\n"),
        sends_bytes("a body with NUL alone", "AA==", b"\0"),
        Case::serving(
            "a refusal before the whole body was read",
            refusing_body,
            down(Reason::Status).http(413).bytes(8),
        )
        .with(json!({"request": {"method": "POST", "body": "x".repeat(200_000)}})),
        Case::serving("an answer before the whole body was read", early, up())
            .stored(json!({"request": {"method": "POST", "body": "x".repeat(8_000_000)}})),
    ]
}

/// Base64 in the settings is bytes on the wire.
fn sends_bytes(name: &str, base64: &str, body: &'static [u8]) -> Case {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&seen);
    let scene = move || -> Scene {
        let kept = std::sync::Arc::clone(&kept);
        let server = Server::new(move |mut exchange| {
            *kept.lock().unwrap() = exchange.read_body();
            exchange.send(answer("200 OK", ""));
        });
        server.into()
    };
    let settings = json!({"request": {"method": "POST", "body_base64": base64}});
    Case::new(name, scene, up()).with(settings).also(move |_, _| assert_eq!(*seen.lock().unwrap(), body))
}

/// Refuses what is too much without hearing it out, as many servers do: what is left unread resets the connection.
fn refusing_body(mut exchange: Exchange) {
    exchange.send(answer("413 Content Too Large", "too much"));
}

/// Knows what to say from the head alone, and does not want to hear the rest.
fn early(mut exchange: Exchange) {
    exchange.send(answer("200 OK", "enough"));
    exchange.hang();
}

fn headers() -> Vec<Case> {
    let rest = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}{END}");
    let own = |headers: Json| json!({"headers": headers});
    vec![
        sends("one of the site", own(json!({"X-Check": "yes"})), rest(&format!("{USUAL}X-Check: yes\r\n"))),
        sends(
            "several, in the order of their names",
            own(json!({"X-B": "2", "X-A": "1"})),
            rest(&format!("{USUAL}X-A: 1\r\nX-B: 2\r\n")),
        ),
        sends("an empty one", own(json!({"X-Empty": ""})), rest(&format!("{USUAL}X-Empty: \r\n"))),
        sends(
            "another host",
            own(json!({"Host": "shop.test"})),
            rest("Host: shop.test\r\nUser-Agent: AGENT\r\nAccept: */*\r\n"),
        ),
        sends(
            "another host, in lower case",
            own(json!({"host": "shop.test"})),
            rest("Host: shop.test\r\nUser-Agent: AGENT\r\nAccept: */*\r\n"),
        ),
        sends(
            "another user agent",
            own(json!({"User-Agent": "me/1"})),
            rest("Host: HOST\r\nUser-Agent: me/1\r\nAccept: */*\r\n"),
        ),
        sends(
            "another user agent, in lower case",
            own(json!({"user-agent": "me/1"})),
            rest("Host: HOST\r\nUser-Agent: me/1\r\nAccept: */*\r\n"),
        ),
        sends(
            "another accept",
            own(json!({"Accept": "text/html"})),
            rest("Host: HOST\r\nUser-Agent: AGENT\r\nAccept: text/html\r\n"),
        ),
        sends(
            "an encoding that is asked for",
            own(json!({"Accept-Encoding": "gzip"})),
            rest(&format!("{USUAL}Accept-Encoding: gzip\r\n")),
        ),
        sends("a cookie", own(json!({"Cookie": "a=1"})), rest(&format!("{USUAL}Cookie: a=1\r\n"))),
        sends(
            "the user agent of the probe",
            json!({}),
            rest("Host: HOST\r\nUser-Agent: watcher/1\r\nAccept: */*\r\n"),
        )
        .config(ProbeConfig { user_agent: "watcher/1".to_owned(), ..open() }),
    ]
}

fn credentials() -> Vec<Case> {
    let rest = |value: &str| format!("GET / HTTP/1.1\r\n{USUAL}Authorization: {value}\r\n{END}");
    let basic = |user: &str, password: &str| json!({"basic_auth": {"username": user, "password": password}});
    vec![
        sends("a user and a password", basic("me", "secret"), rest("Basic bWU6c2VjcmV0")),
        sends("a password with a colon", basic("me", "a:b"), rest("Basic bWU6YTpi")),
        sends("a password that is not ASCII", basic("me", "pässwörd"), rest("Basic bWU6cMOkc3N3w7ZyZA==")),
        sends("an empty password", basic("me", ""), rest("Basic bWU6")),
        sends("a token", json!({"bearer_token": "abc.def"}), rest("Bearer abc.def")),
        sends("as a header", json!({"headers": {"Authorization": "Digest x"}}), rest("Digest x")),
    ]
}

fn urls() -> Vec<Case> {
    let asks = |target: &str| format!("GET {target} HTTP/1.1\r\n{USUAL}{END}");
    let row = |path: &'static str, target: &str| at(path, path, json!({}), asks(target));
    vec![
        row("", "/"),
        row("/a/b?q=a%20b#fragment", "/a/b?q=a%20b"),
        row("?q=1", "/?q=1"),
        row("/a b", "/a%20b"),
        row("/Größe", "/Gr%C3%B6%C3%9Fe"),
        row("/a/../b/./c", "/b/c"),
        row("/%41%2f", "/%41%2f"),
        row("/a;b=c:@!$&'()*+,", "/a;b=c:@!$&'()*+,"),
        row("//double", "//double"),
        Case::new(
            "a user in the URL is given to nobody",
            || {
                let server = Server::new(mirror);
                Scene {
                    url: format!("http://user:secret@{}/", server.addr),
                    servers: vec![server],
                    held: None,
                }
            },
            up(),
        )
        .stored(json!({"expect": {"body": {"not_matches": ["(?i)authorization", "secret", "user:"]}}}))
        .also(|outcome, scene| assert_eq!(outcome.final_url, Some(scene.servers[0].url("/")))),
        Case::new(
            "a name with its port",
            || {
                let server = Server::new(mirror);
                Scene {
                    url: format!("http://LOCALHOST:{}/", server.port()),
                    servers: vec![server],
                    held: None,
                }
            },
            up(),
        )
        .with(json!({"expect": {"body": {"matches": ["\r\nHost: localhost:[0-9]+\r\n"]}}})),
    ]
}
