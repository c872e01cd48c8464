//! How to use Kafka as the result log. Plain data, there also in a build without the `kafka` feature: the configuration reads it.

use std::fmt;
use std::path::PathBuf;

/// Where the brokers are, who we are to them, and how the topics are to look.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `host:port` of some brokers; the others are learned from these.
    pub brokers: Vec<String>,
    /// Results travel in it.
    pub topic: String,
    /// Messages that can't be read end up in it.
    pub dead_letter_topic: String,
    /// Readers of one group share the partitions.
    pub group: String,
    /// Of `topic`. At most as many readers work at once. Default 12.
    pub partitions: i32,
    /// Copies of each partition; 0 for what the brokers take by default.
    pub replication: i32,
    /// How readers of a group agree on who reads what. Readers fall back to the classic one where brokers don't offer the other.
    pub group_protocol: GroupProtocol,
    /// What the brokers' listener speaks.
    pub security: Security,
    /// How to log in, where `security` is one with SASL.
    pub mechanism: Mechanism,
    /// Where `security` is one with SASL.
    pub username: String,
    /// Where `security` is one with SASL.
    pub password: String,
    /// Certificates in PEM that sign the brokers'; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// Results that may wait for their acknowledgement. Past it, `append` waits.
    pub capacity: usize,
}

/// How readers of a group agree on who reads what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The brokers assign (KIP-848). Kafka 4.0 or newer. A reader that comes or goes moves only the partitions it must.
    #[default]
    Consumer,
    /// The readers assign. Any broker.
    Classic,
}

/// What a listener of a broker speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Security {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// Encrypted.
    Tls,
    /// Authenticated by password, not encrypted.
    SaslPlaintext,
    /// Encrypted, and authenticated by password.
    SaslTls,
}

/// How a password is shown to a broker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// As it is.
    Plain,
    /// By proof of knowing it, with SHA-256.
    ScramSha256,
    /// By proof of knowing it, with SHA-512.
    #[default]
    ScramSha512,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            topic: "uptime.results".to_owned(),
            dead_letter_topic: "uptime.results.dead".to_owned(),
            group: "uptime-persister".to_owned(),
            partitions: 12,
            replication: 0,
            group_protocol: GroupProtocol::Consumer,
            security: Security::Plaintext,
            mechanism: Mechanism::ScramSha512,
            username: String::new(),
            password: String::new(),
            ca_file: None,
            capacity: 20_000,
        }
    }
}

impl KafkaSettings {
    /// The brokers, as they stand in messages for people.
    pub fn server(&self) -> String {
        self.brokers.join(",")
    }
}

impl Security {
    /// Whether `username` and `password` count.
    pub fn authenticates(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslTls)
    }

    /// Whether `ca_file` counts.
    pub fn encrypts(self) -> bool {
        matches!(self, Self::Tls | Self::SaslTls)
    }
}

impl fmt::Debug for KafkaSettings {
    /// Everything but the password: settings end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("dead_letter_topic", &self.dead_letter_topic)
            .field("group", &self.group)
            .field("partitions", &self.partitions)
            .field("replication", &self.replication)
            .field("group_protocol", &self.group_protocol)
            .field("security", &self.security)
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .field("password", &"…")
            .field("ca_file", &self.ca_file)
            .field("capacity", &self.capacity)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_can_be_logged_without_the_password() {
        let settings = KafkaSettings { password: "opensesame".to_owned(), ..KafkaSettings::default() };

        assert!(!format!("{settings:?}").contains("opensesame"));
    }
}
