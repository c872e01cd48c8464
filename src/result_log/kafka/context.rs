//! What librdkafka tells us by itself: log lines, errors, statistics.

use std::collections::HashMap;
use std::sync::Arc;

use log::{debug, warn};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde::Deserialize;

use super::TARGET;
use super::health::{Health, Kind};
use super::refusal::with_remedy;

/// The callbacks of one client.
pub(super) struct Context {
    health: Arc<Health>,
}

impl Context {
    /// Keeps `health` up to date.
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self { health }
    }

    /// What is known of the brokers.
    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// A message was not acknowledged. In an outage that is a consequence, and its cause says more.
    pub(super) fn undelivered(&self, error: &KafkaError) {
        use RDKafkaErrorCode::{
            InvalidRecord, MessageSizeTooLarge, MessageTimedOut, PurgeInflight, PurgeQueue,
        };
        match error.rdkafka_error_code() {
            // We are closing.
            Some(PurgeQueue | PurgeInflight) => {}
            // The batch or one of its messages is refused, not the log: whoever has sent it does what can be done.
            Some(MessageSizeTooLarge | InvalidRecord) => {}
            Some(MessageTimedOut) if self.health.cause().is_some() => self.health.remind(),
            _ => self.health.failed(with_remedy(error, error.to_string()), Kind::Work),
        }
    }
}

impl ClientContext for Context {
    /// What is worth a warning comes as an error or a state too. Only why a connection was closed early stands nowhere else.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        if facility == "FAIL" && !matches!(level, RDKafkaLogLevel::Debug) {
            self.health.disconnected(without_thread(line));
        }
        debug!(target: TARGET, level:?, facility, line; "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{AllBrokersDown, Authentication, BrokerTransportFailure, Resolve, SSL};
        match error.rdkafka_error_code() {
            Some(AllBrokersDown) => self.health.alone(reason),
            Some(BrokerTransportFailure | Resolve) => self.health.disconnected(reason),
            Some(code @ (Authentication | SSL)) => self.health.unwelcome(code, reason),
            _ => self.health.failed(with_remedy(&error, format!("{error}: {reason}")), Kind::Work),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        match serde_json::from_slice::<Statistics>(statistics) {
            Ok(statistics) => self.observe(&statistics),
            Err(error) => warn!(target: TARGET, error:%; "librdkafka's statistics can't be read"),
        }
    }
}

/// A log line begins with the thread that wrote it.
fn without_thread(line: &str) -> &str {
    line.strip_prefix('[').and_then(|line| line.split_once("]: ")).map_or(line, |(_, rest)| rest)
}

impl Context {
    fn observe(&self, statistics: &Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.health.connected();
        } else {
            self.health.remind();
        }
        self.health.set_lag(statistics.lag());
    }
}

/// The few of librdkafka's statistics that we use.
#[derive(Deserialize)]
struct Statistics {
    brokers: HashMap<String, Broker>,
    topics: HashMap<String, Topic>,
}

#[derive(Deserialize)]
struct Broker {
    state: String,
}

#[derive(Deserialize)]
struct Topic {
    partitions: HashMap<i32, Partition>,
}

#[derive(Deserialize)]
struct Partition {
    fetch_state: String,
    lo_offset: i64,
    hi_offset: i64,
    committed_offset: i64,
}

impl Statistics {
    /// Over the partitions that we read; `None` while there are none.
    fn lag(&self) -> Option<u64> {
        let partitions = self.topics.values().flat_map(|topic| topic.partitions.values());
        partitions.filter(|partition| partition.is_ours()).map(Partition::lag).reduce(|sum, lag| sum + lag)
    }
}

impl Partition {
    fn is_ours(&self) -> bool {
        self.fetch_state == "active"
    }

    /// Offsets below zero say that one is not known.
    fn lag(&self) -> u64 {
        let stored = self.committed_offset.max(self.lo_offset).max(0);
        (self.hi_offset - stored).max(0) as u64
    }
}
