//! Where the time of a try goes: phases that follow each other and do not overlap.

use std::time::{Duration, Instant};

use crate::clock::Clock;

/// What a try is doing. In this order for each connection, some of them not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Resolve,
    Connect,
    Handshake,
    Wait,
    Download,
}

impl Phase {
    /// In words that complete "no answer within 10s: …".
    pub(super) fn doing(self) -> &'static str {
        match self {
            Phase::Resolve => "resolving the name",
            Phase::Connect => "connecting",
            Phase::Handshake => "in the TLS handshake",
            Phase::Wait => "waiting for the first byte",
            Phase::Download => "reading the answer",
        }
    }
}

/// The phase that runs, and since when.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    running: Option<(Phase, Instant)>,
}

impl Stopwatch {
    /// Begins `next`, or nothing. Says which phase ended with that, and how long it was.
    pub(super) fn switch_to(&mut self, next: Option<Phase>) -> Option<(Phase, Duration)> {
        let now = Clock::instant();
        let ended = self.running.take().map(|(phase, since)| (phase, now - since));
        self.running = next.map(|phase| (phase, now));
        ended
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        self.running.map(|(phase, _)| phase)
    }
}

/// In whole microseconds, as results have it.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
