//! Whatever bytes a server sends in place of HTTP/2, a check ends, nothing panics, and the site is to blame.

use std::time::Duration;

use fastrand::Rng;
use rustls::RootCertStore;
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Status, Target};
use uptime_monitor::probe::{Probe, ProbeSettings};

use super::frames::*;
use super::http2;
use crate::table::{AUTHORITY, open};
use crate::trust::at_localhost;

/// Answers that are tried, each from a seed of its own, so that one that fails can be tried again.
const ANSWERS: usize = 300;

#[actix_rt::test]
async fn no_bytes_are_our_fault() {
    let server = serve_raw(|mut peer, number| {
        peer.send(mutated(&mut Rng::with_seed(number as u64)));
        peer.close();
    });
    let url = at_localhost(server).url;
    let mut roots = RootCertStore::empty();
    roots.add(AUTHORITY.der()).unwrap();
    let settings = ProbeSettings::with_roots(&open(), roots).unwrap();
    let probe = Probe::with_settings(&settings, Clock::system());
    let timeout = Duration::from_secs(10);
    let target = Target { url, timeout, retries: 0, settings: Some(http2().to_string().into()) };
    let mut up = 0;
    for seed in 1..=ANSWERS {
        let outcome = probe.check(&target, Clock::instant()).await;

        assert!(matches!(outcome.status, Status::Up | Status::Down), "seed {seed}: {:?}", outcome.error);
        assert!(outcome.timings.total_us.unwrap() < 5_000_000, "seed {seed}: {:?}", outcome.error);
        up += usize::from(outcome.status == Status::Up);
    }
    assert!((1..ANSWERS).contains(&up), "{up} of {ANSWERS} are up");
}

/// A good answer with a few wrong things done to it.
fn mutated(random: &mut Rng) -> Vec<u8> {
    let good = [
        frame(SETTINGS, 0, 0, []),
        head(103, &[("link", "</a>")]),
        head(200, &[("content-type", "text/plain"), ("content-length", "5")]),
        frame(PING, 0, 0, [0; 8]),
        data("he"),
        frame(PRIORITY, 0, 1, [0, 0, 0, 3, 1]),
        last("llo"),
        go_away(1, 0),
    ];
    let mut pieces = good.to_vec();
    match random.u8(..4) {
        0 => random.shuffle(&mut pieces[1..]),
        1 => drop(pieces.remove(random.usize(..good.len()))),
        2 => pieces.insert(
            random.usize(..good.len()),
            frame(random.u8(..12), random.u8(..), random.u32(..4), b"\0\0\0\x01what"),
        ),
        _ => {}
    }
    let mut bytes = pieces.concat();
    for _ in 0..random.usize(..4) {
        let at = random.usize(..bytes.len());
        match random.u8(..3) {
            0 => bytes[at] = random.u8(..),
            1 => bytes.truncate(at.max(1)),
            _ => drop(bytes.splice(at..at, (0..random.usize(1..9)).map(|_| random.u8(..)))),
        }
    }
    bytes
}
