//! Messages that can't be read: kept in a topic of their own, where somebody can look at them.
//!
//! A letter holds back its partition's offset until it was acknowledged, and nothing else: the results around it go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::{debug, warn};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};
use tokio::sync::oneshot::error::TryRecvError;

use super::message::Unreadable;
use super::producer::{Outgoing, Producer, Settled};
use super::{TARGET, config, message};
use crate::clock::Clock;
use crate::model::CheckResult;

/// What is kept of a value that is too large for a message.
const KEPT_OF_LARGE: usize = 64 * 1024;

/// A letter that could not be sent is sent again after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// That brokers refuse letters is said again this often.
const REMIND: Duration = Duration::from_secs(30);

/// Warnings in one [`WINDOW`]; further letters are counted only.
const WARNINGS: u32 = 10;

/// See [`WARNINGS`].
const WINDOW: Duration = Duration::from_secs(60);

/// The letters of one partition that are not acknowledged yet, by offset.
#[derive(Default)]
pub(super) struct Letters {
    open: BTreeMap<i64, Letter>,
    /// Of all values in it.
    bytes: usize,
    /// When it was last said that brokers refuse them.
    said: Option<Instant>,
}

/// A message and what was wrong with it.
pub(super) struct Letter {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
    /// As in the message, which its broker took: the clock of this machine may be one that it does not take.
    at_ms: Option<i64>,
    state: State,
    /// Only the beginning of the value is left.
    cut: bool,
    /// Brokers will not take it, whatever is left of it, until somebody has mended them.
    refused: Option<String>,
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

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// One more.
    pub(super) fn add(&mut self, offset: i64, letter: Letter) {
        self.bytes += letter.bytes();
        let before = self.open.insert(offset, letter);
        self.bytes -= before.map_or(0, |letter| letter.bytes());
    }

    /// Sends what waits and forgets what was acknowledged. Cheap when there is nothing to do.
    pub(super) fn drive(&mut self, topic: &str, producer: &Producer) {
        if self.open.is_empty() {
            return;
        }
        self.open.retain(|_, letter| !letter.drive(topic, producer));
        self.bytes = self.open.values().map(Letter::bytes).sum();
        self.tell_refusal(topic);
    }

    fn tell_refusal(&mut self, topic: &str) {
        let Some(error) = self.open.values().find_map(|letter| letter.refused.as_ref()) else { return };
        if self.said.is_none_or(|said| said.elapsed() >= REMIND) {
            let letters = self.open.len();
            warn!(target: TARGET, topic, letters, error:%; "dead letters are refused; what was read after them is not committed until that is mended");
            self.said = Some(Clock::instant());
        }
    }
}

impl Letter {
    /// A result that can't go on its way, and why.
    pub(super) fn of_result(result: &CheckResult, why: &str, from: &str) -> Result<Self, serde_json::Error> {
        let (key, value) = (Some(message::key(result).into_bytes()), Some(message::encode(result)?));
        let headers =
            with_headers(message::headers(), &[("x-error", why.to_owned()), ("x-topic", from.to_owned())]);
        let (at_ms, state) = (message::at_ms(result), State::Waiting(Clock::instant()));
        Ok(Self { key, value, headers, at_ms, state, cut: false, refused: None })
    }

    /// Sends it until it is acknowledged. The error is one of the brokers: what is too large is cut instead.
    pub(super) async fn deliver(mut self, topic: &str, producer: &Producer) -> KafkaResult<()> {
        loop {
            let sent = producer.send(self.outgoing(topic));
            let outcome = match sent {
                Ok(settled) => settled.await.unwrap_or(Err(KafkaError::Canceled)),
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if is_too_large(&error) && self.halve() => {}
                outcome => return outcome,
            }
        }
    }

    /// Everything of the message, and why it can't be read.
    pub(super) fn new(message: &BorrowedMessage<'_>, why: &Unreadable) -> Self {
        let value = message.payload();
        let fits = value.is_none_or(|value| value.len() + KEPT_OF_LARGE <= config::LARGEST_MESSAGE);
        let headers = message.headers().map(|headers| headers.detach()).unwrap_or_default();
        let headers = with_headers(
            headers,
            &[
                ("x-error", why.to_string()),
                ("x-topic", message.topic().to_owned()),
                ("x-partition", message.partition().to_string()),
                ("x-offset", message.offset().to_string()),
            ],
        );
        let (key, value) = (message.key().map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
        let (at_ms, state) = (message.timestamp().to_millis(), State::Waiting(Clock::instant()));
        let mut letter = Self { key, value, headers, at_ms, state, cut: false, refused: None };
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
        Self {
            key: None,
            value: None,
            headers: OwnedHeaders::new(),
            at_ms: None,
            state,
            cut: false,
            refused: None,
        }
    }

    #[cfg(test)]
    pub(super) fn of_bytes(bytes: usize) -> Self {
        Self { value: Some(vec![b'?'; bytes]), ..Self::of_nothing() }
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

    fn outgoing<'a>(&'a self, topic: &'a str) -> Outgoing<'a> {
        let (key, value, headers) = (self.key.as_deref(), self.value.as_deref(), self.headers.clone());
        Outgoing { topic, key, value, headers, at_ms: self.at_ms }
    }

    fn bytes(&self) -> usize {
        let of = |text: &Option<Vec<u8>>| text.as_ref().map_or(0, Vec::len);
        of(&self.key) + of(&self.value)
    }

    fn send(&mut self, topic: &str, producer: &Producer) {
        match producer.send(self.outgoing(topic)) {
            Ok(settled) => self.state = State::Sent(settled),
            Err(error) => self.again(&error),
        }
    }

    /// The brokers' limit may be lower than ours; then less of the value has to do.
    fn again(&mut self, error: &KafkaError) {
        debug!(target: TARGET, error:%; "dead letter not acknowledged, sending it again");
        if is_too_large(error) {
            self.halve();
        }
        let is_refused = error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed);
        self.refused = is_refused.then(|| error.to_string());
        self.state = State::Waiting(Clock::instant() + AGAIN);
    }
}

impl Letter {
    /// Keeps half of the value. Returns whether there was any.
    fn halve(&mut self) -> bool {
        let length = self.value.as_ref().map_or(0, Vec::len);
        self.cut(length / 2);
        length > 0
    }
}

fn is_too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn with_headers(headers: OwnedHeaders, more: &[(&str, String)]) -> OwnedHeaders {
    more.iter().fold(headers, |headers, (key, text)| headers.insert(Header { key, value: Some(text) }))
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
