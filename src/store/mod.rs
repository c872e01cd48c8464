//! The store: what is watched, and what was found.
//!
//! Three ports, one per reader: [`ResultStore`] for the persister, [`Catalog`] for whoever changes sites,
//! [`History`] for reports. [`sqlite`] keeps all three in the embedded database, [`postgres`] in one that many machines share.

pub mod accounting;
mod change_set;
mod failure;
mod listed;
pub mod postgres;
mod retention;
mod rhythm;
pub mod sqlite;
mod turns;

use std::ops::AddAssign;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::SubsecRound as _;

use crate::clock::Timestamp;
use crate::database::DatabaseError;
use crate::failure::MayHeal;
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec, Slot};
use crate::result_log::Batch;
use accounting::Audit;
pub(crate) use change_set::nearest as nearest_name;
pub use failure::{Failure, Seen};
pub use listed::Listed;
pub use retention::{Doubt, Pruned, Retention};
pub use turns::Turn;

/// Stores results.
///
/// - one call is one transaction;
/// - storing a result again changes nothing, and the first result of a slot stands, but for `missed`: a check takes its place;
/// - a site's verdict, and since when it stands, is that of its newest slots with one, whatever the order of arrival: slots that were
///   missed, or whose checks could not tell, change it in nothing, nor do slots of a clock that is ahead.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Stores a batch.
    async fn persist(&self, batch: &Batch) -> Result<Persisted, StoreError>;

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

/// When a new or resumed site gets its first check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Now, in an extra slot, and then in its phase.
    AtOnce,
    /// Within a minute, and then in its phase: in an extra slot, where its phase comes later. So many sites are not all checked
    /// at the same moment.
    InFirstMinute,
    /// In its phase.
    InPhase,
}

/// Called with the number of sites done so far.
pub type Progress = Arc<dyn Fn(usize) + Send + Sync>;

/// The sites.
///
/// Every change is one transaction and takes effect at the scheduler's next tick. A change of interval or a pause never loses a
/// slot that was due before it. A change made while the clock is behind the last tick counts from that tick, as long as the
/// clock was only adjusted; one that was set back is followed. A site whose interval stays keeps its phase, also under a new name.
///
/// What a newer version has written and this one cannot read ([`Listed`]) hides no other site. Such a site is not changed,
/// but replaced by what the file or an import says of it, disabled when it leaves the file, and removed.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// How many sites are enabled, and how many there are.
    async fn count(&self) -> Result<SiteCount, StoreError>;

    /// All sites by name.
    async fn sites(&self) -> Result<Vec<Listed>, StoreError>;

    /// The site called `name`.
    async fn site(&self, name: &str) -> Result<Site, StoreError>;

    /// Adds one site. One of that name that has left the file is taken over, with its id and its results.
    async fn add(&self, spec: SiteSpec, start: Start) -> Result<Site, StoreError>;

    /// Adds many sites: all, or none. Up to 1,000 new ones are checked within a minute, more follow their phases. Sites that
    /// exist and differ are changed when `update`, and refused otherwise, unless they have left the file. A new site gets the id
    /// that it names, which no site has or ever had; a site that exists keeps its own.
    async fn import(
        &self,
        sites: Vec<Declared>,
        update: bool,
        progress: Progress,
    ) -> Result<Changes, StoreError>;

    /// Replaces what was declared of the site that was read as `seen`, its name included; refuses when somebody has changed it
    /// since. A site that becomes enabled is checked at once; one that has left the file is taken over.
    async fn replace(&self, seen: &Site, spec: SiteSpec) -> Result<Site, StoreError>;

    /// Removes a site with its queued jobs. Its results stay until retention removes them, but neither reports nor audits count
    /// them or its slots any more.
    async fn remove(&self, name: &str) -> Result<(), StoreError>;

    /// Makes the sites of [`Origin::File`] equal to `declared`: adds, changes, and disables those that have left the file, which
    /// are [`Origin::Left`] from then on. A site of that origin that is declared again is taken over.
    /// Up to 100 new ones are checked at once, up to 1,000 within a minute, and more follow their phases.
    async fn reconcile(&self, declared: Vec<SiteSpec>) -> Result<Changes, StoreError>;
}

