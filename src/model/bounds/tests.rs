//! Bounds hold for the worst of all results, and leave honest ones alone.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;

use super::*;
use crate::model::{Reason, Region, SiteId, Timings};

/// A result with more of everything than its bounds allow, and `of` over and over in each text, `length` bytes of it.
fn made_of(of: &str, length: usize, at: Timestamp) -> CheckResult {
    let text = || of.repeat(length / of.len().max(1));
    let us = Some(u64::MAX);
    let timings =
        Timings { dns_us: us, connect_us: us, tls_us: us, ttfb_us: us, download_us: us, total_us: us };
    let certificate = || Certificate {
        not_before: at,
        not_after: at,
        subject: text(),
        issuer: text(),
        chain_not_after: at,
        names: vec![text(); NAMES + 1],
        fingerprint: text(),
    };
    let address = IpAddr::V6(Ipv6Addr::from([0xab; 16]));
    let hop = || Hop {
        url: text(),
        http_status: Some(u16::MAX),
        remote_addr: Some(SocketAddr::new(address, u16::MAX)),
        timings,
        certificate: Some(certificate()),
    };
    CheckResult {
        v: CheckResult::VERSION,
        site_id: Some(SiteId(i64::MIN)),
        url: text(),
        scheduled_at: DateTime::from_timestamp(1_767_225_600, 0).unwrap(),
        region: "r".repeat(Region::LONGEST).parse().unwrap(),
        started_at: at,
        status: Status::Down,
        reason: Some(Reason::Internal),
        error: Some(text()),
        http_status: Some(u16::MAX),
        http_version: Some(text()),
        remote_addr: Some(SocketAddr::new(address, u16::MAX)),
        redirects: u32::MAX,
        final_url: Some(text()),
        body_bytes: u64::MAX,
        wire_bytes: u64::MAX,
        body_truncated: true,
        timings,
        certificate: Some(certificate()),
        hops: (0..=HOPS).map(|_| hop()).collect(),
        tries: u32::MAX,
        evidence: Some(Box::new(Evidence {
            failed: vec![text(); 100],
            addresses: vec![address; 1_000],
            headers: vec![(text(), text()); 100],
            skipped: vec![text(); 100],
            body: Some(text()),
        })),
        worker: text(),
        attempt: u32::MAX,
    }
}

fn json(result: &CheckResult) -> usize {
    serde_json::to_vec(result).unwrap().len()
}

#[test]
fn the_worst_of_all_results_fits_in_a_message_and_its_essence_in_a_small_one() {
    for of in ["\u{1}", "\0", "\"", "ü", "𝄞", "x"] {
        let result = made_of(of, 10_000, Timestamp::MIN_UTC).bounded();

        assert!(json(&result) < 800_000, "{of:?}: {}", json(&result));
        assert!(json(&result.essence()) < 20_000, "{of:?}: {}", json(&result.essence()));
    }
}

#[test]
fn lists_of_nothing_are_bounded_too() {
    let result = made_of("", 0, Timestamp::MIN_UTC);
    let many = Evidence { failed: vec![String::new(); 1_000_000], ..Evidence::default() };

    let bounded = CheckResult { evidence: Some(Box::new(many)), ..result }.bounded();

    assert!(json(&bounded) < 100_000, "{}", json(&bounded));
}

#[test]
fn an_honest_result_is_kept_as_it_is() {
    let at = DateTime::from_timestamp(LATEST_S, 0).unwrap();
    let mut result = made_of("x", 100, at);
    result.hops.truncate(11);
    result.hops.iter_mut().for_each(|hop| hop.certificate.iter_mut().for_each(|c| c.names.truncate(20)));
    result.certificate.iter_mut().for_each(|certificate| certificate.names.truncate(20));
    let evidence = result.evidence.as_deref_mut().unwrap();
    evidence.failed.truncate(20);
    evidence.addresses.truncate(20);
    evidence.headers.truncate(40);
    evidence.skipped.truncate(8);
    evidence.body = Some("\u{FFFD}".repeat(4 * 1024));

    assert_eq!(result.clone().bounded(), result);
}

#[test]
fn what_is_left_of_a_long_text_is_its_beginning() {
    let mut result = made_of("", 0, Timestamp::default());
    result.error = Some(format!("status 503{}", "é".repeat(ERROR)));
    result.hops[0].url = format!("http://first/{}", "x".repeat(URL));

    let bounded = result.bounded();

    let error = bounded.error.unwrap();
    assert!(error.starts_with("status 503éé") && error.ends_with("é…") && error.len() <= ERROR);
    assert!(bounded.hops[0].url.starts_with("http://first/xx"));
    assert_eq!(bounded.hops.len(), HOPS);
}

#[test]
fn a_date_that_no_database_takes_becomes_the_nearest_one_that_it_does() {
    for (at, year) in [(Timestamp::MIN_UTC, 1), (Timestamp::MAX_UTC, 9999)] {
        let result = made_of("", 0, at);
        assert_eq!(result.impossible_date().map(|(name, _)| name), Some("started_at"));

        let bounded = result.bounded();

        let certificate = bounded.certificate.clone().unwrap();
        assert_eq!((bounded.started_at.year(), certificate.not_after.year()), (year, year));
        assert_eq!(bounded.impossible_date(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bounding_twice_is_bounding_once(of in "\\PC{0,3}|[\\x00-\\x1f]{1,2}", length in 0_usize..9_000, s in any::<i64>()) {
        let at = DateTime::from_timestamp(s >> 20, 0).unwrap_or_default();
        let once = made_of(&of, length, at).bounded();

        prop_assert!(json(&once) < 800_000);
        prop_assert_eq!(once.clone().bounded(), once);
    }
}
