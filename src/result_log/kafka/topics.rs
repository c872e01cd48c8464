//! The topics that we need: made where they are missing, and looked at before anything relies on them.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, info};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::producer::Producer as _;

use super::context::Context;
use super::health::Health;
use super::inspect::{Inspector, largest};
use super::producer::Producer;
use super::refusal::{Refusal, unreachable};
use super::{TARGET, config, listener};
use crate::clock::Clock;
use crate::result_log::LogError;
use crate::result_log::kafka_settings::KafkaSettings;

/// A broker that is there answers in milliseconds, but it may have to be found first.
const PATIENCE: Duration = Duration::from_secs(10);

/// All known brokers have failed once. A second address of the same name may still work.
const PATIENCE_ALONE: Duration = Duration::from_secs(3);

/// How often we look whether librdkafka has found out more than "no answer".
const LOOK: Duration = Duration::from_millis(500);

/// A new topic is known everywhere after this long.
const SPREAD: Duration = Duration::from_secs(20);

/// Makes what is missing, then verifies. Blocks for seconds at most.
pub(super) fn prepare(
    settings: &KafkaSettings,
    producer: &Producer,
    health: &Arc<Health>,
) -> Result<(), LogError> {
    let topics = Topics { settings, producer, health };
    let known = topics.look(PATIENCE)?;
    let missing: Vec<NewTopic<'_>> =
        topics.wanted().into_iter().filter(|topic| find(&known, topic.name).is_none()).collect();
    if !missing.is_empty() {
        topics.create(&missing)?;
    }
    topics.verify()?;
    topics.inspect()
}

struct Topics<'a> {
    settings: &'a KafkaSettings,
    producer: &'a Producer,
    health: &'a Arc<Health>,
}

