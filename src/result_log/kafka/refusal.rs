//! What the brokers won't do for us, as a sentence with a remedy. Each case was seen on a real broker (`tests/kafka`).

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::config;
use crate::result_log::LogError;
use crate::result_log::kafka_settings::KafkaSettings;

/// Trying again will not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    message: String,
    remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, remedy } = self;
        write!(f, "{message}; {remedy}")
    }
}

impl Refusal {
    fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn into_error(self, settings: &KafkaSettings) -> LogError {
        LogError::Refused { server: settings.server(), message: self.message, remedy: self.remedy }
    }

    /// The client could not even be made.
    pub(super) fn of_settings(error: &KafkaError) -> Self {
        let message = match error {
            KafkaError::ClientCreation(text) => text.clone(),
            other => other.to_string(),
        };
        let remedy = match message.contains("ssl.ca.location") {
            true => "check that result_log.kafka.ca_file can be read and holds certificates in PEM",
            false => "check [result_log.kafka]",
        };
        Self::new(message, remedy)
    }

    /// The connection ended in an error that is no accident.
    pub(super) fn of_connection(code: RDKafkaErrorCode, reason: &str) -> Option<Self> {
        let remedy = match code {
            RDKafkaErrorCode::Authentication if reason.contains("Unsupported SASL mechanism") => {
                "set result_log.kafka.mechanism to one that the brokers support"
            }
            RDKafkaErrorCode::Authentication if reason.contains("not valid in current SASL state") => {
                "this listener takes no login: set result_log.kafka.security to one without SASL, or name the port of a listener with SASL"
            }
            RDKafkaErrorCode::Authentication => {
                "check result_log.kafka.username, its password, and result_log.kafka.mechanism"
            }
            RDKafkaErrorCode::SSL if reason.contains("certificate verify failed") => {
                "set result_log.kafka.ca_file to the certificate that signed the brokers', and name the brokers as their certificates do"
            }
            _ => return None,
        };
        Some(Self::new(tidy(reason), remedy))
    }

    /// The listener speaks TLS and we don't.
    pub(super) fn tls_wanted() -> Self {
        Self::new(
            "the listener speaks TLS",
            "set result_log.kafka.security to \"tls\" or \"sasl_tls\", or name the port of a listener without TLS",
        )
    }

    /// We speak TLS and the listener does not.
    pub(super) fn tls_unknown() -> Self {
        Self::new(
            "the listener does not speak TLS",
            "set result_log.kafka.security to \"plaintext\" or \"sasl_plaintext\", or name the port of a listener with TLS",
        )
    }

    /// A topic could not be made or looked at.
    pub(super) fn of_topic(topic: &str, code: RDKafkaErrorCode, settings: &KafkaSettings) -> Option<Self> {
        use RDKafkaErrorCode as Code;
        let remedy = match code {
            Code::InvalidTopic => {
                "use letters, digits, '.', '_' and '-', at most 249, in result_log.kafka.topic and dead_letter_topic"
                    .to_owned()
            }
            Code::InvalidReplicationFactor => {
                "set result_log.kafka.replication to at most the number of brokers, or 0 for their default".to_owned()
            }
            Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => format!(
                "let this user create and describe topics, or create {} with {} partitions and {} with 1 for it",
                settings.topic, settings.partitions, settings.dead_letter_topic
            ),
            Code::InvalidPartitions | Code::InvalidConfig | Code::PolicyViolation => format!(
                "create {} with {} partitions and {} with 1 by hand",
                settings.topic, settings.partitions, settings.dead_letter_topic
            ),
            _ => return None,
        };
        Some(Self::new(format!("topic {topic} can't be used ({code})"), remedy))
    }

    /// Sites would move to other partitions, or readers would find nothing to do.
    pub(super) fn partitions(found: usize, settings: &KafkaSettings) -> Self {
        let KafkaSettings { topic, partitions, .. } = settings;
        Self::new(
            format!("topic {topic} has {found} partition(s) and not {partitions}"),
            format!(
                "set result_log.kafka.partitions = {found}, or add partitions with kafka-topics --alter --topic {topic} --partitions {partitions}"
            ),
        )
    }

    /// Nobody has the topic while we work.
    pub(super) fn gone(settings: &KafkaSettings) -> Self {
        let KafkaSettings { topic, partitions, .. } = settings;
        Self::new(
            format!("topic {topic} is not there any more"),
            format!(
                "a worker or consumer that starts makes it again, or create it by hand with {partitions} partitions"
            ),
        )
    }

    /// It came back otherwise while we work.
    pub(super) fn made_again(found: usize, settings: &KafkaSettings) -> Self {
        let KafkaSettings { topic, partitions, .. } = settings;
        Self::new(
            format!("topic {topic} was made again with {found} partition(s) and not {partitions}"),
            format!(
                "add partitions with kafka-topics --alter --topic {topic} --partitions {partitions}, and set auto.create.topics.enable=false at the brokers"
            ),
        )
    }

    /// Old results would go before they are read.
    pub(super) fn compacts(topic: &str) -> Self {
        Self::new(
            format!(
                "topic {topic} is compacted, so of each site's results only the newest is sure to be kept until it is read"
            ),
            format!(
                "set it with kafka-configs --alter --entity-type topics --entity-name {topic} --add-config cleanup.policy=delete"
            ),
        )
    }

