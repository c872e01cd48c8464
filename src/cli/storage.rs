//! Opens the store for a command that works beside `run`.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::error::CliError;
use crate::clock::Clock;
use crate::config::DatabaseConfig;
use crate::database::DatabaseError;
use crate::database::sqlite::{Sqlite, migrate, verify};
use crate::store::sqlite::SqliteStore;
use crate::store::{Catalog, History, StoreError};

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
        let path = Path::new(config.sqlite_path());
        bring_up_to_date(path, config.migrate)?;
        let clock = Clock::system();
        let store = Arc::new(SqliteStore::new(Sqlite::open_patiently(path)?, clock.clone()));
        let runtime = Builder::new_current_thread().enable_time().build().map_err(CliError::Runtime)?;
        Ok(Self { catalog: Arc::clone(&store) as _, history: store, clock, runtime })
    }

    /// Waits for an answer of a port.
    pub(super) fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.runtime.block_on(answer)
    }
}

fn refuse_missing(config: &DatabaseConfig, remedy: &'static str) -> Result<(), CliError> {
    let path = config.sqlite_path();
    // Where we may not even look, opening it tells why.
    match Path::new(path).try_exists() {
        Ok(false) => Err(CliError::NoDatabase { path: path.to_owned(), remedy }),
        _ => Ok(()),
    }
}

/// Looks first, since migrating takes the right to write from a `run` for a moment.
fn bring_up_to_date(path: &Path, may_migrate: bool) -> Result<(), DatabaseError> {
    match verify(path) {
        Err(DatabaseError::Older { .. }) if may_migrate => migrate(path).map(drop),
        verified => verified,
    }
}
