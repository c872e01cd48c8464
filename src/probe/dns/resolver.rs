//! One question per name, family and TTL for the whole process, whoever asks and how many at once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::answer::Answer;
use super::cache::Cache;
use super::canary::{Canary, Verdict};
use super::question::{Family, Question};
use super::trouble::Troubles;
use super::upstream::{Reply, Upstream};
use crate::clock::Clock;

/// A failure is remembered so long, only so that a name's other family need not wait for it again (RFC 9520, section 3.2:
/// at most 5 minutes).
const FAILURE_REMEMBERED: Duration = Duration::from_secs(60);

/// How long a question may wait until others have freed a socket.
const TURN: Duration = Duration::from_secs(10);

/// Longer than a question can take (three servers, five attempts, 30 s each, is what nobody configures). One that has not
/// ended by then was asked on a thread that is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// Sockets for questions, a pool for each family: where all AAAA questions are dropped, A questions go on.
pub(super) struct Sockets([Arc<Semaphore>; 2]);

impl Sockets {
    pub(super) fn new(at_once: usize) -> Self {
        Self([(); 2].map(|()| Arc::new(Semaphore::new((at_once / 2).max(1)))))
    }

    fn of(&self, family: Family) -> Arc<Semaphore> {
        Arc::clone(&self.0[family.index()])
    }
}

/// Where a question is.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    /// It waits for a socket.
    Queued,
    /// This server is being asked, after those with troubles.
    Asking(SocketAddr, Troubles),
    Done(Answer),
}

/// The name servers of one configuration, with what they have answered.
pub(super) struct Resolver {
    pub(super) upstream: Upstream,
    sockets: Arc<Sockets>,
    state: Mutex<State>,
    canary: Canary,
}

#[derive(Default)]
struct State {
    cache: Cache,
    flights: HashMap<(Arc<str>, Family), Flight>,
    launched: u64,
    /// When a server last answered, and what.
    heard: Option<(Instant, Question)>,
}

enum Joined {
    Known(Answer),
    Asked(watch::Receiver<Progress>),
}

/// A question that is being asked.
struct Flight {
    number: u64,
    since: Instant,
    news: watch::Receiver<Progress>,
}

impl Resolver {
    pub(super) fn new(upstream: Upstream, sockets: Arc<Sockets>) -> Self {
        Self { upstream, sockets, state: Mutex::default(), canary: Canary::default() }
    }

    /// What is known, for each family, without asking anybody.
    pub(super) fn known(&self, name: &str) -> [Option<Answer>; 2] {
        self.state().cache.get(name, Clock::instant())
    }

    /// Asks, or joins those who are asking already. The question goes on when its caller is dropped. `tell` is given
    /// something to look at meanwhile.
    pub(super) async fn answer(
        self: &Arc<Self>,
        name: &Arc<str>,
        family: Family,
        tell: impl Fn(watch::Receiver<Progress>),
    ) -> Answer {
        loop {
            let mut news = match self.join(name, family) {
                Joined::Known(answer) => return answer,
                Joined::Asked(news) => news,
            };
            tell(news.clone());
            let done = news.wait_for(|progress| matches!(progress, Progress::Done(_))).await;
            // An error: the thread that asked has ended, and so we do it.
            if let Ok(progress) = done
                && let Progress::Done(answer) = &*progress
            {
                return answer.clone();
            }
        }
    }

    /// Whether the name servers are fit to be believed.
    pub(super) async fn verdict(&self) -> Verdict {
        self.canary
            .verdict(&self.upstream, || self.state().heard.as_ref().map(|(_, proof)| proof.clone()))
            .await
    }

    /// Whether some server has answered some question since `when`.
    pub(super) fn was_heard_since(&self, when: Instant) -> bool {
        self.state().heard.as_ref().is_some_and(|(at, _)| *at >= when)
    }

    fn join(self: &Arc<Self>, name: &Arc<str>, family: Family) -> Joined {
        let mut state = self.state();
        let now = Clock::instant();
        let [v4, v6] = state.cache.get(name, now);
        let known = if family == Family::V4 { v4 } else { v6 };
        if let Some(answer) = known.filter(Answer::is_from_server) {
            return Joined::Known(answer);
        }
        if let Some(flight) = state.flights.get(&(Arc::clone(name), family))
            && flight.news.has_changed().is_ok()
            && now - flight.since < STUCK
        {
            return Joined::Asked(flight.news.clone());
        }
        state.launched += 1;
        let number = state.launched;
        let (sender, news) = watch::channel(Progress::Queued);
        let flight = Flight { number, since: now, news: news.clone() };
        state.flights.insert((Arc::clone(name), family), flight);
        drop(state);
        let pilot = Pilot { resolver: Arc::clone(self), name: Arc::clone(name), family, number };
        // Not in the caller's own future: its timeout must not end the question for the others.
        tokio::spawn(pilot.fly(sender));
        Joined::Asked(news)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks one question for all who wait for it.
struct Pilot {
    resolver: Arc<Resolver>,
    name: Arc<str>,
    family: Family,
    number: u64,
}

impl Pilot {
    async fn fly(self, news: watch::Sender<Progress>) {
        let turn = self.resolver.sockets.of(self.family).acquire_owned();
        let answer = match tokio::time::timeout(TURN, turn).await {
            Ok(Ok(_turn)) => self.ask(&news).await,
            _ => Answer::NoTurn,
        };
        // First out of the table, then told: who comes in between finds the answer in the cache.
        drop(self);
        news.send_replace(Progress::Done(answer));
    }

    async fn ask(&self, news: &watch::Sender<Progress>) -> Answer {
        let Some(question) = Question::addresses(&self.name, self.family) else {
            return Answer::NoSuchName(Troubles::default());
        };
        let tell = |server: SocketAddr, troubles: &Troubles| {
            news.send_replace(Progress::Asking(server, troubles.clone()));
        };
        let reply = self.resolver.upstream.ask(question.clone(), tell).await;
        self.keep(question, &reply);
        reply.answer
    }

    fn keep(&self, question: Question, reply: &Reply) {
        let now = Clock::instant();
        let mut state = self.resolver.state();
        if reply.answer.is_from_server() {
            state.heard = Some((now, question));
        }
        let ttl = match &reply.answer {
            Answer::Failed(_) => Some(FAILURE_REMEMBERED),
            _ => reply.ttl,
        };
        if let Some(ttl) = ttl.filter(|ttl| !ttl.is_zero()) {
            state.cache.insert(&self.name, self.family, reply.answer.clone(), now + ttl, now);
        }
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        let mut state = self.resolver.state();
        let key = (Arc::clone(&self.name), self.family);
        if state.flights.get(&key).is_some_and(|flight| flight.number == self.number) {
            state.flights.remove(&key);
        }
    }
}
