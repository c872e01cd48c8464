//! The thread that has the consumer: it polls, whatever its owner does.
//!
//! librdkafka's calls block now and then (a commit, a rebalance, a broker that is silent), and a member that does not
//! poll is put out of its group. So an arbiter never calls them, and while the database is away this thread goes on
//! polling with its partitions paused.

mod news;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use log::debug;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};

use super::ahead::{Asked, ReadAhead, Waiting};
use super::dead_letter::{Letter, Warnings};
use super::health::Health;
use super::marks::Marks;
use super::membership::Membership;
use super::producer::Producer;
use super::request::Request;
use super::{TARGET, message};
use crate::clock::Clock;
use crate::result_log::kafka_settings::KafkaSettings;
use crate::result_log::{Batch, LogError, Position};

/// The longest sleep, so the latest that a rebalance is served or a stop is heard.
const TICK: Duration = Duration::from_millis(100);

/// Without a request for this long, fetching is paused: what is read ahead is bounded, and a batch is being stored slowly or not at all.
const IDLE: Duration = Duration::from_secs(10);

/// Results that are read ahead and handed out at once, whatever the owner asks for.
const MOST: usize = 10_000;

/// Dead letters that may wait for their acknowledgement.
const LETTERS: usize = 1_000;

/// And their bytes.
const LETTER_BYTES: usize = 16 * 1024 * 1024;

/// Reads until it is told to stop.
pub(super) fn run(
    settings: Arc<KafkaSettings>,
    producer: Arc<Producer>,
    health: &Arc<Health>,
    classic: Arc<AtomicBool>,
    requests: &Receiver<Request>,
) {
    match Reading::start(settings, producer, health, classic) {
        Ok(mut reading) => {
            while reading.step(requests) {}
            reading.leave();
        }
        Err(error) => refuse(requests, error),
    }
    // A reader that has ended is not behind and not in trouble.
    health.worked();
    health.set_lag(None);
}

/// Without a consumer, the first request for results is told why.
fn refuse(requests: &Receiver<Request>, error: LogError) {
    while let Ok(request) = requests.recv() {
        match request {
            // The owner may have given up.
            Request::Next { answer, .. } => return drop(answer.send(Err(error))),
            Request::Commit { .. } => {}
            Request::Stop => return,
        }
    }
}

struct Reading {
    settings: Arc<KafkaSettings>,
    producer: Arc<Producer>,
    health: Arc<Health>,
    /// The brokers know no group protocol but the classic one. Shared with later readers of the process.
    classic: Arc<AtomicBool>,
    member: Membership,
    marks: Marks,
    ahead: ReadAhead,
    asked: Option<Asked>,
    /// How many results the owner asked for last: as many are read ahead.
    most: usize,
    /// When the owner was last known to want results.
    wanted: Instant,
    paused: bool,
    /// The last poll brought something, so there may be more.
    flowing: bool,
    failure: Option<LogError>,
    warnings: Warnings,
}

impl Reading {
    fn start(
        settings: Arc<KafkaSettings>,
        producer: Arc<Producer>,
        health: &Arc<Health>,
        classic: Arc<AtomicBool>,
    ) -> Result<Self, LogError> {
        let member = Membership::join(&settings, health, classic.load(Ordering::Relaxed))?;
        Ok(Self {
            settings,
            producer,
            health: Arc::clone(health),
            classic,
            member,
            marks: Marks::default(),
            ahead: ReadAhead::default(),
            asked: None,
            most: 1,
            wanted: Clock::instant(),
            paused: false,
            flowing: false,
            failure: None,
            warnings: Warnings::default(),
        })
    }

    /// Returns whether to go on.
    fn step(&mut self, requests: &Receiver<Request>) -> bool {
        if !self.take_requests(requests) {
            return false;
        }
        self.poll();
        self.take_events();
        self.marks
            .letters()
            .for_each(|letters| letters.drive(&self.settings.dead_letter_topic, &self.producer));
        self.member.commits.drive(&self.marks);
        self.pause_when_idle();
        self.answer()
    }

