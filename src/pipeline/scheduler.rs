//! Fills the job queue with the slots that have become due.
//!
//! In:    `Tick`, only from our own timer, just after each whole second.
//! Out:   `JobsQueued`, a hint to the claimer of this process; claimers elsewhere look by themselves. Slots that nobody has
//!        checked in time end as `missed`.
//! Crash: nothing. The queue remembers up to where it is filled, and the next tick goes on from there.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use log::warn;

use super::claimer::{Claimer, JobsQueued};
use super::late::LateSlots;
use crate::clock::Clock;
use crate::failure::chain;
use crate::queue::{JobQueue, Tick};
use crate::supervisor::{Handle, Life};

/// See the module.
pub struct Scheduler {
    life: Life,
    queue: Arc<dyn JobQueue>,
    clock: Clock,
    /// From one tick to the next.
    every: Duration,
    claimer: Option<Handle<Claimer>>,
    late: LateSlots,
    /// The queue failed last time, and that has been said.
    failing: bool,
    /// The clock was wrong for certain last time, and that has been said.
    waits_for_clock: bool,
}

impl Scheduler {
    /// A scheduler that ticks every `every`, aligned to the clock.
    pub fn new(
        life: Life,
        queue: Arc<dyn JobQueue>,
        clock: Clock,
        every: Duration,
        claimer: Option<Handle<Claimer>>,
        late: LateSlots,
    ) -> Self {
        Self { life, queue, clock, every, claimer, late, failing: false, waits_for_clock: false }
    }

    /// Wakes just after the next multiple of the interval, so that jobs are queued in the second in which they are due.
    fn sleep(&self, ctx: &mut Context<Self>) {
        let every_us = self.every.as_micros() as u64;
        let past_us = self.clock.now().timestamp_micros().unsigned_abs() % every_us;
        ctx.run_later(Duration::from_micros(every_us - past_us), |_, ctx| ctx.notify(Wake));
    }

    fn report(&mut self, tick: &Tick) {
        if let Some(gap) = tick.gap {
            let away_s = (gap.until - gap.after).num_seconds();
            warn!(from = gap.after.to_rfc3339(), away_s; "slots were skipped while nobody scheduled; the gap is recorded");
        }
        if let Some(by) = tick.set_back {
            warn!(by_s = by.as_secs(); "the clock was set back; slots go on from the new time");
        }
        match tick.impossible {
            Some(clock) if !self.waits_for_clock => warn!(
                clock = clock.to_rfc3339();
                "the clock of the database is wrong: this program is younger; nothing is scheduled until it is set (NTP)"
            ),
            None if self.waits_for_clock => log::info!("the clock has been set; slots are scheduled again"),
            _ => {}
        }
        self.waits_for_clock = tick.impossible.is_some();
        if self.failing {
            log::info!("the job queue works again");
            self.failing = false;
        }
    }
}

impl Actor for Scheduler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.life.set_busy(true);
        ctx.notify(Wake);
    }
}

/// An order: look what is due.
#[derive(Message)]
#[rtype(result = "()")]
struct Wake;

impl Handler<Wake> for Scheduler {
    type Result = ();

    fn handle(&mut self, _: Wake, ctx: &mut Context<Self>) {
        let queue = Arc::clone(&self.queue);
        let me = ctx.address();
        self.life.spawn(async move {
            let outcome = queue.enqueue_due().await;
            me.do_send(Ticked(outcome.map_err(|error| chain(&error))));
        });
    }
}

/// News: the queue has answered.
#[derive(Message)]
#[rtype(result = "()")]
struct Ticked(Result<Tick, String>);

impl Handler<Ticked> for Scheduler {
    type Result = ();

    fn handle(&mut self, Ticked(outcome): Ticked, ctx: &mut Context<Self>) {
        self.life.progressed();
        match outcome {
            Ok(tick) => {
                self.report(&tick);
                if let Some(claimer) = self.claimer.as_ref().filter(|_| tick.queued > 0) {
                    // One that is down or busy looks by itself within its poll interval.
                    let _ = claimer.try_send(JobsQueued);
                }
                self.late.settle(&self.life);
            }
            Err(error) if !self.failing => {
                self.failing = true;
                warn!(error; "failed to queue due slots; trying again at each tick");
            }
            Err(_) => {}
        }
        self.sleep(ctx);
    }
}
