//! Makes the sites of the configuration file those of the database: at the start, and again when told to.

use log::{error, info, warn};

use crate::config::{self, Sources};
use crate::failure::chain;
use crate::model::SiteSpec;
use crate::store::{Catalog, Changes, StoreError};

/// Makes the file's sites those of the database.
pub(super) async fn reconcile(catalog: &dyn Catalog, sites: Vec<SiteSpec>) -> Result<(), StoreError> {
    let Changes { added, changed, unchanged, disabled, foreign } = catalog.reconcile(sites).await?;
    if added + changed + disabled > 0 {
        info!(added, changed, disabled, unchanged; "sites of the configuration file reconciled");
    }
    for name in foreign {
        warn!(name; "a site of the configuration file has the name of one that was added by command, which stays as it is; rename one of them");
    }
    Ok(())
}

/// Reads the configuration file again and reconciles its sites. Other settings need a new start.
pub(super) async fn reload(catalog: &dyn Catalog, sources: &Sources) {
    match config::load(sources.clone()) {
        Ok(loaded) if loaded.file.is_some() => match reconcile(catalog, loaded.sites).await {
            Ok(()) => info!(
                "configuration file read again; settings other than sites take effect at the next start"
            ),
            Err(error) => error!(error = chain(&error); "failed to reconcile the sites; the old ones stay"),
        },
        Ok(_) => warn!("there is no configuration file to read again"),
        Err(problems) => {
            error!(problems = problems.to_string(); "the configuration file has problems; the old sites stay")
        }
    }
}