impl Topics<'_> {
    /// Brokers must not be relied on to make topics: they would do it with a number of partitions of their own.
    fn wanted(&self) -> [NewTopic<'_>; 2] {
        // The protocol's word for "by default" is -1.
        let copies = if self.settings.replication > 0 { self.settings.replication } else { -1 };
        let replication = || TopicReplication::Fixed(copies);
        [
            NewTopic::new(&self.settings.topic, self.settings.partitions, replication())
                .set("retention.ms", "604800000")
                .set("compression.type", "producer")
                // No clock but the brokers' own decides what is old enough to go.
                .set("message.timestamp.type", "LogAppendTime")
                .set("cleanup.policy", "delete"),
            NewTopic::new(&self.settings.dead_letter_topic, 1, replication())
                .set("retention.ms", "2592000000")
                .set("compression.type", "producer")
                .set("message.timestamp.type", "LogAppendTime")
                .set("cleanup.policy", "delete"),
        ]
    }

    /// All topics: asking for one by name may make brokers create it.
    fn look(&self, patience: Duration) -> Result<Metadata, LogError> {
        let started = Clock::instant();
        loop {
            let error = match self.metadata() {
                Ok(metadata) => return Ok(metadata),
                Err(error) => error,
            };
            if let Some(refusal) = self.health.refusal() {
                return Err(refusal.into_error(self.settings));
            }
            let waited = Clock::instant() - started;
            if waited >= patience || (waited >= PATIENCE_ALONE && self.health.trouble().is_some()) {
                return Err(self.not_reached(&error));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn not_reached(&self, error: &KafkaError) -> LogError {
        match listener::misunderstanding(self.settings) {
            Some(refusal) => refusal.into_error(self.settings),
            None => self.with_hint(unreachable(self.settings, self.health.cause(), error)),
        }
    }

    /// A broker that goes down closes connections too, so this is no refusal. Whether we hear of it while we read or while we write
    /// is chance.
    fn with_hint(&self, error: LogError) -> LogError {
        const CLOSED: [&str; 3] = ["closed by peer", "Broken pipe", "Connection reset"];
        match error {
            LogError::Unreachable { server, message }
                if !self.settings.security.authenticates()
                    && CLOSED.iter().any(|sign| message.contains(sign)) =>
            {
                let hint =
                    "as if closed by a listener that wants a login (result_log.kafka.security with SASL)";
                LogError::Unreachable { server, message: format!("{message}, {hint}") }
            }
            error => error,
        }
    }

    fn metadata(&self) -> KafkaResult<Metadata> {
        self.producer.native()?.client().fetch_metadata(None, LOOK)
    }

    fn create(&self, missing: &[NewTopic<'_>]) -> Result<(), LogError> {
        let outcomes = self.request(missing).map_err(|error| self.failed(&error))?;
        for outcome in outcomes {
            match outcome {
                Ok(topic) => info!(target: TARGET, topic; "topic created"),
                // Another process was faster.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(self.not_created(&topic, code)),
            }
        }
        Ok(())
    }

    fn request(&self, missing: &[NewTopic<'_>]) -> KafkaResult<Vec<rdkafka::admin::TopicResult>> {
        // The callbacks of this client are never served; the producer beside it tells us of the brokers.
        let context = Context::new(Arc::clone(self.health));
        let admin = AdminClient::from_config_and_context(&config::admin(self.settings), context)?;
        let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| KafkaError::AdminOpCreation(error.to_string()))?;
        runtime.block_on(admin.create_topics(missing, &options))
    }

    fn not_created(&self, topic: &str, code: RDKafkaErrorCode) -> LogError {
        match Refusal::of_topic(topic, code, self.settings) {
            Some(refusal) => refusal.into_error(self.settings),
            None => self.failed(&KafkaError::AdminOp(code)),
        }
    }

    fn failed(&self, error: &KafkaError) -> LogError {
        unreachable(self.settings, self.health.cause(), error)
    }

    /// Waits until the topics are known, with a leader for each partition: a new topic takes a moment.
    fn verify(&self) -> Result<(), LogError> {
        let started = Clock::instant();
        loop {
            let known = self.look(PATIENCE)?;
            let (results, letters) =
                (find(&known, &self.settings.topic), find(&known, &self.settings.dead_letter_topic));
            match (results, letters) {
                (Some(results), Some(letters)) if is_ready(results) && is_ready(letters) => {
                    return self.count(results.partitions().len());
                }
                _ if Clock::instant() - started > SPREAD => return Err(self.not_ready(results, letters)),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn count(&self, found: usize) -> Result<(), LogError> {
        if found == usize::try_from(self.settings.partitions).unwrap_or_default() {
            return Ok(());
        }
        Err(Refusal::partitions(found, self.settings).into_error(self.settings))
    }

    /// What the topics take, and what becomes of what they have. Where that is not told, a refusal will.
    fn inspect(&self) -> Result<(), LogError> {
        let names = [&*self.settings.topic, &*self.settings.dead_letter_topic];
        let asked = Inspector::new(self.settings, self.health).and_then(|inspector| inspector.ask(names));
        let topics = match asked {
            Ok(topics) => topics,
            Err(error) => {
                debug!(target: TARGET, error:%; "the settings of the topics are not known");
                return Ok(());
            }
        };
        if let Some(largest) = largest(&topics) {
            self.producer.limit(largest);
        }
        match names.into_iter().zip(topics).find(|(_, topic)| topic.is_some_and(|topic| topic.compacts)) {
            Some((name, _)) => Err(Refusal::compacts(name).into_error(self.settings)),
            None => Ok(()),
        }
    }

    fn not_ready(&self, results: Option<&MetadataTopic>, letters: Option<&MetadataTopic>) -> LogError {
        let topic = if results.is_some_and(is_ready) {
            &self.settings.dead_letter_topic
        } else {
            &self.settings.topic
        };
        let found = if results.is_some_and(is_ready) { letters } else { results };
        let code = found.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from);
        self.not_created(topic, code.unwrap_or(RDKafkaErrorCode::LeaderNotAvailable))
    }
}

fn find<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a MetadataTopic> {
    metadata.topics().iter().find(|topic| topic.name() == name)
}

/// How many partitions a topic has; `None` where there is no such topic.
pub(super) fn partitions(metadata: &Metadata, name: &str) -> Option<usize> {
    find(metadata, name).filter(|topic| topic.error().is_none()).map(|topic| topic.partitions().len())
}

fn is_ready(topic: &MetadataTopic) -> bool {
    topic.error().is_none()
        && !topic.partitions().is_empty()
        && topic.partitions().iter().all(|partition| partition.leader() >= 0)
}
