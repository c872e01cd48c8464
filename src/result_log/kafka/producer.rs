//! Sends results and waits until every broker that must have them does.

mod group;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use log::{info, warn};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use tokio::sync::oneshot;

use self::group::{Group, Rest};
use super::context::Context;
use super::health::Health;
use super::{TARGET, config, message};
use crate::model::CheckResult;
use crate::result_log::kafka_settings::KafkaSettings;

/// A producer of librdkafka, with the thread that polls it.
type Native = ThreadedProducer<Context>;

/// Resolves when all messages of a group are settled, with the first failure.
pub(super) type Settled = oneshot::Receiver<KafkaResult<()>>;

/// Sends messages. Shared by results and dead letters.
pub(super) struct Producer {
    settings: Arc<KafkaSettings>,
    health: Arc<Health>,
    /// `None` when it was closed.
    native: Mutex<Option<Native>>,
    /// Sends every message as a batch of its own: for those whose company was refused. Made when it is needed.
    single: Mutex<Option<Native>>,
    /// Bytes that a batch of `native` may have: what the topic takes, as far as that is known.
    limit: AtomicUsize,
    /// Results appended and not settled.
    depth: Arc<AtomicUsize>,
}

/// A message on its way to a topic.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: OwnedHeaders,
    /// Since 1970; `None` for now, by the clock of this machine.
    pub(super) at_ms: Option<i64>,
}

/// Why results were not appended.
pub(super) enum Unsent {
    /// Nobody knows which of them are in the log.
    Failed(KafkaError),
    /// All are in the log but these, which were refused one by one.
    Refused { which: Vec<usize>, error: KafkaError },
}

impl From<KafkaError> for Unsent {
    fn from(error: KafkaError) -> Self {
        Self::Failed(error)
    }
}

/// A result as it goes on its way, and its place among those that were appended with it.
struct Ready {
    place: usize,
    key: String,
    value: Vec<u8>,
    at_ms: Option<i64>,
}

impl Ready {
    fn new((place, result): (usize, &CheckResult)) -> KafkaResult<Self> {
        let value = message::encode(result).map_err(|_| INVALID)?;
        Ok(Self { place, key: message::key(result), value, at_ms: message::at_ms(result) })
    }
}

impl Producer {
    /// Connects in the background.
    pub(super) fn new(settings: Arc<KafkaSettings>, health: Arc<Health>) -> KafkaResult<Self> {
        let limit = config::LARGEST_BATCH;
        let native = Mutex::new(Some(create(&settings, &health, limit)?));
        let (single, limit) = (Mutex::default(), AtomicUsize::new(limit));
        Ok(Self { settings, health, native, single, limit, depth: Arc::default() })
    }

    /// Results appended and not settled.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Returns when all are acknowledged, or one has failed. Given up half way, it lets what was sent already arrive.
    ///
    /// Brokers refuse a whole batch for its size, or for one of its messages, and librdkafka never splits one. So what is larger than
    /// a batch may be goes alone from the beginning, and what was refused in company goes again, one by one.
    pub(super) async fn append(&self, results: &[CheckResult]) -> Result<(), Unsent> {
        let limit = self.limit.load(Ordering::Relaxed);
        let ready = results.iter().enumerate().map(Ready::new).collect::<KafkaResult<Vec<_>>>()?;
        let (together, mut alone): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(|ready| ready.value.len() <= limit);
        match self.append_together(&together).await {
            Err(error) if blames_a_message(&error) => {
                if is_too_large(&error) {
                    self.shrink(limit);
                }
                alone.extend(together);
            }
            outcome => outcome?,
        }
        self.append_singly(&alone).await
    }

    async fn append_together(&self, ready: &[Ready]) -> KafkaResult<()> {
        if ready.is_empty() {
            return Ok(());
        }
        let native = self.native()?;
        let (group, settled) = Group::new(ready.len(), Arc::clone(&self.depth));
        let mut rest = Rest { count: ready.len(), group };
        for ready in ready {
            self.append_one(&native, ready, &rest.group).await?;
            rest.count -= 1;
        }
        drop(rest);
        settled.await.unwrap_or(Err(KafkaError::Canceled))
    }

    /// Each as a batch of its own, so that a refusal concerns nobody else.
    async fn append_singly(&self, ready: &[Ready]) -> Result<(), Unsent> {
        if ready.is_empty() {
            return Ok(());
        }
        let native = self.single()?;
        let mut sent = Vec::with_capacity(ready.len());
        for ready in ready {
            let (group, settled) = Group::new(1, Arc::clone(&self.depth));
            let mut rest = Rest { count: 1, group };
            let handed = self.append_one(&native, ready, &rest.group).await;
            rest.count -= usize::from(handed.is_ok());
            sent.push((ready.place, handed, settled));
        }
        let mut refused: Option<(Vec<usize>, KafkaError)> = None;
        for (place, handed, settled) in sent {
            let outcome = match handed {
                Ok(()) => settled.await.unwrap_or(Err(KafkaError::Canceled)),
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if is_refused_for_good(&error) => {
                    refused.get_or_insert_with(|| (Vec::new(), error)).0.push(place);
                }
                outcome => outcome?,
            }
        }
        refused.map_or(Ok(()), |(which, error)| Err(Unsent::Refused { which, error }))
    }

