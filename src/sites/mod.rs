//! The use cases of sites: who may change which, and how. The command line asks here today, an API will do the same.
//!
//! ```text
//! what a person or a file says ──config::RawSite──▶ model::SiteSpec ──Sites──▶ store::Catalog
//! ```
//!
//! Two rules stand above the store's own. What the configuration file declares is changed there alone, also before the next start has
//! read it ([`InFile`]). And a change is made of the site as it was read: when somebody else was faster it is made again, of what
//! stands then, so that neither change is lost.

mod error;
mod in_file;
mod part;
mod reconcile;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::model::{Declared, Origin, Site, SiteSpec};
use crate::store::{Catalog, Changes, Listed, Progress, Start, StoreError};

pub use error::SitesError;
pub use in_file::InFile;
pub use part::{changed_part, validated};
pub use reconcile::reconcile;

/// Somebody else would have to be faster so many times in a row before a change is given up.
const TRIES: usize = 100;

/// The sites, changed by a command beside a running program.
pub struct Sites<'a> {
    catalog: Arc<dyn Catalog>,
    in_file: InFile<'a>,
}

impl<'a> Sites<'a> {
    /// Over what is stored, and beside what the configuration file declares.
    pub fn new(catalog: Arc<dyn Catalog>, in_file: InFile<'a>) -> Self {
        Self { catalog, in_file }
    }

    /// All of them by name.
    ///
    /// # Errors
    /// The database.
    pub async fn all(&self) -> Result<Vec<Listed>, SitesError> {
        Ok(self.catalog.sites().await?)
    }

    /// Adds one.
    ///
    /// # Errors
    /// Its name is taken, or the file's.
    pub async fn add(&self, spec: SiteSpec, start: Start) -> Result<Site, SitesError> {
        self.in_file.refuse(&spec.name)?;
        Ok(self.catalog.add(spec, start).await?)
    }

    /// Adds many, all of them or none.
    ///
    /// # Errors
    /// Names or ids that are taken; a site that the file declares otherwise.
    pub async fn import(
        &self,
        sites: Vec<Declared>,
        update: bool,
        progress: Progress,
    ) -> Result<Changes, SitesError> {
        self.in_file.refuse_others(&sites)?;
        Ok(self.catalog.import(sites, update, progress).await?)
    }

    /// The site called `name`, as far as it can be read.
    ///
    /// # Errors
    /// There is none.
    pub async fn named(&self, name: &str) -> Result<Listed, SitesError> {
        match self.catalog.site(name).await {
            Ok(site) => Ok(site.into()),
            Err(StoreError::Unreadable(site)) => Ok(*site),
            Err(error) => Err(error.into()),
        }
    }

    /// The named sites, each once, to be removed; or everything that speaks against it, in which case none is to be.
    ///
    /// # Errors
    /// Some are unknown, or the file's.
    pub async fn removable(&self, names: &[String]) -> Result<Vec<Listed>, SitesError> {
        let (mut sites, mut refused): (Vec<Listed>, Vec<StoreError>) = (Vec::new(), Vec::new());
        for name in names {
            match self.named(name).await {
                Ok(site) if self.is_of_file(site.known()) => {
                    refused.push(StoreError::DeclaredInFile(name.clone()));
                }
                Ok(site) if sites.iter().any(|other| other.known().id == site.known().id) => {}
                Ok(site) => sites.push(site),
                Err(SitesError::Refused(more)) => refused.extend(more),
                Err(error) => return Err(error),
            }
        }
        if refused.is_empty() { Ok(sites) } else { Err(SitesError::Refused(refused)) }
    }

    /// The named sites, each once, to be changed; or everything that speaks against it, in which case none is to be.
    ///
    /// # Errors
    /// Some are unknown, the file's, or cannot be read completely.
    pub async fn changeable(&self, names: &[String]) -> Result<Vec<Site>, SitesError> {
        let (mut sites, mut refused) = (Vec::new(), Vec::new());
        for site in self.removable(names).await? {
            match site.complete() {
                Ok(site) => sites.push(site),
                Err(unreadable) => refused.push(unreadable.into()),
            }
        }
        if refused.is_empty() { Ok(sites) } else { Err(SitesError::Refused(refused)) }
    }

    /// Changes `site` to what `edit` makes of it, which is asked again when somebody else has changed it meanwhile. `None`: it is
    /// like that already.
    ///
    /// # Errors
    /// Those of `edit`; the new name is taken, or the file's; the site was removed meanwhile, or changed again and again.
    pub async fn change(
        &self,
        mut site: Site,
        edit: impl Fn(&Site) -> Result<SiteSpec, SitesError>,
    ) -> Result<Option<Site>, SitesError> {
        for _ in 0..TRIES {
            let spec = edit(&site)?;
            if spec.name != site.spec.name {
                self.in_file.refuse(&spec.name)?;
            }
            if spec == site.spec && site.origin != Origin::Left {
                return Ok(None);
            }
            match self.catalog.replace(&site, spec).await {
                Err(StoreError::ChangedMeanwhile(name)) => site = self.catalog.site(&name).await?,
                done => return Ok(Some(done?)),
            }
        }
        Err(StoreError::ChangedMeanwhile(site.spec.name).into())
    }

    /// Pauses or resumes a site. `None`: it is like that already.
    ///
    /// # Errors
    /// As for [`change`](Self::change).
    pub async fn switch(&self, site: Site, enabled: bool) -> Result<Option<Site>, SitesError> {
        if site.spec.enabled == enabled {
            return Ok(None);
        }
        self.change(site, |site| Ok(SiteSpec { enabled, ..site.spec.clone() })).await
    }

    /// Forgets a site that was [`removable`](Self::removable).
    ///
    /// # Errors
    /// Somebody else has removed it.
    pub async fn remove(&self, site: &Listed) -> Result<(), SitesError> {
        Ok(self.catalog.remove(&site.known().spec.name).await?)
    }

    /// A site that has left the file may stand there again, and the next start will take it over.
    fn is_of_file(&self, site: &Site) -> bool {
        match site.origin {
            Origin::File => true,
            Origin::Left => self.in_file.declares(&site.spec.name),
            Origin::Command => false,
        }
    }
}
