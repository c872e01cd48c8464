//! How much work a question about a document may be.

use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Steps between two looks at the clock.
const ROUND: u64 = 4096;

/// Bytes of text that are looked at in one step.
const LOOKED_AT: usize = 64;

/// What is left to be spent. All questions about one document share one.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    until: Instant,
    /// Steps until the next look at the clock.
    round: u64,
}

/// It is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    /// `steps`, each about the visit of a value, or less where they take longer than `time`.
    pub(crate) fn new(steps: u64, time: Duration) -> Self {
        Self { steps, until: Clock::instant() + time, round: ROUND }
    }

    /// Takes what it costs to look at `text`, from its beginning to its end.
    pub(crate) fn look_at(&mut self, text: &str) -> Result<(), Exhausted> {
        self.spend((text.len() / LOOKED_AT) as u64)
    }

    /// Takes `steps` of it. Once refused, everything is.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or_default();
        self.round = self.round.saturating_sub(steps);
        if self.round == 0 {
            self.round = ROUND;
            if Clock::instant() >= self.until {
                self.steps = 0;
                return Err(Exhausted);
            }
        }
        left.map(|_| ()).ok_or(Exhausted)
    }
}
