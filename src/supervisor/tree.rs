//! The supervising actor: starts the children, looks after them, restarts them one for one, and knows when to give up.
//!
//! In:    `Down`, from an incarnation that is over; `Retire`, `Inject` and `Die`, from `Running`; a look at every heartbeat.
//! Out:   the status of the children, and the ending, each on a watch channel.
//! Crash: the children end with it, and `Running::ended` says so.

use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message};
use log::{debug, warn};
use tokio::sync::watch;

use super::child::Child;
use super::fault::Fault;
use super::incarnation::{Down, Tie};
use super::policy::Policy;
use super::report::{Cause, ChildStatus, Ending};
use crate::clock::Clock;

/// The supervisor and its children.
pub(super) struct Tree {
    policy: Policy,
    children: Vec<Child>,
    last_look: Instant,
    board: watch::Sender<Vec<ChildStatus>>,
    ending: watch::Sender<Option<Ending>>,
}

impl Tree {
    pub(super) fn new(
        policy: Policy,
        children: Vec<Child>,
        board: watch::Sender<Vec<ChildStatus>>,
        ending: watch::Sender<Option<Ending>>,
    ) -> Self {
        Self { policy, children, last_look: Clock::instant(), board, ending }
    }

    fn start_child(&mut self, child: usize, ctx: &mut Context<Self>) {
        let tie = Tie { tree: ctx.address().recipient(), child };
        if let Err(error) = self.children[child].begin(tie, self.policy.heartbeat) {
            let cause = Cause::Error(format!("no thread could be started: {error}"));
            self.fallen(child, cause, Duration::ZERO, ctx);
        }
    }

    /// Starts a child again after its pause, unless the world has moved on since.
    fn restart_child(&mut self, child: usize, generation: u64, ctx: &mut Context<Self>) {
        let fallen = &self.children[child];
        if fallen.is_retired() || fallen.generation() != generation || self.has_given_up() {
            return;
        }
        let (name, threads) = (fallen.name().to_owned(), fallen.zombies());
        if threads > self.policy.max_zombies {
            // Judged after the pause, in which a thread that was not really blocked has had the time to end.
            self.give_up(Ending::ThreadsBlocked { child: name, threads });
        } else {
            self.start_child(child, ctx);
            self.publish();
        }
    }

    /// Decides what follows on the end of a child, after it lived for `uptime`.
    fn fallen(&mut self, child: usize, cause: Cause, uptime: Duration, ctx: &mut Context<Self>) {
        if self.children[child].is_retired() {
            debug!(actor = self.children[child].name(), cause:% = cause; "actor ended as it was told to");
        } else if self.has_given_up() {
            warn!(actor = self.children[child].name(), cause:% = cause; "actor stays down");
        } else {
            self.schedule_restart(child, cause, uptime, ctx);
        }
        self.publish();
    }

    fn schedule_restart(&mut self, id: usize, cause: Cause, uptime: Duration, ctx: &mut Context<Self>) {
        let child = &mut self.children[id];
        let Some(pause) = child.failed(&cause, Clock::instant(), uptime, &self.policy) else {
            let Policy { max_restarts, window, .. } = self.policy;
            let child = child.name().to_owned();
            return self.give_up(Ending::GaveUp { child, restarts: max_restarts, window, last: cause });
        };
        let (name, generation) = (child.name(), child.generation());
        let (restarts, delay_ms) = (child.status().restarts_total(), pause.as_millis());
        warn!(actor = name, cause:% = cause, restarts, delay_ms; "actor restarts");
        ctx.run_later(pause, move |tree, ctx| tree.restart_child(id, generation, ctx));
    }

    fn give_up(&self, ending: Ending) {
        self.ending.send_replace(Some(ending));
    }

    fn has_given_up(&self) -> bool {
        self.ending.borrow().is_some()
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        let now = Clock::instant();
        // Time in which we did not run either (the process was stopped, its machine starved) proves nothing against a child.
        let elapsed = now.duration_since(self.last_look).min(2 * self.policy.heartbeat);
        self.last_look = now;
        for id in 0..self.children.len() {
            if let Some(hang) = self.children[id].look(elapsed, &self.policy) {
                let uptime = self.children[id].abandon();
                self.fallen(id, Cause::Hung(hang), uptime, ctx);
            }
        }
    }

    fn publish(&self) {
        self.board.send_replace(self.children.iter().map(Child::status).collect());
    }
}

impl Actor for Tree {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for child in 0..self.children.len() {
            self.start_child(child, ctx);
        }
        self.publish();
        ctx.run_interval(self.policy.heartbeat, Self::look);
    }
}

impl Handler<Down> for Tree {
    type Result = ();

    fn handle(&mut self, down: Down, ctx: &mut Self::Context) {
        let child = &mut self.children[down.child];
        if child.is_present(down.generation) {
            let uptime = child.end();
            self.fallen(down.child, down.cause, uptime, ctx);
        } else {
            child.zombie_ended(down.generation);
            self.publish();
        }
    }
}

/// End a child, or all of them, for good: kindly at first, and by force when the time is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Retire {
    /// `None` for all.
    pub(super) child: Option<String>,
    pub(super) within: Duration,
}

impl Handler<Retire> for Tree {
    type Result = ();

    fn handle(&mut self, order: Retire, ctx: &mut Self::Context) {
        for (id, child) in self.children.iter_mut().enumerate() {
            if order.child.as_deref().is_some_and(|name| name != child.name()) {
                continue;
            }
            child.retire();
            child.inject(Fault::Stop);
            ctx.run_later(order.within, move |tree, _| {
                tree.children[id].abandon();
                tree.publish();
            });
        }
    }
}

/// A drill for one child.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Inject {
    pub(super) child: String,
    pub(super) fault: Fault,
}

impl Handler<Inject> for Tree {
    type Result = ();

    fn handle(&mut self, drill: Inject, _: &mut Self::Context) {
        if let Some(child) = self.children.iter().find(|child| child.name() == drill.child) {
            child.inject(drill.fault);
        }
    }
}

/// A drill for the supervisor itself.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Die;

impl Handler<Die> for Tree {
    type Result = ();

    #[expect(clippy::panic, reason = "a drill that did not panic would test nothing")]
    fn handle(&mut self, _: Die, _: &mut Self::Context) {
        panic!("drill: panic in the supervisor")
    }
}
