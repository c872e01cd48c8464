//! What a try has found so far, kept outside the future that finds it: the timeout drops that future at any point.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use url::Url;

use super::dns::Asking;
use super::failure::Failure;
use super::http::{Head, Message};
use super::place;
use super::plan::Plan;
use super::tls::Shown;
use crate::clock::Clock;
use crate::model::Timings;

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
pub(super) struct Trace {
    pub(super) plan: Rc<Plan>,
    started: Instant,
    notes: RefCell<Notes>,
}

/// What is known so far.
#[derive(Default)]
pub(super) struct Notes {
    /// Requests, in order.
    pub(super) hops: Vec<HopNotes>,
    /// Hops that were followed.
    pub(super) redirects: u32,
    pub(super) body: Body,
    /// The phase that runs, and since when.
    running: Option<(Phase, Instant)>,
    /// Why the connection gave up, in our words; awc would hand them on as an opaque error.
    failure: Option<Failure>,
    /// The latest lookup that needed name servers.
    asking: Option<Rc<Asking>>,
    /// The server has asked who we are.
    was_asked: bool,
    /// How long it took until what was to be done was done. All later time is spent waiting: for an objection, or for more to come.
    pub(super) complete_after: Option<Duration>,
    /// Why the addresses so far were of no use, while others of the same name are still being asked for.
    so_far: Option<Failure>,
}

/// One request and what came of it.
#[derive(Debug)]
pub(super) struct HopNotes {
    pub(super) url: Url,
    /// What HTTP sends.
    message: Option<Message>,
    started: Instant,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) remote_addr: Option<SocketAddr>,
    pub(super) certificate: Option<Shown>,
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

impl Trace {
    pub(super) fn new(plan: Rc<Plan>) -> Self {
        Self { plan, started: Clock::instant(), notes: RefCell::default() }
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

    /// What follows belongs to a connection to `url`, for this message where it is one over HTTP.
    pub(super) fn begin_hop(&self, url: &Url, message: Option<Message>) {
        let mut notes = self.notes.borrow_mut();
        notes.end_hop();
        notes.failure = None;
        notes.so_far = None;
        notes.hops.push(HopNotes::new(url.clone(), message));
    }

    /// What awc is to connect to, and to send.
    pub(super) fn hop(&self) -> Option<(Url, Message)> {
        let notes = self.notes.borrow();
        notes.hops.last().and_then(|hop| Some((hop.url.clone(), hop.message.clone()?)))
    }

    fn note(&self, note: impl FnOnce(&mut HopNotes)) {
        if let Some(hop) = self.notes.borrow_mut().hops.last_mut() {
            note(hop);
        }
    }

    pub(super) fn redirected(&self) {
        self.pause();
        self.notes.borrow_mut().redirects += 1;
    }

    /// The host's name leads to these addresses, too.
    pub(super) fn resolved(&self, to: &[SocketAddr]) {
        self.note(|hop| hop.addresses.extend(to.iter().map(SocketAddr::ip)));
    }

    /// The addresses so far were of no use, and only a family that name servers are late with is left.
    pub(super) fn waits_for_late(&self, so_far: Failure) {
        let mut notes = self.notes.borrow_mut();
        notes.so_far = Some(so_far);
        notes.switch_to(Some(Phase::Resolve));
    }

    pub(super) fn connected(&self, to: SocketAddr) {
        self.note(|hop| hop.remote_addr = Some(to));
    }

    /// Whom the last connection went to, for sentences.
    pub(super) fn peer(&self) -> String {
        let notes = self.notes.borrow();
        let addr = notes.hops.iter().rev().find_map(|hop| hop.remote_addr);
        addr.map_or_else(|| "the server".to_owned(), |addr| addr.to_string())
    }

    pub(super) fn certified(&self, certificate: Option<Shown>) {
        self.note(|hop| hop.certificate = certificate);
    }

    /// Whether the server of the current hop has shown its certificate.
    pub(super) fn has_certificate(&self) -> bool {
        self.notes.borrow().hops.last().is_some_and(|hop| hop.certificate.is_some())
    }

    /// Bytes of the answer have come.
    pub(super) fn received(&self, bytes: usize) {
        self.note(|hop| hop.wire_bytes += bytes as u64);
    }

    pub(super) fn answered(&self, head: Head) {
        self.note(|hop| hop.head = Some(Rc::new(head)));
    }

    /// The answer of the current hop.
    pub(super) fn head(&self) -> Option<Rc<Head>> {
        self.notes.borrow().hops.last().and_then(|hop| hop.head.clone())
    }

    /// Takes body: counts up to `limit` bytes and keeps the first `keep`. False: the limit is passed, and no more is needed.
    pub(super) fn read(&self, data: &[u8], limit: u64, keep: usize) -> bool {
        let body = &mut self.notes.borrow_mut().body;
        let room = limit - body.bytes;
        let taken = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
        body.bytes += taken as u64;
        body.truncated = taken < data.len();
        let wanted = keep.saturating_sub(body.kept.len()).min(taken);
        body.kept.extend_from_slice(&data[..wanted]);
        !body.truncated
    }

    /// What `seen` makes of the body so far.
    pub(super) fn look<T>(&self, seen: impl FnOnce(&Body) -> T) -> T {
        seen(&self.notes.borrow().body)
    }

    /// Whether there is a connection, and the handshake that belongs to it is over.
    pub(super) fn is_open(&self) -> bool {
        let notes = self.notes.borrow();
        let is_opening =
            matches!(notes.running, Some((Phase::Resolve | Phase::Connect | Phase::Handshake, _)));
        !is_opening && notes.hops.last().is_some_and(|hop| hop.remote_addr.is_some())
    }

    /// The server asks who we are.
    pub(super) fn asked(&self) {
        self.notes.borrow_mut().was_asked = true;
    }

    pub(super) fn was_asked(&self) -> bool {
        self.notes.borrow().was_asked
    }

    /// As of now what was to be done is done, unless the server objects or more comes.
    pub(super) fn complete(&self) {
        self.notes.borrow_mut().complete_after = Some(Clock::instant() - self.started);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.notes.borrow().complete_after.is_some()
    }

    /// Leaves word why the connection is of no use.
    pub(super) fn fail(&self, failure: Failure) {
        self.notes.borrow_mut().failure = Some(failure);
    }

    /// The word that [`Trace::fail`] left.
    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.notes.borrow_mut().failure.take()
    }

