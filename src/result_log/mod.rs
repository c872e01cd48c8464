//! The result log: between the checkers, which make results, and the persister, which stores them.
//!
//! The port is [`ResultLog`]; [`local`] keeps it in this process, `kafka` shares it between many.

#[cfg(feature = "kafka")]
pub mod kafka;
pub mod kafka_settings;
pub mod local;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::failure::MayHeal;
use crate::model::CheckResult;

/// What every implementation promises:
///
/// - [`append`](Self::append) returns only when the results are as safe as the log can make them;
/// - what was read and not committed is read again by the next reader;
/// - memory is bounded: with nobody reading, `append` waits;
/// - nothing is tried for ever: what the log will never take is told apart, and only after all that it takes is in it.
#[async_trait]
pub trait ResultLog: Send + Sync {
    /// Hands results over and waits for the acknowledgement.
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError>;

    /// Keeps a result that cannot go on its way, with the reason, where a person finds it: a topic for dead letters, or else the
    /// program's own log. Returns when it is safe there.
    async fn set_aside(&self, result: &CheckResult, why: &str) -> Result<(), LogError> {
        log::error!(why, result = essence(result); "a result is put aside");
        Ok(())
    }

    /// Starts to read from the first uncommitted result. A log has one reader at a time in a process; a new one replaces the old.
    fn reader(&self) -> Box<dyn LogReader>;

    /// Results that were appended here and are not acknowledged yet.
    fn depth(&self) -> usize;

    /// Lets go of the log when the process ends, so that other readers take over at once. Blocks for about `within` at most.
    fn close(&self, within: Duration);

    /// Whether acknowledged results may still have to be stored, perhaps by another process.
    fn outlives_process(&self) -> bool {
        false
    }

    /// Waits until all that is in the log now has been read and committed, whoever reads it.
    async fn read_to_end(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// What this process knows of the log: whether it can be reached, and how far behind our reader is.
    fn condition(&self) -> Condition;
}

/// For a log that a person reads.
pub(crate) fn essence(result: &CheckResult) -> String {
    serde_json::to_string(&result.essence()).unwrap_or_default()
}

/// How a log is, as far as this process can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why the log does not work at present; `None` while it does.
    pub trouble: Option<String>,
    /// Results that our reader has still to read, of those that are its to read; `None` where nobody has read yet.
    pub lag: Option<u64>,
    /// Results that the log has deleted before our readers had read them, since this process began.
    pub deleted_unread: u64,
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
    /// Behind the last result.
    end: Position,
}

/// Up to where a log was read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Position {
    /// Number of the next group.
    Local(u64),
    /// The end in each partition.
    #[cfg(feature = "kafka")]
    Kafka(Vec<kafka::Mark>),
}

impl Position {
    /// The position in a local log; `None` in another.
    fn local(&self) -> Option<u64> {
        match self {
            Self::Local(end) => Some(*end),
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => None,
        }
    }
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

    /// The log can't be reached, or did not take the results in time. They may be in it; appending them again does no harm.
    #[error("failed to reach the result log at {server}: {message}")]
    Unreachable {
        /// Its addresses.
        server: String,
        /// What the client library said.
        message: String,
    },

    /// The log has all of the results but these, and will never take them.
    #[error("failed to append {} result(s): {message}", which.len())]
    Unacceptable {
        /// Their places among the results that were appended.
        which: Vec<usize>,
        /// Why not.
        message: String,
    },

    /// The log is there and won't have us. Trying again will not help.
    #[error("the result log at {server} refused: {message}; {remedy}")]
    Refused {
        /// Its addresses.
        server: String,
        /// What it said.
        message: String,
        /// What to do about it.
        remedy: String,
    },
}

impl LogError {
    /// Whether waiting may help.
    pub fn may_heal(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl MayHeal for LogError {
    fn may_heal(&self) -> bool {
        self.may_heal()
    }
}
