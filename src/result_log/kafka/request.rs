//! What the thread that reads is asked, and where its answers go.

use std::time::Duration;

use tokio::sync::oneshot;

use super::marks::Mark;
use crate::result_log::{Batch, LogError};

/// A question, or an order.
pub(super) enum Request {
    /// For results.
    Next { most: usize, linger: Duration, answer: Answer<Batch> },
    /// To commit everything up to these.
    Commit { marks: Vec<Mark>, answer: Answer<()> },
    /// To leave.
    Stop,
}

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, LogError>>;
