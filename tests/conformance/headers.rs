//! Every operator on headers.

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::table::{Case, Want, down, run, up};

#[actix_rt::test]
async fn every_case() {
    run("headers", cases()).await;
}

const FIELDS: &str = "Content-Type: text/html; charset=utf-8\r\nVary: Accept\r\nvary: Accept-Encoding\r\nX-Empty:\r\n\
    X-Padded: \t padded \t\r\nX-Folded: one\r\n two\r\nX-Number: 42\r\n";

/// What `condition` on the header `name` makes of an answer with [`FIELDS`].
fn row(name: &str, mut condition: Json, want: Want) -> Case {
    let shown = condition.to_string();
    condition.as_object_mut().unwrap().insert("name".to_owned(), name.into());
    Case::answer(
        format!("{name} {shown}"),
        format!("HTTP/1.1 200 OK\r\n{FIELDS}Content-Length: 0\r\n\r\n"),
        want,
    )
    .with(json!({"expect": {"headers": [condition]}}))
}

/// The same with a condition that no file can have.
fn stored(name: &str, mut condition: Json, want: Want) -> Case {
    let row = row(name, condition.clone(), want);
    condition.as_object_mut().unwrap().insert("name".to_owned(), name.into());
    row.stored(json!({"expect": {"headers": [condition]}}))
}

fn no(tells: &str) -> Want {
    down(Reason::Header).tells(tells)
}

pub(crate) fn cases() -> Vec<Case> {
    [presence(), single(), several_values(), missing(), odd()].into_iter().flatten().collect()
}

fn presence() -> Vec<Case> {
    vec![
        row("Content-Type", json!({}), up()),
        row("CONTENT-TYPE", json!({}), up()),
        row("content-type", json!({}), up()),
        row("X-Empty", json!({}), up()),
        row("X-None", json!({}), no("header x-none is missing, expected to be there")),
        row("X-None", json!({"absent": true}), up()),
        row("Content-Type", json!({"absent": true}), no("expected to be absent")),
        row("X-Empty", json!({"absent": true}), no("header x-empty is \"\", expected to be absent")),
    ]
}

fn single() -> Vec<Case> {
    let shown = "header content-type is \"text/html; charset=utf-8\", expected ";
    vec![
        row("Content-Type", json!({"equals": "text/html; charset=utf-8"}), up()),
        row("Content-Type", json!({"equals": "text/html"}), no(shown)),
        row("Content-Type", json!({"equals": "TEXT/HTML; charset=utf-8"}), no(shown)),
        row("Content-Type", json!({"contains": "html"}), up()),
        row("Content-Type", json!({"contains": "HTML"}), no(shown)),
        row("Content-Type", json!({"contains": "json"}), no("to contain \"json\"")),
        stored("Content-Type", json!({"contains": ""}), up()),
        row("Content-Type", json!({"matches": "^text/.*utf-8$"}), up()),
        row("Content-Type", json!({"matches": "(?i)HTML"}), up()),
        row("Content-Type", json!({"matches": "^html"}), no("to match \"^html\"")),
        row("Content-Type", json!({"not_matches": "json"}), up()),
        row("Content-Type", json!({"not_matches": "html"}), no("not to match \"html\"")),
        row("X-Number", json!({"matches": "^[0-9]+$"}), up()),
    ]
}

fn several_values() -> Vec<Case> {
    let shown = "header vary is \"Accept\", \"Accept-Encoding\"";
    vec![
        row("Vary", json!({"equals": "Accept"}), up()),
        row("Vary", json!({"equals": "Accept-Encoding"}), up()),
        row("Vary", json!({"equals": "Accept, Accept-Encoding"}), no(shown)),
        row("Vary", json!({"matches": "Encoding"}), up()),
        row("Vary", json!({"not_matches": "Encoding"}), no(shown)),
        row("Vary", json!({"not_matches": "Cookie"}), up()),
        row("Vary", json!({"contains": "Cookie"}), no(shown)),
    ]
}

fn missing() -> Vec<Case> {
    let gone = || no("header x-none is missing");
    vec![
        row("X-None", json!({"equals": "x"}), gone()),
        row("X-None", json!({"contains": "x"}), gone()),
        row("X-None", json!({"matches": "x"}), gone()),
        row("X-None", json!({"not_matches": "x"}), gone()),
        row("X-None", json!({"matches": ".*"}), gone()),
        row("X-None", json!({"equals": "x", "allow_missing": true}), up()),
        row("X-None", json!({"matches": "x", "allow_missing": true}), up()),
        row("X-None", json!({"not_matches": "x", "allow_missing": true}), up()),
        row("X-Number", json!({"equals": "43", "allow_missing": true}), no("header x-number is \"42\"")),
        stored("X-None", json!({"allow_missing": true}), up()),
    ]
}

fn odd() -> Vec<Case> {
    let latin = [b"HTTP/1.1 200 OK\r\nX-City: K\xf6ln\r\nContent-Length: 0\r\n\r\n".as_slice()].concat();
    let both = json!({"expect": {"headers": [{"name": "X-Number", "equals": "1"}, {"name": "Vary", "absent": true}]}});
    let many = "X-Other: y\r\n".repeat(400);
    let stale =
        "HTTP/1.1 200 OK\r\nWarning: 111 ApacheTrafficServer/9.2.9\r\nAge: 9\r\nContent-Length: 0\r\n\r\n";
    vec![
        Case::answer("trafficserver 9.2.9: a cache answers for a dead origin, and that is expected to show", stale, no("header warning is \"111 Apache"))
            .with(json!({"expect": {"headers": [{"name": "warning", "absent": true}]}})),
        Case::answer("trafficserver 9.2.9: a cache answers for a dead origin", stale, up()),
        row("X-Empty", json!({"equals": ""}), up()),
        row("X-Empty", json!({"matches": "^$"}), up()),
        row("X-Padded", json!({"equals": "padded"}), up()),
        row("X-Folded", json!({"matches": "^one +two$"}), up()),
        Case::answer("a header in Latin-1", latin, up()).with(json!({"expect": {"headers": [{"name": "X-City", "equals": "Köln"}]}})),
        Case::answer(
            "the last of 401 headers",
            format!("HTTP/1.1 200 OK\r\n{many}X-Last: z\r\nContent-Length: 0\r\n\r\n"),
            up(),
        )
        .with(json!({"expect": {"headers": [{"name": "X-Last", "equals": "z"}]}})),
        Case::answer("two that fail", format!("HTTP/1.1 200 OK\r\n{FIELDS}Content-Length: 0\r\n\r\n"), no("x-number is \"42\"").tells("vary is"))
            .with(both),
        Case::answer(
            "framing headers are there, too",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
            up(),
        )
        .with(json!({"expect": {"headers": [{"name": "transfer-encoding", "equals": "chunked"}, {"name": "connection"}]}})),
        Case::serving(
            "headers of a redirect do not count",
            |mut exchange| match exchange.path() {
                "/" => exchange.send("HTTP/1.1 302 Found\r\nLocation: /next\r\nETag: a\r\nContent-Length: 0\r\n\r\n"),
                _ => exchange.send("HTTP/1.1 204 No Content\r\n\r\n"),
            },
            no("header etag is missing"),
        )
        .with(json!({"expect": {"headers": [{"name": "etag"}]}})),
        Case::answer("headers of an interim answer do not count", "HTTP/1.1 103 X\r\nLink: a\r\n\r\nHTTP/1.1 204 X\r\n\r\n", no("link is missing"))
            .with(json!({"expect": {"headers": [{"name": "link"}]}})),
    ]
}
