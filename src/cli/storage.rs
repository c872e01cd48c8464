//! Opens the store for a command that works beside the others.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::error::CliError;
use crate::app;
use crate::clock::Clock;
use crate::config::{DatabaseConfig, Loaded};
use crate::database::DatabaseError;
use crate::sites::{InFile, Sites};
use crate::store::{Catalog, History};

/// The store's ports, for commands that do one thing after the other.
pub(super) struct Storage {
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) history: Arc<dyn History>,
    pub(super) clock: Clock,
    runtime: Runtime,
}

impl Storage {
    /// A store that is there already: reading creates nothing.
    pub(super) fn existing(config: &DatabaseConfig) -> Result<Self, CliError> {
        refuse_missing(config, "uptime-monitor run` or `uptime-monitor sites add URL")?;
        Self::open(config)
    }

    /// A store that is created when missing, unless migrations are left to `migrate`.
    pub(super) fn created(config: &DatabaseConfig) -> Result<Self, CliError> {
        if !config.migrate {
            refuse_missing(config, "uptime-monitor migrate")?;
        }
        Self::open(config)
    }

    fn open(config: &DatabaseConfig) -> Result<Self, CliError> {
        let runtime = runtime()?;
        let app::Storage { catalog, history, clock, .. } =
            runtime.block_on(app::Storage::for_command(config))?;
        Ok(Self { catalog, history, clock, runtime })
    }

    /// Waits for an answer of a port.
    pub(super) fn wait<T, E>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.runtime.block_on(answer)
    }

    /// The sites, beside those that `loaded` declares.
    pub(super) fn sites<'a>(&self, loaded: &'a Loaded) -> Sites<'a> {
        Sites::new(Arc::clone(&self.catalog), InFile::of(&loaded.sites))
    }
}

/// Waits for an answer of the database. A server that says nothing at all ends the wait, however long its work may take.
pub(super) fn wait<T>(answer: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, CliError> {
    Ok(runtime()?.block_on(answer)?)
}

fn runtime() -> Result<Runtime, CliError> {
    Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)
}

/// A server's database is there or not, as opening it tells; a file would be created.
fn refuse_missing(config: &DatabaseConfig, remedy: &'static str) -> Result<(), CliError> {
    let Some(path) = config.sqlite_path() else { return Ok(()) };
    // Where we may not even look, opening it tells why.
    match path.try_exists() {
        Ok(false) => Err(CliError::NoDatabase { path: path.display().to_string(), remedy }),
        _ => Ok(()),
    }
}
