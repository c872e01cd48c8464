//! The port of reports and audits: what was found.

use async_trait::async_trait;

use super::accounting::Audit;
use super::{Failure, Range, StoreError};
use crate::clock::Timestamp;
use crate::model::{Site, SiteId};

/// A site that is up for long has far more results than one would look through for the last one that was not.
pub(super) const RECENT: i64 = 1_000;

/// What was found.
#[async_trait]
pub trait History: Send + Sync {
    /// What the database's clock reads.
    async fn now(&self) -> Result<Timestamp, StoreError>;

    /// Per site, by name, what was measured in `range`; of all sites, or of one.
    async fn statistics(&self, range: Range, only: Option<SiteId>)
    -> Result<Vec<SiteStatistics>, StoreError>;

    /// The newest result of a site that was not up. It is looked for among the newest 1,000 results, and then among as many
    /// before its present verdict began to stand: a slot that was missed in between, and lies further back, is passed over.
    async fn last_failure(&self, site: SiteId) -> Result<Option<Failure>, StoreError>;

    /// Counts slots against rows. Slots younger than `margin_s` plus the site's timeout are left out.
    async fn audit(&self, range: Range, margin_s: i64) -> Result<Audit, StoreError>;
}

/// What was measured at one site.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteStatistics {
    /// Which site, as far as it can be read, and its present status.
    pub site: Site,
    /// Rows per status.
    pub up: u64,
    /// Slow, or with a warning.
    pub degraded: u64,
    /// Not as expected.
    pub down: u64,
    /// Not checked in time.
    pub missed: u64,
    /// Our own fault, or a status of a newer version.
    pub unknown: u64,
    /// Total time of the checks that had an answer, µs: median, 95th and 99th percentile by nearest rank.
    pub percentiles_us: Option<[u32; 3]>,
}

impl SiteStatistics {
    /// Slots that were checked with a verdict.
    pub fn checks(&self) -> u64 {
        self.up + self.degraded + self.down
    }

    /// Share of the verdicts that were not `down`, in percent; `None` without a verdict. So near to 100 that it would read 100, it
    /// is the number below.
    pub fn uptime_percent(&self) -> Option<f64> {
        if self.checks() == 0 {
            return None;
        }
        let percent = (self.up + self.degraded) as f64 * 100.0 / self.checks() as f64;
        Some(if self.down == 0 { percent } else { percent.min(100.0_f64.next_down()) })
    }
}
