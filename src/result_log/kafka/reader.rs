//! The reader as its owner sees it: requests to the thread that has the consumer, and its answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::consumer;
use super::health::Health;
use super::producer::Producer;
use super::request::Request;
use crate::result_log::kafka_settings::KafkaSettings;
use crate::result_log::{Batch, LogError, LogReader, Position};

/// A new reader waits this long for the old one to leave the group; then they share it for a moment.
const HANDOVER: Duration = Duration::from_secs(5);

/// A thread that reads.
pub(super) struct Running {
    requests: mpsc::Sender<Request>,
    /// Nothing is ever sent: it is disconnected when the thread has ended.
    ended: mpsc::Receiver<Infallible>,
}

impl Running {
    /// Asks it to end. Its owner's calls fail from now on.
    pub(super) fn stop(&self) {
        // It may have ended already.
        let _ = self.requests.send(Request::Stop);
    }

    /// Waits until it has ended.
    pub(super) fn wait(&self, within: Duration) {
        // Disconnected or too late, both are the end of the wait.
        let _ = self.ended.recv_timeout(within);
    }
}

/// Starts a thread that reads, and ends the previous one.
pub(super) fn start(
    settings: Arc<KafkaSettings>,
    producer: Arc<Producer>,
    health: Arc<Health>,
    classic: Arc<AtomicBool>,
    previous: Option<Running>,
) -> (KafkaReader, Running) {
    let (requests, inbox) = mpsc::channel();
    let (alive, ended) = mpsc::channel();
    if let Some(previous) = &previous {
        previous.stop();
    }
    let run = move || {
        if let Some(previous) = previous {
            previous.wait(HANDOVER);
        }
        consumer::run(settings, producer, &health, classic, &inbox);
        drop(alive);
    };
    // Where there can be no thread, the inbox is closed, and so is the reader.
    let _ = std::thread::Builder::new().name("kafka-reader".to_owned()).spawn(run);
    (KafkaReader { requests: requests.clone(), asked: None }, Running { requests, ended })
}

/// [`LogReader`] of a Kafka topic. Dropped, it lets its thread leave the group.
pub(super) struct KafkaReader {
    requests: mpsc::Sender<Request>,
    /// The answer to a `next` that was given up: the next one takes it, so that its results are not skipped.
    asked: Option<oneshot::Receiver<Result<Batch, LogError>>>,
}

#[async_trait]
impl LogReader for KafkaReader {
    async fn next(&mut self, most: usize, linger: Duration) -> Result<Batch, LogError> {
        let answer = self.asked.get_or_insert_with(|| {
            let (answer, asked) = oneshot::channel();
            // Without a thread there is no answer either.
            let _ = self.requests.send(Request::Next { most, linger, answer });
            asked
        });
        let batch = answer.await.unwrap_or(Err(LogError::Closed));
        self.asked = None;
        batch
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), LogError> {
        // A batch of another log is not ours to commit.
        let Position::Kafka(marks) = batch.end else { return Err(LogError::Closed) };
        let (answer, committed) = oneshot::channel();
        self.requests.send(Request::Commit { marks, answer }).map_err(|_| LogError::Closed)?;
        committed.await.unwrap_or(Err(LogError::Closed))
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.requests.send(Request::Stop);
    }
}
