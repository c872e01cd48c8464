//! A topic as any other program sees it, which may read and write there as well.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::waiting::{DEADLINE, within};

/// A topic of a cluster.
pub(crate) struct Topic {
    name: String,
    client: BaseConsumer,
    producer: BaseProducer,
    partitions: Vec<i32>,
}

/// What lies in a topic, or is to be put there.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) partition: i32,
    pub(crate) value: Vec<u8>,
}

impl Message {
    /// What it says, if that is a result.
    pub(crate) fn result(&self) -> Option<Value> {
        serde_json::from_slice(&self.value).ok().filter(|value: &Value| value["scheduled_at"].is_string())
    }
}

impl Topic {
    /// The one that a setting below `result_log.kafka` names. There must be one already.
    pub(crate) fn of(cluster: &Cluster<'_>, key: &str) -> Self {
        let setting = |key: &str| cluster.setting(&format!("result_log.kafka.{key}")).to_owned();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", setting("brokers"));
        let producer = config.create().unwrap();
        // It asks what the group has committed, and never joins it.
        let client: BaseConsumer = config.set("group.id", setting("group")).create().unwrap();
        let name = setting(key);
        let metadata = client.fetch_metadata(Some(&name), DEADLINE).unwrap();
        let partitions = metadata.topics()[0].partitions().iter().map(|partition| partition.id()).collect();
        Self { name, client, producer, partitions }
    }

    /// Of which there are as many as the settings say.
    pub(crate) fn partitions(&self) -> &[i32] {
        &self.partitions
    }

    /// Puts messages there, in this order.
    pub(crate) fn put(&self, messages: &[Message]) {
        for message in messages {
            let record = BaseRecord::<(), _>::to(&self.name).partition(message.partition);
            self.producer.send(record.payload(&message.value)).map_err(|(error, _)| error).unwrap();
        }
        self.producer.flush(DEADLINE).unwrap();
    }

    /// All that lie there now, in order within each partition.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut list = TopicPartitionList::new();
        for &partition in &self.partitions {
            list.add_partition_offset(&self.name, partition, Offset::Beginning).unwrap();
        }
        let count = self.partitions.iter().map(|&partition| self.end(partition)).sum::<i64>() as usize;
        self.client.assign(&list).unwrap();
        let messages = (0..count).map(|_| self.next()).collect();
        self.client.unassign().unwrap();
        messages
    }

    fn next(&self) -> Message {
        // It may also return early, with nothing.
        let poll = || self.client.poll(Duration::from_millis(100));
        let message = within(DEADLINE, "a message of the topic", poll).unwrap();
        Message { partition: message.partition(), value: message.payload().unwrap_or_default().to_vec() }
    }

    /// How many messages the group has not committed.
    pub(crate) fn unread(&self) -> i64 {
        let mut list = TopicPartitionList::new();
        for &partition in &self.partitions {
            list.add_partition(&self.name, partition);
        }
        let committed = self.client.committed_offsets(list, DEADLINE).unwrap();
        let read = |offset: Offset| if let Offset::Offset(next) = offset { next } else { 0 };
        committed
            .elements()
            .iter()
            .map(|element| self.end(element.partition()) - read(element.offset()))
            .sum()
    }

    fn end(&self, partition: i32) -> i64 {
        let (_, end) = self.client.fetch_watermarks(&self.name, partition, Duration::from_secs(10)).unwrap();
        end
    }
}
