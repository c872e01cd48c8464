//! Makes the sites of the configuration file those of the database: at the start, and again when told to.

use std::path::Path;

use log::{error, info, warn};

use crate::config::{self, Loaded, Sources};
use crate::failure::chain;
use crate::model::Origin;
use crate::store::{Catalog, Changes, StoreError};

/// Makes the file's sites those of the database. A file that somebody has emptied takes none away.
pub(super) async fn reconcile(catalog: &dyn Catalog, loaded: &Loaded) -> Result<(), StoreError> {
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

async fn refuse_emptied(catalog: &dyn Catalog, file: &Path) -> Result<(), StoreError> {
    let known = catalog.sites().await?;
    match known.iter().filter(|site| site.known().origin == Origin::File).count() {
        0 => Ok(()),
        sites => Err(StoreError::FileEmptied { file: file.display().to_string(), sites }),
    }
}

/// Reads the configuration file again and reconciles its sites. Other settings need a new start.
pub(super) async fn reload(catalog: &dyn Catalog, sources: &Sources) {
    match config::load(sources.clone()) {
        Ok(loaded) if loaded.file.is_some() => match reconcile(catalog, &loaded).await {
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
