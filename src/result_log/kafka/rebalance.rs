//! What the polling thread is told: partitions that come and go, commits that are done.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientContext, TopicPartitionList};

use super::context::Context;
use super::health::Health;
use super::marks::{Offsets, Start};

/// In librdkafka's words.
const UNSUPPORTED: &str = "ConsumerGroupHeartbeatRequest not supported by broker";

/// In the order in which they happened.
pub(super) enum Event {
    /// These are ours from now on.
    Assigned(Vec<i32>),
    /// These are not ours any more.
    Revoked(Vec<i32>),
    /// The group's coordinator does not know the group protocol.
    Unsupported,
    /// Where the brokers let turns begin.
    Started(Vec<Start>),
    /// A commit has ended.
    Committed(KafkaResult<Offsets>),
}

/// The callbacks of a consumer. They run inside its `poll`.
pub(super) struct ReaderContext {
    client: Context,
    events: Sender<Event>,
}

impl ReaderContext {
    /// Tells `events`.
    pub(super) fn new(health: Arc<Health>, events: Sender<Event>) -> Self {
        Self { client: Context::new(health), events }
    }

    fn tell(&self, event: Event) {
        // While the consumer is closed, nobody listens any more.
        let _ = self.events.send(event);
    }
}

impl ClientContext for ReaderContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // The library tries for ever and raises no error.
        if line.contains(UNSUPPORTED) {
            self.tell(Event::Unsupported);
        }
        self.client.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{UnsupportedFeature, UnsupportedVersion};
        match error.rdkafka_error_code() {
            // Not a trouble: another protocol will do.
            Some(UnsupportedVersion | UnsupportedFeature) => self.tell(Event::Unsupported),
            _ => self.client.error(error, reason),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.client.stats_raw(statistics);
    }
}

impl ConsumerContext for ReaderContext {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.tell(Event::Assigned(partitions(list))),
            Rebalance::Revoke(list) => self.tell(Event::Revoked(partitions(list))),
            Rebalance::Error(error) => self.client.error(error.clone(), "rebalance failed"),
        }
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}
