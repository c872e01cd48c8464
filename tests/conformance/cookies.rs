//! What goes along with a redirect: cookies as RFC 6265 has them, and secrets to nobody else.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::authority::{self, VALID, serve_with};
use crate::name_server::name_server;
use crate::server::{Exchange, Server, answer, redirect};
use crate::table::{AUTHORITY, Case, Scene, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("cookies and credentials", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [along_the_way(), in_order(), dates(), of_ours(), by_url(), other_origins(), bodies(), loops()]
        .into_iter()
        .flatten()
        .collect()
}

/// The line `name` of a request, if it has one.
fn header(request: &str, name: &str) -> Option<String> {
    let start = format!("{}: ", name.to_ascii_lowercase());
    request.lines().find_map(|line| Some(line.to_ascii_lowercase().strip_prefix(&start)?.len())).map(
        |length| {
            let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with(&start)).unwrap();
            line[line.len() - length..].to_owned()
        },
    )
}

/// A redirect from `/` to `path` with some `Set-Cookie`; `expected` is the cookie line of the second request.
fn cookie(
    name: &str,
    set: &'static [&'static str],
    path: &'static str,
    expected: Option<&'static str>,
) -> Case {
    let act = move |mut exchange: Exchange| {
        let cookies: String = set.iter().map(|cookie| format!("Set-Cookie: {cookie}\r\n")).collect();
        let moved = format!("HTTP/1.1 302 Found\r\nLocation: {path}\r\n{cookies}Content-Length: 0\r\n\r\n");
        exchange.send(if exchange.path() == path { answer("200 OK", "") } else { moved });
    };
    Case::serving(name, act, up()).also(move |_, scene| {
        let requests = scene.servers[0].requests();
        assert_eq!(header(&requests[0], "cookie"), None);
        assert_eq!(header(&requests[1], "cookie").as_deref(), expected);
    })
}

static NAME_SERVER: LazyLock<std::net::SocketAddr> = LazyLock::new(name_server);

fn named() -> ProbeConfig {
    ProbeConfig { dns: vec![*NAME_SERVER], ..open() }
}

