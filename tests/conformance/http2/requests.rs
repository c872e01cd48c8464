//! What a check sends over HTTP/2, large bodies in both directions, and redirects between versions. The server is a real one.

use bytes::Bytes;
use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::{Outcome, ProbeConfig};

use super::frames::{TLS, speaking};
use super::served::{self, Answer, Requests};
use super::{http2, no};
use crate::authority::{send_and_close, serve_with};
use crate::server::{Server, answer, redirect};
use crate::table::{Case, Scene, Want, down, open, unknown, up};

pub(crate) fn cases() -> Vec<Case> {
    [requests(), windows(), redirects()].into_iter().flatten().collect()
}

fn hello() -> Answer {
    Answer::new(200, &[], Bytes::from_static(b"hello"))
}

/// A server that notes what it is asked, held by the scene.
fn noting(path: &'static str, answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static) -> Scene {
    let (server, requests) = served::serve(&TLS, answer);
    let url = format!("https://localhost:{}{path}", server.port());
    Scene { url, servers: vec![server], held: Some(Box::new(requests)) }
}

fn asked(scene: &Scene) -> Vec<String> {
    let requests = scene.held.as_ref().and_then(|held| held.downcast_ref::<Requests>()).unwrap();
    requests.lock().unwrap().clone()
}

/// The request is `text` in the end, where `{port}` stands for the server's.
fn sends(name: &str, path: &'static str, request: Json, text: &'static str) -> Case {
    let settings = json!({"request": request, "expect": {"http_version": ["HTTP/2"], "status": ["2xx"]}});
    Case::new(name, move || noting(path, |_| hello()), up().bytes(5)).with(settings).also(move |_, scene| {
        let text = text.replace("{port}", &scene.servers[0].port().to_string());
        let agent = concat!("uptime-monitor/", env!("CARGO_PKG_VERSION"));
        assert_eq!(asked(scene), [text.replace("{agent}", agent)]);
    })
}

fn requests() -> Vec<Case> {
    let plain = "GET https localhost:{port} /\nuser-agent: {agent}\naccept: */*\n\n";
    vec![
        sends("GET", "/", json!({}), plain),
        sends("a path and a query", "/a%20b?q=%C3%B6&r", json!({}), "GET https localhost:{port} /a%20b?q=%C3%B6&r\nuser-agent: {agent}\naccept: */*\n\n"),
        sends("odd signs in path and query", "/|^[]'?`{}|^'", json!({}), "GET https localhost:{port} /|^[]'?`{}|^%27\nuser-agent: {agent}\naccept: */*\n\n"),
        sends(
            "headers, in small letters",
            "/",
            json!({"headers": {"X-Up": "yes", "Accept": "text/html", "User-Agent": "me"}}),
            "GET https localhost:{port} /\nuser-agent: me\naccept: text/html\nx-up: yes\n\n",
        ),
        sends("another host", "/", json!({"headers": {"Host": "shop.example"}}), "GET https shop.example /\nuser-agent: {agent}\naccept: */*\n\n"),
        sends("a cookie", "/", json!({"headers": {"Cookie": "a=1; b=2"}}), "GET https localhost:{port} /\nuser-agent: {agent}\naccept: */*\ncookie: a=1; b=2\n\n"),
        sends("a token", "/", json!({"bearer_token": "abc"}), "GET https localhost:{port} /\nuser-agent: {agent}\naccept: */*\nauthorization: Bearer abc\n\n"),
        sends("DELETE", "/", json!({"method": "DELETE"}), "DELETE https localhost:{port} /\nuser-agent: {agent}\naccept: */*\n\n"),
        sends(
            "POST",
            "/",
            json!({"method": "POST", "body": "hello, all", "headers": {"Content-Type": "text/plain"}}),
            "POST https localhost:{port} /\nuser-agent: {agent}\naccept: */*\ncontent-type: text/plain\ncontent-length: 10\n\nhello, all",
        ),
        sends("POST of nothing", "/", json!({"method": "POST"}), "POST https localhost:{port} /\nuser-agent: {agent}\naccept: */*\ncontent-length: 0\n\n"),
        Case::new("headers of a connection of HTTP/1", move || noting("/", |_| hello()), up())
            .stored(json!({"request": {"headers": {"Connection": "close", "TE": "gzip", "X-Up": "yes"}}, "expect": {"http_version": ["HTTP/2"]}}))
            .also(|_, scene| assert!(asked(scene)[0].ends_with("accept: */*\nx-up: yes\n\n"), "{:?}", asked(scene))),
        Case::new("a host that HTTP/2 cannot say", move || noting("/", |_| hello()), unknown().tells("the Host \"a b\" cannot be sent over HTTP/2"))
            .with(json!({"request": {"headers": {"Host": "a b"}}, "expect": {"http_version": ["HTTP/2"]}})),
    ]
}

