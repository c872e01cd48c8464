//! How far the group has read the topic, whoever its members are.
//!
//! Asked with a client of its own that never joins the group: the reader's thread must not block, and knows its own partitions only.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::config;
use super::marks::Offsets;
use super::producer::elsewhere;
use crate::result_log::LogError;
use crate::result_log::kafka_settings::KafkaSettings;

/// For one answer of the brokers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the group's offsets.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Asks the brokers. Connects at the first question.
pub(super) struct Survey {
    settings: Arc<KafkaSettings>,
    client: Mutex<Option<Arc<Client>>>,
}

type Client = BaseConsumer<Quiet>;

/// Producer and reader tell what is wrong with the brokers. This client only gets no answers.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Quiet {}

impl Survey {
    pub(super) fn new(settings: Arc<KafkaSettings>) -> Self {
        Self { settings, client: Mutex::default() }
    }

    /// Waits until the group has committed all that is in the topic now.
    pub(super) async fn read_to_end(&self) -> Result<(), LogError> {
        let ends = self.ask(ends).await?;
        loop {
            let unread = ends.clone();
            if self.ask(move |client, topic| has_read(client, topic, &unread)).await? {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks on a thread that may block.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Client, &str) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let failed = |error: KafkaError| LogError::Unreachable {
            server: self.settings.server(),
            message: error.to_string(),
        };
        let (client, topic) = (self.client().map_err(failed)?, self.settings.topic.clone());
        let (done, answer) = oneshot::channel();
        elsewhere("kafka-survey", move || {
            // Whoever asked may be gone.
            let _ = done.send(question(&client, &topic));
        });
        answer.await.map_err(|_| LogError::Closed)?.map_err(failed)
    }

    fn client(&self) -> KafkaResult<Arc<Client>> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let config = config::survey(&self.settings);
        let new = Arc::new(Client::from_config_and_context(&config, Quiet)?);
        Ok(Arc::clone(client.insert(new)))
    }
}

/// The end of each partition that holds anything.
fn ends(client: &Client, topic: &str) -> KafkaResult<Offsets> {
    let metadata = client.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|part| part.id());
    let mut ends = Offsets::new();
    for partition in partitions {
        let (low, high) = client.fetch_watermarks(topic, partition, PATIENCE)?;
        if low < high {
            ends.push((partition, high));
        }
    }
    Ok(ends)
}

/// Whether the group has committed all of these. Fails where a partition has become shorter: its topic is another one by now.
fn has_read(client: &Client, topic: &str, ends: &[(i32, i64)]) -> KafkaResult<bool> {
    let mut asked = TopicPartitionList::with_capacity(ends.len());
    for (partition, _) in ends {
        asked.add_partition(topic, *partition);
    }
    let committed = client.committed_offsets(asked, PATIENCE)?;
    for &(partition, end) in ends {
        let found = committed.find_partition(topic, partition);
        if matches!(found.map(|found| found.offset()), Some(Offset::Offset(next)) if next >= end) {
            continue;
        }
        let (_, high) = client.fetch_watermarks(topic, partition, PATIENCE)?;
        return if high < end { Err(KafkaError::Canceled) } else { Ok(false) };
    }
    Ok(true)
}
