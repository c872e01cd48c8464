//! Settings in the words of librdkafka.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::result_log::kafka_settings::{GroupProtocol, KafkaSettings, Mechanism, Security};

/// No acknowledgement after this long is an error. A broker that restarts takes half a minute.
pub(super) const DELIVERY_TIMEOUT_S: u64 = 120;

/// The largest message that we send. Brokers take 1 MiB by default, frame included.
pub(super) const LARGEST_MESSAGE: usize = 1_000_000;

/// A batch of messages. Topics that take less are asked for their limit.
pub(super) const LARGEST_BATCH: usize = 262_144;

/// Results are far smaller; with long URLs and errors in each, this is what they take on average at most.
const BYTES_PER_RESULT: usize = 2_048;

/// What every client needs to reach the brokers.
fn common(settings: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", settings.server())
        .set("client.id", "uptime-monitor")
        .set("security.protocol", protocol(settings.security))
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "5000")
        // How we learn that a broker is there again while there is nothing to send or to read.
        .set("statistics.interval.ms", "1000")
        // A topic that was deleted must not come back by our question for it, with a number of partitions that nobody has chosen.
        .set("allow.auto.create.topics", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    if settings.security.encrypts() {
        config.set("ssl.ca.location", ca_location(settings));
    }
    if settings.security.authenticates() {
        config
            .set("sasl.mechanism", mechanism(settings.mechanism))
            .set("sasl.username", &settings.username)
            .set("sasl.password", &settings.password);
    }
    config
}

/// `probe` looks in the places where systems keep their certificates; OpenSSL that was built with us knows none of them.
fn ca_location(settings: &KafkaSettings) -> String {
    settings.ca_file.as_ref().map_or_else(|| "probe".to_owned(), |path| path.display().to_string())
}

fn protocol(security: Security) -> &'static str {
    match security {
        Security::Plaintext => "plaintext",
        Security::Tls => "ssl",
        Security::SaslPlaintext => "sasl_plaintext",
        Security::SaslTls => "sasl_ssl",
    }
}

/// The name of a mechanism.
pub(super) fn mechanism(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
    }
}

/// For the client that creates topics.
pub(super) fn admin(settings: &KafkaSettings) -> ClientConfig {
    let mut config = common(settings);
    config.set("statistics.interval.ms", "0");
    config
}

/// For the client that asks how far the group has read. It never joins, so the group's protocol does not matter.
pub(super) fn survey(settings: &KafkaSettings) -> ClientConfig {
    let mut config = admin(settings);
    config.set("group.id", &settings.group).set("enable.auto.commit", "false");
    config
}

/// Idempotent, so that a retry inside the library can't repeat or reorder. Sites stay in their partition also for
/// programs in other languages: `murmur2_random` is what Java's client does, librdkafka's own default differs. A batch has `batch`
/// bytes at most before it is compressed, or a single message.
pub(super) fn producer(settings: &KafkaSettings, batch: usize) -> ClientConfig {
    let messages = settings.capacity.clamp(1, 10_000_000);
    let kbytes = (messages * BYTES_PER_RESULT / 1024).clamp(16 * 1024, 1024 * 1024);
    let mut config = common(settings);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd")
        .set("linger.ms", "20")
        .set("message.timeout.ms", (DELIVERY_TIMEOUT_S * 1000).to_string())
        .set("batch.size", batch.to_string())
        .set("message.max.bytes", LARGEST_MESSAGE.to_string())
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", messages.to_string())
        .set("queue.buffering.max.kbytes", kbytes.to_string());
    config
}

/// Offsets are committed by us and only by us. What is fetched ahead is bounded, for all partitions together roughly.
pub(super) fn consumer(settings: &KafkaSettings) -> ClientConfig {
    let mut config = common(settings);
    config
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.message.max.bytes", "1048576")
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "16384");
    match settings.group_protocol {
        // Session and assignment are the brokers' affair; librdkafka refuses settings of ours for them. That brokers
        // are too old for it, it says only in a debug line of the group (see `rebalance::ReaderContext::log`).
        GroupProtocol::Consumer => config
            .set("group.protocol", "consumer")
            .set("debug", "cgrp")
            .set_log_level(RDKafkaLogLevel::Debug),
        GroupProtocol::Classic => {
            config.set("group.protocol", "classic").set("partition.assignment.strategy", "cooperative-sticky")
        }
    };
    config
}
