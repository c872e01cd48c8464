//! Hands results to the result log, and takes their jobs out of the queue when the log has them.
//!
//! In:    `Publish`, from a checker or the claimer; answered when the jobs are gone from the queue.
//! Out:   results to the log, then completed jobs to the queue.
//! While the log is away, the leases of what waits for it are renewed, so that nobody checks the same slots again.
//!
//! Crash: senders get no answer and send again; a result that is stored twice changes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use log::{error, warn};
use tokio::sync::{mpsc, oneshot};

use super::aside::set_aside;
use super::leases::Leases;
use super::renewal::{Renewals, renew};
use super::tally::Tally;
use crate::failure::{Outage, chain, persevere, persevere_with};
use crate::model::{CheckResult, Slot};
use crate::queue::JobQueue;
use crate::result_log::{LogError, ResultLog};
use crate::supervisor::{Handle, Life};

/// See the module.
pub struct Publisher {
    life: Life,
    log: Arc<dyn ResultLog>,
    queue: Arc<dyn JobQueue>,
    leases: Leases,
    tally: Tally,
    owner: Arc<str>,
    lease: Duration,
    /// Of the log. One for all groups that wait for it.
    outage: Arc<Outage>,
    renewals: Renewals,
    acknowledged: mpsc::UnboundedSender<Acknowledged>,
    inbox: Option<mpsc::UnboundedReceiver<Acknowledged>>,
}

/// A group that the log has. Not more of them than senders wait for, so the channel is bounded by these.
struct Acknowledged {
    results: Arc<Vec<CheckResult>>,
    done: oneshot::Sender<()>,
}

impl Publisher {
    /// A publisher of what `owner` has claimed. While the log is away, leases are renewed for `lease`.
    pub fn new(
        life: Life,
        log: Arc<dyn ResultLog>,
        queue: Arc<dyn JobQueue>,
        leases: Leases,
        tally: Tally,
        owner: Arc<str>,
        lease: Duration,
    ) -> Self {
        let (acknowledged, inbox) = mpsc::unbounded_channel();
        let (outage, renewals) = (Arc::default(), Renewals::default());
        let inbox = Some(inbox);
        Self { life, log, queue, leases, tally, owner, lease, outage, renewals, acknowledged, inbox }
    }
}

impl Actor for Publisher {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.leases.succeed_publisher(self.life.generation());
        if let Some(inbox) = self.inbox.take() {
            let (life, queue, leases) = (self.life.clone(), Arc::clone(&self.queue), self.leases.clone());
            let completing =
                complete(life, queue, leases, self.tally.clone(), Arc::clone(&self.owner), inbox);
            self.life.spawn(completing);
            let queue = Arc::clone(&self.queue);
            self.life.spawn(renew(queue, Arc::clone(&self.owner), self.lease, self.renewals.clone()));
        }
    }
}

/// Acknowledged groups wait this long for company before their jobs leave the queue. Nothing but a credit hangs on it, and a
/// large statement costs a database less than many small ones.
const GATHER: Duration = Duration::from_millis(200);

/// And no longer when there are this many jobs.
const ENOUGH: usize = 500;

/// Completes jobs in as few transactions as possible: all groups that were acknowledged while the last one ran, and a while more.
async fn complete(
    life: Life,
    queue: Arc<dyn JobQueue>,
    leases: Leases,
    tally: Tally,
    owner: Arc<str>,
    mut inbox: mpsc::UnboundedReceiver<Acknowledged>,
) {
    let mut groups = Vec::new();
    while inbox.recv_many(&mut groups, usize::MAX).await > 0 {
        gather(&mut inbox, &mut groups).await;
        let results = groups.iter().flat_map(|group: &Acknowledged| group.results.iter());
        let slots: Vec<Slot> = results.clone().filter_map(CheckResult::slot).collect();
        let completing = async || queue.complete(&owner, &slots).await;
        if let Err(error) = persevere(&life, "take finished jobs out of the queue", completing).await {
            // Their results are in the log, and a result that comes again changes nothing.
            error!(jobs = slots.len(), error = chain(&error); "the queue refuses for good to let finished jobs go; they are checked again when their leases end");
        }
        leases.settle(&slots);
        results.for_each(|result| tally.count(result));
        for group in groups.drain(..) {
            // A sender that has died meanwhile does not wait.
            let _ = group.done.send(());
        }
    }
}

