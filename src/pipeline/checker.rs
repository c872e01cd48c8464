//! Runs checks on one thread, each as a task of its own, and hands their results on in groups.
//!
//! In:    jobs, in the tray of our own `Pull`; `CheckEnded`, from each check.
//! Out:   `Pull` to the claimer, for as many jobs as there are free slots; `Publish` to the publisher.
//! Crash: running checks are aborted; their jobs go back to the queue when our next incarnation begins.
//!
//! Checks are tasks and not futures of the actor's context, because an actor polls all its futures at each wake.

mod check;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, ResponseFuture};
use log::warn;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use self::check::check;
use super::Drain;
use super::claimer::{Claimer, LonerEnded, Pull};
use super::leases::{Holder, Leases};
use super::publisher::{Publisher, publish};
use super::tray::Tray;
use crate::clock::Clock;
use crate::model::{CheckResult, Job, Slot, Unchecked};
use crate::probe::Probe;
use crate::queue::SUSPECT;
use crate::supervisor::{Handle, Life};

/// Slots are whole seconds, so jobs come in bursts. Letting the number of running checks grow over this time keeps a burst
/// from delaying the very answers it measures, and from overflowing the backlog of a server that many of the sites share.
const START_SPREAD: Duration = Duration::from_millis(50);

/// From one growth to the next. In between, a check that ends makes room for another.
const START_STEP: Duration = Duration::from_millis(5);

/// Results wait this long for company before they go to the publisher.
const GATHER: Duration = Duration::from_millis(50);

/// And no longer when there are this many.
const GROUP: usize = 512;

/// A check may be over its time by this much: pauses between its tries, and a busy thread.
const GRACE: Duration = Duration::from_secs(2);

/// What one checker may have in hand.
#[derive(Debug, Clone)]
pub struct CheckerSettings {
    /// Name of the worker, for results.
    pub worker: Arc<str>,
    /// Checks at once.
    pub concurrency: usize,
    /// Results that are not stored yet. At this many no new work is pulled.
    pub unstored: usize,
}

/// See the module.
pub struct Checker {
    life: Life,
    settings: CheckerSettings,
    probe: Probe,
    clock: Clock,
    leases: Leases,
    claimer: Handle<Claimer>,
    publisher: Handle<Publisher>,
    /// Claimed and about to start.
    ready: VecDeque<Job>,
    /// How many of them each step starts.
    stride: usize,
    /// A step is to come.
    stepping: bool,
    /// Running checks; dropping the set aborts them.
    checks: JoinSet<()>,
    running: usize,
    /// Results that wait for company.
    finished: Vec<CheckResult>,
    gathering: bool,
    /// Results on their way to the store, those in `finished` included.
    unstored: usize,
    pulling: bool,
    /// When the last of the running checks has to be over.
    over_by: Instant,
    /// Who waits for everything to be done.
    drains: Vec<oneshot::Sender<()>>,
    draining: bool,
}

impl Checker {
    /// A checker for the present thread.
    pub fn new(
        life: Life,
        settings: CheckerSettings,
        probe: Probe,
        clock: Clock,
        leases: Leases,
        claimer: Handle<Claimer>,
        publisher: Handle<Publisher>,
    ) -> Self {
        Self {
            life,
            settings,
            probe,
            clock,
            leases,
            claimer,
            publisher,
            ready: VecDeque::new(),
            stride: 0,
            stepping: false,
            checks: JoinSet::new(),
            running: 0,
            finished: Vec::new(),
            gathering: false,
            unstored: 0,
            pulling: false,
            over_by: Clock::instant(),
            drains: Vec::new(),
            draining: false,
        }
    }

    fn free(&self) -> usize {
        let slots = self.settings.concurrency.saturating_sub(self.running + self.ready.len());
        let room = self.settings.unstored.saturating_sub(self.unstored + self.running + self.ready.len());
        slots.min(room)
    }

    /// Asks for work, if there is room for it and no question open.
    fn pull(&mut self, ctx: &mut Context<Self>) {
        let free = self.free();
        if self.pulling || self.draining || free == 0 {
            return;
        }
        self.pulling = true;
        let (claimer, holder, me) = (self.claimer.clone(), Holder::of(&self.life), ctx.address());
        self.life.spawn(async move {
            let tray = loop {
                let tray = Tray::default();
                match claimer.send(Pull { holder: holder.clone(), free, tray: tray.slot() }).await {
                    Ok(()) => break tray,
                    Err(_) => claimer.up().await,
                }
            };
            me.do_send(Pulled(tray));
        });
    }

    /// Lets the number of running checks grow, now and again after a pause.
    fn step(&mut self, ctx: &mut Context<Self>) {
        self.start(self.stride, ctx);
        self.stepping = !self.ready.is_empty();
        if self.stepping {
            ctx.run_later(START_STEP, Self::step);
        }
    }