fn windows() -> Vec<Case> {
    let page = |size: usize| Answer::new(200, &[], Bytes::from(vec![b'x'; size]));
    let with_trailers = || {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        Answer { trailers: Some(trailers), ..hello() }
    };
    let large = ProbeConfig { body_limit: 8 << 20, ..open() };
    let body = "y".repeat(700_000);
    vec![
        Case::new("a body of 3 windows", move || noting("/", move |_| page(3 << 20)), up().bytes(3 << 20)).with(http2()).config(large),
        Case::new("a body of 3 windows, of which one is read", move || noting("/", move |_| page(3 << 20)), up().bytes(1 << 20))
            .with(http2())
            .also(|outcome, _| assert!(outcome.body_truncated)),
        Case::new("a request of 11 windows of the server", || noting("/", |_| hello()), up().bytes(5))
            .with(json!({"request": {"method": "POST", "body": body.clone()}, "expect": {"http_version": ["HTTP/2"]}}))
            .also(move |_, scene| assert!(asked(scene)[0].ends_with(&body))),
        Case::new("trailers of a real server", move || noting("/", move |_| with_trailers()), up().bytes(5)).with(http2()),
        Case::new("the bytes on the wire", move || noting("/", move |_| page(100_000)), up()).with(http2()).also(|outcome: &Outcome, _: &Scene| {
            assert!((100_000..101_000).contains(&outcome.wire_bytes), "{}", outcome.wire_bytes);
        }),
    ]
}

fn moved(to: &str) -> Answer {
    Answer::new(302, &[("location", to), ("set-cookie", "sid=abc; Path=/")], Bytes::new())
}

/// A server that redirects from `/` to what `to` makes of its port and another server's.
fn by_way_of(last: Server, to: impl Fn(u16) -> String) -> Scene {
    let target = to(last.port());
    let mut scene = noting("/", move |path| if path == "/" { moved(&target) } else { hello() });
    scene.servers.push(last);
    scene
}

fn redirects() -> Vec<Case> {
    let not: fn() -> Want = || no().tells("version HTTP/1.1, expected HTTP/2").http(200);
    let within = || noting("/", |path| if path == "/" { moved("/in") } else { hello() });
    let plain = || {
        by_way_of(Server::answering(answer("200 OK", "hello")), |port| format!("http://127.0.0.1:{port}/"))
    };
    let http1 = |protocols: &'static [&'static str]| {
        let config = speaking(protocols);
        let last =
            serve_with(config, |stream, _| send_and_close(stream, answer("200 OK", "hello").as_bytes()));
        by_way_of(last, |port| format!("https://localhost:{port}/"))
    };
    let elsewhere =
        || by_way_of(served::serve(&TLS, |_| hello()).0, |port| format!("https://localhost:{port}/"));
    let from_plain = || {
        let last = noting("/", |_| hello());
        let first = Server::answering(redirect(&last.url));
        Scene { url: first.url("/"), ..last }
    };
    let round = || noting("/", |_| moved("/"));
    vec![
        Case::new("302 at the same origin", within, up().bytes(5)).with(http2()).also(|outcome, scene| {
            assert_eq!((outcome.redirects, scene.servers[0].connections()), (1, 2));
            assert!(
                asked(scene)[1].contains("/in\n") && asked(scene)[1].contains("cookie: sid=abc\n"),
                "{:?}",
                asked(scene)
            );
        }),
        Case::new("302 to another origin over HTTP/2", elsewhere, up().bytes(5)).with(http2()),
        Case::new("302 to plain http", plain, not()).with(http2()),
        Case::new("302 to a server of HTTP/1.1", move || http1(&["http/1.1"]), not()).with(http2()),
        Case::new("302 from plain http", from_plain, up().bytes(5)).with(http2()),
        Case::new("302 that is not followed", within, up().http(302)).with(json!({
            "request": {"follow_redirects": false},
            "expect": {"http_version": ["HTTP/2"], "status": [302]},
        })),
        Case::new("302 in a circle", round, down(Reason::Redirect).tells("redirect loop")).with(http2()),
    ]
}
