//! One life of one child: a thread, the actor on it, and the farewell when it is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Arbiter, AsyncContext, Context, Message, Recipient};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::fault::{self, Fault};
use super::handle::AddressBook;
use super::life::Life;
use super::policy::Policy;
use super::pulse::Watch;
use super::report::{Cause, Hang};
use crate::clock::Clock;

/// Messages that a mailbox takes before `try_send` is refused. An actor may set another bound when it starts.
const MAILBOX_CAPACITY: usize = 256;

/// An incarnation, as the supervisor holds it. Dropping it ends it, as soon as its thread lets go.
///
/// Each has a thread of its own, also after an orderly end: so what the last one left running on its thread ends with it.
pub(super) struct Incarnation {
    life: Life,
    since: Instant,
    watch: Watch,
    faults: UnboundedSender<Fault>,
    arbiter: Arbiter,
}

impl Incarnation {
    /// Starts a thread, and on it the actor.
    pub(super) fn begin(
        life: Life,
        spawner: &dyn Spawner,
        tie: Tie,
        heartbeat: Duration,
    ) -> std::io::Result<Self> {
        let arbiter = Arbiter::try_new()?;
        let (faults, listener) = mpsc::unbounded_channel();
        let farewell = Farewell { life: life.clone(), tie };
        spawner.spawn(&arbiter, Birth { life: life.clone(), heartbeat, faults: listener, farewell });
        Ok(Self { life, since: Clock::instant(), watch: Watch::default(), faults, arbiter })
    }

    pub(super) fn generation(&self) -> u64 {
        self.life.generation()
    }

    pub(super) fn uptime(&self) -> Duration {
        Clock::instant().duration_since(self.since)
    }

    /// Whether it hangs, `elapsed` after the last look.
    pub(super) fn look(&mut self, elapsed: Duration, policy: &Policy) -> Option<Hang> {
        self.watch.look(self.life.pulse(), elapsed, policy)
    }

    pub(super) fn inject(&self, fault: Fault) {
        // Refused only by one that is ending anyway.
        let _ = self.faults.send(fault);
    }
}

impl Drop for Incarnation {
    fn drop(&mut self) {
        // Ends the event loop, and with it every task on the thread. A blocked thread reads this when it wakes up.
        self.arbiter.stop();
    }
}

/// What an incarnation is born with.
pub(super) struct Birth {
    life: Life,
    heartbeat: Duration,
    faults: UnboundedReceiver<Fault>,
    farewell: Farewell,
}

/// The way back to the supervisor.
#[derive(Clone)]
pub(super) struct Tie {
    pub(super) tree: Recipient<Down>,
    pub(super) child: usize,
}

/// News: an incarnation is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Down {
    pub(super) child: usize,
    pub(super) generation: u64,
    pub(super) cause: Cause,
}

/// Tells the supervisor that an incarnation is over, by being dropped: so it is told also when the thread ends first, or
/// never came to run it.
struct Farewell {
    life: Life,
    tie: Tie,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.tie.tree.do_send(Down {
            child: self.tie.child,
            generation: self.life.generation(),
            cause: self.life.verdict(),
        });
    }
}

/// What the supervisor needs to know of a child's type.
pub(super) trait Spawner {
    /// Starts an incarnation on the thread of `arbiter`.
    fn spawn(&self, arbiter: &Arbiter, birth: Birth);

    /// Takes the present incarnation out of the address book.
    fn close(&self);
}

/// A child's factory, and where its addresses go.
pub(super) struct Factory<A: Actor, F> {
    pub(super) make: Arc<F>,
    pub(super) book: AddressBook<A>,
}

impl<A: Actor, F> Clone for Factory<A, F> {
    fn clone(&self) -> Self {
        Self { make: Arc::clone(&self.make), book: self.book.clone() }
    }
}

impl<A, F> Spawner for Factory<A, F>
where
    A: Actor<Context = Context<A>>,
    F: Fn(Life) -> A + Send + Sync + 'static,
{
    fn spawn(&self, arbiter: &Arbiter, birth: Birth) {
        self.book.admit(birth.life.generation());
        arbiter.spawn(live(self.clone(), birth));
    }

    fn close(&self) {
        self.book.close();
    }
}

/// Sees an incarnation through. The actor is a task of its own, so that its panic arrives here as a value.
async fn live<A, F>(factory: Factory<A, F>, birth: Birth)
where
    A: Actor<Context = Context<A>>,
    F: Fn(Life) -> A + Send + Sync + 'static,
{
    let Birth { life, heartbeat, faults, farewell } = birth;
    let mut actor = actix_rt::spawn(act(factory, life.clone(), heartbeat, faults));
    let end = tokio::select! {
        biased;
        end = &mut actor => end,
        () = life.condemned() => {
            actor.abort();
            actor.await
        }
    };
    life.judge_end(end);
    life.end_tasks().await;
    drop(farewell);
}

/// Makes the actor and runs it.
async fn act<A, F>(factory: Factory<A, F>, life: Life, heartbeat: Duration, faults: UnboundedReceiver<Fault>)
where
    A: Actor<Context = Context<A>>,
    F: Fn(Life) -> A + Send + Sync + 'static,
{
    let mut ctx = Context::new();
    ctx.set_mailbox_capacity(MAILBOX_CAPACITY);
    let actor = (factory.make)(life.clone());
    if !factory.book.enter(life.generation(), ctx.address()) {
        return;
    }
    // The context polls its futures only when it is not in `ctx.wait`, and only when the thread is free: so this beats
    // exactly as long as the actor can be reached.
    let pulse = life.clone();
    ctx.run_interval(heartbeat, move |_, _| pulse.pulse().beat());
    fault::listen(&mut ctx, life, faults);
    ctx.into_future(actor).await;
}
