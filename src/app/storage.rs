//! Opens the database that the configuration names, whichever it is.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use log::info;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::config::{DatabaseConfig, hide_password};
use crate::database::DatabaseError;
use crate::database::postgres::{Postgres, PostgresSettings};
use crate::database::sqlite::{self, RunLock, Sqlite};
use crate::failure::wait_for;
use crate::queue::JobQueue;
use crate::queue::postgres::PostgresJobQueue;
use crate::queue::sqlite::SqliteJobQueue;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{Catalog, History, ResultStore};

/// The ports that lie in the database.
pub struct Storage {
    /// Due slots.
    pub queue: Arc<dyn JobQueue>,
    /// Results, for writing.
    pub results: Arc<dyn ResultStore>,
    /// Sites.
    pub catalog: Arc<dyn Catalog>,
    /// Results, for reading.
    pub history: Arc<dyn History>,
    /// Wall time of this process.
    pub clock: Clock,
    /// The right to be the one `run` on a file.
    _lock: Option<RunLock>,
}

impl Storage {
    /// For a process that stays: takes the file for itself, or waits for the server, and applies migrations unless told not to.
    pub(super) async fn for_role(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        match config.sqlite_path() {
            Some(path) => {
                let lock = RunLock::take(path)?;
                let what = format!("open the database {}", path.display());
                let opening = async || open_aside(path, config.migrate).await;
                let database = wait_for(&what, opening, DatabaseError::may_heal).await?;
                Ok(Self::sqlite(database, Some(lock)))
            }
            None => {
                let what = format!("reach {}", hide_password(&config.url));
                wait_for(&what, async || Self::for_command(config).await, DatabaseError::may_heal).await
            }
        }
    }

    /// For a command that works beside the others and ends.
    pub async fn for_command(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        match config.sqlite_path() {
            Some(path) => {
                bring_up_to_date(path, config.migrate)?;
                Ok(Self::sqlite(Sqlite::open_patiently(path)?, None))
            }
            None => Self::postgres(config).await,
        }
    }

    fn sqlite(database: Sqlite, lock: Option<RunLock>) -> Self {
        let clock = Clock::system();
        let store = Arc::new(SqliteStore::new(database.clone(), clock.clone()));
        Self {
            queue: Arc::new(SqliteJobQueue::new(database, clock.clone())),
            results: Arc::clone(&store) as _,
            catalog: Arc::clone(&store) as _,
            history: store,
            clock,
            _lock: lock,
        }
    }

    async fn postgres(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        let database = Postgres::open(postgres_settings(config)).await?;
        if config.migrate {
            say_migrated(database.migrate().await?);
        } else {
            database.verify().await?;
        }
        let store = Arc::new(PostgresStore::new(database.clone()));
        Ok(Self {
            queue: Arc::new(PostgresJobQueue::new(database)),
            results: Arc::clone(&store) as _,
            catalog: Arc::clone(&store) as _,
            history: store,
            clock: Clock::system(),
            _lock: None,
        })
    }
}

/// Brings the database up to date, and returns the names of what was applied.
///
/// # Errors
/// It cannot be reached, or a newer version has been at it.
pub async fn migrate(config: &DatabaseConfig) -> Result<Vec<String>, DatabaseError> {
    match config.sqlite_path() {
        Some(path) => sqlite::migrate(path),
        None => Postgres::open(postgres_settings(config)).await?.migrate().await,
    }
}

fn postgres_settings(config: &DatabaseConfig) -> PostgresSettings {
    PostgresSettings {
        url: config.url.clone(),
        ca_file: config.ca_file.clone(),
        connections: config.connections,
        connect_timeout: config.connect_timeout,
        statement_timeout: config.statement_timeout,
    }
}

/// Opens on a thread of its own: a database that is locked blocks it, and a signal must be heard all the same.
async fn open_aside(path: &Path, migrate: bool) -> Result<Sqlite, DatabaseError> {
    let failed =
        |source: std::io::Error| DatabaseError::Open { path: path.to_owned(), source: source.into() };
    let (reply, answer) = oneshot::channel();
    let owned = path.to_owned();
    thread::Builder::new().spawn(move || reply.send(open_blocking(&owned, migrate))).map_err(failed)?;
    answer.await.map_err(|_| DatabaseError::Panicked)?
}

fn open_blocking(path: &Path, migrate: bool) -> Result<Sqlite, DatabaseError> {
    if migrate {
        say_migrated(sqlite::migrate(path)?);
    } else {
        sqlite::verify(path)?;
    }
    Sqlite::open(path)
}

fn say_migrated(applied: Vec<String>) {
    for name in applied {
        info!(migration = name; "database migrated");
    }
}

/// Looks first, since migrating takes the right to write from a `run` for a moment.
fn bring_up_to_date(path: &Path, may_migrate: bool) -> Result<(), DatabaseError> {
    match sqlite::verify(path) {
        Err(DatabaseError::Older { .. }) if may_migrate => sqlite::migrate(path).map(drop),
        verified => verified,
    }
}
