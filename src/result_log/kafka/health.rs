//! What one client knows of the brokers: whether it works, why not, and how far behind it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::{info, warn};
use rdkafka::error::RDKafkaErrorCode;

use super::TARGET;
use super::refusal::{Refusal, explained, tidy};
use crate::clock::Clock;

/// While the brokers stay away, it is said again this often.
const REMIND: Duration = Duration::from_secs(30);

/// Shared between a client's callbacks and those who ask.
pub(super) struct Health {
    /// What the client does, for the log.
    what: &'static str,
    server: String,
    state: Mutex<State>,
    /// There may be something to forget. Spares the lock for each message that goes through.
    troubled: AtomicBool,
}

#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    /// The newest reason for a lost or failed connection. Not a trouble by itself: other brokers may be there.
    cause: Option<String>,
    /// The newest reason why brokers that are there would not have us.
    refusal: Option<Refusal>,
    lag: Option<u64>,
    /// What is wrong with the topics themselves.
    topic: Option<String>,
    /// Results that were deleted before this process could read them.
    deleted: u64,
}

struct Trouble {
    text: String,
    kind: Kind,
    since: Instant,
    said: Instant,
}

/// What ends a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A connection.
    Connection,
    /// Only a message that goes through.
    Work,
}

impl Health {
    /// Nothing is known yet.
    pub(super) fn new(what: &'static str, server: String) -> Self {
        Self { what, server, state: Mutex::default(), troubled: AtomicBool::new(false) }
    }

    /// A panic elsewhere can't leave the state half changed: every change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection failed.
    pub(super) fn disconnected(&self, reason: &str) {
        let reason = explained(reason);
        let mut state = self.state();
        self.troubled.store(true, Ordering::Relaxed);
        if let Some(trouble) = state.trouble.as_mut().filter(|trouble| trouble.kind == Kind::Connection) {
            reason.clone_into(&mut trouble.text);
        }
        state.cause = Some(reason);
        drop(state);
        self.remind();
    }

    /// A broker is there and ended the connection.
    pub(super) fn unwelcome(&self, code: RDKafkaErrorCode, reason: &str) {
        match Refusal::of_connection(code, reason) {
            Some(refusal) => {
                self.state().refusal = Some(refusal);
                self.failed(tidy(reason), Kind::Connection);
            }
            None => self.disconnected(reason),
        }
    }

    /// Why brokers that are there won't have us.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.state().refusal.clone()
    }

    /// No broker is left.
    pub(super) fn alone(&self, fallback: &str) {
        let text = self.state().cause.clone().unwrap_or_else(|| fallback.to_owned());
        self.failed(text, Kind::Connection);
    }

    /// Nothing works, for this reason. Said once, and again now and then while it lasts.
    pub(super) fn failed(&self, text: String, kind: Kind) {
        let now = Clock::instant();
        let mut state = self.state();
        self.troubled.store(true, Ordering::Relaxed);
        let known = state.trouble.as_ref().map(|trouble| (trouble.since, trouble.said));
        let (since, said) = known.unwrap_or((now, now));
        state.trouble = Some(Trouble { text: text.clone(), kind, since, said });
        drop(state);
        if known.is_none() {
            warn!(target: TARGET, server = self.server, what = self.what, error = text; "the result log fails and will be tried again");
        }
        self.remind();
    }

    /// Says a trouble again that has lasted.
    pub(super) fn remind(&self) {
        let now = Clock::instant();
        let mut state = self.state();
        let Some(trouble) = state.trouble.as_mut().filter(|trouble| now - trouble.said >= REMIND) else {
            return;
        };
        trouble.said = now;
        let (text, away_s) = (trouble.text.clone(), (now - trouble.since).as_secs());
        drop(state);
        warn!(target: TARGET, server = self.server, what = self.what, error = text, away_s; "the result log still fails");
    }

    /// A broker answers.
    pub(super) fn connected(&self) {
        self.end(|trouble| trouble.kind == Kind::Connection);
    }

    /// A message went through.
    pub(super) fn worked(&self) {
        self.end(|_| true);
    }

    fn end(&self, ends: impl FnOnce(&Trouble) -> bool) {
        if !self.troubled.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state();
        state.cause = None;
        state.refusal = None;
        let Some(trouble) = state.trouble.take_if(|trouble| ends(trouble)) else {
            self.troubled.store(state.trouble.is_some(), Ordering::Relaxed);
            return;
        };
        self.troubled.store(false, Ordering::Relaxed);
        drop(state);
        let away_ms = (Clock::instant() - trouble.since).as_millis() as u64;
        info!(target: TARGET, server = self.server, what = self.what, away_ms; "the result log works again");
    }

    /// Why nothing works at present.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.as_ref().map(|trouble| trouble.text.clone())
    }

    /// Why nothing works, or the newest reason why a connection failed.
    pub(super) fn cause(&self) -> Option<String> {
        self.trouble().or_else(|| self.state().cause.clone())
    }

    /// Results that are still to be stored, of the partitions that we read.
    pub(super) fn lag(&self) -> Option<u64> {
        self.state().lag
    }

    /// See [`lag`](Self::lag).
    pub(super) fn set_lag(&self, lag: Option<u64>) {
        self.state().lag = lag;
    }

    /// What is wrong with the topics, although brokers answer.
    pub(super) fn topic(&self) -> Option<String> {
        self.state().topic.clone()
    }

    /// Says what is new of it.
    pub(super) fn set_topic(&self, trouble: Option<String>) {
        let mut state = self.state();
        if state.topic == trouble {
            return;
        }
        state.topic.clone_from(&trouble);
        drop(state);
        match trouble {
            Some(error) => {
                warn!(target: TARGET, server = self.server, error; "the topic is not as this process needs it");
            }
            None => {
                info!(target: TARGET, server = self.server; "the topic is as this process needs it again")
            }
        }
    }

    /// See [`count_deleted`](Self::count_deleted).
    pub(super) fn deleted(&self) -> u64 {
        self.state().deleted
    }

    /// Results were deleted before this process could read them.
    pub(super) fn count_deleted(&self, results: u64) {
        self.state().deleted += results;
    }
}
