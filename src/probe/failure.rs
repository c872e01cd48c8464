//! Why a try was not good: a reason for programs and a sentence for people.

use std::time::Duration;

use crate::model::{Reason, Status, duration};

/// Ends a try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub(super) struct Failure {
    pub(super) reason: Reason,
    /// What happened, with the address or name it happened to.
    pub(super) error: String,
}

impl Failure {
    pub(super) fn new(reason: Reason, error: impl Into<String>) -> Self {
        Self { reason, error: error.into() }
    }

    /// Our own fault, which says nothing about the site.
    pub(super) fn internal(error: impl Into<String>) -> Self {
        Self::new(Reason::Internal, error)
    }

    /// Nothing more came while we were `doing` this.
    pub(super) fn timeout(after: Duration, doing: &str) -> Self {
        Self::new(Reason::Timeout, format!("no answer within {}: {doing}", duration::text(after)))
    }

    /// What the failure makes of the site: a monitor that is out of sockets must not report the world as down.
    pub(super) fn status(&self) -> Status {
        match self.reason {
            Reason::Internal => Status::Unknown,
            _ => Status::Down,
        }
    }
}