/// Waits for company. The end of the inbox is for the next call to find.
async fn gather(inbox: &mut mpsc::UnboundedReceiver<Acknowledged>, groups: &mut Vec<Acknowledged>) {
    let jobs = |groups: &[Acknowledged]| groups.iter().map(|group| group.results.len()).sum::<usize>();
    let company = async { while jobs(groups) < ENOUGH && inbox.recv_many(groups, usize::MAX).await > 0 {} };
    // Both ends are as good.
    let _ = tokio::time::timeout(GATHER, company).await;
}

/// This incarnation ends without having stored the results. Send them again.
#[derive(Debug, Clone, Copy)]
pub struct NotStored;

/// An order: see that these results are stored. Answered when they are.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), NotStored>")]
pub struct Publish(pub Arc<Vec<CheckResult>>);

impl Handler<Publish> for Publisher {
    type Result = ResponseFuture<Result<(), NotStored>>;

    fn handle(&mut self, Publish(results): Publish, _: &mut Context<Self>) -> Self::Result {
        let (done, stored) = oneshot::channel();
        let (life, log, acknowledged) = (self.life.clone(), Arc::clone(&self.log), self.acknowledged.clone());
        self.leases.publish(results.iter().filter_map(CheckResult::slot), self.life.generation());
        let (waits, outage) = (self.renewals.of(&results), Arc::clone(&self.outage));
        self.life.spawn(async move {
            if let Err(error) = append(&life, &*log, &outage, &results).await {
                // Nothing that is not in the log is acknowledged.
                return life.fail(chain(&error));
            }
            drop(waits);
            // It fails only when this incarnation has ended; then the sender sends again.
            let _ = acknowledged.send(Acknowledged { results, done });
        });
        Box::pin(async move { stored.await.map_err(|_| NotStored) })
    }
}

/// Returns when the log has every result: whole, or as much of it as the log takes, or put aside.
///
/// # Errors
/// The log takes nothing more, ever.
async fn append(
    life: &Life,
    log: &dyn ResultLog,
    outage: &Outage,
    results: &Arc<Vec<CheckResult>>,
) -> Result<(), LogError> {
    let Some((refused, message)) = append_all(life, log, outage, Arc::clone(results)).await? else {
        return Ok(());
    };
    let refused: Vec<&CheckResult> = refused.iter().filter_map(|&index| results.get(index)).collect();
    for result in &refused {
        let (site_id, scheduled_at) = (result.site_id.map(|id| id.0), result.scheduled_at.to_rfc3339());
        let region = result.region.as_str();
        warn!(site_id, scheduled_at, region, error = message; "the result log refuses a result for good; its essence is sent instead");
    }
    let essences = Arc::new(refused.iter().map(|result| result.essence()).collect());
    let Some((still, message)) = append_all(life, log, outage, essences).await? else { return Ok(()) };
    for result in still.iter().filter_map(|&index| refused.get(index)) {
        set_aside(life, log, result, &message).await;
    }
    Ok(())
}

/// Tries until the log has all that it will ever take. Returns which it will not take, and why.
async fn append_all(
    life: &Life,
    log: &dyn ResultLog,
    outage: &Outage,
    results: Arc<Vec<CheckResult>>,
) -> Result<Option<(Vec<usize>, String)>, LogError> {
    let attempt = async || log.append(Arc::clone(&results)).await;
    match persevere_with(life, "append to the result log", outage, attempt).await {
        Ok(()) => Ok(None),
        Err(LogError::Unacceptable { which, message }) => Ok(Some((which, message))),
        Err(error) => Err(error),
    }
}

/// Publishes through whichever incarnation is alive, until it is done.
pub(super) async fn publish(publisher: &Handle<Publisher>, results: &Arc<Vec<CheckResult>>) {
    while !matches!(publisher.send(Publish(Arc::clone(results))).await, Ok(Ok(()))) {
        publisher.up().await;
    }
}
