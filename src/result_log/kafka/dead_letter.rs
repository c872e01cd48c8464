//! Messages that can't be read: kept in a topic of their own, where somebody can look at them.
//!
//! A letter holds back its partition's offset until it was acknowledged, and nothing else: the results around it go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::{debug, warn};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};
use tokio::sync::oneshot::error::TryRecvError;

use super::message::Unreadable;
use super::producer::{Outgoing, Producer, Settled};
use super::{TARGET, config};
use crate::clock::Clock;

/// What is kept of a value that is too large for a message.
const KEPT_OF_LARGE: usize = 64 * 1024;

/// A letter that could not be sent is sent again after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// Warnings in one [`WINDOW`]; further letters are counted only.
const WARNINGS: u32 = 10;

/// See [`WARNINGS`].
const WINDOW: Duration = Duration::from_secs(60);

/// The letters of one partition that are not acknowledged yet, by offset.
#[derive(Default)]
pub(super) struct Letters {
    open: BTreeMap<i64, Letter>,
}

/// A message and what was wrong with it.
pub(super) struct Letter {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
    state: State,
    /// Only the beginning of the value is left.
    cut: bool,
}

enum State {
    Waiting(Instant),
    Sent(Settled),
}

impl Letters {
    /// The first that is not acknowledged.
    pub(super) fn first(&self) -> Option<i64> {
        self.open.keys().next().copied()
    }

    /// How many are not acknowledged.
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// One more.
    pub(super) fn add(&mut self, offset: i64, letter: Letter) {
        self.open.insert(offset, letter);
    }

    /// Sends what waits and forgets what was acknowledged. Cheap when there is nothing to do.
    pub(super) fn drive(&mut self, topic: &str, producer: &Producer) {
        self.open.retain(|_, letter| !letter.drive(topic, producer));
    }
}

impl Letter {
    /// Everything of the message, and why it can't be read.
    pub(super) fn new(message: &BorrowedMessage<'_>, why: &Unreadable) -> Self {
        let value = message.payload();
        let fits = value.is_none_or(|value| value.len() + KEPT_OF_LARGE <= config::LARGEST_MESSAGE);
        let mut headers = message.headers().map(|headers| headers.detach()).unwrap_or_default();
        for (key, text) in [
            ("x-error", why.to_string()),
            ("x-topic", message.topic().to_owned()),
            ("x-partition", message.partition().to_string()),
            ("x-offset", message.offset().to_string()),
        ] {
            headers = headers.insert(Header { key, value: Some(&text) });
        }
        let (key, value) = (message.key().map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
        let mut letter = Self { key, value, headers, state: State::Waiting(Clock::instant()), cut: false };
        if !fits {
            letter.cut(KEPT_OF_LARGE);
        }
        letter
    }

    /// Keeps the beginning of the value, and says how long it was.
    fn cut(&mut self, kept: usize) {
        let Some(value) = &mut self.value else { return };
        if !std::mem::replace(&mut self.cut, true) {
            let bytes = value.len().to_string();
            let headers = std::mem::take(&mut self.headers);
            self.headers = headers.insert(Header { key: "x-truncated-from", value: Some(&bytes) });
        }
        value.truncate(kept);
    }

    #[cfg(test)]
    pub(super) fn of_nothing() -> Self {
        let state = State::Waiting(Clock::instant());
        Self { key: None, value: None, headers: OwnedHeaders::new(), state, cut: false }
    }

    /// Returns whether it is done.
    fn drive(&mut self, topic: &str, producer: &Producer) -> bool {
        match &mut self.state {
            State::Waiting(due) if *due > Clock::instant() => {}
            State::Waiting(_) => self.send(topic, producer),
            State::Sent(settled) => match settled.try_recv() {
                Ok(Ok(())) => return true,
                Err(TryRecvError::Empty) => {}
                Ok(Err(error)) => self.again(&error),
                Err(TryRecvError::Closed) => self.again(&KafkaError::Canceled),
            },
        }
        false
    }

    fn send(&mut self, topic: &str, producer: &Producer) {
        let outgoing = Outgoing {
            topic,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.clone(),
        };
        match producer.send(outgoing) {
            Ok(settled) => self.state = State::Sent(settled),
            Err(error) => self.again(&error),
        }
    }

    /// The brokers' limit may be lower than ours; then less of the value has to do.
    fn again(&mut self, error: &KafkaError) {
        debug!(target: TARGET, error:%; "dead letter not acknowledged, sending it again");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            self.cut(self.value.as_ref().map_or(0, |value| value.len() / 2));
        }
        self.state = State::Waiting(Clock::instant() + AGAIN);
    }
}

/// One warning for each letter, until there are too many.
#[derive(Default)]
pub(super) struct Warnings {
    since: Option<Instant>,
    said: u32,
    silent: u64,
}

impl Warnings {
    /// Says that a message became a dead letter.
    pub(super) fn say(&mut self, message: &BorrowedMessage<'_>, why: &Unreadable) {
        let now = Clock::instant();
        if self.since.is_none_or(|since| now - since > WINDOW) {
            if self.silent > 0 {
                warn!(target: TARGET, letters = self.silent; "more messages could not be read");
            }
            *self = Self { since: Some(now), ..Self::default() };
        }
        if self.said == WARNINGS {
            self.silent += 1;
            return;
        }
        self.said += 1;
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        warn!(target: TARGET, topic, partition, offset, error:% = why; "a message can't be read and goes to the dead letters");
    }
}
