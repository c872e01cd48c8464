//! The last result of a site that was not up, in the words of a result.

use serde::Serialize;

use super::time;
use crate::model::{Reason, Status};
use crate::store::{self, Seen};

/// A failure.
#[derive(Serialize)]
pub struct Failure<'a> {
    scheduled_at: String,
    status: Status,
    reason: Option<Reason>,
    error: Option<&'a str>,
    evidence: Option<&'a Seen>,
}

impl<'a> From<&'a store::Failure> for Failure<'a> {
    fn from(failure: &'a store::Failure) -> Self {
        Self {
            scheduled_at: time(failure.scheduled_at),
            status: failure.status,
            reason: failure.reason,
            error: failure.error.as_deref(),
            evidence: failure.evidence.as_ref(),
        }
    }
}
