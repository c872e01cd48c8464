//! Claims due jobs in batches and gives them to the checkers that ask for work.
//!
//! In:    `Pull`, from a checker with free slots; `JobsQueued`, a hint from the scheduler; `Poll`, from our own timer.
//! Out:   the jobs, in the tray that came with `Pull`; jobs that are given up, as results to the publisher.
//! Crash: claimed jobs keep their lease; our next incarnation gives back those that no checker holds.

mod recovery;
mod suspects;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, ResponseFuture};
use log::{debug, warn};
use tokio::sync::oneshot;

pub use self::suspects::LonerEnded;
use super::Drain;
use super::late::LateSlots;
use super::leases::{Holder, Leases};
use super::publisher::Publisher;
use super::tray::{Served, TraySlot};
use crate::clock::Clock;
use crate::failure::chain;
use crate::model::{Job, Region, Slot};
use crate::queue::{JobQueue, QueueError};
use crate::supervisor::{Handle, Life};

/// Jobs in one claim at most. Several workers share what is due better in such portions, and one costs the database
/// hardly more per job than a larger one.
const BATCH: usize = 500;

/// How often to look for what is rare: late jobs, and such as may kill their worker.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// How this process claims.
#[derive(Debug, Clone)]
pub struct ClaimSettings {
    /// Written into leases; no other process has the same.
    pub owner: Arc<str>,
    /// Name of the worker, for results.
    pub worker: Arc<str>,
    /// Only jobs of this region are claimed.
    pub region: Region,
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
    late: LateSlots,
    clock: Clock,
    publisher: Handle<Publisher>,
    /// Checkers that wait for an answer: never more than there are checkers.
    waiting: VecDeque<Waiting>,
    /// Trays with jobs that their checkers have not taken yet.
    served: Vec<Served>,
    /// The leases of earlier incarnations have been looked through. Nothing is claimed before.
    recovered: bool,
    /// A claim is under way.
    claiming: bool,
    /// A claim of suspects is under way.
    suspecting: bool,
    /// Results of jobs that were given up and are not stored yet.
    unsettled: usize,
    /// The last claim found less than it asked for: nothing is due until somebody says so.
    drained: bool,
    /// Somebody has said so while a claim was under way, which may have looked before.
    hinted: bool,
    /// No more claims: the process is about to end.
    draining: bool,
    /// The queue failed last time, and that has been said.
    failing: bool,
    /// When what is rare was last looked for.
    looked_after: Option<Instant>,
}

struct Waiting {
    holder: Holder,
    free: usize,
    tray: TraySlot,
    served: oneshot::Sender<()>,
}

impl Claimer {
    /// A claimer for the checkers of this process.
    pub fn new(
        life: Life,
        settings: ClaimSettings,
        queue: Arc<dyn JobQueue>,
        leases: Leases,
        late: LateSlots,
        clock: Clock,
        publisher: Handle<Publisher>,
    ) -> Self {
        Self {
            life,
            settings,
            queue,
            leases,
            late,
            clock,
            publisher,
            waiting: VecDeque::new(),
            served: Vec::new(),
            recovered: false,
            claiming: false,
            suspecting: false,
            unsettled: 0,
            drained: false,
            hinted: false,
            draining: false,
            failing: false,
            looked_after: None,
        }
    }

    /// Asks the queue for as many jobs as checkers wait for.
    fn claim(&mut self, ctx: &mut Context<Self>) {
        self.waiting.retain(|waiting| !waiting.tray.is_gone());
        let wanted = self.waiting.iter().map(|waiting| waiting.free).sum::<usize>().min(BATCH);
        if wanted == 0 || self.claiming || self.drained || self.draining || !self.recovered {
            return;
        }
        self.claiming = true;
        self.hinted = false;
        let (queue, owner) = (Arc::clone(&self.queue), Arc::clone(&self.settings.owner));
        let (region, lease) = (self.settings.region, self.settings.lease);
        let me = ctx.address();
        self.life.spawn(async move {
            let jobs = queue.claim(&owner, region, wanted, lease).await;
            me.do_send(Claimed { wanted, jobs });
        });
    }

    /// Shares jobs out evenly among the checkers that wait, so that their threads are loaded alike.
    fn hand_out(&mut self, mut jobs: Vec<Job>) {
        while !jobs.is_empty() {
            let Some(waiting) = self.waiting.pop_front() else { break };
            let share = jobs.len().div_ceil(self.waiting.len() + 1).min(waiting.free);
            let mut rest = jobs.split_off(share);
            match waiting.tray.put(jobs) {
                Ok(served) => {
                    self.served.push(served);
                    // A checker that does not listen any more does not take them either.
                    let _ = waiting.served.send(());
                }
                Err(refused) => rest.extend(refused),
            }
            jobs = rest;
        }
        self.leases.leave_unused(&slots(&jobs));
    }

    /// Serves others with what checkers have not taken.
    fn clear_trays(&mut self) {
        let now = Clock::instant();
        let mut left_over = Vec::new();
        self.served.retain(|served| served.left_over(now).map(|jobs| left_over.extend(jobs)).is_none());
        if !left_over.is_empty() {
            debug!(jobs = left_over.len(); "a checker has not taken its jobs; others get them");
            self.hand_out(left_over);
        }
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        let now = Clock::instant();
        if self.looked_after.is_none_or(|looked| now - looked >= LOOK_AFTER) {
            self.looked_after = Some(now);
            self.late.settle(&self.life);
            self.claim_suspects(ctx);
        }
    }
}

fn slots(jobs: &[Job]) -> Vec<Slot> {
    jobs.iter().map(|job| job.slot).collect()
}

impl Actor for Claimer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.recover(ctx);
        ctx.run_interval(self.settings.poll, |_, ctx| ctx.notify(Poll));
    }
}

/// An order from a checker: put up to `free` jobs into the tray. Answered when there are some.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Pull {
    /// Who asks.
    pub holder: Holder,
    /// At least 1.
    pub free: usize,
    /// Where to put them.
    pub tray: TraySlot,
}

impl Handler<Pull> for Claimer {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Pull { holder, free, tray }: Pull, ctx: &mut Context<Self>) -> Self::Result {
        let (served, answer) = oneshot::channel();
        // An earlier incarnation may hang, and hold its tray for as long as it does.
        self.waiting.retain(|waiting| !holder.follows(&waiting.holder));
        self.waiting.push_back(Waiting { holder, free, tray, served });
        self.claim(ctx);
        Box::pin(async move {
            // A question that was dropped is answered, too: its tray is empty.
            let _ = answer.await;
        })
    }
}

/// News from the scheduler, or from a checker: there is something to claim.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct JobsQueued;

impl Handler<JobsQueued> for Claimer {
    type Result = ();

    fn handle(&mut self, _: JobsQueued, ctx: &mut Context<Self>) {
        (self.drained, self.hinted) = (false, true);
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
        self.clear_trays();
        self.release_orphans();
        self.look_after(ctx);
        (self.drained, self.hinted) = (false, true);
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
        self.drained = jobs.len() < wanted && !self.hinted;
        let jobs = self.give_up_lost(jobs, ctx);
        self.hand_out(jobs);
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
