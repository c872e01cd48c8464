//! Reads the configuration file again when told to.

use log::{error, info, warn};

use crate::config::{self, Sources};
use crate::failure::chain;
use crate::sites::reconcile;
use crate::store::Catalog;

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
