//! The port of the persister and the janitor: results are stored, and removed when they are old.

use std::ops::AddAssign;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Pruned, Retention, StoreError, Turn};
use crate::clock::Timestamp;
use crate::model::{CheckResult, Slot};

/// Stores results.
///
/// - one call is one transaction;
/// - storing a result again changes nothing, and the first result of a slot stands, but for `missed`: a check takes its place;
/// - a site's verdict, and since when it stands, is that of its newest slots with one, whatever the order of arrival: slots that were
///   missed, or whose checks could not tell, change it in nothing, nor do slots of a clock that is ahead.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Stores results, in groups as they were appended to the log.
    async fn persist(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError>;

    /// Removes results that are older than they are to be kept, up to about `retention.most` of them; called again until none is
    /// left. The database's clock decides, as far as it is believed: after a jump ahead nothing goes that would stay without it.
    /// A database that keeps days apart removes whole days at once, and so keeps results for up to a day longer.
    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError>;

    /// The slot before which no job waits and none will be queued: results of earlier slots are stored, or in the result log,
    /// or lost. `None` before the first tick.
    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Notes for audits that the results of slots before `before`, as far as they are in the log, have been read from it and
    /// stored. The latest such moment stands. `None`: what is acknowledged is stored, so there is nothing to read.
    async fn note_read(&self, before: Option<Timestamp>) -> Result<(), StoreError>;
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Persisted {
    /// Slots whose rows are new, or were `missed` and are a check now.
    pub new: Vec<Slot>,
    /// Results whose slot had a row already.
    pub repeated: usize,
    /// How sites turned, each site's turns in the order of its slots.
    pub turns: Vec<Turn>,
}

impl AddAssign for Persisted {
    fn add_assign(&mut self, more: Self) {
        self.new.extend(more.new);
        self.repeated += more.repeated;
        self.turns.extend(more.turns);
    }
}
