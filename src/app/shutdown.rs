//! The order in which a process ends: nothing new, then what is in flight, then what could not be finished goes back.
//!
//! All of it shares one time limit: a step that takes long leaves less for those after it, and the last ones only what is
//! left. Whoever set the limit kills the process after it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use log::{info, warn};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::stages::{SCHEDULER, Stages, checker_name};
use crate::clock::Clock;
use crate::failure::chain;
use crate::pipeline::Drain;
use crate::result_log::ResultLog;

/// Kept back for giving jobs back and ending the actors: the sum of the steps after the checks.
const RESERVE: Duration = Duration::from_millis(1500);

/// Stops an actor that has nothing left to do.
const STOP: Duration = Duration::from_millis(300);

/// For each of the two questions to the queue with which jobs go back.
const GIVE_BACK: Duration = Duration::from_millis(300);

/// For leaving the group of those who read the log, where all before it was quick.
const CLOSE: Duration = Duration::from_secs(1);

/// The moment at which everything has to be over.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    fn after(within: Duration) -> Self {
        Self(Clock::instant() + within)
    }

    fn left(self) -> Duration {
        self.0.saturating_duration_since(Clock::instant())
    }

    /// Waits for a step, for `most` and no longer than there is time.
    async fn give<T>(self, most: Duration, step: impl Future<Output = T>) -> Option<T> {
        timeout(most.min(self.left()), step).await.ok()
    }
}

/// Ends the stages within `within`.
pub(super) async fn shutdown(stages: Stages, within: Duration) {
    let end = Deadline::after(within);
    let checked = Deadline::after(within.saturating_sub(RESERVE).max(within / 2));
    checked.give(STOP, stages.running.stop(SCHEDULER, STOP)).await;
    if let Some(claimer) = &stages.claimer {
        // One that is down claims nothing.
        checked.give(STOP, claimer.send(Drain)).await;
    }
    let draining = join_all(stages.checkers.iter().map(|checker| checker.send(Drain)));
    if checked.give(within, draining).await.is_none() {
        warn!(in_flight = stages.leases.len(); "checks are still in flight at the end of the time to finish; they go back to the queue");
    }
    stop_checkers(&stages).await;
    if stages.claimer.is_some() {
        give_back(&stages, end).await;
    }
    let (stored, log) = (stages.tally.total(), Arc::clone(&stages.ports.log));
    stages.running.shutdown(STOP.min(end.left())).await;
    // Nothing else runs any more.
    close(log, CLOSE.min(end.left())).await;
    info!(results = stored; "stopped");
}

/// All at once: many that hang would take longer than there is time, one after the other.
async fn stop_checkers(stages: &Stages) {
    let names: Vec<String> = (0..stages.checkers.len()).map(checker_name).collect();
    join_all(names.iter().map(|name| stages.running.stop(name, STOP))).await;
}

/// Leases that nobody will finish return to the queue, where the next start finds them.
async fn give_back(stages: &Stages, end: Deadline) {
    let mut slots = stages.leases.take_all();
    let leased = end.give(GIVE_BACK, stages.ports.queue.leased(&stages.owner)).await;
    slots.extend(leased.into_iter().flatten().flatten());
    if slots.is_empty() {
        return;
    }
    match end.give(GIVE_BACK, stages.ports.queue.hand_back(&stages.owner, &slots)).await {
        Some(Ok(jobs)) => info!(jobs; "unfinished jobs are back in the queue"),
        Some(Err(error)) => warn!(error = chain(&error); "failed to give jobs back; their leases will end"),
        None => warn!("the queue did not answer; leases will end"),
    }
}

/// Leaves the log on a thread of its own: it waits for other threads, and a second signal must be heard meanwhile.
async fn close(log: Arc<dyn ResultLog>, within: Duration) {
    let (closed, closing) = oneshot::channel();
    let leave = move || {
        log.close(within);
        // Nobody waits any more when it took too long.
        let _ = closed.send(());
    };
    if thread::Builder::new().name("log-close".to_owned()).spawn(leave).is_ok() {
        let _ = timeout(within, closing).await;
    }
}
