//! Kafka: one's own cluster, whose nodes can be killed and frozen, or a shared one.

use std::path::Path;

use super::{Folder, or_left_out};

/// A running cluster. Topics have to be made before use; a group's session lasts 6 s.
pub struct Kafka {
    brokers: String,
    secure: Option<Secure>,
    /// `None` for a cluster that somebody else looks after.
    own: Option<Folder>,
}

struct Secure {
    sasl_brokers: String,
    tls_brokers: String,
    ca_file: String,
}

impl Kafka {
    /// A cluster of 1 or 3 nodes of one's own, which goes down with this value. `None`, said aloud, where none can be started.
    pub fn start(nodes: u8) -> Option<Self> {
        or_left_out(Self::try_start(&["--nodes", &nodes.to_string()]))
    }

    /// The same, with listeners for TLS, and for SASL over TLS, besides.
    pub fn start_secure(nodes: u8) -> Option<Self> {
        or_left_out(Self::try_start(&["--secure", "--nodes", &nodes.to_string()]))
    }

    /// One node of another version of Kafka.
    pub fn start_version(version: &str) -> Option<Self> {
        or_left_out(Self::try_start(&["--version", version]))
    }

    pub(super) fn try_start(options: &[&str]) -> Result<Self, String> {
        let (folder, mut facts) = Folder::start("kafka", options)?;
        let mut fact = |name: &str| facts.remove(name);
        let brokers = fact("KAFKA_BROKERS").expect("brokers");
        let secure = fact("KAFKA_SASL_BROKERS").map(|sasl_brokers| Secure {
            sasl_brokers,
            tls_brokers: fact("KAFKA_TLS_BROKERS").expect("brokers with TLS"),
            ca_file: fact("KAFKA_CA").expect("a CA"),
        });
        Ok(Self { brokers, secure, own: Some(folder) })
    }

    pub(super) fn at(brokers: String) -> Self {
        Self { brokers, secure: None, own: None }
    }

    /// `127.0.0.1:port,…`: without encryption, without credentials.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// `localhost:port,…`: TLS, and then PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, as `app` with the password `app-secret`.
    pub fn sasl_brokers(&self) -> &str {
        &self.secure().sasl_brokers
    }

    /// `localhost:port,…`: TLS without credentials.
    pub fn tls_brokers(&self) -> &str {
        &self.secure().tls_brokers
    }

    /// The CA in PEM.
    pub fn ca_file(&self) -> &Path {
        Path::new(&self.secure().ca_file)
    }

    /// Kills a node, counted from 1, as a power switch would.
    pub fn kill(&self, node: u8) {
        self.node(node, "kill9");
    }

    /// Shuts a node down in order.
    pub fn stop_node(&self, node: u8) {
        self.node(node, "stop");
    }

    /// Starts a node that was killed or stopped, and waits until it serves.
    pub fn start_node(&self, node: u8) {
        self.node(node, "start");
    }

    /// Holds a node, as a network does that drops every packet. [`Self::thaw`] ends it.
    pub fn freeze(&self, node: u8) {
        self.node(node, "freeze");
    }

    /// Lets a frozen node go on.
    pub fn thaw(&self, node: u8) {
        self.node(node, "thaw");
    }

    /// Shuts all nodes down in order.
    pub fn stop(&self) {
        self.own().tell("stop", &[]);
    }

    /// Starts all nodes that are down, and waits until they serve.
    pub fn start_again(&self) {
        self.own().tell("start", &[]);
    }

    fn node(&self, node: u8, order: &str) {
        self.own().tell("node", &[&node.to_string(), order]);
    }

    fn secure(&self) -> &Secure {
        self.secure.as_ref().expect("started with Kafka::start_secure")
    }

    fn own(&self) -> &Folder {
        self.own.as_ref().expect("a shared cluster is left alone: Kafka::start(1) gives one of your own")
    }
}
