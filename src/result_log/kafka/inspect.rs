//! What the brokers' settings of our topics are: the largest batch that they take, and what becomes of old messages.

use std::sync::Arc;
use std::time::Duration;

use log::debug;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult};

use super::context::Context;
use super::health::Health;
use super::{TARGET, config};
use crate::result_log::kafka_settings::KafkaSettings;

/// A broker that is there answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, as often as it is wanted, over the same connections.
pub(super) struct Inspector {
    admin: AdminClient<Context>,
}

/// The settings that we depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TopicSettings {
    /// `max.message.bytes`: of a batch, compressed.
    pub(super) largest: Option<usize>,
    /// Of the messages with one key only the newest is kept.
    pub(super) compacts: bool,
}

impl Inspector {
    /// Connects in the background. The callbacks of this client are never served; the producer beside it tells of the brokers.
    pub(super) fn new(settings: &KafkaSettings, health: &Arc<Health>) -> KafkaResult<Self> {
        let context = Context::new(Arc::clone(health));
        Ok(Self { admin: AdminClient::from_config_and_context(&config::admin(settings), context)? })
    }

    /// Blocks until there is an answer, for seconds at most. Of a topic that is not there, or that this user may not ask about
    /// (ACL DescribeConfigs), `None`.
    pub(super) fn ask<const N: usize>(&self, topics: [&str; N]) -> KafkaResult<[Option<TopicSettings>; N]> {
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| KafkaError::AdminOpCreation(error.to_string()))?;
        let resources = topics.map(ResourceSpecifier::Topic);
        let mut answers = runtime.block_on(self.admin.describe_configs(&resources, &options))?.into_iter();
        Ok(topics.map(|topic| match answers.next()? {
            Ok(resource) => Some(TopicSettings::of(&resource)),
            Err(code) => {
                debug!(target: TARGET, topic, code:%; "the settings of a topic are not told");
                None
            }
        }))
    }
}

impl TopicSettings {
    fn of(resource: &ConfigResource) -> Self {
        let value = |name: &str| resource.get(name)?.value.as_deref();
        Self {
            largest: value("max.message.bytes").and_then(|bytes| bytes.parse().ok()),
            compacts: value("cleanup.policy").is_some_and(|policy| policy.contains("compact")),
        }
    }
}

/// The largest batch that all of them take, as far as that is known.
pub(super) fn largest(topics: &[Option<TopicSettings>]) -> Option<usize> {
    topics.iter().flatten().filter_map(|topic| topic.largest).min()
}
