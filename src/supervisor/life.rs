//! What an incarnation knows of itself.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use super::pulse::Pulse;
use super::report::{Cause, panic_message};

/// One incarnation of a child, as the child itself sees it. The factory gets a new one for each; clones share it.
#[derive(Clone)]
pub struct Life(Arc<Inner>);

struct Inner {
    name: String,
    generation: u64,
    pulse: Pulse,
    /// Why it ends. Whoever knows first decides: what follows is only the consequence.
    verdict: Mutex<Option<Cause>>,
    condemned: Notify,
    /// The futures that were spawned; `None` once the incarnation has ended.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Life {
    pub(super) fn new(name: &str, generation: u64) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            generation,
            pulse: Pulse::default(),
            verdict: Mutex::default(),
            condemned: Notify::new(),
            tasks: Mutex::new(Some(JoinSet::new())),
        }))
    }

    /// The child's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of this incarnation. The first is 1, and each is higher than those before it.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Says that some work was done. Cheap enough to be called for each piece.
    pub fn progressed(&self) {
        self.0.pulse.progressed();
    }

    /// Says whether there is work to do. A child that has work and no progress for
    /// [`Policy::stall`](super::Policy::stall) is hung.
    pub fn set_busy(&self, busy: bool) {
        self.0.pulse.set_busy(busy);
    }

    /// Ends this incarnation because of `error`, which becomes the [`Cause::Error`] of the restart.
    ///
    /// It may be called from the actor or from a spawned future. The handler or future that calls it goes on to its next
    /// `await` or return, and nothing of the incarnation runs after that; the actor may stop its context as well.
    pub fn fail(&self, error: impl fmt::Display) {
        self.condemn(Cause::Error(error.to_string()));
    }

    /// Runs a future beside the actor, on its thread, as a task of its own: unlike `ctx.spawn`, it is polled only when it is
    /// woken. It lives as long as the incarnation and no longer; when it panics, the whole incarnation ends.
    ///
    /// # Panics
    /// When it is called on another thread than the actor's. The factory, the actor and spawned futures are on the right one.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let mut tasks = lock(&self.0.tasks);
        let Some(tasks) = tasks.as_mut() else { return };
        // The finished ones are let go here, so that many short tasks take no more room than those that are running.
        while tasks.try_join_next().is_some() {}
        let life = self.clone();
        tasks.spawn_local(async move {
            if let Err(payload) = AssertUnwindSafe(future).catch_unwind().await {
                life.condemn(Cause::Panicked(panic_message(&*payload)));
            }
        });
    }

    pub(super) fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// Ends the incarnation from the outside of its actor.
    fn condemn(&self, cause: Cause) {
        self.judge(cause);
        self.0.condemned.notify_one();
    }

    /// Waits until the incarnation has to end although its actor goes on. For one waiter.
    pub(super) async fn condemned(&self) {
        self.0.condemned.notified().await;
    }

    /// Notes why it ends, unless that is known already.
    fn judge(&self, cause: Cause) {
        lock(&self.0.verdict).get_or_insert(cause);
    }

    /// Notes how the task of the actor ended.
    pub(super) fn judge_end(&self, end: Result<(), JoinError>) {
        match end.map_err(JoinError::try_into_panic) {
            Ok(()) => self.judge(Cause::Stopped),
            Err(Ok(payload)) => self.judge(Cause::Panicked(panic_message(&*payload))),
            // Aborted: by us, who have judged already, or because the thread is ending.
            Err(Err(_)) => {}
        }
    }

    /// Why it ended. Nobody left a word: then the thread went away under it.
    pub(super) fn verdict(&self) -> Cause {
        lock(&self.0.verdict).clone().unwrap_or(Cause::Lost)
    }

    /// Aborts what was spawned and waits until it is gone.
    pub(super) async fn end_tasks(&self) {
        let tasks = lock(&self.0.tasks).take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }
}

/// A panic while the lock was held leaves plain values behind, so they are good to use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Life({}, generation {})", self.0.name, self.0.generation)
    }
}
