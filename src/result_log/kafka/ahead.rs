//! Results that were read ahead, and the request that they wait for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::marks::Marks;
use super::request::Answer;
use crate::clock::Clock;
use crate::model::CheckResult;
use crate::result_log::Batch;

/// Bytes of results that are read ahead and handed out at once, as they came.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A result that waits to be handed out.
pub(super) struct Waiting {
    pub(super) partition: i32,
    pub(super) turn: u64,
    pub(super) offset: i64,
    pub(super) bytes: usize,
    pub(super) result: CheckResult,
}

/// Results in the order in which they came.
#[derive(Default)]
pub(super) struct ReadAhead {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl ReadAhead {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// They have as many bytes as may be read ahead.
    pub(super) fn is_heavy(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.bytes;
        self.waiting.push_back(waiting);
    }

    /// Keeps results of partitions that are still ours: others read the rest now.
    pub(super) fn keep_ours(&mut self, marks: &Marks) {
        self.waiting.retain(|waiting| marks.is_ours(waiting.partition, waiting.turn));
        self.bytes = self.waiting.iter().map(|waiting| waiting.bytes).sum();
    }

    /// The first results, at most so many, noted in `marks` as handed out.
    pub(super) fn hand_out(&mut self, most: usize, marks: &mut Marks) -> Vec<CheckResult> {
        let count = self.waiting.len().min(most);
        let mut results = Vec::with_capacity(count);
        for Waiting { partition, turn, offset, bytes, result } in self.waiting.drain(..count) {
            marks.hand(partition, turn, offset);
            self.bytes -= bytes;
            results.push(result);
        }
        results
    }
}

/// A request for results that is not answered yet.
pub(super) struct Asked {
    pub(super) most: usize,
    pub(super) linger: Duration,
    /// When the first result was there.
    pub(super) since: Option<Instant>,
    pub(super) answer: Answer<Batch>,
}

impl Asked {
    /// When the results that are there must be handed out; `None` while there are none.
    pub(super) fn rest(&self) -> Option<Duration> {
        self.since.map(|since| (since + self.linger).saturating_duration_since(Clock::instant()))
    }

    pub(super) fn is_due(&mut self, ahead: &ReadAhead) -> bool {
        if ahead.len() == 0 {
            return false;
        }
        self.since.get_or_insert_with(Clock::instant);
        ahead.is_heavy() || ahead.len() >= self.most || self.rest().is_some_and(|rest| rest.is_zero())
    }
}
