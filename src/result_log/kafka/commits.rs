//! Commits: one under way at a time, tried again until the brokers have it.
//!
//! They have a thread of their own. A synchronous commit blocks for as long as the group's coordinator is away, and the
//! outcome of an asynchronous one is never told: rdkafka 0.39 takes librdkafka's events, and there is none for it.
//!
//! The owner is told after a while also when the brokers don't have it: its results are stored, a later commit covers
//! this one, and if we die before, the next reader stores them again, which changes nothing. A broker that is away is
//! no failure of the owner's.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use log::{debug, warn};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::TARGET;
use super::marks::{Marks, Offsets, Start};
use super::rebalance::{Event, ReaderContext};
use super::request::Answer;
use crate::clock::Clock;

/// After this long the owner goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between a failure and the next try: the first time.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// And at most.
const LAST_RETRY: Duration = Duration::from_secs(30);

/// For one question about a partition.
const LOOK: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Commits {
    orders: Sender<Order>,
    thread: JoinHandle<()>,
    under_way: bool,
    owner: Option<(Owner, Instant)>,
    /// Not before this moment.
    due: Option<Instant>,
    pause: Duration,
}

enum Order {
    Commit {
        offsets: Offsets,
        owner: Option<Owner>,
    },
    /// Partitions and our turns with them.
    Look(Vec<(i32, u64)>),
}

/// Whoever waits for a commit. Answered by the first of success and patience.
#[derive(Clone)]
struct Owner(Arc<Mutex<Option<Answer<()>>>>);

impl Owner {
    fn answer(&self) {
        if let Some(answer) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It may have given up.
            let _ = answer.send(Ok(()));
        }
    }
}

impl Commits {
    /// Commits for `consumer`, and tells `events` of the outcomes.
    pub(super) fn start(
        consumer: Arc<BaseConsumer<ReaderContext>>,
        topic: String,
        events: Sender<Event>,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let run = move || work(&consumer, &topic, &inbox, &events);
        let thread = std::thread::Builder::new().name("kafka-commit".to_owned()).spawn(run)?;
        Ok(Self { orders, thread, under_way: false, owner: None, due: None, pause: FIRST_RETRY })
    }

    /// The owner wants to know when everything that is stored is committed.
    pub(super) fn ask(&mut self, answer: Answer<()>) {
        let owner = Owner(Arc::new(Mutex::new(Some(answer))));
        self.owner = Some((owner, Clock::instant() + PATIENCE));
    }

    /// Asks the brokers where turns begin; [`Event::Started`] tells it. Before any commit of ours in these turns.
    pub(super) fn look(&self, turns: Vec<(i32, u64)>) {
        // At the end nobody needs it any more.
        let _ = self.orders.send(Order::Look(turns));
    }

    /// Starts a commit when there is something to commit. Cheap otherwise.
    pub(super) fn drive(&mut self, marks: &Marks) {
        let now = Clock::instant();
        if self.owner.as_ref().is_some_and(|(_, until)| now > *until) {
            debug!(target: TARGET, "the commit takes long; going on without it");
            self.settle();
        }
        if self.under_way || self.due.is_some_and(|due| now < due) {
            return;
        }
        let offsets = marks.owed();
        if offsets.is_empty() {
            return self.settle();
        }
        let owner = self.owner.as_ref().map(|(owner, _)| owner.clone());
        self.under_way = self.orders.send(Order::Commit { offsets, owner }).is_ok();
    }

    /// The outcome of the commit that was under way.
    pub(super) fn done(&mut self, outcome: KafkaResult<Offsets>, marks: &mut Marks) {
        self.under_way = false;
        match outcome {
            Ok(offsets) => {
                marks.committed(&offsets);
                (self.due, self.pause) = (None, FIRST_RETRY);
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &KafkaError) {
        self.due = Some(Clock::instant() + self.pause);
        self.pause = (self.pause * 2).min(LAST_RETRY);
        if error.rdkafka_error_code().is_some_and(is_rebalance) {
            debug!(target: TARGET, error:%; "partitions are moving; their new reader stores these results again");
            self.settle();
        } else {
            warn!(target: TARGET, error:%; "failed to commit, trying again");
        }
    }

    fn settle(&mut self) {
        if let Some((owner, _)) = self.owner.take() {
            owner.answer();
        }
    }

    /// Commits what may be committed, and waits for it. What is not committed is read again.
    pub(super) fn finish(self, marks: &Marks) {
        let offsets = marks.owed();
        if !offsets.is_empty() && !self.under_way {
            let _ = self.orders.send(Order::Commit { offsets, owner: None });
        }
        drop(self.orders);
        // A panic there has been told by its hook.
        let _ = self.thread.join();
    }
}

/// The thread.
fn work(
    consumer: &BaseConsumer<ReaderContext>,
    topic: &str,
    orders: &Receiver<Order>,
    events: &Sender<Event>,
) {
    while let Ok(order) = orders.recv() {
        let event = match order {
            Order::Commit { offsets, owner } => commit(consumer, topic, offsets, owner),
            Order::Look(turns) => match starts(consumer, topic, &turns) {
                Ok(starts) => Event::Started(starts),
                Err(error) => {
                    debug!(target: TARGET, error:%; "it is not known where the partitions begin; what was deleted before is not counted");
                    continue;
                }
            },
        };
        // At the end nobody listens any more.
        let _ = events.send(event);
    }
}

fn commit(
    consumer: &BaseConsumer<ReaderContext>,
    topic: &str,
    offsets: Offsets,
    owner: Option<Owner>,
) -> Event {
    let outcome = consumer.commit(&list(topic, &offsets), CommitMode::Sync);
    if let (Ok(()), Some(owner)) = (&outcome, owner) {
        owner.answer();
    }
    Event::Committed(outcome.map(|()| offsets))
}

fn starts(
    consumer: &BaseConsumer<ReaderContext>,
    topic: &str,
    turns: &[(i32, u64)],
) -> KafkaResult<Vec<Start>> {
    let mut list = TopicPartitionList::with_capacity(turns.len());
    for &(partition, _) in turns {
        list.add_partition(topic, partition);
    }
    let committed = consumer.committed_offsets(list, LOOK)?;
    let start = |&(partition, turn): &(i32, u64)| {
        let (low, _) = consumer.fetch_watermarks(topic, partition, LOOK)?;
        let committed = committed.find_partition(topic, partition).map(|found| found.offset());
        let committed = match committed {
            Some(Offset::Offset(next)) => Some(next),
            _ => None,
        };
        Ok(Start { partition, turn, committed, low })
    };
    turns.iter().map(start).collect()
}

fn list(topic: &str, offsets: &[(i32, i64)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for &(partition, next) in offsets {
        // Only offsets below zero are refused.
        let _ = list.add_partition_offset(topic, partition, Offset::Offset(next));
    }
    list
}

/// The partitions, or the whole membership, are not ours at this moment.
fn is_rebalance(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::RebalanceInProgress
            | Code::StaleMemberEpoch
            | Code::FencedMemberEpoch
            | Code::AssignmentLost
            | Code::NoOffset
            | Code::State
    )
}
