//! `[result_log]`: what carries results from the checkers to the database.

use crate::config::fault::Fault;
use crate::config::parse::{self, unknown_word};
use crate::config::reader::Reader;
use crate::config::secret::real;
use crate::config::services;
use crate::result_log::kafka_settings::KafkaSettings;

/// `[result_log]`: what carries results from the checkers to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLogConfig {
    /// Which implementation.
    pub kind: ResultLogKind,
    /// Results that may wait before checks pause; at least 1.
    pub capacity: usize,
    /// `[result_log.kafka]`
    pub kafka: KafkaSettings,
}

/// Implementations of the result log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResultLogKind {
    /// Inside this process.
    #[default]
    Local,
    /// In Kafka, for any number of processes.
    Kafka,
}

impl ResultLogConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let kind = reader.choice("kind", kind);
        let capacity = reader.count("capacity", 1..=10_000_000);
        Self { kind, capacity, kafka: kafka(reader.section("result_log.kafka"), capacity) }
    }
}

/// `[result_log.kafka]`.
fn kafka(reader: &mut Reader<'_>, capacity: usize) -> KafkaSettings {
    let settings = KafkaSettings {
        brokers: reader.list("brokers", services::broker),
        topic: reader.text("topic", services::topic),
        dead_letter_topic: reader.text("dead_letter_topic", services::topic),
        group: reader.text("group", services::group),
        partitions: reader.count("partitions", 1..=10_000),
        replication: reader.count("replication", 0..=100),
        group_protocol: reader.choice("group_protocol", services::group_protocol),
        security: reader.choice("security", services::security),
        mechanism: reader.choice("mechanism", services::mechanism),
        username: reader.text("username", parse::label),
        password: reader.text("password", |password| real(password).map(|()| password.to_owned())),
        ca_file: reader.path("ca_file"),
        capacity,
    };
    if settings.security.authenticates() && settings.username.is_empty() {
        reader.conflict(
            ["security", "username"],
            "needs a user, and not",
            "set username and password, or choose \"plaintext\" or \"tls\"",
        );
    }
    if settings.brokers.is_empty() {
        reader.refuse("brokers", "names no broker", "write for example [\"kafka-1:9092\"]");
    }
    if settings.topic == settings.dead_letter_topic {
        reader.conflict(["dead_letter_topic", "topic"], "is the same as", "give them different names");
    }
    settings
}

fn kind(word: &str) -> Result<ResultLogKind, Fault> {
    match word {
        "local" => Ok(ResultLogKind::Local),
        "kafka" if cfg!(feature = "kafka") => Ok(ResultLogKind::Kafka),
        "kafka" => {
            Err(Fault::new("is not part of this build", "build with the feature \"kafka\", or use \"local\""))
        }
        _ => Err(unknown_word(word, &["local", "kafka"])),
    }
}
