//! Looks now and then whether the topics are still as they were at the start: somebody may change them, or delete them and make them
//! again.
//!
//! Neither producer nor reader would notice: sites would move to other partitions, or results vanish before they are read.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use log::debug;
use rdkafka::error::KafkaResult;
use rdkafka::producer::Producer as _;

use super::TARGET;
use super::health::Health;
use super::inspect::{Inspector, TopicSettings, largest};
use super::producer::Producer;
use super::refusal::Refusal;
use super::topics::partitions;
use crate::result_log::kafka_settings::KafkaSettings;

/// Two small questions to the brokers each time.
const EVERY: Duration = Duration::from_secs(10);

/// A broker that is there answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that looks until this is dropped.
pub(super) struct Watch(
    #[expect(dead_code, reason = "nothing is ever sent: dropping it is the message")] Sender<Infallible>,
);

/// Starts to look.
pub(super) fn start(settings: Arc<KafkaSettings>, producer: Arc<Producer>, health: Arc<Health>) -> Watch {
    let (end, ended) = channel();
    let mut watcher = Watcher { settings, producer, health, inspector: None };
    let run = move || {
        while matches!(ended.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout)) {
            // A broker that is away is told by the producer and the reader.
            let _ = watcher
                .look()
                .inspect_err(|error| debug!(target: TARGET, error:%; "the topics can't be looked at"));
        }
    };
    // Where there can be no thread, nobody looks.
    let _ = std::thread::Builder::new().name("kafka-watch".to_owned()).spawn(run);
    Watch(end)
}

struct Watcher {
    settings: Arc<KafkaSettings>,
    producer: Arc<Producer>,
    health: Arc<Health>,
    inspector: Option<Inspector>,
}

impl Watcher {
    fn look(&mut self) -> KafkaResult<()> {
        let KafkaSettings { topic, dead_letter_topic, .. } = &*self.settings;
        let known = self.producer.native()?.client().fetch_metadata(Some(topic), PATIENCE)?;
        let found = partitions(&known, topic);
        let inspector = match self.inspector.take() {
            Some(inspector) => inspector,
            None => Inspector::new(&self.settings, &self.health)?,
        };
        let topics = self.inspector.insert(inspector).ask([topic, dead_letter_topic])?;
        if let Some(largest) = largest(&topics) {
            self.producer.limit(largest);
        }
        self.health.set_topic(self.trouble(found, topics));
        Ok(())
    }

    /// What is wrong with the topics, and what to do. More partitions than are set harm nobody until the setting follows.
    fn trouble(&self, found: Option<usize>, topics: [Option<TopicSettings>; 2]) -> Option<String> {
        let settings = &*self.settings;
        let names = [&settings.topic, &settings.dead_letter_topic];
        let compacts = |topic: &Option<TopicSettings>| topic.is_some_and(|topic| topic.compacts);
        let compacted = names.into_iter().zip(&topics).find(|(_, topic)| compacts(topic));
        let refusal = match (found, compacted) {
            (None, _) => Refusal::gone(settings),
            (Some(found), _) if found < usize::try_from(settings.partitions).unwrap_or_default() => {
                Refusal::made_again(found, settings)
            }
            (_, Some((name, _))) => Refusal::compacts(name),
            _ => return None,
        };
        Some(refusal.to_string())
    }
}
