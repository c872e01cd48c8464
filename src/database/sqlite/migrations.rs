//! Migrations, which are compiled in.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect;
use crate::database::DatabaseError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Applies what is missing and returns the names of what was applied. A database from a newer version is refused.
pub fn migrate(path: &Path) -> Result<Vec<String>, DatabaseError> {
    let mut connection = connect(path)?;
    refuse_newer(&mut connection, path)?;
    // The write lock is taken first, so that of two processes one migrates and the other finds it done.
    connection.batch_execute("PRAGMA busy_timeout = 30000")?;
    connection.immediate_transaction(|connection| {
        let applied = connection.run_pending_migrations(MIGRATIONS).map_err(DatabaseError::Migrate)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}

/// Refuses a database that lacks migrations or has unknown ones.
pub fn verify(path: &Path) -> Result<(), DatabaseError> {
    let mut connection = connect(path)?;
    refuse_newer(&mut connection, path)?;
    let missing = connection.pending_migrations(MIGRATIONS).map_err(DatabaseError::Migrate)?.len();
    match missing {
        0 => Ok(()),
        count => Err(DatabaseError::Older { database: path.display().to_string(), count }),
    }
}

fn refuse_newer(connection: &mut SqliteConnection, path: &Path) -> Result<(), DatabaseError> {
    use diesel::migration::{Migration, MigrationSource};
    let known: Vec<String> = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS)
        .map_err(DatabaseError::Migrate)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = connection.applied_migrations().map_err(DatabaseError::Migrate)?;
    let unknown: Vec<String> =
        applied.iter().map(ToString::to_string).filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(DatabaseError::Newer { database: path.display().to_string(), versions: unknown.join(", ") })
}
