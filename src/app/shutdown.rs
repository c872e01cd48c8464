//! The order in which a process ends: nothing new, then what is in flight, then what could not be finished goes back.

use std::time::Duration;

use futures_util::future::join_all;
use log::{info, warn};
use tokio::time::timeout;

use super::stages::{SCHEDULER, Stages, checker_name};
use crate::failure::chain;
use crate::pipeline::Drain;

/// Kept back for giving jobs back and ending the actors.
const RESERVE: Duration = Duration::from_millis(1500);

/// Stops an actor that has nothing left to do.
const STOP: Duration = Duration::from_millis(300);

/// For leaving the group of those who read the log.
const CLOSE: Duration = Duration::from_secs(1);

/// Ends the stages within `within`.
pub(super) async fn shutdown(stages: Stages, within: Duration) {
    let finish = within.saturating_sub(RESERVE).max(within / 2);
    stages.running.stop(SCHEDULER, STOP).await;
    if let Some(claimer) = &stages.claimer {
        // One that is down claims nothing.
        let _ = timeout(STOP, claimer.send(Drain)).await;
    }
    let drained = timeout(finish, join_all(stages.checkers.iter().map(|checker| checker.send(Drain)))).await;
    if drained.is_err() {
        warn!(in_flight = stages.leases.len(); "checks are still in flight at the end of the time to finish; they go back to the queue");
    }
    for number in 0..stages.checkers.len() {
        stages.running.stop(&checker_name(number), STOP).await;
    }
    if stages.claimer.is_some() {
        give_back(&stages).await;
    }
    let stored = stages.tally.total();
    stages.running.shutdown(STOP).await;
    // Nothing else runs any more.
    stages.ports.log.close(CLOSE);
    info!(results = stored; "stopped");
}

/// Leases that nobody will finish return to the queue, where the next start finds them.
async fn give_back(stages: &Stages) {
    let mut slots = stages.leases.take_all();
    let leased = timeout(STOP, stages.ports.queue.leased(&stages.owner)).await;
    slots.extend(leased.into_iter().flatten().flatten());
    if slots.is_empty() {
        return;
    }
    match timeout(RESERVE / 2, stages.ports.queue.release(&stages.owner, &slots)).await {
        Ok(Ok(jobs)) => info!(jobs; "unfinished jobs are back in the queue"),
        Ok(Err(error)) => warn!(error = chain(&error); "failed to give jobs back; their leases will end"),
        Err(_) => warn!("the queue did not answer; leases will end"),
    }
}