    /// Waits while the queue is full: it empties as brokers acknowledge, or as messages time out.
    async fn append_one(&self, native: &Native, ready: &Ready, group: &Arc<Group>) -> KafkaResult<()> {
        let mut delays = backoff();
        loop {
            let outgoing = Outgoing {
                topic: &self.settings.topic,
                key: Some(ready.key.as_bytes()),
                value: Some(&ready.value),
                headers: message::headers(),
                at_ms: ready.at_ms,
            };
            match hand_over(native, outgoing, Arc::clone(group)) {
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    tokio::time::sleep(delays.next().unwrap_or(LONGEST_DELAY)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// What a batch may have from now on: `largest` is what the topics take.
    pub(super) fn limit(&self, largest: usize) {
        let limit = largest.saturating_sub(OVERHEAD).max(largest / 2).clamp(1, config::LARGEST_BATCH);
        let before = self.limit.swap(limit, Ordering::Relaxed);
        if limit != before {
            info!(target: TARGET, bytes = limit; "batches are as large as the topics take");
            self.replace();
        }
    }

    /// A batch of up to `refused` bytes was too large. Unless somebody has noticed before, the next ones are smaller.
    fn shrink(&self, refused: usize) {
        let smaller = (refused / 4).max(1);
        let swapped = self.limit.compare_exchange(refused, smaller, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_ok() {
            warn!(target: TARGET, bytes = refused, smaller; "a batch was too large for the topic, making smaller ones");
            self.replace();
        }
    }

    /// The present client is replaced by one with the present limit. What is under way ends with the old one.
    fn replace(&self) {
        let mut native = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(present) = native.as_mut() else { return };
        match create(&self.settings, &self.health, self.limit.load(Ordering::Relaxed)) {
            Ok(next) => retire(std::mem::replace(present, next)),
            Err(error) => warn!(target: TARGET, error:%; "failed to replace the producer"),
        }
    }

    /// Sends one message, alone, and does not wait.
    pub(super) fn send(&self, outgoing: Outgoing<'_>) -> KafkaResult<Settled> {
        let (group, settled) = Group::new(1, Arc::new(AtomicUsize::new(0)));
        hand_over(&self.single()?, outgoing, group)?;
        Ok(settled)
    }

    /// The client that works. An idempotent producer that found its own order broken refuses everything from then on:
    /// it is replaced, and whoever was waiting sends again.
    pub(super) fn native(&self) -> KafkaResult<Native> {
        let mut native = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        let present = native.as_mut().ok_or(KafkaError::Canceled)?;
        if let Some((code, reason)) = present.client().fatal_error() {
            warn!(target: TARGET, code:?, reason; "the producer has failed for good and is replaced");
            let limit = self.limit.load(Ordering::Relaxed);
            retire(std::mem::replace(present, create(&self.settings, &self.health, limit)?));
        }
        Ok(present.clone())
    }

    /// The client for what goes alone.
    fn single(&self) -> KafkaResult<Native> {
        // Closed is closed.
        if self.native.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(KafkaError::Canceled);
        }
        let mut single = self.single.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = single.take_if(|native| native.client().fatal_error().is_some());
        failed.into_iter().for_each(retire);
        match &*single {
            Some(present) => Ok(present.clone()),
            None => Ok(single.insert(create(&self.settings, &self.health, 1)?).clone()),
        }
    }

    /// Gives up what is not acknowledged, and blocks for half a second at most. Whoever waits for it sends it again elsewhere.
    pub(super) fn close(&self) {
        drop(take(&self.native));
        drop(take(&self.single));
    }
}

impl Drop for Producer {
    /// Dropping a client joins threads, which the dropper should not wait for.
    fn drop(&mut self) {
        [take(&self.native), take(&self.single)].into_iter().flatten().for_each(retire);
    }
}

fn create(settings: &KafkaSettings, health: &Arc<Health>, batch: usize) -> KafkaResult<Native> {
    Native::from_config_and_context(&config::producer(settings, batch), Context::new(Arc::clone(health)))
}

/// Those who still use it keep it alive.
fn retire(native: Native) {
    elsewhere("kafka-drop", move || drop(native));
}

/// Somebody's message is the trouble, perhaps not ours: a batch is refused as a whole.
fn blames_a_message(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    is_refused_for_good(error) || code == Some(RDKafkaErrorCode::InvalidTimestamp)
}

/// Of a message that was alone. A wrong time is none of these: clocks are set right.
fn is_refused_for_good(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    is_too_large(error) || code == Some(RDKafkaErrorCode::InvalidRecord)
}

fn is_too_large(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{InvalidMessageSize, MessageSizeTooLarge};
    matches!(error.rdkafka_error_code(), Some(MessageSizeTooLarge | InvalidMessageSize))
}

fn hand_over(native: &Native, outgoing: Outgoing<'_>, group: Arc<Group>) -> KafkaResult<()> {
    let Outgoing { topic, key, value, headers, at_ms } = outgoing;
    let mut record = BaseRecord::with_opaque_to(topic, group).headers(headers);
    record.timestamp = at_ms;
    record.key = key;
    record.payload = value;
    native.send(record).map_err(|(error, _)| error)
}

/// A result that has no JSON; there is none.
const INVALID: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::InvalidArgument);

/// What a batch has besides its messages, and some room.
const OVERHEAD: usize = 512;

/// The longest pause while the queue is full.
const LONGEST_DELAY: Duration = Duration::from_millis(200);

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(2))
        .with_max_delay(LONGEST_DELAY)
        .without_max_times()
        .build()
}

/// Runs what may block for a while on a thread of its own; where there can be none, here.
pub(super) fn elsewhere(name: &str, work: impl FnOnce() + Send + 'static) {
    let work = Arc::new(Mutex::new(Some(work)));
    let run = {
        let work = Arc::clone(&work);
        move || run_once(&work)
    };
    if std::thread::Builder::new().name(name.to_owned()).spawn(run).is_err() {
        run_once(&work);
    }
}

fn run_once(work: &Mutex<Option<impl FnOnce()>>) {
    if let Some(work) = take(work) {
        work();
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}
