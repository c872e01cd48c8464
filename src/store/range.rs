//! Which slots a report or an audit is about.

use chrono::SubsecRound as _;

use crate::clock::Timestamp;

/// A range of slots: `from` inclusive, `to` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First slot.
    pub from: Timestamp,
    /// Slots before this.
    pub to: Timestamp,
}

impl Range {
    /// From the second in which it begins to the one in which it ends. Slots are counted by whole seconds, and rows have to be
    /// looked for by the same.
    pub(crate) fn in_whole_seconds(self) -> Self {
        Self { from: self.from.trunc_subsecs(0), to: self.to.trunc_subsecs(0) }
    }
}
