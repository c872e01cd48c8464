//! Sends results and waits until every broker that must have them does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use log::warn;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;

use super::super::kafka_settings::KafkaSettings;
use super::context::Context;
use super::health::Health;
use super::{TARGET, config, message};
use crate::model::CheckResult;

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
    /// Results appended and not settled.
    depth: Arc<AtomicUsize>,
}

/// A message on its way to a topic.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: OwnedHeaders,
}

impl Producer {
    /// Connects in the background.
    pub(super) fn new(settings: Arc<KafkaSettings>, health: Arc<Health>) -> KafkaResult<Self> {
        let native = Mutex::new(Some(create(&settings, &health)?));
        Ok(Self { settings, health, native, depth: Arc::default() })
    }

    /// Results appended and not settled.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Returns when all are acknowledged, or one has failed. Given up half way, it lets what was sent already arrive.
    pub(super) async fn append(&self, results: &[CheckResult]) -> KafkaResult<()> {
        if results.is_empty() {
            return Ok(());
        }
        let native = self.native()?;
        let (group, settled) = Group::new(results.len(), Arc::clone(&self.depth));
        let mut rest = Rest { count: results.len(), group };
        for result in results {
            self.append_one(&native, result, &rest.group).await?;
            rest.count -= 1;
        }
        drop(rest);
        settled.await.unwrap_or(Err(KafkaError::Canceled))
    }

    /// Waits while the queue is full: it empties as brokers acknowledge, or as messages time out.
    async fn append_one(&self, native: &Native, result: &CheckResult, group: &Arc<Group>) -> KafkaResult<()> {
        let value = message::encode(result).map_err(|_| INVALID)?;
        let key = message::key(result);
        let mut delays = backoff();
        loop {
            let outgoing = Outgoing {
                topic: &self.settings.topic,
                key: Some(key.as_bytes()),
                value: Some(&value),
                headers: message::headers(),
            };
            match hand_over(native, outgoing, Arc::clone(group)) {
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    tokio::time::sleep(delays.next().unwrap_or(LONGEST_DELAY)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends one message and does not wait.
    pub(super) fn send(&self, outgoing: Outgoing<'_>) -> KafkaResult<Settled> {
        let (group, settled) = Group::new(1, Arc::new(AtomicUsize::new(0)));
        hand_over(&self.native()?, outgoing, group)?;
        Ok(settled)
    }

    /// The client that works. An idempotent producer that found its own order broken refuses everything from then on:
    /// it is replaced, and whoever was waiting sends again.
    pub(super) fn native(&self) -> KafkaResult<Native> {
        let mut native = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        let present = native.as_mut().ok_or(KafkaError::Canceled)?;
        if let Some((code, reason)) = present.client().fatal_error() {
            warn!(target: TARGET, code:?, reason; "the producer has failed for good and is replaced");
            let failed = std::mem::replace(present, create(&self.settings, &self.health)?);
            elsewhere("kafka-drop", move || drop(failed));
        }
        Ok(present.clone())
    }

    /// Gives up what is not acknowledged, and blocks for half a second at most. Whoever waits for it sends it again elsewhere.
    pub(super) fn close(&self) {
        drop(take(&self.native));
    }
}

impl Drop for Producer {
    /// Dropping a client joins threads, which the dropper should not wait for.
    fn drop(&mut self) {
        if let Some(native) = take(&self.native) {
            elsewhere("kafka-drop", move || drop(native));
        }
    }
}

fn create(settings: &KafkaSettings, health: &Arc<Health>) -> KafkaResult<Native> {
    Native::from_config_and_context(&config::producer(settings), Context::new(Arc::clone(health)))
}

fn hand_over(native: &Native, outgoing: Outgoing<'_>, group: Arc<Group>) -> KafkaResult<()> {
    let Outgoing { topic, key, value, headers } = outgoing;
    let mut record = BaseRecord::with_opaque_to(topic, group).headers(headers);
    record.key = key;
    record.payload = value;
    native.send(record).map_err(|(error, _)| error)
}

/// A result that has no JSON; there is none.
const INVALID: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::InvalidArgument);

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

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Group>;

    fn delivery(&self, outcome: &DeliveryResult<'_>, group: Arc<Group>) {
        match outcome {
            Ok(_) => self.health().worked(),
            Err((error, _)) => {
                self.undelivered(error);
                // The first reason is the one that is told.
                let _ = group.failure.set(error.clone());
            }
        }
        group.settle(1);
    }
}

/// Messages that are sent together and settled together.
pub(super) struct Group {
    /// Not settled yet.
    open: AtomicUsize,
    failure: OnceLock<KafkaError>,
    done: Mutex<Option<oneshot::Sender<KafkaResult<()>>>>,
    depth: Arc<AtomicUsize>,
}

impl Group {
    fn new(count: usize, depth: Arc<AtomicUsize>) -> (Arc<Self>, Settled) {
        let (done, settled) = oneshot::channel();
        depth.fetch_add(count, Ordering::Relaxed);
        let (open, failure) = (AtomicUsize::new(count), OnceLock::new());
        (Arc::new(Self { open, failure, done: Mutex::new(Some(done)), depth }), settled)
    }

    fn settle(&self, count: usize) {
        self.depth.fetch_sub(count, Ordering::Relaxed);
        if self.open.fetch_sub(count, Ordering::AcqRel) > count {
            return;
        }
        if let Some(done) = take(&self.done) {
            // Nobody waits any more when the append was given up.
            let _ = done.send(self.failure.get().cloned().map_or(Ok(()), Err));
        }
    }
}

/// What was not handed to the library yet. Given up, also by a future that is dropped, it counts as settled.
struct Rest {
    group: Arc<Group>,
    count: usize,
}

impl Drop for Rest {
    fn drop(&mut self) {
        if self.count > 0 {
            self.group.settle(self.count);
        }
    }
}
