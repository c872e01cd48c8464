//! What a consumer tells while it is polled: its errors, its partitions and its commits.

use std::sync::atomic::Ordering;

use log::{info, warn};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Reading;
use crate::result_log::LogError;
use crate::result_log::kafka::TARGET;
use crate::result_log::kafka::ahead::ReadAhead;
use crate::result_log::kafka::marks::{Jump, Marks};
use crate::result_log::kafka::membership::Membership;
use crate::result_log::kafka::producer::elsewhere;
use crate::result_log::kafka::rebalance::Event;
use crate::result_log::kafka::refusal::Refusal;
use crate::result_log::kafka_settings::GroupProtocol;

impl Reading {
    /// Most errors are news about the outside, told to [`Health`], and pass. Some end the reader.
    pub(super) fn note(&mut self, error: &KafkaError) {
        let fatal = self.member.consumer.client().fatal_error();
        let is_unsupported = |code| {
            matches!(code, RDKafkaErrorCode::UnsupportedVersion | RDKafkaErrorCode::UnsupportedFeature)
        };
        let code = fatal.as_ref().map(|(code, _)| *code).or_else(|| error.rdkafka_error_code());
        if code.is_some_and(is_unsupported) {
            return self.fall_back();
        }
        let reason = match &fatal {
            Some((_, reason)) => reason.clone(),
            None => self.health.trouble().unwrap_or_else(|| error.to_string()),
        };
        let refusal = code.and_then(|code| Refusal::of_reader(code, &reason, &self.settings));
        if let Some(refusal) = refusal {
            self.failure = Some(refusal.into_error(&self.settings));
        } else if fatal.is_some() {
            let message = format!("the reader has failed for good: {reason}");
            self.failure = Some(LogError::Unreachable { server: self.settings.server(), message });
        }
    }

    pub(super) fn take_events(&mut self) {
        while let Ok(event) = self.member.events.try_recv() {
            match event {
                Event::Assigned(partitions) => {
                    info!(target: TARGET, partitions:?; "partitions assigned");
                    self.marks.add(&partitions);
                    self.member.commits.look(self.marks.turns(&partitions));
                    self.pause_newcomers();
                }
                Event::Revoked(partitions) => {
                    info!(target: TARGET, partitions:?; "partitions revoked");
                    self.marks.remove(&partitions);
                }
                Event::Unsupported => return self.fall_back(),
                Event::Committed(outcome) => self.member.commits.done(outcome, &mut self.marks),
                Event::Started(starts) => {
                    starts.into_iter().for_each(|start| self.marks.start(start));
                    self.tell_jumps();
                }
            }
            self.ahead.keep_ours(&self.marks);
        }
    }

    /// Messages that were not where they should have been. librdkafka goes on without a word from the first that is there.
    pub(super) fn tell_jumps(&mut self) {
        for jump in self.marks.jumps() {
            let Jump { partition, expected, found } = jump;
            let topic = &self.settings.topic;
            match jump.deleted() {
                Some(results) => {
                    self.health.count_deleted(results);
                    warn!(target: TARGET, topic, partition, expected, found, results; "results were deleted from the topic before they were stored: its retention is shorter than its readers are behind, or somebody emptied it");
                }
                None => {
                    warn!(target: TARGET, topic, partition, expected, found; "a partition has gone back: its brokers lost what they had, or the topic was made again; reading on from what is there");
                }
            }
        }
    }

    /// The brokers don't offer the group protocol that is set. The classic one does the same with more commotion, so it is better
    /// than a reader that does not read. Nothing was read yet.
    fn fall_back(&mut self) {
        if self.classic.swap(true, Ordering::Relaxed)
            || self.settings.group_protocol == GroupProtocol::Classic
        {
            self.failure = Some(Refusal::old_brokers().into_error(&self.settings));
            return;
        }
        let server = self.settings.server();
        warn!(target: TARGET, server; "set result_log.kafka.group_protocol = \"classic\": the brokers don't offer \"consumer\" (KIP-848: Kafka before 4.0, or switched off there); reading with \"classic\"");
        match Membership::join(&self.settings, &self.health, true) {
            Ok(member) => {
                let old = std::mem::replace(&mut self.member, member);
                // Closing blocks. Its thread for commits may be the last to let go of it.
                elsewhere("kafka-drop", move || drop(old));
                (self.marks, self.ahead, self.paused) = (Marks::default(), ReadAhead::default(), false);
            }
            Err(error) => self.failure = Some(error),
        }
    }
}