    /// Starts up to `most` of the jobs that are ready.
    fn start(&mut self, most: usize, ctx: &mut Context<Self>) {
        let now = Clock::instant();
        for _ in 0..most {
            let Some(job) = self.ready.pop_front() else { break };
            if job.is_late(now) {
                // It was on time when it was claimed, and then the process was stopped.
                self.miss(&job, ctx);
                continue;
            }
            self.running += 1;
            self.over_by =
                self.over_by.max(now + job.target.timeout * (u32::from(job.target.retries) + 1) + GRACE);
            let worker = Arc::clone(&self.settings.worker);
            self.checks.spawn_local(check(self.probe.clone(), job, worker, ctx.address()));
        }
    }

    fn miss(&mut self, job: &Job, ctx: &mut Context<Self>) {
        let missed = CheckResult::unchecked(job, self.clock.now(), &self.settings.worker, Unchecked::Late);
        self.end_alone(job.slot, job.attempt);
        self.gather(missed, ctx);
    }

    /// A job that had to run alone has ended: another one may run.
    fn end_alone(&self, slot: Slot, attempt: u32) {
        if attempt > SUSPECT {
            self.leases.has_run(slot);
            // A claimer that does not hear of it looks by itself.
            let _ = self.claimer.try_send(LonerEnded);
        }
    }

    fn gather(&mut self, result: CheckResult, ctx: &mut Context<Self>) {
        self.finished.push(result);
        self.unstored += 1;
        if self.finished.len() >= GROUP {
            self.hand_on(ctx);
        } else if !self.gathering {
            self.gathering = true;
            ctx.run_later(GATHER, |checker, ctx| {
                checker.gathering = false;
                checker.hand_on(ctx);
            });
        }
    }

    fn hand_on(&mut self, ctx: &mut Context<Self>) {
        if self.finished.is_empty() {
            return;
        }
        let results = Arc::new(std::mem::take(&mut self.finished));
        let (publisher, me) = (self.publisher.clone(), ctx.address());
        self.life.spawn(async move {
            publish(&publisher, &results).await;
            me.do_send(Stored(results.len()));
        });
    }

    /// Something has ended: there may be room for more, or nothing left.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        self.life.progressed();
        self.pull(ctx);
        let checking = self.running + self.ready.len();
        self.life.set_busy(checking > 0);
        if checking + self.unstored == 0 {
            for waiting in self.drains.drain(..) {
                let _ = waiting.send(());
            }
        }
    }
}

impl Actor for Checker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.leases.succeed(&Holder::of(&self.life));
        self.pull(ctx);
        // Checks that are silent within their own time are no stall.
        ctx.run_interval(GRACE, |checker, _| {
            if Clock::instant() < checker.over_by {
                checker.life.progressed();
            }
        });
    }
}

/// News: the claimer has answered.
#[derive(Message)]
#[rtype(result = "()")]
struct Pulled(Tray);

impl Handler<Pulled> for Checker {
    type Result = ();

    fn handle(&mut self, Pulled(tray): Pulled, ctx: &mut Context<Self>) {
        self.pulling = false;
        let jobs = tray.take(&self.leases, &Holder::of(&self.life));
        if jobs.is_empty() {
            // The claimer has taken them back.
            return self.go_on(ctx);
        }
        self.life.set_busy(true);
        self.ready.extend(jobs);
        let steps = (START_SPREAD.as_millis() / START_STEP.as_millis()) as usize;
        self.stride = self.ready.len().div_ceil(steps);
        if !self.stepping {
            self.step(ctx);
        }
        self.go_on(ctx);
    }
}

/// News from a check: its result, or none when it panicked.
#[derive(Message)]
#[rtype(result = "()")]
struct CheckEnded {
    slot: Slot,
    result: Option<CheckResult>,
}

impl Handler<CheckEnded> for Checker {
    type Result = ();

    fn handle(&mut self, CheckEnded { slot, result }: CheckEnded, ctx: &mut Context<Self>) {
        while self.checks.try_join_next().is_some() {}
        self.running -= 1;
        self.start(1, ctx);
        match result {
            Some(result) => {
                self.end_alone(slot, result.attempt);
                self.gather(result, ctx);
            }
            None => {
                let (scheduled_at, region) = (slot.scheduled_at.to_rfc3339(), slot.region.as_str());
                warn!(site_id = slot.site_id.0, scheduled_at, region; "a check panicked; its job goes back to the queue");
                self.leases.abandon(&[slot]);
            }
        }
        self.go_on(ctx);
    }
}

/// News: this many results are stored.
#[derive(Message)]
#[rtype(result = "()")]
struct Stored(usize);

impl Handler<Stored> for Checker {
    type Result = ();

    fn handle(&mut self, Stored(results): Stored, ctx: &mut Context<Self>) {
        self.unstored -= results;
        self.go_on(ctx);
    }
}

impl Handler<Drain> for Checker {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, ctx: &mut Context<Self>) -> Self::Result {
        self.draining = true;
        let (done, idle) = oneshot::channel();
        self.drains.push(done);
        self.hand_on(ctx);
        self.go_on(ctx);
        Box::pin(async move {
            // An error means that this incarnation has died: then it is idle, too.
            let _ = idle.await;
        })
    }
}
