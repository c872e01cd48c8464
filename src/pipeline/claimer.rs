//! Claims due jobs in batches and gives them to the checkers that ask for work.
//!
//! In:    `Pull`, from a checker with free slots; `JobsQueued`, a hint from the scheduler; `Poll`, from our own timer.
//! Out:   the jobs, as the answer to `Pull`; jobs that are not to be run, as results to the publisher.
//! Crash: claimed jobs keep their lease; our next incarnation gives back those that no checker holds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseFuture, WrapFuture};
use log::{debug, warn};
use tokio::sync::oneshot;

use super::Drain;
use super::leases::{Holder, Leases};
use super::publisher::{Publisher, publish};
use crate::clock::Clock;
use crate::failure::{chain, persevere};
use crate::model::{CheckResult, Job, Slot, Unchecked};
use crate::queue::{JobQueue, QueueError};
use crate::supervisor::{Handle, Life};

/// Jobs in one claim at most. Several workers share what is due better in such portions, and one costs the database
/// hardly more per job than a larger one.
const BATCH: usize = 500;

/// How this process claims.
#[derive(Debug, Clone)]
pub struct ClaimSettings {
    /// Written into leases; no other process has the same.
    pub owner: Arc<str>,
    /// Name of the worker, for results.
    pub worker: Arc<str>,
    /// Time on top of what a site's tries may take.
    pub lease: Duration,
    /// How often to look without a hint.
    pub poll: Duration,
    /// A job with more leases than this is given up.
    pub max_attempts: u32,
}

/// See the module.
pub struct Claimer {
    life: Life,
    settings: ClaimSettings,
    queue: Arc<dyn JobQueue>,
    leases: Leases,
    clock: Clock,
    publisher: Handle<Publisher>,
    /// Checkers that wait for an answer: never more than there are checkers.
    waiting: VecDeque<Waiting>,
    /// A claim is under way.
    claiming: bool,
    /// Groups of results without a check that are not stored yet. No claim is made meanwhile, so they are never many.
    settling: usize,
    /// The last claim found less than it asked for: nothing is due until somebody says so.
    drained: bool,
    /// No more claims: the process is about to end.
    draining: bool,
    /// The queue failed last time, and that has been said.
    failing: bool,
}

struct Waiting {
    holder: Holder,
    free: usize,
    answer: oneshot::Sender<Vec<Job>>,
}

impl Claimer {
    /// A claimer for the checkers of this process.
    pub fn new(
        life: Life,
        settings: ClaimSettings,
        queue: Arc<dyn JobQueue>,
        leases: Leases,
        clock: Clock,
        publisher: Handle<Publisher>,
    ) -> Self {
        Self {
            life,
            settings,
            queue,
            leases,
            clock,
            publisher,
            waiting: VecDeque::new(),
            claiming: false,
            settling: 0,
            // Nothing is claimed before the leases of earlier incarnations have been looked through.
            drained: true,
            draining: false,
            failing: false,
        }
    }

    /// Asks the queue for as many jobs as checkers wait for.
    fn claim(&mut self, ctx: &mut Context<Self>) {
        // A checker that has died meanwhile no longer listens.
        self.waiting.retain(|waiting| !waiting.answer.is_closed());
        let wanted = self.waiting.iter().map(|waiting| waiting.free).sum::<usize>().min(BATCH);
        if wanted == 0 || self.claiming || self.settling > 0 || self.drained || self.draining {
            return;
        }
        self.claiming = true;
        let (queue, owner, lease) =
            (Arc::clone(&self.queue), Arc::clone(&self.settings.owner), self.settings.lease);
        let me = ctx.address();
        self.life.spawn(async move {
            let jobs = queue.claim(&owner, wanted, lease).await;
            me.do_send(Claimed { wanted, jobs });
        });
    }

    /// Shares jobs out evenly among the checkers that wait, so that their threads are loaded alike.
    fn hand_out(&mut self, mut jobs: Vec<Job>) {
        while !jobs.is_empty() {
            let Some(waiting) = self.waiting.pop_front() else { break };
            let share = jobs.len().div_ceil(self.waiting.len() + 1).min(waiting.free);
            let rest = jobs.split_off(share);
            self.leases.hand(&jobs, &waiting.holder);
            if let Err(refused) = waiting.answer.send(jobs) {
                self.leases.abandon(&refused.iter().map(|job| job.slot).collect::<Vec<_>>());
            }
            jobs = rest;
        }
        self.leases.abandon(&jobs.iter().map(|job| job.slot).collect::<Vec<_>>());
    }

