//! Where redirects lead, with which method, and where they end.

use serde_json::json;
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::authority::{self, VALID, serve, serve_with};
use crate::server::{Exchange, Server, answer, redirect, refusing};
use crate::table::{AUTHORITY, Case, Scene, Want, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("redirects", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [
        methods(),
        not_followed(),
        locations(),
        unusable(),
        ends(),
        last_hops(),
        error_pages(),
        other_schemes(),
        guarded(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The method and the length of the body that a hop came with.
fn asked(scene: &Scene, hop: usize) -> (String, Option<String>) {
    let request = scene.servers[0].requests().remove(hop);
    let method = request.split(' ').next().unwrap().to_owned();
    let length = request.lines().find_map(|line| line.strip_prefix("Content-Length: ").map(str::to_owned));
    (method, length)
}

/// RFC 9110, section 15.4: who changes the method, and who must not.
fn methods() -> Vec<Case> {
    let table = [
        (301, "GET", "GET"),
        (302, "GET", "GET"),
        (303, "GET", "GET"),
        (307, "GET", "GET"),
        (308, "GET", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (307, "PATCH", "PATCH"),
        (308, "PUT", "PUT"),
        (301, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
        (303, "HEAD", "HEAD"),
        (307, "HEAD", "HEAD"),
    ];
    table.map(|(status, first, second)| method(status, first, second)).to_vec()
}

fn method(status: u16, first: &'static str, second: &'static str) -> Case {
    let act = move |mut exchange: Exchange| {
        let moved = format!("HTTP/1.1 {status} Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
        let wire = if exchange.path() == "/new" { answer("200 OK", "") } else { moved };
        exchange.read_body();
        exchange.send(wire);
    };
    let has_body = matches!(first, "POST" | "PUT" | "PATCH");
    let body = if has_body { json!("hello") } else { json!(null) };
    Case::serving(format!("{status} to {first} asks again with {second}"), act, up().http(200))
        .with(json!({"request": {"method": first, "body": body}}))
        .also(move |outcome, scene| {
            assert_eq!(outcome.redirects, 1);
            let length = |method| (has_body && method != "GET").then(|| "5".to_owned());
            assert_eq!(asked(scene, 0), (first.to_owned(), length(first)));
            assert_eq!(asked(scene, 1), (second.to_owned(), length(second)));
        })
}

fn not_followed() -> Vec<Case> {
    let once = |status: u16| format!("HTTP/1.1 {status} X\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
    let no = json!({"request": {"follow_redirects": false}});
    let no_and = json!({"request": {"follow_redirects": false}, "expect": {"status": [302]}});
    let stayed = |want: Want| want.tells("expected 2xx");
    let mut rows: Vec<Case> = [300, 304, 305, 306]
        .map(|status| {
            let name = format!("{status} leads nowhere");
            Case::answer(name, once(status), stayed(down(Reason::Status)).http(status))
        })
        .to_vec();
    rows.extend([
        Case::answer("201 with a Location", once(201), up().http(201)),
        Case::answer("not followed is down", redirect("/new"), stayed(down(Reason::Status)).http(302))
            .with(no.clone()),
        Case::answer("not followed as expected", redirect("/new"), up().http(302)).with(no_and),
        Case::answer(
            "not followed wherever it leads",
            redirect("http://[oh/"),
            stayed(down(Reason::Status)).http(302),
        )
        .with(no),
        Case::answer(
            "max_redirects 0",
            redirect("/new"),
            down(Reason::Redirect).http(302).tells("more than 0 redirects"),
        )
        .with(json!({"request": {"max_redirects": 0}})),
        Case::answer("max_redirects 0 and no redirect", answer("200 OK", ""), up())
            .with(json!({"request": {"max_redirects": 0}})),
    ]);
    rows
}

fn locations() -> Vec<Case> {
    let table = [
        ("b", "/dir/b"),
        ("/b", "/b"),
        ("../b?q=1", "/b?q=1"),
        ("?q=2", "/dir/a?q=2"),
        ("b#fragment", "/dir/b"),
        ("./b c", "/dir/b%20c"),
        ("b\u{e9}", "/dir/b%C3%A9"),
        ("b\\c", "/dir/b/c"),
        ("/a/../b", "/b"),
        ("/%7Eb", "/%7Eb"),
        ("  /b  ", "/b"),
        ("//HOST/b", "/b"),
        ("http://HOST", "/"),
        ("HTTP://HOST/b", "/b"),
        ("http://user:secret@HOST/b", "/b"),
    ];
    let lands = |(location, path): (&'static str, &'static str)| {
        let scene = move || Server::new(move |exchange| leads_to(exchange, location)).at("/dir/a");
        Case::new(format!("Location: {location}"), scene, up()).also(move |outcome, scene| {
            assert_eq!(outcome.final_url, Some(scene.servers[0].url(path)));
            assert!(scene.servers[0].requests()[1].starts_with(&format!("GET {path} HTTP/1.1\r\n")));
        })
    };
    let two = "HTTP/1.1 302 Found\r\nLocation: /one\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n";
    let mut rows = table.map(lands).to_vec();
    rows.push(
        Case::serving(
            "a Location in Latin-1",
            |mut exchange| match exchange.path() {
                "/" => {
                    exchange.send(b"HTTP/1.1 302 Found\r\nLocation: /caf\xe9\r\nContent-Length: 0\r\n\r\n")
                }
                _ => exchange.send(answer("200 OK", "")),
            },
            up(),
        )
        .also(|outcome, scene| assert_eq!(outcome.final_url, Some(scene.servers[0].url("/caf%E9")))),
    );
    rows.push(
        Case::serving(
            "two Locations: the first counts",
            |mut exchange| {
                let wire = if exchange.path() == "/" { two.to_owned() } else { answer("200 OK", "") };
                exchange.send(wire);
            },
            up(),
        )
        .also(|outcome, scene| assert_eq!(outcome.final_url, Some(scene.servers[0].url("/one")))),
    );
    rows
}

fn leads_to(mut exchange: Exchange, location: &str) {
    let host = exchange.tcp.local_addr().unwrap().to_string();
    let first = exchange.path() == "/dir/a";
    exchange.send(if first { redirect(&location.replace("HOST", &host)) } else { answer("200 OK", "") });
}

#[allow(clippy::too_many_lines, reason = "a table has as many lines as it has rows")]
fn unusable() -> Vec<Case> {
    let table = [
        ("ftp://127.0.0.1/", "neither http nor https"),
        ("mailto:me@example.org", "neither http nor https"),
        ("javascript:alert(1)", "neither http nor https"),
        ("file:///etc/passwd", "neither http nor https"),
        ("http://[oh/", "unusable Location"),
        ("http://", "unusable Location"),
        ("http://127.0.0.1:99999/", "unusable Location"),
        (
            "http://{{host}}/",
            "unusable Location \"http://{{host}}/\": a label of its host has a character that no host has",
        ),
        ("https://$host$request_uri", "has a character that no host has"),
        ("//(none)/login", "has a character that no host has"),
        ("http://a..b/", "a label of its host is empty"),
        ("http://.example.org/", "a label of its host is empty"),
        (
            concat!("http://", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ".org/"),
            "is longer than 63 characters",
        ),
        ("x:\u{202e}moc", "unusable Location \"x:\\u{202e}moc\""),
    ];
    let row = |(location, tells): (&str, &str)| {
        let want = down(Reason::Redirect).http(302).tells(tells);
        Case::answer(format!("Location: {location}"), redirect(location), want)
    };
    let mut rows = table.map(row).to_vec();
    let missing = "HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\n\r\n";
    let long = |length: usize| format!("/{}", "a".repeat(length - 1));
    let bounded = |outcome: &uptime_monitor::probe::Outcome, _: &Scene| {
        let error = outcome.error.as_deref().unwrap_or_default();
        assert!(error.len() < 1_000, "{} bytes of error", error.len());
    };
    rows.extend([
        Case::answer(
            "a Location of 8,193 bytes",
            redirect(&long(8_193)),
            down(Reason::Redirect).http(302).tells("a Location of 8193 bytes, over 8192: \"/aaa"),
        )
        .also(bounded),
        Case::answer(
            "a Location of 60,000 quotes",
            redirect(&"\"".repeat(60_000)),
            down(Reason::Redirect).http(302).tells("over 8192"),
        )
        .also(bounded),
        Case::answer(
            "a Location of 60,000 bytes in another scheme",
            redirect(&format!("{}:", "x".repeat(60_000))),
            down(Reason::Redirect).http(302),
        )
        .also(bounded),
        Case::answer(
            "a Location of 8,000 bytes that is unusable",
            redirect(&format!("{}:", "x".repeat(8_000))),
            down(Reason::Redirect).http(302).tells("neither http nor https"),
        )
        .also(bounded),
        Case::answer(
            "a Location that leads back, of 8,000 bytes",
            redirect(&long(8_000)),
            down(Reason::Redirect).http(302).tells("redirect loop"),
        )
        .also(bounded),
        Case::serving(
            "a Location of 8,192 bytes",
            |mut exchange| {
                exchange.send(if exchange.path() == "/" {
                    redirect(&format!("/{}", "a".repeat(8_191)))
                } else {
                    answer("200 OK", "")
                })
            },
            up(),
        ),
    ]);
    rows.push(Case::answer(
        "no Location",
        missing,
        down(Reason::Redirect).http(301).tells("without a Location"),
    ));
    rows
}

/// Redirects from `/N` to `/N-1`, and answers at `/0`.
fn countdown(mut exchange: Exchange) {
    let left: u32 = exchange.path()[1..].parse().unwrap();
    exchange.send(if left == 0 { answer("200 OK", "there") } else { redirect(&format!("/{}", left - 1)) });
}

fn ends() -> Vec<Case> {
    let count = |name: &str, hops: u32, most: Option<u32>, want: Want| {
        let scene = move || Server::new(countdown).at(&format!("/{hops}"));
        let row = Case::new(name, scene, want);
        most.map_or(row.clone(), |most| row.with(json!({"request": {"max_redirects": most}})))
    };
    let over = down(Reason::Redirect).http(302).tells("more than");
    let back_and_forth = |mut exchange: Exchange| {
        let next = if exchange.path() == "/b" { "/" } else { "/b" };
        exchange.send(redirect(next));
    };
    let looping = |want: Want| want.http(302).tells("redirect loop: back at");
    vec![
        count("10 hops", 10, None, up().bytes(5)).also(|outcome, scene| {
            assert_eq!((outcome.redirects, scene.servers[0].connections()), (10, 11));
            assert_eq!(outcome.hops.len(), 11);
        }),
        count("11 hops", 11, None, over.clone().tells("10 redirects"))
            .also(|outcome, _| assert_eq!(outcome.redirects, 10)),
        count("2 hops of 2", 2, Some(2), up()),
        count("3 hops of 2", 3, Some(2), over.tells("2 redirects")),
        count("12 hops of 20", 12, Some(20), up()),
        Case::answer("a redirect to itself", redirect("/"), looping(down(Reason::Redirect))),
        Case::answer(
            "a redirect to itself with a fragment",
            redirect("/#again"),
            looping(down(Reason::Redirect)),
        ),
        Case::serving("back and forth", back_and_forth, looping(down(Reason::Redirect)))
            .also(|_, scene| assert_eq!(scene.servers[0].connections(), 2)),
    ]
}

/// A page that is not there, and says 200.
fn error_pages() -> Vec<Case> {
    let to_error_page = |mut exchange: Exchange| {
        let page = answer("200 OK", "not found");
        let wire = if exchange.path() == "/error.html" { page } else { redirect("/error.html") };
        exchange.send(wire);
    };
    vec![
        Case::serving(
            "apache 2.4.71: an error page with status 200, and a text that only the page has",
            to_error_page,
            down(Reason::Body).http(200).tells("expected to contain \"Welcome\""),
        )
        .with(json!({"expect": {"body": {"contains": ["Welcome"]}}})),
    ]
}

/// A redirect is no better than where it leads.
fn last_hops() -> Vec<Case> {
    let to_another_host = || {
        let other = Server::answering(answer("200 OK", ""));
        let server = Server::answering(redirect(&format!("http://localhost:{}/x", other.port())));
        Scene { url: server.url("/"), servers: vec![server, other], held: None }
    };
    vec![
        Case::new("a redirect to another host", to_another_host, up()).also(|outcome, scene| {
            let other = &scene.servers[1];
            assert_eq!(outcome.remote_addr, Some(other.addr));
            assert!(other.requests()[0].contains(&format!("\r\nHost: localhost:{}\r\n", other.port())));
        }),
        Case::new(
            "a redirect to a closed port",
            to_closed_port,
            down(Reason::Connect).http(302).tells("refused by"),
        )
        .also(|outcome, _| assert_eq!(outcome.redirects, 1)),
        Case::serving(
            "a redirect to half an answer",
            |mut exchange| match exchange.path() {
                "/" => exchange.send(redirect("/next")),
                _ => exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
            },
            down(Reason::Protocol).http(200).tells("it ends after 5 of 9 bytes"),
        ),
        Case::serving(
            "a redirect that is cut after its head is followed",
            |mut exchange| match exchange.path() {
                "/" => {
                    exchange.send("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 9\r\n\r\nhello")
                }
                _ => exchange.send(answer("200 OK", "")),
            },
            up(),
        ),
        Case::serving(
            "a form that redirects to its own URL",
            |mut exchange| {
                let is_form = exchange.request.starts_with("POST");
                let seen = "HTTP/1.1 303 See Other\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
                exchange.send(if is_form { seen.to_owned() } else { answer("200 OK", "") });
            },
            up(),
        )
        .with(json!({"request": {"method": "POST"}})),
        Case::serving(
            "a redirect to a page that is not there",
            |mut exchange| match exchange.path() {
                "/" => exchange.send(redirect("/next")),
                _ => exchange.send(answer("404 Not Found", "")),
            },
            down(Reason::Status).http(404),
        ),
    ]
}

fn to_closed_port() -> Scene {
    let (port, addr) = refusing();
    let server = Server::answering(redirect(&format!("http://{addr}/")));
    Scene { held: Some(Box::new(port)), ..server.into() }
}

/// `plain` and a TLS server, which redirect to each other.
fn other_schemes() -> Vec<Case> {
    let to_tls = || {
        let secure = serve(AUTHORITY.leaf(&["localhost"], VALID));
        let plain = Server::answering(redirect(&format!("https://localhost:{}/", secure.port())));
        Scene { url: plain.url("/"), servers: vec![plain, secure], held: None }
    };
    let from_tls = || {
        let plain = Server::answering(answer("200 OK", "plain"));
        let config = authority::config(AUTHORITY.leaf(&["localhost"], VALID), rustls::ALL_VERSIONS, None);
        let moved = redirect(&plain.url("/"));
        let secure = serve_with(config, move |stream, _| authority::send_and_close(stream, moved.as_bytes()));
        Scene {
            url: format!("https://localhost:{}/", secure.port()),
            servers: vec![plain, secure],
            held: None,
        }
    };
    let downgraded = down(Reason::Tls).tells("the answer came without TLS, expected https");
    vec![
        Case::new("http to https", to_tls, up()).also(|outcome, _| assert!(outcome.certificate.is_some())),
        Case::new("http to https, required", to_tls, up()).stored(json!({"expect": {"tls": "required"}})),
        Case::new(
            "http to https, forbidden",
            to_tls,
            down(Reason::Tls).tells("over TLS, expected plain http"),
        )
        .with(json!({"expect": {"tls": "forbidden"}})),
        Case::new("https to http", from_tls, up().bytes(5)).also(|outcome, _| {
            assert!(outcome.certificate.is_some(), "the certificate of the first hop is kept");
            assert!(outcome.hops[0].url.starts_with("https:") && outcome.hops[1].url.starts_with("http:"));
        }),
        Case::new("https to http, required", from_tls, downgraded)
            .with(json!({"expect": {"tls": "required"}})),
    ]
}

fn guarded() -> Vec<Case> {
    let forbidden = ProbeConfig { deny_targets: vec!["127.9.0.0/16".to_owned()], ..open() };
    let blocked = down(Reason::Blocked).http(302).tells("deny_targets forbids (127.9.0.0/16)");
    let twice = |mut exchange: Exchange| match exchange.path() {
        "/" => exchange.send(redirect("/next")),
        _ => exchange.send(redirect("http://0x7f090909/")),
    };
    vec![
        Case::answer("a redirect to a forbidden address", redirect("http://127.9.9.9/"), blocked.clone())
            .config(forbidden.clone()),
        Case::answer("the same over https", redirect("https://127.9.9.9/"), blocked.clone())
            .config(forbidden.clone()),
        Case::answer("the same in IPv6", redirect("http://[::ffff:127.9.9.9]/"), blocked.clone())
            .config(forbidden.clone()),
        Case::serving("two redirects to a forbidden address", twice, blocked).config(forbidden),
        Case::answer(
            "a redirect to the metadata of a cloud",
            redirect("http://169.254.169.254/latest/meta-data/"),
            down(Reason::Blocked).http(302).tells("link-local"),
        )
        .config(ProbeConfig::default()),
    ]
}
