//! What is known of a try: plain data, which verdict and evidence are made of.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::head::Head;
use super::place;
use super::stopwatch::{Phase, micros};
use super::tls::{Seen, Shown};
use crate::clock::Clock;
use crate::model::Timings;

/// All that is known so far.
#[derive(Default)]
pub(super) struct Notes {
    /// Requests, in order.
    pub(super) hops: Vec<HopNotes>,
    /// Hops that were followed.
    pub(super) redirects: u32,
    pub(super) body: Body,
    /// How long it took until the check had done its work. All later time is spent waiting: for an objection, or for more to come.
    pub(super) complete_after: Option<Duration>,
}

/// One connection and what came of it.
#[derive(Debug)]
pub(super) struct HopNotes {
    pub(super) url: Url,
    started: Instant,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) remote_addr: Option<SocketAddr>,
    /// The TLS handshake, from its beginning on.
    pub(super) handshake: Option<Arc<Seen>>,
    /// What HTTP answers with.
    pub(super) head: Option<Rc<Head>>,
    pub(super) timings: Timings,
    /// Of heads and body, as they came.
    pub(super) wire_bytes: u64,
}

/// The last answer's body, decoded.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// As much of it as somebody will look at.
    pub(super) kept: Vec<u8>,
    /// As much as was read.
    pub(super) bytes: u64,
    /// It went on.
    pub(super) truncated: bool,
}

impl HopNotes {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            started: Clock::instant(),
            addresses: Vec::new(),
            remote_addr: None,
            handshake: None,
            head: None,
            timings: Timings::default(),
            wire_bytes: 0,
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        place::is_tls(&self.url)
    }

    /// What the server showed in the handshake, whether we liked it or not.
    pub(super) fn certificate(&self) -> Option<&Shown> {
        self.handshake.as_ref()?.certificate()
    }

    /// Adds to the time that a phase has taken.
    pub(super) fn spend(&mut self, phase: Phase, time: Duration) {
        let timings = &mut self.timings;
        let sum = match phase {
            Phase::Resolve => &mut timings.dns_us,
            Phase::Connect => &mut timings.connect_us,
            Phase::Handshake => &mut timings.tls_us,
            Phase::Wait => &mut timings.ttfb_us,
            Phase::Download => &mut timings.download_us,
        };
        *sum.get_or_insert(0) += micros(time);
    }

    pub(super) fn end(&mut self) {
        self.timings.total_us = Some(micros(Clock::instant() - self.started));
    }
}

impl Body {
    /// Counts up to `limit` bytes and keeps the first `keep`. False: the limit is passed, and no more is needed.
    pub(super) fn take(&mut self, data: &[u8], limit: u64, keep: usize) -> bool {
        let room = limit - self.bytes;
        let taken = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
        self.bytes += taken as u64;
        self.truncated = taken < data.len();
        let wanted = keep.saturating_sub(self.kept.len()).min(taken);
        self.kept.extend_from_slice(&data[..wanted]);
        !self.truncated
    }
}
