//! Statuses, sizes, versions, TLS or not; and what several failures make together.

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::{Outcome, ProbeConfig};

use crate::server::answer;
use crate::table::{Case, Want, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("status, size, version, several at once", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [by_default(), statuses(), sizes(), cut_short(), transport(), several(), kept(), hidden()]
        .into_iter()
        .flatten()
        .collect()
}

fn not_expected() -> Want {
    down(Reason::Status)
}

fn by_default() -> Vec<Case> {
    let good = ["200 OK", "201 Created", "202 Accepted", "204 No Content", "206 Partial Content", "299 Odd"];
    let bad = [
        "300 Multiple Choices",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
        "418 I'm a teapot",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "599 Odd",
    ];
    let number = |status: &str| status[..3].parse::<u16>().unwrap();
    let good = good.map(|status| {
        Case::answer(status, answer(status, ""), up().http(number(status)).bytes(0)).also(|outcome, scene| {
            assert_eq!(outcome.http_version, Some("HTTP/1.1"));
            assert_eq!(outcome.remote_addr, Some(scene.servers[0].addr));
            assert_eq!(outcome.final_url, Some(scene.servers[0].url("/")));
        })
    });
    let bad = bad.map(|status| {
        let want = not_expected().http(number(status)).bytes(5).tells(&status[..3]).tells("expected 2xx");
        Case::answer(status, answer(status, "oh no"), want)
    });
    good.into_iter().chain(bad).collect()
}

fn statuses() -> Vec<Case> {
    let row = |expected: Json, status: u16, is_up: bool| {
        let want = if is_up { up() } else { not_expected().tells(format!("status {status}")) };
        Case::answer(format!("{status} of {expected}"), answer(&format!("{status} X"), ""), want.http(status))
            .with(json!({"expect": {"status": expected}}))
    };
    vec![
        row(json!([200]), 200, true),
        row(json!([200]), 201, false),
        row(json!([200, 404]), 404, true),
        row(json!([200, 404]), 200, true),
        row(json!([200, 404]), 201, false),
        row(json!([404]), 404, true),
        row(json!([404]), 200, false),
        row(json!(["2xx"]), 299, true),
        row(json!(["2xx"]), 300, false),
        row(json!(["4XX"]), 418, true),
        row(json!(["200-299", "400-404"]), 404, true),
        row(json!(["200-299", "400-404"]), 405, false),
        row(json!(["100-999"]), 599, true),
        row(json!(["9xx"]), 999, true),
        row(json!(["5xx"]), 503, true),
        row(json!([304]), 304, true),
        row(json!(["200"]), 200, true),
    ]
}

fn sizes() -> Vec<Case> {
    let most = |bytes: u64| json!({"expect": {"body": {"max_bytes": bytes}}});
    let ten = |name: &str, limit: u64, want: Want| {
        let row = Case::answer(name, answer("200 OK", "0123456789"), want);
        if limit == 0 { row.stored(most(limit)) } else { row.with(most(limit)) }
    };
    let too_large = |tells: &str| down(Reason::TooLarge).tells(tells);
    vec![
        ten("10 bytes of 11", 11, up().bytes(10)),
        ten("10 bytes of 10", 10, up().bytes(10)),
        ten("10 bytes of 9", 9, too_large("body of more than 9 bytes, expected at most 9").bytes(9)),
        ten("10 bytes of 0", 0, too_large("expected at most 0")),
        Case::answer("no bytes of 0", answer("200 OK", ""), up().bytes(0)).stored(most(0)),
        Case::serving("an endless body of 1000", endless, too_large("more than 1000 bytes").bytes(1000))
            .with(most(1000)),
    ]
}

/// Chunks for as long as anybody takes them.
fn endless(mut exchange: crate::server::Exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
    while std::io::Write::write_all(&mut exchange.tcp, chunk.as_bytes()).is_ok() {}
}

/// `checker.body_limit`, which is no judgement of the site.
fn cut_short() -> Vec<Case> {
    let limited = |name: &str, sent: usize, want: Want, truncated: bool| {
        Case::answer(name, answer("200 OK", &"x".repeat(sent)), want)
            .config(ProbeConfig { body_limit: 1000, ..open() })
            .also(move |outcome, _| assert_eq!(outcome.body_truncated, truncated))
    };
    vec![
        limited("999 bytes, 1000 are read", 999, up().bytes(999), false),
        limited("1000 bytes, 1000 are read", 1000, up().bytes(1000), false),
        limited("1001 bytes, 1000 are read", 1001, up().bytes(1000), true),
        limited("500 KB, 1000 bytes are read", 500_000, up().bytes(1000), true),
        limited("more than the site allows, but not known to be", 2000, up().bytes(1000), true)
            .stored(json!({"expect": {"body": {"max_bytes": 5000}}})),
        Case::serving("an endless body", endless, up().bytes(1024 * 1024))
            .also(|outcome, _| assert!(outcome.body_truncated)),
        Case::answer(
            "cut, but behind what is read",
            format!("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{}", "x".repeat(2000)),
            up().bytes(1000),
        )
        .config(ProbeConfig { body_limit: 1000, ..open() }),
    ]
}

fn transport() -> Vec<Case> {
    let expects = |name: &str, wire: &str, expected: Json, want: Want| {
        let row = Case::answer(name, wire, want);
        let settings = json!({"expect": expected});
        // No file has this beside a URL with http.
        if expected["tls"] == "required" { row.stored(settings) } else { row.with(settings) }
    };
    let (old, new) = ("HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let only = |version: &str| json!({"http_version": [version]});
    let other = |tells: &str| down(Reason::Protocol).tells(tells);
    vec![
        expects("1.1 of 1.1", new, only("HTTP/1.1"), up()),
        expects("1.0 of 1.0", old, only("HTTP/1.0"), up()),
        expects("1.0 of 1.1", old, only("HTTP/1.1"), other("version HTTP/1.0, expected HTTP/1.1")),
        expects("1.1 of 1.0", new, only("HTTP/1.0"), other("version HTTP/1.1, expected HTTP/1.0")),
        expects("1.0 of both", old, json!({"http_version": ["HTTP/1.0", "HTTP/1.1"]}), up())
            .also(|outcome, _| assert_eq!(outcome.http_version, Some("HTTP/1.0"))),
        expects(
            "no TLS where it is required",
            new,
            json!({"tls": "required"}),
            down(Reason::Tls).tells("without TLS, expected https"),
        ),
        expects("no TLS where it is forbidden", new, json!({"tls": "forbidden"}), up()),
    ]
}

/// One broken page: a status, a header, a text, a value, a size and a version that are all not as they should be.
fn several() -> Vec<Case> {
    let wire = "HTTP/1.0 500 Oh\r\nContent-Type: text/html\r\n\r\n{\"status\": \"DOWN\"}";
    let all = json!({
        "headers": [{"name": "Content-Type", "contains": "json"}],
        "body": {"contains": ["UP"], "not_contains": ["DOWN"]},
        "json": [{"path": "$.status", "equals": "UP"}],
        "http_version": ["HTTP/1.1"],
        "tls": "required",
    });
    let without = |names: &[&str]| {
        let mut expect = all.clone();
        let members = expect.as_object_mut().unwrap();
        members.insert("status".to_owned(), json!([500]));
        names.iter().for_each(|name| drop(members.remove(*name)));
        json!({"expect": expect})
    };
    let row = |name: &str, names: &[&str], reason: Reason| {
        Case::answer(name, wire, down(reason).http(500)).stored(without(names))
    };
    let everything = down(Reason::Status)
        .tells("status 500 Internal Server Error, expected 2xx")
        .tells("header content-type is \"text/html\", expected to contain \"json\"")
        .tells("expected to contain \"UP\"")
        .tells("body has \"DOWN\", expected not to contain \"DOWN\"")
        .tells("version HTTP/1.0, expected HTTP/1.1")
        .tells("without TLS, expected https");
    vec![
        Case::answer(
            "all at once: the status is the reason",
            wire,
            everything.tells("$.status is \"DOWN\", expected to equal \"UP\""),
        )
        .stored(json!({"expect": all}))
        .also(|outcome, _| {
            let evidence = outcome.evidence.as_ref().unwrap();
            assert_eq!(evidence.failed.len(), 7, "{:?}", evidence.failed);
            assert_eq!(outcome.judged.len(), 7);
        }),
        row("then the headers", &[], Reason::Header),
        row("then the body", &["headers"], Reason::Body),
        row("then the JSON", &["headers", "body"], Reason::Json),
        row("then the version", &["headers", "body", "json"], Reason::Protocol),
        row("then TLS", &["headers", "body", "json", "http_version"], Reason::Tls),
        Case::answer(
            "the size comes after the JSON",
            wire,
            down(Reason::Json).tells("only read for 5 bytes").tells("more than 5 bytes"),
        )
        .with(json!({"expect": {"status": [500], "json": [{"path": "$.status"}], "body": {"max_bytes": 5}}})),
        Case::answer("what is met is judged, too", wire, down(Reason::Status))
            .with(json!({"expect": {"headers": [{"name": "content-type"}]}}))
            .also(|outcome, _| {
                let met: Vec<bool> = outcome.judged.iter().map(|judged| judged.met).collect();
                assert_eq!(met, [false, true]);
            }),
    ]
}

/// What is left for the person who asks why.
fn kept() -> Vec<Case> {
    let page =
        format!("HTTP/1.1 503 X\r\nRetry-After: 5\r\nContent-Length: 9000\r\n\r\n{}", "busy ".repeat(1800));
    let odd = "HTTP/1.1 500 X\r\nMy Header: x\r\nX-Größe: y\r\nMy Token: 4711\r\nContent-Length: 0\r\n\r\n";
    let giving = "HTTP/1.1 500 X\r\nSet-Cookie: sid=s-4711; Path=/\r\nX-Auth-Token: t-4711\r\nLink: </a?access_token=t-4711>\r\n\
        Content-Length: 35\r\n\r\n{\"access_token\": \"t-4711\", \"a\": 12}";
    let echo = "HTTP/1.1 500 X\r\nX-Echo: Bearer token-4711\r\nContent-Length: 10\r\n\r\ntoken-4711";
    vec![
        Case::answer("a page that is down leaves its beginning", page, down(Reason::Status)).also(|outcome, _| {
            let evidence = outcome.evidence.as_ref().unwrap();
            assert_eq!(evidence.headers[0], ("Retry-After".to_owned(), "5".to_owned()));
            assert_eq!(evidence.body.as_ref().unwrap().len(), 4096);
            assert_eq!(evidence.addresses.len(), 1);
        }),
        Case::answer("a page that is up leaves nothing", answer("200 OK", "hello"), up())
            .also(|outcome, _| assert_eq!(outcome.evidence, None)),
        Case::answer("lines that are no header lines are told of", odd, down(Reason::Status)).also(|outcome, _| {
            let skipped = ["\"My Header: x\"", "\"X-Größe: y\"", "\"My Token: ***\""];
            assert_eq!(outcome.evidence.as_ref().unwrap().skipped, skipped);
            assert_eq!(outcome.skipped, skipped);
        }),
        Case::answer("and where the page is up, too", odd.replace("500 X", "200 X"), up())
            .also(|outcome, _| assert_eq!((outcome.skipped.len(), outcome.evidence.as_ref()), (3, None))),
        Case::answer("what a server gives to open doors with is hidden", giving, down(Reason::Header).tells("header set-cookie is \"sid=***; Path=/\""))
            .with(json!({"expect": {"status": [500], "headers": [{"name": "set-cookie", "equals": "x"}, {"name": "x-auth-token", "equals": "x"}]}}))
            .also(|outcome, _| {
                let all = format!("{outcome:?}");
                assert!(!all.contains("4711"), "{all}");
                let evidence = outcome.evidence.as_ref().unwrap();
                assert!(evidence.headers.contains(&("Set-Cookie".to_owned(), "sid=***; Path=/".to_owned())), "{evidence:?}");
            }),
        Case::answer("an echo of one of our cookies is hidden", "HTTP/1.1 500 X\r\nContent-Length: 21\r\n\r\nsession is 4711-4711!", down(Reason::Status))
            .with(json!({"request": {"headers": {"Cookie": "a=1; session=4711-4711"}}}))
            .also(|outcome, _| {
                let all = format!("{outcome:?}");
                assert!(!all.contains("4711"), "{all}");
            }),
        Case::answer("an echo of our secret is hidden", echo, down(Reason::Body))
            .with(json!({"request": {"bearer_token": "token-4711"}, "expect": {"status": [500], "body": {"contains": ["fine"]}}}))
            .also(|outcome, _| {
                let all = format!("{outcome:?}");
                assert!(!all.contains("4711"), "{all}");
            }),
    ]
}

/// Secrets that the server gives, ours where an excerpt cuts them, and users of URLs.
fn hidden() -> Vec<Case> {
    let tokens =
        answer("200 OK", r#"{"access_token":"t-4711","auth":{"password":"p-4711","name":"me"},"user":"me"}"#);
    let cut_echo = answer("200 OK", &format!("{}4711abcdefghijklmnopqrstuvwxyz and more", "x".repeat(185)));
    vec![
        hiding("members whose names open doors are hidden where a path selects them", tokens, down(Reason::Json))
            .with(json!({"expect": {"json": [
                {"path": "$.access_token", "equals": "x"}, {"path": "$.auth.password", "equals": "x"}, {"path": "$.auth.*", "equals": "x"},
                {"path": "$.auth", "equals": "x"}, {"path": "$.user", "equals": "x"}]}}))
            .also(|outcome, _| {
                assert_hidden(outcome);
                assert_eq!(outcome.judged[1].actual, "\"***\"");
                assert_eq!(outcome.judged[5].actual, "\"me\"");
            }),
        hiding("the first part of our secret is hidden where an excerpt cuts it", cut_echo, down(Reason::Body))
            .with(json!({"request": {"bearer_token": "4711abcdefghijklmnopqrstuvwxyz"}, "expect": {"body": {"contains": ["fine"]}}})),
        hiding("the user of a Location is hidden", "HTTP/1.1 302 X\r\nLocation: http://user:4711@{{x}}/\r\nContent-Length: 0\r\n\r\n", down(Reason::Redirect)),
        hiding("the user of a Location of another scheme is hidden", "HTTP/1.1 302 X\r\nLocation: ftp://user:4711@h/\r\nContent-Length: 0\r\n\r\n", down(Reason::Redirect)),
        hiding("the user of a Location that is not followed is hidden", "HTTP/1.1 302 X\r\nLocation: http://user:4711@h/\r\nContent-Length: 0\r\n\r\n", down(Reason::Status))
            .with(json!({"request": {"follow_redirects": false}})),
        hiding("the user of a URL in another header is hidden", "HTTP/1.1 500 X\r\nRefresh: 0; url=http://user:4711@h/\r\nContent-Length: 0\r\n\r\n", down(Reason::Status)),
        hiding("what lines that are no header lines would hide is hidden", "HTTP/1.1 500 X\r\nSet-Cookie sid=4711\r\nX Y: {\"access_token\":\"4711\"}\r\nContent-Length: 0\r\n\r\n", down(Reason::Status))
            .also(|outcome, _| {
                assert_hidden(outcome);
                assert_eq!(outcome.skipped, ["\"Set-Cookie ***\"", "\"X Y: {\"access_token\":\"***\"}\""]);
            }),
    ]
}

/// A row of which nothing may tell `4711`.
fn hiding(name: &str, wire: impl Into<Vec<u8>>, want: Want) -> Case {
    Case::answer(name, wire, want).also(|outcome, _| assert_hidden(outcome))
}

fn assert_hidden(outcome: &Outcome) {
    assert!(!format!("{outcome:?}").contains("4711"), "{outcome:?}");
}