fn along_the_way() -> Vec<Case> {
    vec![
        cookie("a cookie comes back", &["a=1"], "/next", Some("a=1")),
        cookie("attributes do not", &["a=1; Path=/; HttpOnly; SameSite=Lax"], "/next", Some("a=1")),
        cookie("a cookie for its path", &["a=1; Path=/next"], "/next/page", Some("a=1")),
        cookie("a cookie for another path", &["a=1; Path=/other"], "/next", None),
        cookie("a path that only begins alike", &["a=1; Path=/ne"], "/next", None),
        // Loopback is as good as https, as it is for browsers.
        cookie("a secure cookie on loopback", &["a=1; Secure"], "/next", Some("a=1")),
        cookie("a secure cookie over plain http", &["a=1; Secure"], "/next", None).config(named()).host("web.test"),
        cookie("a cookie of the parent domain", &["a=1; Domain=web.test"], "/next", Some("a=1")).config(named()).host("www.web.test"),
        cookie("a cookie of another domain", &["a=1; Domain=example.org"], "/next", None),
        cookie("a cookie that is no longer good", &["a=1; Max-Age=0"], "/next", None),
        cookie("a cookie that expired long ago", &["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/next", None),
        cookie("a cookie set twice", &["a=1", "a=2"], "/next", Some("a=2")),
        cookie("a cookie with an empty value", &["a="], "/next", Some("a=")),
        cookie("no cookie at all", &["", "=", ";"], "/next", None),
        cookie("a cookie for all of a registry", &["a=1; Domain=test"], "/next", None).config(named()).host("www.web.test"),
        Case::serving(
            "a cookie of ours and one of theirs",
            |mut exchange| match exchange.path() {
                "/" => exchange.send("HTTP/1.1 302 Found\r\nLocation: /next\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"),
                _ => exchange.send(answer("200 OK", "")),
            },
            up(),
        )
        .with(json!({"request": {"headers": {"Cookie": "a=1"}}}))
        .also(|_, scene| {
            let requests = scene.servers[0].requests();
            assert_eq!(header(&requests[0], "cookie").as_deref(), Some("a=1"));
            assert_eq!(header(&requests[1], "cookie").as_deref(), Some("a=1; b=2"));
        }),
        Case::serving(
            "two cookies over three hops",
            |mut exchange| {
                let hop = |to, name| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nSet-Cookie: {name}=1\r\nContent-Length: 0\r\n\r\n");
                let wire = match exchange.path() {
                    "/" => hop("/b", "a"),
                    "/b" => hop("/c", "b"),
                    _ => answer("200 OK", ""),
                };
                exchange.send(wire);
            },
            up(),
        )
        .also(|_, scene| {
            assert_eq!(header(&scene.servers[0].requests()[2], "cookie").as_deref(), Some("a=1; b=1"));
        }),
    ]
}

/// RFC 6265, section 5.4: servers take the first of one name.
fn in_order() -> Vec<Case> {
    vec![
        cookie("longer paths first", &["x=1; Path=/", "x=2; Path=/app", "x=3; Path=/app/in"], "/app/in", Some("x=3; x=2; x=1")),
        cookie("then by age", &["c=1", "a=2", "b=3"], "/next", Some("c=1; a=2; b=3")),
        cookie("one that is set again keeps its age", &["a=1", "b=2", "a=3"], "/next", Some("a=3; b=2")),
        cookie("the same name for two paths", &["s=old; Path=/", "s=new; Path=/next"], "/next", Some("s=new; s=old")),
        Case::serving(
            "bytes as they came",
            |mut exchange| match exchange.path() {
                "/" => exchange.send(
                    b"HTTP/1.1 302 Found\r\nLocation: /next\r\nSet-Cookie: a=\"Gr\xc3\xbc\xc3\x9fe\"\r\nContent-Length: 0\r\n\r\n",
                ),
                _ => exchange.send(answer("200 OK", "")),
            },
            up(),
        )
        .also(|_, scene| {
            let requests = scene.servers[0].requests();
            assert!(requests[1].contains("\r\nCookie: a=\"Grüße\"\r\n"), "{}", requests[1]);
        }),
    ]
}

/// RFC 6265, sections 5.1.1 and 5.2.2.
fn dates() -> Vec<Case> {
    let gone = |name: &str, set: &'static [&'static str]| cookie(name, set, "/next", None);
    let stays = |name: &str, set: &'static [&'static str]| cookie(name, set, "/next", Some("a=1"));
    vec![
        gone("a date in UTC", &["a=1; Expires=Thu, 01 Jan 1970 00:00:00 UTC"]),
        gone("a date without a zone", &["a=1; Expires=Thu, 01 Jan 1970 00:00:00"]),
        gone("a date with one digit for the day", &["a=1; Expires=Thu, 1 Jan 1970 0:0:0 GMT"]),
        gone("a date in lower case", &["a=1; expires=thu, 01 jan 1970 00:00:00 gmt"]),
        gone("a date with dashes and a short year", &["a=1; Expires=Thursday, 01-Jan-70 00:00:00 GMT"]),
        gone("a date of asctime", &["a=1; Expires=Thu Jan  1 00:00:00 1970"]),
        stays("a date to come, in UTC", &["a=1; Expires=Fri, 1-jan-2100 00:00:00 UTC"]),
        stays("no date", &["a=1; Expires=never"]),
        stays("Max-Age in words", &["a=1; Max-Age=abc"]),
        stays("Max-Age with a fraction", &["a=1; Max-Age=0.5"]),
        stays("Max-Age counts more than a date", &["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60"]),
        gone("Max-Age below zero", &["a=1; Max-Age=-1"]),
    ]
}

/// A cookie that is configured, and what a server makes of it.
fn of_ours() -> Vec<Case> {
    let row = |name: &str, set: &'static str, expected: Option<&'static str>| {
        let act = move |mut exchange: Exchange| {
            let moved = format!(
                "HTTP/1.1 302 Found\r\nLocation: /next\r\nSet-Cookie: {set}\r\nContent-Length: 0\r\n\r\n"
            );
            exchange.send(if exchange.path() == "/" { moved } else { answer("200 OK", "") });
        };
        Case::serving(name, act, up())
            .with(json!({"request": {"headers": {"Cookie": "a=1; session=x"}}}))
            .also(move |_, scene| {
                let requests = scene.servers[0].requests();
                assert_eq!(header(&requests[0], "cookie").as_deref(), Some("a=1; session=x"));
                assert_eq!(header(&requests[1], "cookie").as_deref(), expected);
            })
    };
    vec![
        row("one that is set replaces ours", "session=y", Some("a=1; session=y")),
        row("one of another name stands beside ours", "b=2", Some("a=1; session=x; b=2")),
        row("one for another path does not", "session=y; Path=/other", Some("a=1; session=x")),
        row("one that is taken back takes ours with it", "session=; Max-Age=0", Some("a=1")),
    ]
}

