//! What the main thread does while the stages work: it listens for orders and for supervisors that give up.
//!
//! What needs a service, the status line and a reload, runs in tasks beside it, so that a database that is frozen or locked
//! keeps nobody from being heard.

use std::panic::resume_unwind;
use std::sync::Arc;

use log::{error, info};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use super::AppError;
use super::reload::reload;
use super::signals::{Order, Signals};
use super::stages::Stages;
use super::status::StatusLine;
use crate::config::Sources;
use crate::store::Catalog;
use crate::supervisor::{Ending, Running};
use crate::web::Health;

/// What is done beside the stages, and with what.
pub(super) struct Chores {
    /// The sites of the configuration file are this process's to read.
    pub(super) reconciles: bool,
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) sources: Sources,
    pub(super) health: Health,
}

/// Looks after the stages until it is time to end: `Ok` when told to, the reason otherwise.
pub(super) async fn watch(
    chores: Chores,
    stages: &mut Stages,
    mut web: Option<&mut Running>,
    signals: &mut Signals,
) -> Result<(), AppError> {
    let reconciles = chores.reconciles;
    let again = Arc::new(Notify::new());
    // They end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn_local(StatusLine::of(stages, chores.health.clone()).keep_saying());
    tasks.spawn_local(keep_reloading(chores, Arc::clone(&again)));
    loop {
        tokio::select! {
            order = signals.next() => match order {
                // Orders during a reload are one more reload.
                Order::Reload if reconciles => again.notify_one(),
                Order::Reload => info!("the sites of the configuration file are the scheduler's to read"),
                Order::Stop => {
                    info!("stopping: no new checks, finishing those in flight; a second signal stops at once");
                    return Ok(());
                }
            },
            ending = stages.running.ended() => return Err(give_up(ending)),
            ending = ended(web.as_deref_mut()) => return Err(give_up(ending)),
            Some(end) = tasks.join_next() => pass_on_panic(end),
        }
    }
}

async fn keep_reloading(chores: Chores, again: Arc<Notify>) {
    loop {
        again.notified().await;
        reload(&*chores.catalog, &chores.sources).await;
    }
}

/// Waits until a supervisor has ended by itself. Where there is none, for ever.
pub(super) async fn ended(running: Option<&mut Running>) -> Ending {
    match running {
        Some(running) => running.ended().await,
        None => std::future::pending().await,
    }
}

/// Says why, and makes it the reason of the end.
pub(super) fn give_up(ending: Ending) -> AppError {
    error!(reason = ending.to_string(); "giving up");
    AppError::GaveUp(ending)
}

/// A task that panics ends the process as a panic of the main thread would.
fn pass_on_panic(end: Result<(), JoinError>) {
    if let Err(Ok(panic)) = end.map_err(JoinError::try_into_panic) {
        resume_unwind(panic);
    }
}
