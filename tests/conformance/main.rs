//! The conformance table: what each kind of answer, or of its absence, makes of a site. docs/CHECKS.md tells how it is divided.
//!
//! Every row of a topic is run, and what went wrong is listed together. Servers are plain threads on loopback; nothing is asked
//! over a network.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

#[path = "../common/authority.rs"]
mod authority;
mod bodies;
mod both;
#[path = "../../src/probe/http/wire/cases/mod.rs"]
mod cases;
mod codings;
mod cookies;
mod expiry;
mod faults;
mod guard;
mod headers;
mod http2;
mod json;
#[path = "../common/name_server.rs"]
mod name_server;
mod odd_names;
mod redirects;
mod renegotiation;
mod requests;
#[path = "../common/loopback.rs"]
mod server;
mod signers;
mod table;
mod time;
mod tls;
mod trust;
mod verdicts;
mod wire;

use table::Case;

type Topic = (&'static str, fn() -> Vec<Case>, usize);

/// The topics and how many rows each has at least, so that none shrinks unnoticed.
const TOPICS: [Topic; 16] = [
    ("answers on the wire", wire::cases, 854),
    ("HTTP/2", http2::cases, 184),
    ("the same over HTTP/2", both::cases, 325),
    ("time", time::cases, 34),
    ("redirects", redirects::cases, 93),
    ("cookies and credentials", cookies::cases, 62),
    ("certificates", trust::cases, 105),
    ("TLS", tls::cases, 52),
    ("status, size, version, several at once", verdicts::cases, 78),
    ("headers", headers::cases, 50),
    ("bodies", bodies::cases, 79),
    ("JSON", json::cases, 135),
    ("content codings", codings::cases, 61),
    ("requests", requests::cases, 48),
    ("guard", guard::cases, 81),
    ("our own faults", faults::cases, 24),
];

/// Rows are counted in their topics; this is the least there must be of all of them.
const ALL: usize = 2200;

#[test]
fn the_table_is_no_smaller_than_it_was() {
    let mut all = 0;
    for (topic, cases, least) in TOPICS {
        let count = cases().len();
        println!("{topic:44} {count:4}");
        assert!(count >= least, "{topic}: {count} cases, expected at least {least}");
        all += count;
    }
    println!("{:44} {all:4}", "all");
    assert!(all >= ALL, "{all} cases, expected at least {ALL}");
}