/// Cookies know no ports, but they know schemes.
fn by_url() -> Vec<Case> {
    let to_another_port = || {
        let other = Server::answering(answer("200 OK", ""));
        let server = Server::answering(format!(
            "HTTP/1.1 302 Found\r\nLocation: {}\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
            other.url("/")
        ));
        Scene { url: server.url("/"), servers: vec![server, other], held: None }
    };
    let to_another_host = || {
        let other = Server::answering(answer("200 OK", ""));
        let location = format!("http://localhost:{}/", other.port());
        let server = Server::answering(format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
        ));
        Scene { url: server.url("/"), servers: vec![server, other], held: None }
    };
    let went = |expected: Option<&'static str>| {
        move |scene: &Scene| {
            assert_eq!(header(&scene.servers[1].requests()[0], "cookie").as_deref(), expected)
        }
    };
    let (same, none) = (went(Some("a=1")), went(None));
    vec![
        Case::new("a cookie goes to another port of its host", to_another_port, up())
            .also(move |_, scene| same(scene)),
        Case::new("a cookie does not go to another host", to_another_host, up())
            .also(move |_, scene| none(scene)),
    ]
}

fn secrets() -> Json {
    json!({"request": {
        "headers": {"X-Api-Key": "key-4711", "Cookie": "session=4711", "Host": "shop.test", "Accept": "text/html", "Accept-Language": "de", "User-Agent": "ours"},
        "basic_auth": {"username": "me", "password": "pass4711"},
    }})
}

/// What another origin must not learn, and what it may.
fn assert_told_little(request: &str) {
    for secret in ["x-api-key", "authorization", "cookie", "4711", "shop.test"] {
        assert!(!request.to_ascii_lowercase().contains(secret), "{secret} in {request}");
    }
    for harmless in ["Accept: text/html", "Accept-Language: de", "User-Agent: ours"] {
        assert!(request.contains(&format!("\r\n{harmless}\r\n")), "{harmless} not in {request}");
    }
}

fn assert_told_all(request: &str) {
    for ours in [
        "X-Api-Key: key-4711",
        "Cookie: session=4711",
        "Host: shop.test",
        "Authorization: Basic bWU6cGFzczQ3MTE=",
    ] {
        assert!(request.contains(&format!("\r\n{ours}\r\n")), "{ours} not in {request}");
    }
}

fn other_origins() -> Vec<Case> {
    let leaving = |host: &'static str| {
        move || {
            let other = Server::answering(answer("200 OK", ""));
            let server = Server::answering(redirect(&format!("http://{host}:{}/", other.port())));
            Scene { url: server.url("/"), servers: vec![server, other], held: None }
        }
    };
    let staying = |mut exchange: Exchange| {
        let wire = if exchange.path() == "/" { redirect("/next") } else { answer("200 OK", "") };
        exchange.send(wire);
    };
    let there_and_back = || {
        let home = Server::new(|mut exchange| {
            let wire = match exchange.path() {
                "/back" => answer("200 OK", ""),
                path => redirect(&format!("http://127.0.0.1:{}/", &path[1..])),
            };
            exchange.send(wire);
        });
        let away = Server::answering(redirect(&home.url("/back")));
        Scene { url: home.url(&format!("/{}", away.port())), servers: vec![home, away], held: None }
    };
    let left = |_: &_, scene: &Scene| {
        assert_told_all(&scene.servers[0].requests()[0]);
        assert_told_little(&scene.servers[1].requests()[0]);
    };
    vec![
        Case::new("secrets do not go to another port", leaving("127.0.0.1"), up()).with(secrets()).also(left),
        Case::new("secrets do not go to another host", leaving("localhost"), up()).with(secrets()).also(left),
        Case::new("secrets do not go from https to http", https_to_http, up()).with(secrets()).also(
            |_, scene| {
                assert_told_little(&scene.servers[0].requests()[0]);
            },
        ),
        Case::serving("secrets go to the same origin", staying, up()).with(secrets()).also(|_, scene| {
            scene.servers[0].requests().iter().for_each(|request| assert_told_all(request));
        }),
        Case::new("secrets are there again at home", there_and_back, up()).with(secrets()).also(
            |_, scene| {
                assert_told_little(&scene.servers[1].requests()[0]);
                assert_told_all(&scene.servers[0].requests()[1]);
            },
        ),
        Case::new("a token does not go to another port", leaving("127.0.0.1"), up())
            .with(json!({"request": {"bearer_token": "token-4711"}}))
            .also(|_, scene| {
                assert!(scene.servers[0].requests()[0].contains("\r\nAuthorization: Bearer token-4711\r\n"));
                assert!(!scene.servers[1].requests()[0].contains("4711"));
            }),
    ]
}

