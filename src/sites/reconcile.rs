//! Makes the sites of the configuration file those of the database: at the start, and again when told to.

use std::path::Path;

use log::{info, warn};

use super::SitesError;
use crate::config::Loaded;
use crate::model::Origin;
use crate::store::{Catalog, Changes};

/// Makes the file's sites those of the database. A file that somebody has emptied takes none away.
///
/// # Errors
/// The file is empty; the database.
pub async fn reconcile(catalog: &dyn Catalog, loaded: &Loaded) -> Result<(), SitesError> {
    if let Loaded { emptied: true, file: Some(file), .. } = loaded {
        refuse_emptied(catalog, file).await?;
    }
    let Changes { added, changed, unchanged, disabled, foreign } =
        catalog.reconcile(loaded.sites.clone()).await?;
    if added + changed + disabled > 0 {
        info!(added, changed, disabled, unchanged; "sites of the configuration file reconciled");
    }
    for name in foreign {
        warn!(name; "a site of the configuration file has the name of one that was added by command, which stays as it is; rename one of them");
    }
    Ok(())
}

async fn refuse_emptied(catalog: &dyn Catalog, file: &Path) -> Result<(), SitesError> {
    let known = catalog.sites().await?;
    match known.iter().filter(|site| site.known().origin == Origin::File).count() {
        0 => Ok(()),
        sites => Err(SitesError::FileEmptied { file: file.display().to_string(), sites }),
    }
}
