//! The record of a try, kept outside the future that makes it: the timeout drops that future at any point.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::dns::Asking;
use super::failure::Failure;
use super::head::Head;
use super::notes::{Body, HopNotes, Notes};
use super::stopwatch::{Phase, Stopwatch};
use super::tls::Seen;
use crate::clock::Clock;

/// What a try has found so far, and what it is doing.
pub(super) struct Trace {
    started: Instant,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    notes: Notes,
    stopwatch: Stopwatch,
    /// The latest lookup that needed name servers.
    asking: Option<Rc<Asking>>,
    /// Why the addresses so far were of no use, while others of the same name are still being asked for.
    so_far: Option<Failure>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self { started: Clock::instant(), state: RefCell::default() }
    }

    /// Ends the running phase and begins `phase`.
    pub(super) fn enter(&self, phase: Phase) {
        self.state.borrow_mut().switch_to(Some(phase));
    }

    /// Ends the running phase; what follows belongs to none.
    pub(super) fn pause(&self) {
        self.state.borrow_mut().switch_to(None);
    }

    /// The answer's first byte is here. Later bytes change nothing.
    pub(super) fn answering(&self) {
        let mut state = self.state.borrow_mut();
        if state.stopwatch.phase() == Some(Phase::Wait) {
            state.switch_to(Some(Phase::Download));
        }
    }

    /// What follows belongs to a connection to `url`.
    pub(super) fn begin_hop(&self, url: &Url) {
        let mut state = self.state.borrow_mut();
        state.end_hop();
        state.so_far = None;
        state.notes.hops.push(HopNotes::new(url.clone()));
    }

    fn note(&self, note: impl FnOnce(&mut HopNotes)) {
        if let Some(hop) = self.state.borrow_mut().notes.hops.last_mut() {
            note(hop);
        }
    }

    pub(super) fn redirected(&self) {
        self.pause();
        self.state.borrow_mut().notes.redirects += 1;
    }

    /// A name is being asked for.
    pub(super) fn resolving(&self, asking: Rc<Asking>) {
        self.state.borrow_mut().asking = Some(asking);
    }

    /// The host's name leads to these addresses, too.
    pub(super) fn resolved(&self, to: &[SocketAddr]) {
        self.note(|hop| hop.addresses.extend(to.iter().map(SocketAddr::ip)));
    }

    /// The addresses so far were of no use, and only a family that name servers are late with is left.
    pub(super) fn waits_for_late(&self, so_far: Failure) {
        let mut state = self.state.borrow_mut();
        state.so_far = Some(so_far);
        state.switch_to(Some(Phase::Resolve));
    }

    pub(super) fn connected(&self, to: SocketAddr) {
        self.note(|hop| hop.remote_addr = Some(to));
    }

    /// Whom the last connection went to, for sentences.
    pub(super) fn peer(&self) -> String {
        let state = self.state.borrow();
        let addr = state.notes.hops.iter().rev().find_map(|hop| hop.remote_addr);
        addr.map_or_else(|| "the server".to_owned(), |addr| addr.to_string())
    }

    /// A TLS handshake begins. What it sees of the server counts also when it fails, or never ends.
    pub(super) fn shaking_hands(&self, seen: Arc<Seen>) {
        self.enter(Phase::Handshake);
        self.note(|hop| hop.handshake = Some(seen));
    }

    /// Bytes of the answer have come.
    pub(super) fn received(&self, bytes: usize) {
        self.note(|hop| hop.wire_bytes += bytes as u64);
    }

    pub(super) fn answered(&self, head: Rc<Head>) {
        self.note(|hop| hop.head = Some(head));
    }

    /// Takes body: counts up to `limit` bytes and keeps the first `keep`. False: the limit is passed, and no more is needed.
    pub(super) fn read(&self, data: &[u8], limit: u64, keep: usize) -> bool {
        self.state.borrow_mut().notes.body.take(data, limit, keep)
    }

    /// What `seen` makes of the body so far.
    pub(super) fn look<T>(&self, seen: impl FnOnce(&Body) -> T) -> T {
        seen(&self.state.borrow().notes.body)
    }

    /// Whether there is a connection, and the handshake that belongs to it is over.
    pub(super) fn is_open(&self) -> bool {
        let state = self.state.borrow();
        let is_opening =
            matches!(state.stopwatch.phase(), Some(Phase::Resolve | Phase::Connect | Phase::Handshake));
        !is_opening && state.notes.hops.last().is_some_and(|hop| hop.remote_addr.is_some())
    }

    /// Whether the server of the current hop has asked who we are.
    pub(super) fn was_asked(&self) -> bool {
        let state = self.state.borrow();
        let handshake = state.notes.hops.last().and_then(|hop| hop.handshake.as_ref());
        handshake.is_some_and(|seen| seen.was_asked())
    }

    /// As of now the check has done its work, unless the server objects or more comes.
    pub(super) fn complete(&self) {
        self.state.borrow_mut().notes.complete_after = Some(Clock::instant() - self.started);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state.borrow().notes.complete_after.is_some()
    }

    /// The failure of a try that its timeout ended.
    pub(super) fn timed_out(&self, after: Duration) -> Failure {
        let state = self.state.borrow();
        let phase = state.stopwatch.phase();
        match (phase, &state.so_far, &state.asking) {
            (Some(Phase::Resolve), Some(so_far), _) => so_far.clone(),
            (Some(Phase::Resolve), None, Some(asking)) => asking.timed_out(after),
            _ => Failure::timeout(after, phase.map_or("between two requests", Phase::doing)),
        }
    }

    /// Closes the record: all that was found, and how long that took.
    pub(super) fn finish(&self) -> (Notes, Duration) {
        let mut state = self.state.take();
        state.end_hop();
        (state.notes, Clock::instant() - self.started)
    }
}

impl State {
    /// Begins `next`, or nothing. The time of the phase that ends with that is the current hop's.
    fn switch_to(&mut self, next: Option<Phase>) {
        if let Some((phase, time)) = self.stopwatch.switch_to(next)
            && let Some(hop) = self.notes.hops.last_mut()
        {
            hop.spend(phase, time);
        }
    }

    fn end_hop(&mut self) {
        self.switch_to(None);
        if let Some(hop) = self.notes.hops.last_mut() {
            hop.end();
        }
    }
}