/// Logins have their passwords in bodies.
#[allow(clippy::too_many_lines, reason = "a table has as many lines as it has rows")]
fn bodies() -> Vec<Case> {
    let settings = |method: &str| {
        json!({"request": {"method": method, "body": "{\"password\":\"4711\"}",
            "headers": {"Content-Type": "application/json", "Content-Language": "de", "X-Tenant": "t"}}})
    };
    let away = |status: u16| {
        move || {
            let other = Server::new(|mut exchange| {
                exchange.read_body();
                exchange.send(answer("200 OK", ""));
            });
            let moved = format!(
                "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\n\r\n",
                other.port()
            );
            let server = Server::new(move |mut exchange| {
                exchange.read_body();
                exchange.send(&moved);
            });
            Scene { url: server.url("/"), servers: vec![server, other], held: None }
        }
    };
    let leaves = |status: u16, method: &'static str, asks: &'static str| {
        Case::new(format!("{status} to {method} takes no body to another origin"), away(status), up())
            .with(settings(method))
            .also(move |_, scene| {
                let request = &scene.servers[1].requests()[0];
                assert!(request.starts_with(asks), "{request}");
                let length = header(request, "content-length").unwrap_or_else(|| "0".to_owned());
                assert_eq!(length, "0", "{request}");
                for name in ["content-type", "content-language", "x-tenant"] {
                    assert_eq!(header(request, name), None, "{request}");
                }
            })
    };
    let stays = |status: u16, method: &'static str, has_body: bool| {
        let act = move |mut exchange: Exchange| {
            exchange.read_body();
            let moved = format!("HTTP/1.1 {status} X\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
            exchange.send(if exchange.path() == "/" { moved } else { answer("200 OK", "") });
        };
        Case::serving(format!("{status} to {method} and what tells of its body"), act, up())
            .with(settings(method))
            .also(move |_, scene| {
                let request = &scene.servers[0].requests()[1];
                for name in ["content-type", "content-language"] {
                    assert_eq!(header(request, name).is_some(), has_body, "{request}");
                }
                assert_eq!(
                    header(request, "content-length").as_deref(),
                    has_body.then_some("19"),
                    "{request}"
                );
                assert_eq!(header(request, "x-tenant").as_deref(), Some("t"), "{request}");
            })
    };
    vec![
        leaves(307, "POST", "POST / "),
        leaves(308, "POST", "POST / "),
        leaves(308, "PUT", "PUT / "),
        leaves(301, "PUT", "PUT / "),
        leaves(302, "PATCH", "PATCH / "),
        leaves(307, "DELETE", "DELETE / "),
        leaves(303, "POST", "GET / "),
        stays(301, "POST", false),
        stays(302, "POST", false),
        stays(303, "POST", false),
        stays(303, "PUT", false),
        stays(307, "POST", true),
        stays(308, "PUT", true),
    ]
}

fn https_to_http() -> Scene {
    let plain = Server::answering(answer("200 OK", ""));
    let config = authority::config(AUTHORITY.leaf(&["127.0.0.1"], VALID), rustls::ALL_VERSIONS, None);
    let moved = redirect(&plain.url("/"));
    let secure = serve_with(config, move |stream, _| authority::send_and_close(stream, moved.as_bytes()));
    Scene { url: format!("https://127.0.0.1:{}/", secure.port()), servers: vec![plain, secure], held: None }
}

fn loops() -> Vec<Case> {
    // Sends everybody back to the start who has no cookie yet, as gates for consent do.
    let gate = |mut exchange: Exchange| {
        let set = "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: seen=1\r\nContent-Length: 0\r\n\r\n";
        let seen = exchange.request.contains("seen=1");
        exchange.send(if seen { answer("200 OK", "") } else { set.to_owned() });
    };
    // Has another number for everybody each time.
    let counting = |mut exchange: Exchange| {
        let number = exchange.number;
        exchange.send(format!(
            "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: n={number}\r\nContent-Length: 0\r\n\r\n"
        ));
    };
    vec![
        Case::serving("the same URL with a new cookie is no loop", gate, up())
            .also(|outcome, _| assert_eq!(outcome.redirects, 1)),
        Case::serving(
            "a cookie that changes for ever ends at the limit",
            counting,
            down(Reason::Redirect).tells("more than 10 redirects"),
        ),
        Case::answer(
            "a cookie that stays the same is a loop",
            "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
            down(Reason::Redirect).tells("redirect loop"),
        )
        .also(|outcome, _| assert_eq!(outcome.redirects, 1)),
    ]
}
