//! The port of everything that changes sites.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Listed, StoreError};
use crate::model::{Declared, Origin, Site, SiteSpec};

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

/// Sites of this origin are not for commands to change.
pub(crate) fn refuse_file_site(site: &Site) -> Result<(), StoreError> {
    match site.origin {
        Origin::File => Err(StoreError::DeclaredInFile(site.spec.name.clone())),
        Origin::Left | Origin::Command => Ok(()),
    }
}