    /// The group protocol is younger than the brokers, or they have it switched off.
    pub(super) fn old_brokers() -> Self {
        Self::new(
            "the brokers don't know the group protocol \"consumer\" (KIP-848)",
            "use Kafka 4.0 or newer, or set result_log.kafka.group_protocol = \"classic\"",
        )
    }

    /// The group won't have our reader.
    pub(super) fn of_reader(code: RDKafkaErrorCode, reason: &str, settings: &KafkaSettings) -> Option<Self> {
        use RDKafkaErrorCode as Code;
        let KafkaSettings { group, topic, .. } = settings;
        let remedy = match code {
            Code::UnsupportedVersion | Code::UnsupportedFeature => return Some(Self::old_brokers()),
            Code::GroupAuthorizationFailed => format!("let this user read with the group {group}"),
            Code::TopicAuthorizationFailed => format!("let this user read the topic {topic}"),
            Code::InconsistentGroupProtocol | Code::GroupIdNotFound => format!(
                "another group protocol is in use in the group {group}: set result_log.kafka.group_protocol to it, or stop its other readers first"
            ),
            _ => return None,
        };
        Some(Self::new(tidy(reason), remedy))
    }
}

/// What to do about an error that comes while we work.
pub(super) fn remedy(error: &KafkaError) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code()? {
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => Some(
            "the topic was deleted, or has fewer partitions than before; a worker or consumer that starts makes it again, or create it by hand",
        ),
        Code::BrokerDestroy => Some(
            "no broker has the topic at present: look whether the topic was deleted, or the broker taken out of the cluster",
        ),
        Code::InvalidTimestamp => Some(
            "the clock of the database is too far ahead of the brokers' (message.timestamp.after.max.ms, by default one hour): set the clocks right on all machines",
        ),
        Code::TopicAuthorizationFailed => Some("let this user write to the topic"),
        _ => None,
    }
}

/// `text`, and the remedy for `error` where there is one.
pub(super) fn with_remedy(error: &KafkaError, text: String) -> String {
    match remedy(error) {
        Some(remedy) => format!("{text}; {remedy}"),
        None => text,
    }
}

/// No broker answered, for `cause`, which librdkafka found, or else for `error`.
pub(super) fn unreachable(settings: &KafkaSettings, cause: Option<String>, error: &KafkaError) -> LogError {
    let message = match (cause, error.rdkafka_error_code()) {
        (Some(cause), Some(RDKafkaErrorCode::MessageTimedOut)) => {
            format!("no acknowledgement within {} s: {cause}", config::DELIVERY_TIMEOUT_S)
        }
        _ if remedy(error).is_some() => with_remedy(error, error.to_string()),
        (Some(cause), _) => cause,
        (None, _) => error.to_string(),
    };
    LogError::Unreachable { server: settings.server(), message }
}

/// What librdkafka adds to a reason: its own settings, which nobody can set here, and guesses about old brokers.
const ASIDES: [&str; 4] = [
    ", verify that ssl.ca.location",
    ": probably due to broker version",
    ": connecting to a PLAINTEXT broker listener?",
    ": broker's supported mechanisms:  ",
];

/// The reason alone. The library puts the name of a broker before it, which we name too, and its state behind it.
pub(super) fn tidy(reason: &str) -> String {
    let reason = reason.split_once("/bootstrap: ").map_or(reason, |(_, rest)| rest);
    let reason =
        ASIDES.iter().fold(reason, |reason, aside| reason.split_once(aside).map_or(reason, |(rest, _)| rest));
    let reason = reason.rsplit_once(" (after ").map_or(reason, |(rest, _)| rest);
    reason.trim_end_matches([':', ' ']).to_owned()
}

/// The reason, with a hint where a broker's own address is the trouble: what we were told to connect to is marked as bootstrap.
pub(super) fn explained(reason: &str) -> String {
    let told = tidy(reason);
    if reason.contains("Failed to resolve") && !reason.contains("/bootstrap: ") {
        return format!(
            "{told}; the brokers give this name as their own (advertised.listeners): make it resolve here, or change it there"
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_without_the_librarys_own_affairs() {
        for (said, told) in [
            (
                "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)",
                "Connect to ipv4#127.0.0.1:1 failed: Connection refused",
            ),
            (
                "ssl://a:9/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified, verify that ssl.ca.location is correctly configured (after 9ms in state SSL_HANDSHAKE)",
                "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified",
            ),
            (
                "a:9/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms:  (after 6ms in state AUTH_HANDSHAKE)",
                "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state",
            ),
            ("1/1 brokers are down", "1/1 brokers are down"),
        ] {
            assert_eq!(tidy(said), told);
        }
    }

    #[test]
    fn a_name_that_only_the_brokers_know_is_told_from_one_that_we_were_given() {
        let ours = "kafka-1:9092/bootstrap: Failed to resolve 'kafka-1:9092': Name or service not known (after 2ms in state CONNECT)";
        let theirs = "inner-1:9092/1: Failed to resolve 'inner-1:9092': Name or service not known (after 2ms in state CONNECT)";

        assert_eq!(explained(ours), "Failed to resolve 'kafka-1:9092': Name or service not known");
        assert!(
            explained(theirs).contains("'inner-1:9092'")
                && explained(theirs).contains("advertised.listeners")
        );
    }
}
