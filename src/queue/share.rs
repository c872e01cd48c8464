//! How claims divide what can be checked between fresh jobs and those that have waited for almost as long as they may.
//!
//! Fresh jobs come first, so that a backlog delays nothing that is on time. But where fresh ones alone are more than can be
//! checked, all sites with longer intervals would never be checked again: so one claim of four begins with what is about to be
//! late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One claim of so many begins with what is about to be late.
const HURRIED_EACH: usize = 4;

/// What a claim takes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// What is due now.
    Fresh,
    /// What has used four fifths of the time for which it may wait.
    Hurried,
}

/// What a claim may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// Jobs at most.
    pub(super) limit: i64,
    pub(super) first: First,
}

/// Whose turn it is. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<AtomicUsize>);

impl Turns {
    /// The share of the next claim, of `limit` jobs at most.
    pub(super) fn next(&self, limit: usize) -> Share {
        let turn = self.0.fetch_add(1, Ordering::Relaxed) % HURRIED_EACH;
        let first = if turn == HURRIED_EACH - 1 { First::Hurried } else { First::Fresh };
        Share { limit: i64::try_from(limit).unwrap_or(i64::MAX), first }
    }
}
