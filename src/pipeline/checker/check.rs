//! One check as a task: from the job to the news that it has ended.

use std::sync::Arc;

use actix::Addr;

use super::{CheckEnded, Checker};
use crate::model::{CheckResult, Job, Slot};
use crate::probe::{self, Probe};

/// One check, from job to news. The mailbox takes the news without asking: there is one for each running check.
pub(super) async fn check(probe: Probe, job: Job, worker: Arc<str>, checker: Addr<Checker>) {
    let mut ending = Ending { checker, slot: job.slot, result: None };
    let outcome = probe.check(&job.target, job.next_slot).await;
    ending.result = Some(outcome.into_result(probe::Slot {
        site_id: Some(job.slot.site_id),
        url: &job.target.shown_url(),
        scheduled_at: job.slot.scheduled_at,
        region: job.slot.region,
        worker: &worker,
        attempt: job.attempt,
    }));
}

/// Sends the news however the check ends: a panic sends it without a result.
struct Ending {
    checker: Addr<Checker>,
    slot: Slot,
    result: Option<CheckResult>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.checker.do_send(CheckEnded { slot: self.slot, result: self.result.take() });
    }
}
