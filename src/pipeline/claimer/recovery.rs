//! Jobs that are leased to this process and that nobody holds: they go back to the queue.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};
use log::{debug, warn};

use super::Claimer;
use crate::failure::{chain, persevere};
use crate::model::Slot;
use crate::pipeline::leases::Orphans;
use crate::queue::{JobQueue, QueueError};

impl Claimer {
    /// Looks for jobs that an earlier claimer has claimed and not handed on. Beside the actor, which shows signs of life meanwhile:
    /// the queue may be away for long.
    pub(super) fn recover(&self, ctx: &Context<Self>) {
        let (queue, owner) = (Arc::clone(&self.queue), Arc::clone(&self.settings.owner));
        let (leases, life, me) = (self.leases.clone(), self.life.clone(), ctx.address());
        self.life.spawn(async move {
            let look = async || queue.leased(&owner).await;
            let leased = match persevere(&life, "look for jobs of an earlier claimer", look).await {
                Ok(leased) => leased,
                Err(error) => return life.fail(chain(&error)),
            };
            let strays: Vec<Slot> = leased.into_iter().filter(|slot| !leases.is_held(slot)).collect();
            leases.leave_unused(&strays);
            me.do_send(Recovered);
        });
    }

    /// Gives back jobs whose checkers have died.
    pub(super) fn release_orphans(&self) {
        let orphans = self.leases.take_orphans();
        if orphans.is_empty() {
            return;
        }
        debug!(failed = orphans.failed.len(), unused = orphans.unused.len(); "jobs that nobody holds go back to the queue");
        let (queue, owner, leases) =
            (Arc::clone(&self.queue), Arc::clone(&self.settings.owner), self.leases.clone());
        self.life.spawn(async move {
            if let Err(error) = give_back(&*queue, &owner, &orphans).await {
                warn!(error = chain(&error); "failed to give jobs back; trying again");
                leases.return_orphans(orphans);
            }
        });
    }
}

/// Twice is no harm: jobs that are not the owner's any more stay as they are.
async fn give_back(queue: &dyn JobQueue, owner: &str, orphans: &Orphans) -> Result<(), QueueError> {
    if !orphans.failed.is_empty() {
        queue.release(owner, &orphans.failed).await?;
    }
    if !orphans.unused.is_empty() {
        queue.hand_back(owner, &orphans.unused).await?;
    }
    Ok(())
}

/// News from ourselves: no job of an earlier claimer is overlooked.
#[derive(Message)]
#[rtype(result = "()")]
struct Recovered;

impl Handler<Recovered> for Claimer {
    type Result = ();

    fn handle(&mut self, _: Recovered, ctx: &mut Context<Self>) {
        self.recovered = true;
        self.release_orphans();
        self.claim(ctx);
    }
}
