//! What a try has found so far, kept outside the future that finds it: the timeout drops that future at any point.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::http::{StatusCode, Version};
use url::Url;

use super::failure::Failure;
use super::outcome::Outcome;
use crate::clock::{Clock, Timestamp};
use crate::model::{Certificate, Reason, Status, Timings};

tokio::task_local! {
    /// The try that the current task works on. awc offers no other way to tell a connector for whom it connects.
    pub(super) static TRACE: Rc<Trace>;
}

/// Where the time goes. Phases do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Resolve,
    Connect,
    Handshake,
    Wait,
    Download,
}

impl Phase {
    fn doing(self) -> &'static str {
        match self {
            Phase::Resolve => "resolving the name",
            Phase::Connect => "connecting",
            Phase::Handshake => "in the TLS handshake",
            Phase::Wait => "waiting for the first byte",
            Phase::Download => "reading the answer",
        }
    }
}

/// The record of one try.
#[derive(Debug)]
pub(super) struct Trace {
    started: Instant,
    notes: RefCell<Notes>,
}

#[derive(Debug)]
struct Notes {
    outcome: Outcome,
    /// The phase that runs, and since when.
    running: Option<(Phase, Instant)>,
    /// Where the current hop goes.
    url: Option<Url>,
    /// Why the connector gave up, in our words; awc would hand them on as an opaque error.
    failure: Option<Failure>,
    /// Some name server has answered something while we waited for the name.
    has_name_server: bool,
}

impl Trace {
    pub(super) fn new(started_at: Timestamp) -> Self {
        let outcome = Outcome {
            started_at,
            status: Status::Up,
            reason: None,
            error: None,
            http_status: None,
            http_version: None,
            remote_addr: None,
            redirects: 0,
            final_url: None,
            body_bytes: 0,
            body_truncated: false,
            timings: Timings::default(),
            certificate: None,
        };
        let notes = Notes { outcome, running: None, url: None, failure: None, has_name_server: false };
        Self { started: Clock::instant(), notes: RefCell::new(notes) }
    }

    /// Ends the running phase and begins `phase`.
    pub(super) fn enter(&self, phase: Phase) {
        self.notes.borrow_mut().switch_to(Some(phase));
    }

    /// Ends the running phase; what follows belongs to none.
    pub(super) fn pause(&self) {
        self.notes.borrow_mut().switch_to(None);
    }

    /// The answer's first byte is here. Later bytes change nothing.
    pub(super) fn answering(&self) {
        let mut notes = self.notes.borrow_mut();
        if matches!(notes.running, Some((Phase::Wait, _))) {
            notes.switch_to(Some(Phase::Download));
        }
    }

    pub(super) fn begin_hop(&self, url: &Url) {
        let mut notes = self.notes.borrow_mut();
        notes.url = Some(url.clone());
        notes.failure = None;
    }

    /// Where the current hop goes.
    pub(super) fn url(&self) -> Option<Url> {
        self.notes.borrow().url.clone()
    }

    pub(super) fn redirected(&self) {
        self.pause();
        self.notes.borrow_mut().outcome.redirects += 1;
    }

    pub(super) fn connected(&self, to: SocketAddr) {
        self.notes.borrow_mut().outcome.remote_addr = Some(to);
    }

    /// Whom the last connection went to, for sentences.
    pub(super) fn peer(&self) -> String {
        match self.notes.borrow().outcome.remote_addr {
            Some(addr) => addr.to_string(),
            None => "the server".to_owned(),
        }
    }

    pub(super) fn certified(&self, certificate: Option<Certificate>) {
        self.notes.borrow_mut().outcome.certificate = certificate;
    }

    pub(super) fn answered(&self, status: StatusCode, version: Version) {
        let outcome = &mut self.notes.borrow_mut().outcome;
        outcome.http_status = Some(status.as_u16());
        outcome.http_version = Some(version_name(version));
    }

    pub(super) fn read(&self, bytes: u64, truncated: bool) {
        let outcome = &mut self.notes.borrow_mut().outcome;
        outcome.body_bytes = bytes;
        outcome.body_truncated = truncated;
    }

    /// Leaves word why no connection came about.
    pub(super) fn fail(&self, failure: Failure) {
        self.notes.borrow_mut().failure = Some(failure);
    }

    /// The word that [`Trace::fail`] left.
    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.notes.borrow_mut().failure.take()
    }

    pub(super) fn name_server_is_there(&self) {
        self.notes.borrow_mut().has_name_server = true;
    }

    pub(super) fn has_name_server(&self) -> bool {
        self.notes.borrow().has_name_server
    }

    /// The failure of a try that its timeout ended.
    pub(super) fn timed_out(&self, after: Duration) -> Failure {
        let phase = self.notes.borrow().running.map(|(phase, _)| phase);
        let doing = phase.map_or("between two requests", Phase::doing);
        let error = format!("no answer within {}: {doing}", humantime::format_duration(after));
        if phase == Some(Phase::Resolve) && !self.has_name_server() {
            return Failure::internal(format!("{error}, and no name server answers at all"));
        }
        Failure::new(Reason::Timeout, error)
    }

    /// Closes the record.
    pub(super) fn finish(&self, verdict: Result<(), Failure>) -> Outcome {
        self.pause();
        let notes = self.notes.borrow();
        let mut outcome = notes.outcome.clone();
        outcome.final_url = notes.url.as_ref().map(Url::to_string);
        outcome.timings.total_us = Some(micros(Clock::instant() - self.started));
        if let Err(failure) = verdict {
            outcome.status = failure.status();
            outcome.reason = Some(failure.reason);
            outcome.error = Some(failure.error);
        }
        outcome
    }
}

impl Notes {
    fn switch_to(&mut self, next: Option<Phase>) {
        let now = Clock::instant();
        if let Some((phase, since)) = self.running.take() {
            *self.sum_of(phase).get_or_insert(0) += micros(now - since);
        }
        self.running = next.map(|phase| (phase, now));
    }

    fn sum_of(&mut self, phase: Phase) -> &mut Option<u64> {
        let timings = &mut self.outcome.timings;
        match phase {
            Phase::Resolve => &mut timings.dns_us,
            Phase::Connect => &mut timings.connect_us,
            Phase::Handshake => &mut timings.tls_us,
            Phase::Wait => &mut timings.ttfb_us,
            Phase::Download => &mut timings.download_us,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}