    /// Takes all requests, and waits for one where there is nothing better to do. Returns whether to go on.
    fn take_requests(&mut self, requests: &Receiver<Request>) -> bool {
        if !self.wants_to_poll() {
            match requests.recv_timeout(TICK) {
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(request) => self.take(request),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        loop {
            match requests.try_recv() {
                Ok(Request::Stop) | Err(TryRecvError::Disconnected) => return false,
                Ok(request) => self.take(request),
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    /// Leaves the group: when the last holder drops the consumer, it is closed.
    fn leave(self) {
        self.member.commits.finish(&self.marks);
    }

    /// Whether the consumer is where the next thing happens, and not the owner.
    fn wants_to_poll(&self) -> bool {
        !self.is_full() && (self.asked.is_some() || self.flowing)
    }

    fn is_full(&self) -> bool {
        self.ahead.len() >= self.most || self.ahead.is_heavy() || self.is_full_of_letters()
    }

    fn is_full_of_letters(&self) -> bool {
        let (letters, bytes) = self.marks.open_letters();
        letters >= LETTERS || bytes >= LETTER_BYTES
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Next { most, linger, answer } => {
                self.most = most.clamp(1, MOST);
                self.asked = Some(Asked { most: self.most, linger, since: None, answer });
                if !self.is_full_of_letters() {
                    self.resume();
                }
            }
            Request::Commit { marks, answer } => {
                self.marks.store(&marks);
                self.member.commits.ask(answer);
            }
            // Seen before.
            Request::Stop => {}
        }
    }

    /// One event of the consumer: a message, an error, or a call of our [`ReaderContext`].
    fn poll(&mut self) {
        let patience = self.patience();
        let Some(polled) = self.member.consumer.poll(patience) else {
            self.flowing = false;
            return;
        };
        self.flowing = true;
        match polled {
            Ok(message) => {
                self.health.worked();
                let kept = read(&message, &mut self.marks, &mut self.warnings);
                drop(message);
                kept.into_iter().for_each(|waiting| self.ahead.push(waiting));
                self.tell_jumps();
            }
            Err(error) => self.note(&error),
        }
    }

    /// How long to wait for the consumer.
    fn patience(&self) -> Duration {
        match &self.asked {
            Some(asked) if self.wants_to_poll() => asked.rest().map_or(TICK, |rest| rest.min(TICK)),
            _ => Duration::ZERO,
        }
    }

    fn pause_newcomers(&mut self) {
        if std::mem::take(&mut self.paused) {
            self.pause();
        }
    }

    /// Fetching stops also while the dead letters are not acknowledged: each message that comes may be one more.
    fn pause_when_idle(&mut self) {
        if self.is_full_of_letters() {
            if !self.paused {
                debug!(target: TARGET, "dead letters are not acknowledged, fetching is paused");
                self.pause();
            }
        } else if self.asked.is_some() {
            self.wanted = Clock::instant();
            self.resume();
        } else if !self.paused && Clock::instant() - self.wanted > IDLE {
            debug!(target: TARGET, "nobody asks for results, fetching is paused");
            self.pause();
        }
    }

    /// The library forgets what it has fetched ahead and will fetch it again, from behind the last message that we took.
    fn pause(&mut self) {
        let paused =
            self.member.consumer.assignment().and_then(|partitions| self.member.consumer.pause(&partitions));
        self.paused = self.logged(paused, "pause");
    }

    fn resume(&mut self) {
        if self.paused {
            let resumed = self
                .member
                .consumer
                .assignment()
                .and_then(|partitions| self.member.consumer.resume(&partitions));
            self.paused = !self.logged(resumed, "resume");
        }
    }

    fn logged(&self, outcome: Result<(), KafkaError>, what: &str) -> bool {
        let _ =
            outcome.as_ref().inspect_err(|error| debug!(target: TARGET, error:%, what; "trying again later"));
        outcome.is_ok()
    }

    /// Hands out results when it is time. Returns whether to go on.
    fn answer(&mut self) -> bool {
        let Some(asked) = self.asked.as_mut() else { return true };
        if let Some(failure) = self.failure.take() {
            let answer = self.asked.take().map(|asked| asked.answer.send(Err(failure)));
            return answer.is_none();
        }
        if asked.is_due(&self.ahead) {
            let results = self.ahead.hand_out(asked.most, &mut self.marks);
            let batch = Batch { groups: vec![Arc::new(results)], end: Position::Kafka(self.marks.end()) };
            if let Some(asked) = self.asked.take() {
                // The owner keeps the other end until it has the batch, or is gone itself.
                let _ = asked.answer.send(Ok(batch));
            }
        }
        true
    }
}

/// A result, or a dead letter that is put with its partition. Messages of partitions that have left us are for others.
fn read(message: &BorrowedMessage<'_>, marks: &mut Marks, warnings: &mut Warnings) -> Option<Waiting> {
    let (partition, offset) = (message.partition(), message.offset());
    let progress = marks.read(partition, offset)?;
    match message::decode(message.payload()) {
        Ok(result) => {
            progress.waiting += 1;
            Some(Waiting {
                partition,
                turn: progress.turn,
                offset,
                bytes: message.payload().map_or(0, <[u8]>::len),
                result,
            })
        }
        Err(why) => {
            warnings.say(message, &why);
            progress.letters.add(offset, Letter::new(message, &why));
            None
        }
    }
}