/// Numbers of sites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SiteCount {
    /// Scheduled.
    pub enabled: usize,
    /// Kept but not checked.
    pub paused: usize,
}

/// What an import or a reconciliation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New sites.
    pub added: usize,
    /// Sites whose settings changed.
    pub changed: usize,
    /// Sites that were equal already.
    pub unchanged: usize,
    /// Sites that left the file and are not scheduled any more.
    pub disabled: usize,
    /// Declared in the file, but they belong to another origin and were left alone.
    pub foreign: Vec<String>,
}

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

/// A site that is up for long has far more results than one would look through for the last one that was not.
const RECENT: i64 = 1_000;

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

    /// Share of the verdicts that were not `down`, in percent; `None` without a verdict.
    pub fn uptime_percent(&self) -> Option<f64> {
        let available = self.up + self.degraded;
        (self.checks() > 0).then(|| available as f64 * 100.0 / self.checks() as f64)
    }
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or is away. Nothing was changed.
    #[error("failed to use the store")]
    Database(#[from] DatabaseError),

    /// No site has this name.
    #[error("there is no site {name:?}{}", suggestion(.nearest))]
    UnknownSite {
        /// As given.
        name: String,
        /// The most similar name.
        nearest: Option<String>,
    },

    /// Names that are taken.
    #[error("{} exist already: {}; choose other names, or import with --update to change them", count(.0), list(.0))]
    Exists(Vec<String>),

    /// Ids that other sites have, or had.
    #[error(
        "the ids {} belong to other sites, or to removed ones, of which there are results; leave `id` out of the import, or \
             import into an empty database",
        numbers(.0)
    )]
    IdsTaken(Vec<SiteId>),

    /// The file declares it.
    #[error(
        "{0:?} is declared in the configuration file; change it there, or take it out: after the next start or SIGHUP it is for \
             commands to change"
    )]
    DeclaredInFile(String),

    /// A configuration file without a byte would disable all sites that it declared. Nothing was changed.
    #[error(
        "{file} is empty, and {} it declared would be disabled; restore it, or write a comment into it to declare no site",
        match .sites { 1 => "a site that".to_owned(), sites => format!("{sites} sites that") }
    )]
    FileEmptied {
        /// Its path.
        file: String,
        /// Sites that are of the file.
        sites: usize,
    },

    /// Somebody else changed or removed it after it was read. Nothing was changed.
    #[error("somebody else has changed {0:?} meanwhile, and nothing was done; look at it, and try again")]
    ChangedMeanwhile(String),

    /// What was declared of it cannot be read, and so not be changed.
    #[error(
        "this version cannot read the site {:?} (id {}): {}; use the newer version, or remove the site",
        .0.known().spec.name, .0.known().id, .0.unreadable().unwrap_or_default()
    )]
    Unreadable(Box<Listed>),
}

impl StoreError {
    /// Whether the same call may succeed later, if need be after somebody has mended the database: so it is worth trying for as
    /// long as it takes. False where the values themselves are what the database will never take
    /// ([`DatabaseError::blames_data`]), or where a site is not as the caller thinks.
    pub fn may_heal(&self) -> bool {
        match self {
            Self::Database(error) => !error.blames_data(),
            _ => false,
        }
    }
}

impl MayHeal for StoreError {
    fn may_heal(&self) -> bool {
        self.may_heal()
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

fn suggestion(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name:?}?"),
        None => "; `uptime-monitor sites list` shows them all".to_owned(),
    }
}

fn count(names: &[String]) -> String {
    if names.len() == 1 {
        "a site of that name does".to_owned()
    } else {
        format!("{} of these sites", names.len())
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

fn numbers(ids: &[SiteId]) -> String {
    list(&ids.iter().map(ToString::to_string).collect::<Vec<_>>()).replace('"', "")
}

/// Sites of this origin are not for commands to change.
pub(crate) fn refuse_file_site(site: &Site) -> Result<(), StoreError> {
    match site.origin {
        Origin::File => Err(StoreError::DeclaredInFile(site.spec.name.clone())),
        Origin::Left | Origin::Command => Ok(()),
    }
}
