//! Jobs that have ended without a result before: they may be what killed their worker.
//!
//! From the third time on such a job runs alone, which is beside jobs that have not failed, but never beside another one of its
//! kind. So a job that kills its worker again takes only such along as have not failed twice, and those that have are spared.
//! A job that has failed too often ends as a result without a check.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};
use log::warn;

use super::{ClaimSettings, Claimer};
use crate::model::{CheckResult, Job, Unchecked};
use crate::pipeline::publisher::publish;

/// With this many jobs given up whose results are not stored yet, no more are given up. Other claims go on.
const UNSETTLED: usize = 5_000;

impl Claimer {
    /// Asks the queue for a job that may kill its worker, unless one is running, and for those that are given up.
    pub(super) fn claim_suspects(&mut self, ctx: &mut Context<Self>) {
        let may = self.recovered && !self.suspecting && !self.draining && !self.leases.has_loner();
        if !may || self.unsettled >= UNSETTLED || self.waiting.is_empty() {
            return;
        }
        self.suspecting = true;
        let (queue, owner) = (Arc::clone(&self.queue), Arc::clone(&self.settings.owner));
        let ClaimSettings { region, lease, max_attempts: given_up, .. } = self.settings;
        let me = ctx.address();
        self.life.spawn(async move {
            // A failure is that of all claims, which say so.
            let jobs = queue.claim_suspects(&owner, region, lease, given_up).await.unwrap_or_default();
            me.do_send(ClaimedSuspects(jobs));
        });
    }

    /// Ends jobs that have killed too many workers, as results without a check, and returns the others.
    pub(super) fn give_up_lost(&mut self, jobs: Vec<Job>, ctx: &mut Context<Self>) -> Vec<Job> {
        let (lost, jobs): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| job.attempt > self.settings.max_attempts);
        if !lost.is_empty() {
            self.give_up(&lost, ctx);
        }
        jobs
    }

    fn give_up(&mut self, jobs: &[Job], ctx: &mut Context<Self>) {
        let found_at = self.clock.now();
        warn!(jobs = jobs.len(), why:? = Unchecked::Poison; "jobs end without a check");
        let results: Vec<CheckResult> = jobs
            .iter()
            .map(|job| CheckResult::unchecked(job, found_at, &self.settings.worker, Unchecked::Poison))
            .collect();
        let (publisher, results) = (self.publisher.clone(), Arc::new(results));
        let me = ctx.address();
        self.unsettled += results.len();
        self.life.spawn(async move {
            publish(&publisher, &results).await;
            me.do_send(Settled(results.len()));
        });
    }
}

/// News from a checker: the job that ran alone has ended, so another one may.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct LonerEnded;

impl Handler<LonerEnded> for Claimer {
    type Result = ();

    fn handle(&mut self, _: LonerEnded, ctx: &mut Context<Self>) {
        self.claim_suspects(ctx);
    }
}

/// News: the queue has answered about jobs that may kill their worker.
#[derive(Message)]
#[rtype(result = "()")]
struct ClaimedSuspects(Vec<Job>);

impl Handler<ClaimedSuspects> for Claimer {
    type Result = ();

    fn handle(&mut self, ClaimedSuspects(jobs): ClaimedSuspects, ctx: &mut Context<Self>) {
        self.suspecting = false;
        let jobs = self.give_up_lost(jobs, ctx);
        if let Some(job) = jobs.first() {
            self.leases.run_alone(job.slot);
        }
        self.hand_out(jobs);
    }
}

/// News: so many results without a check are stored.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled(usize);

impl Handler<Settled> for Claimer {
    type Result = ();

    fn handle(&mut self, Settled(results): Settled, ctx: &mut Context<Self>) {
        self.unsettled -= results;
        self.claim_suspects(ctx);
    }
}
