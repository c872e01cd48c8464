//! Outcomes to be rendered.

use crate::clock::Timestamp;
use crate::model::{Certificate, Evidence, Hop, Reason, Status, Timings};
use crate::probe::{Judged, Outcome};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn judged(what: &str, actual: &str, met: bool) -> Judged {
    Judged { what: what.to_owned(), actual: actual.to_owned(), met }
}

fn certificate() -> Certificate {
    Certificate {
        not_before: at("2025-01-01T00:00:00Z"),
        not_after: at("2026-02-01T00:00:00Z"),
        subject: "CN=shop.test".to_owned(),
        issuer: "CN=the authority".to_owned(),
        chain_not_after: at("2026-02-01T00:00:00Z"),
        names: vec!["shop.test".to_owned(), "www.shop.test".to_owned()],
        fingerprint: "5e".repeat(32),
    }
}

fn hop(url: &str, port: u16, http_status: u16, timings: Timings) -> Hop {
    Hop {
        url: url.to_owned(),
        http_status: Some(http_status),
        remote_addr: Some(([192, 0, 2, 7], port).into()),
        timings,
        certificate: None,
    }
}

/// One https request, as expected.
pub(super) fn up() -> Outcome {
    let timings = Timings {
        dns_us: None,
        connect_us: Some(10_000),
        tls_us: Some(20_000),
        ttfb_us: Some(10_000),
        download_us: Some(10),
        total_us: Some(40_010),
    };
    let hop = Hop { certificate: Some(certificate()), ..hop("https://shop.test/", 443, 200, timings) };
    Outcome {
        started_at: at("2026-01-01T00:00:00.5Z"),
        status: Status::Up,
        reason: None,
        error: None,
        http_status: Some(200),
        http_version: Some("HTTP/1.1"),
        remote_addr: hop.remote_addr,
        redirects: 0,
        final_url: Some(hop.url.clone()),
        body_bytes: 1256,
        wire_bytes: 648,
        body_truncated: false,
        timings: Timings { total_us: Some(41_260), ..timings },
        skipped: Vec::new(),
        certificate: hop.certificate.clone(),
        hops: vec![hop],
        tries: 1,
        judged: vec![
            judged("status 2xx", "200 OK", true),
            judged("certificate of shop.test good for 14d", "expires in 30 days", true),
        ],
        evidence: None,
    }
}

/// Two requests, the second of them to a page that is not there, and without TLS.
pub(super) fn redirected() -> Outcome {
    let timings = |connect_us, tls_us| Timings {
        connect_us: Some(connect_us),
        tls_us,
        ttfb_us: Some(10_000),
        total_us: Some(connect_us + tls_us.unwrap_or(0) + 10_000),
        ..Timings::default()
    };
    let first = Hop {
        certificate: Some(certificate()),
        ..hop("https://shop.test/", 443, 302, timings(10_000, Some(10_000)))
    };
    let second = hop("http://www.shop.test/", 80, 404, timings(0, None));
    Outcome {
        status: Status::Down,
        reason: Some(Reason::Status),
        error: Some("status 404 Not Found, expected 2xx".to_owned()),
        http_status: Some(404),
        remote_addr: second.remote_addr,
        redirects: 1,
        final_url: Some(second.url.clone()),
        body_bytes: 12,
        wire_bytes: 180,
        body_truncated: true,
        timings: Timings { total_us: Some(40_000), ..Timings::default() },
        hops: vec![first, second],
        tries: 2,
        judged: vec![judged("status 2xx", "404 Not Found", false)],
        evidence: Some(Box::new(Evidence {
            failed: vec!["status 404 Not Found, expected 2xx".to_owned()],
            addresses: vec![[192, 0, 2, 7].into(), [192, 0, 2, 8].into()],
            skipped: Vec::new(),
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: Some("<h1>\n\tgone\n".to_owned()),
        })),
        ..up()
    }
}

/// A name that does not resolve.
pub(super) fn nameless() -> Outcome {
    let error = "cannot resolve shop.test";
    Outcome {
        status: Status::Down,
        reason: Some(Reason::Dns),
        error: Some(error.to_owned()),
        http_status: None,
        http_version: None,
        remote_addr: None,
        body_bytes: 0,
        wire_bytes: 0,
        timings: Timings { dns_us: Some(5_000), total_us: Some(5_100), ..Timings::default() },
        certificate: None,
        hops: vec![Hop {
            url: "https://shop.test/".to_owned(),
            http_status: None,
            remote_addr: None,
            timings: Timings { dns_us: Some(5_000), total_us: Some(5_000), ..Timings::default() },
            certificate: None,
        }],
        judged: Vec::new(),
        evidence: Some(Box::new(Evidence { failed: vec![error.to_owned()], ..Evidence::default() })),
        ..up()
    }
}

/// A server without HTTP that is not ready.
pub(super) fn loading() -> Outcome {
    let error = "answer is \"-LOADING\", expected to contain \"+PONG\"";
    let timings = Timings {
        connect_us: Some(10_000),
        ttfb_us: Some(10_000),
        total_us: Some(20_000),
        ..Timings::default()
    };
    Outcome {
        status: Status::Down,
        reason: Some(Reason::Body),
        error: Some(error.to_owned()),
        http_status: None,
        http_version: None,
        body_bytes: 8,
        wire_bytes: 8,
        timings,
        certificate: None,
        hops: vec![Hop {
            url: "tcp://redis.test:6379".to_owned(),
            http_status: None,
            remote_addr: Some("192.0.2.7:6379".parse().unwrap()),
            timings,
            certificate: None,
        }],
        judged: vec![judged("answer contains \"+PONG\"", "\"-LOADING\"", false)],
        evidence: Some(Box::new(Evidence { body: Some("-LOADING".to_owned()), ..Evidence::default() })),
        ..up()
    }
}