    /// A name is being asked for.
    pub(super) fn resolving(&self, asking: Asking) -> Rc<Asking> {
        let asking = Rc::new(asking);
        self.notes.borrow_mut().asking = Some(Rc::clone(&asking));
        asking
    }

    /// The failure of a try that its timeout ended.
    pub(super) fn timed_out(&self, after: Duration) -> Failure {
        let notes = self.notes.borrow();
        let phase = notes.running.map(|(phase, _)| phase);
        match (phase, &notes.so_far, &notes.asking) {
            (Some(Phase::Resolve), Some(so_far), _) => so_far.clone(),
            (Some(Phase::Resolve), None, Some(asking)) => asking.timed_out(after),
            _ => Failure::timeout(after, phase.map_or("between two requests", Phase::doing)),
        }
    }

    /// Closes the record: all that was found, and how long that took.
    pub(super) fn finish(&self) -> (Notes, Duration) {
        let mut notes = self.notes.take();
        notes.end_hop();
        (notes, Clock::instant() - self.started)
    }
}

impl HopNotes {
    fn new(url: Url, message: Option<Message>) -> Self {
        Self {
            url,
            message,
            started: Clock::instant(),
            addresses: Vec::new(),
            remote_addr: None,
            certificate: None,
            head: None,
            timings: Timings::default(),
            wire_bytes: 0,
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        place::is_tls(&self.url)
    }

    fn sum_of(&mut self, phase: Phase) -> &mut Option<u64> {
        let timings = &mut self.timings;
        match phase {
            Phase::Resolve => &mut timings.dns_us,
            Phase::Connect => &mut timings.connect_us,
            Phase::Handshake => &mut timings.tls_us,
            Phase::Wait => &mut timings.ttfb_us,
            Phase::Download => &mut timings.download_us,
        }
    }
}

impl Notes {
    fn switch_to(&mut self, next: Option<Phase>) {
        let now = Clock::instant();
        if let Some((phase, since)) = self.running.take()
            && let Some(hop) = self.hops.last_mut()
        {
            *hop.sum_of(phase).get_or_insert(0) += micros(now - since);
        }
        self.running = next.map(|phase| (phase, now));
    }

    fn end_hop(&mut self) {
        self.switch_to(None);
        if let Some(hop) = self.hops.last_mut() {
            hop.timings.total_us = Some(micros(Clock::instant() - hop.started));
        }
    }
}

pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
