//! The result log: between the checkers, which make results, and the persister, which stores them.
//!
//! The port is [`ResultLog`]; [`local`] keeps it in this process.

pub mod local;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::CheckResult;

/// What every implementation promises:
///
/// - [`append`](Self::append) returns only when the results are as safe as the log can make them;
/// - what was read and not committed is read again by the next reader;
/// - memory is bounded: with nobody reading, `append` waits.
#[async_trait]
pub trait ResultLog: Send + Sync {
    /// Hands results over and waits for the acknowledgement.
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError>;

    /// Starts to read from the first uncommitted result. A log has one reader at a time in a process; a new one replaces the old.
    fn reader(&self) -> Box<dyn LogReader>;

    /// Results that wait to be committed.
    fn depth(&self) -> usize;
}

/// Reads a log in order.
#[async_trait]
pub trait LogReader: Send {
    /// Waits for results, then for up to `linger` or until there are `most`, and returns them.
    async fn next(&mut self, most: usize, linger: Duration) -> Result<Batch, LogError>;

    /// Declares everything up to the end of `batch` as stored.
    async fn commit(&mut self, batch: Batch) -> Result<(), LogError>;
}

/// Results that were read together.
#[derive(Debug)]
pub struct Batch {
    /// As they were appended.
    pub groups: Vec<Arc<Vec<CheckResult>>>,
    /// Position behind the last group.
    end: u64,
}

impl Batch {
    /// All results, in order.
    pub fn results(&self) -> impl Iterator<Item = &CheckResult> {
        self.groups.iter().flat_map(|group| group.iter())
    }
}

/// Why the log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log was closed, or a newer reader has replaced this one.
    #[error("the result log was closed")]
    Closed,
}
