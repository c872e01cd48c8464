//! The log on Kafka: many machines append to it and many read it.
//!
//! ```text
//! append ─▶ Producer ─▶ topic, by site ─▶ Consumer, a thread ─▶ batches ─▶ commit: offsets of the group
//!                                              └─▶ dead letters: what can't be read
//! ```
//!
//! The clients are librdkafka's and run on threads of their own, so nothing here blocks an arbiter.

mod ahead;
mod commits;
mod config;
mod consumer;
mod context;
mod dead_letter;
mod health;
mod inspect;
mod listener;
mod marks;
mod membership;
mod message;
mod producer;
mod reader;
mod rebalance;
mod refusal;
mod request;
mod survey;
mod topics;
mod watch;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use log::error;
use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::oneshot;

use self::dead_letter::Letter;
use self::health::Health;
pub(super) use self::marks::Mark;
use self::producer::{Producer, Unsent, elsewhere};
use self::reader::Running;
use self::refusal::{Refusal, unreachable};
use self::survey::Survey;
use self::watch::Watch;
use super::kafka_settings::KafkaSettings;
use super::{Condition, LogError, LogReader, ResultLog, essence};
use crate::model::CheckResult;

/// Of our log lines, and of librdkafka's.
const TARGET: &str = "uptime_monitor::result_log::kafka";

/// [`ResultLog`] on a topic.
pub struct KafkaResultLog {
    settings: Arc<KafkaSettings>,
    producer: Arc<Producer>,
    health: Arc<Health>,
    reader_health: Arc<Health>,
    /// The brokers don't offer the group protocol that is set, so readers use the classic one.
    classic: Arc<AtomicBool>,
    /// The present reader's thread.
    running: Mutex<Option<Running>>,
    /// Ends with the log.
    watch: Mutex<Option<Watch>>,
    survey: Survey,
}

impl KafkaResultLog {
    /// Connects, makes the topics that are missing and verifies the others. Takes seconds when brokers are away, then says why.
    /// Any executor will do.
    pub async fn open(settings: KafkaSettings) -> Result<Self, LogError> {
        let (done, opened) = oneshot::channel();
        elsewhere("kafka-open", move || {
            // Whoever wanted it may be gone.
            let _ = done.send(Self::open_blocking(settings));
        });
        opened.await.unwrap_or(Err(LogError::Closed))
    }

    fn open_blocking(settings: KafkaSettings) -> Result<Self, LogError> {
        let settings = Arc::new(settings);
        let health = Arc::new(Health::new("append", settings.server()));
        let reader_health = Arc::new(Health::new("read", settings.server()));
        let producer = Producer::new(Arc::clone(&settings), Arc::clone(&health))
            .map_err(|error| Refusal::of_settings(&error).into_error(&settings))?;
        topics::prepare(&settings, &producer, &health)?;
        let producer = Arc::new(producer);
        let watch = watch::start(Arc::clone(&settings), Arc::clone(&producer), Arc::clone(&health));
        Ok(Self {
            survey: Survey::new(Arc::clone(&settings)),
            settings,
            producer,
            health,
            reader_health,
            classic: Arc::default(),
            running: Mutex::default(),
            watch: Mutex::new(Some(watch)),
        })
    }
}

#[async_trait]
impl ResultLog for KafkaResultLog {
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError> {
        self.producer.append(&results).await.map_err(|unsent| match unsent {
            Unsent::Failed(error) => unreachable(&self.settings, self.health.cause(), &error),
            Unsent::Refused { which, error } => LogError::Unacceptable { which, message: error.to_string() },
        })
    }

    async fn set_aside(&self, result: &CheckResult, why: &str) -> Result<(), LogError> {
        let letter = Letter::of_result(result, why, &self.settings.topic)
            .map_err(|error| LogError::Unacceptable { which: vec![0], message: error.to_string() })?;
        match letter.deliver(&self.settings.dead_letter_topic, &self.producer).await {
            // Trying again will not help; then it has to do that a person can read it.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                let topic = &self.settings.dead_letter_topic;
                error!(target: TARGET, topic, why, result = essence(result); "a result is put aside here, because this user may not write dead letters");
                Ok(())
            }
            outcome => outcome.map_err(|error| unreachable(&self.settings, self.health.cause(), &error)),
        }
    }

    fn reader(&self) -> Box<dyn LogReader> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (reader, present) = reader::start(
            Arc::clone(&self.settings),
            Arc::clone(&self.producer),
            Arc::clone(&self.reader_health),
            Arc::clone(&self.classic),
            running.take(),
        );
        *running = Some(present);
        Box::new(reader)
    }

    fn depth(&self) -> usize {
        self.producer.depth()
    }

    /// Ends the reader, which leaves its group at once, and gives up what is not acknowledged. Blocks for `within` and a second more at most.
    ///
    /// Without it, a process that ends leaves its partitions to nobody until the group's session has expired: 45 s by default.
    fn close(&self, within: Duration) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.stop();
            running.wait(within);
        }
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.producer.close();
    }

    fn outlives_process(&self) -> bool {
        true
    }

    async fn read_to_end(&self) -> Result<(), LogError> {
        self.survey.read_to_end().await
    }

    fn condition(&self) -> Condition {
        let trouble = self.health.trouble().or_else(|| self.reader_health.trouble());
        let trouble = trouble.or_else(|| self.health.topic());
        let (lag, deleted_unread) = (self.reader_health.lag(), self.reader_health.deleted());
        Condition { trouble, lag, deleted_unread }
    }
}

impl Drop for KafkaResultLog {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().unwrap_or_else(PoisonError::into_inner) {
            running.stop();
        }
    }
}
