//! What the configuration file declares. It is in the database only after the next start, and counts before.

use std::collections::HashMap;

use crate::model::{Declared, SiteSpec};
use crate::store::StoreError;

/// The sites of the configuration file.
#[derive(Debug, Clone, Default)]
pub struct InFile<'a>(HashMap<&'a str, &'a SiteSpec>);

impl<'a> InFile<'a> {
    /// The sites that were read.
    pub fn of(sites: &'a [SiteSpec]) -> Self {
        Self(sites.iter().map(|site| (site.name.as_str(), site)).collect())
    }

    /// Whether a site of this name stands there.
    pub fn declares(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// # Errors
    /// The name is the file's.
    pub fn refuse(&self, name: &str) -> Result<(), StoreError> {
        if self.declares(name) { Err(StoreError::DeclaredInFile(name.to_owned())) } else { Ok(()) }
    }

    /// Refuses sites that the file declares otherwise: the next start would find their names taken.
    ///
    /// # Errors
    /// All of them.
    pub fn refuse_others(&self, sites: &[Declared]) -> Result<(), StoreError> {
        let differs = |site: &&SiteSpec| self.0.get(site.name.as_str()).is_some_and(|own| own != site);
        match sites.iter().map(|site| &site.spec).find(differs) {
            Some(site) => Err(StoreError::DeclaredInFile(site.name.clone())),
            None => Ok(()),
        }
    }
}
