//! A member of the group: the consumer, what it tells, and its commits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::commits::Commits;
use super::config;
use super::health::Health;
use super::rebalance::{Event, ReaderContext};
use super::refusal::Refusal;
use crate::result_log::LogError;
use crate::result_log::kafka_settings::{GroupProtocol, KafkaSettings};

/// A consumer, and what belongs to it.
pub(super) struct Membership {
    pub(super) consumer: Arc<BaseConsumer<ReaderContext>>,
    pub(super) events: Receiver<Event>,
    pub(super) commits: Commits,
}

impl Membership {
    /// Joins the group.
    pub(super) fn join(
        settings: &KafkaSettings,
        health: &Arc<Health>,
        classic: bool,
    ) -> Result<Self, LogError> {
        let protocol = if classic { GroupProtocol::Classic } else { settings.group_protocol };
        let settings = KafkaSettings { group_protocol: protocol, ..settings.clone() };
        let (sender, events) = channel();
        let context = ReaderContext::new(Arc::clone(health), sender.clone());
        let refused = |error| Refusal::of_settings(&error).into_error(&settings);
        let consumer =
            BaseConsumer::from_config_and_context(&config::consumer(&settings), context).map_err(refused)?;
        let consumer = Arc::new(consumer);
        let commits = Commits::start(Arc::clone(&consumer), settings.topic.clone(), sender)
            .map_err(|_| LogError::Closed)?;
        consumer.subscribe(&[&settings.topic]).map_err(refused)?;
        Ok(Self { consumer, events, commits })
    }
}