    /// Ends jobs that are too late, or that have killed too many workers, as results without a check.
    fn settle_unchecked(&mut self, jobs: &[Job], why: Unchecked, ctx: &mut Context<Self>) {
        if jobs.is_empty() {
            return;
        }
        let found_at = self.clock.now();
        warn!(jobs = jobs.len(), why:?; "jobs end without a check");
        let results = jobs
            .iter()
            .map(|job| CheckResult::unchecked(job, found_at, &self.settings.worker, why))
            .collect();
        let (publisher, results) = (self.publisher.clone(), Arc::new(results));
        let me = ctx.address();
        self.settling += 1;
        self.life.spawn(async move {
            publish(&publisher, &results).await;
            me.do_send(Settled);
        });
    }

    /// Gives back jobs whose checkers have died.
    fn release_orphans(&self) {
        let orphans = self.leases.take_orphans();
        if orphans.is_empty() {
            return;
        }
        debug!(jobs = orphans.len(); "jobs of a dead checker go back to the queue");
        let (queue, owner, leases) =
            (Arc::clone(&self.queue), Arc::clone(&self.settings.owner), self.leases.clone());
        self.life.spawn(async move {
            if let Err(error) = queue.release(&owner, &orphans).await {
                warn!(error = chain(&error); "failed to give jobs back; trying again");
                leases.abandon(&orphans);
            }
        });
    }
}

impl Actor for Claimer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (queue, owner, leases, life) = (
            Arc::clone(&self.queue),
            Arc::clone(&self.settings.owner),
            self.leases.clone(),
            self.life.clone(),
        );
        let recovery = async move {
            let leased =
                persevere(&life, "look for jobs of an earlier claimer", async || queue.leased(&owner).await)
                    .await;
            let strays: Vec<Slot> = leased.into_iter().filter(|slot| !leases.is_held(slot)).collect();
            leases.abandon(&strays);
        };
        ctx.wait(recovery.into_actor(self).map(|(), claimer, ctx| {
            claimer.release_orphans();
            ctx.notify(JobsQueued);
            ctx.run_interval(claimer.settings.poll, |_, ctx| ctx.notify(Poll));
        }));
    }
}

/// An order from a checker: give me up to `free` jobs. Answered when there are some.
#[derive(Debug, Message)]
#[rtype(result = "Vec<Job>")]
pub struct Pull {
    /// Who asks.
    pub holder: Holder,
    /// At least 1.
    pub free: usize,
}

impl Handler<Pull> for Claimer {
    type Result = ResponseFuture<Vec<Job>>;

    fn handle(&mut self, Pull { holder, free }: Pull, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, jobs) = oneshot::channel();
        self.waiting.push_back(Waiting { holder, free, answer });
        self.claim(ctx);
        // Without an answer the claimer is gone, and so is this future's receiver: nobody sees the empty answer.
        Box::pin(async move { jobs.await.unwrap_or_default() })
    }
}

/// News from the scheduler: there is something to claim.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct JobsQueued;

impl Handler<JobsQueued> for Claimer {
    type Result = ();

    fn handle(&mut self, _: JobsQueued, ctx: &mut Context<Self>) {
        self.drained = false;
        self.claim(ctx);
    }
}

/// An order from our timer: look for what no hint has told, such as jobs that came back.
#[derive(Message)]
#[rtype(result = "()")]
struct Poll;

impl Handler<Poll> for Claimer {
    type Result = ();

    fn handle(&mut self, _: Poll, ctx: &mut Context<Self>) {
        self.release_orphans();
        self.drained = false;
        self.claim(ctx);
    }
}

/// News: the queue has answered.
#[derive(Message)]
#[rtype(result = "()")]
struct Claimed {
    wanted: usize,
    jobs: Result<Vec<Job>, QueueError>,
}

impl Handler<Claimed> for Claimer {
    type Result = ();

    fn handle(&mut self, Claimed { wanted, jobs }: Claimed, ctx: &mut Context<Self>) {
        self.claiming = false;
        self.life.progressed();
        let jobs = match jobs {
            Ok(jobs) => jobs,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    warn!(error = chain(&error); "failed to claim jobs; trying again at each poll");
                }
                self.drained = true;
                return;
            }
        };
        self.failing = false;
        self.drained = jobs.len() < wanted;
        let (poison, jobs): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| job.attempt > self.settings.max_attempts);
        let (late, jobs): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.late);
        self.settle_unchecked(&poison, Unchecked::Poison, ctx);
        self.settle_unchecked(&late, Unchecked::Late, ctx);
        self.hand_out(jobs);
        self.claim(ctx);
    }
}

/// News: a group of results without a check is stored.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled;

impl Handler<Settled> for Claimer {
    type Result = ();

    fn handle(&mut self, _: Settled, ctx: &mut Context<Self>) {
        self.settling -= 1;
        self.claim(ctx);
    }
}

impl Handler<Drain> for Claimer {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Context<Self>) {
        self.draining = true;
        self.waiting.clear();
    }
}
