//! Connections with our settings, and what a reader owes to the writer.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use log::debug;

use crate::database::{DatabaseError, statement};
use crate::failure::chain;
use crate::private;

/// WAL, so that others read while we write: our own readers, and other programs.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
    PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";

/// A report looks at each page once, so it gains nothing from a large cache.
const READING: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -2048;";

/// See [`Sqlite::open_patiently`](super::Sqlite::open_patiently).
const PATIENCE: &str = "PRAGMA busy_timeout = 25000";

/// A read that has taken longer has kept the log from starting over for so long.
const LONG: Duration = Duration::from_secs(1);

/// Starts the log over, and gives up soon: another program may hold the right to write, or read an old state, for long.
const START_OVER: &str =
    "PRAGMA busy_timeout = 100; PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout = 5000;";

/// Opens a connection with our settings. Makes the folder and the file where they are missing, for their owner alone: SQLite
/// gives the files beside it the same permissions.
pub fn connect(path: &Path) -> Result<SqliteConnection, DatabaseError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| DatabaseError::Open {
        path: path.to_owned(),
        source,
    };
    private::make_folder_of(path)
        .and_then(|()| private::make_file(path))
        .map_err(|error| failed(error.into()))?;
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| failed(error.into()))?;
    connection.batch_execute(PRAGMAS).map_err(|error| match DatabaseError::from(error) {
        DatabaseError::Statement(source) => failed(source.into()),
        busy => busy,
    })?;
    Ok(connection)
}

/// For a command beside a `run`.
pub(super) fn connect_patiently(path: &Path) -> Result<SqliteConnection, DatabaseError> {
    let mut connection = connect(path)?;
    connection.batch_execute(PATIENCE)?;
    Ok(connection)
}

/// For reading alone.
pub(super) fn connect_to_read(path: &Path) -> Result<SqliteConnection, DatabaseError> {
    let mut connection = connect(path)?;
    connection.batch_execute(READING)?;
    Ok(connection)
}

/// Whether readers and a writer keep each other waiting: all but a WAL does that. A file may lie where there can be none.
pub(super) fn has_log(connection: &mut SqliteConnection) -> Result<bool, DatabaseError> {
    let (mode,): (String,) = JournalMode {}.get_result(connection)?;
    Ok(mode == "wal")
}

/// Moves what the log has gathered during a long read into the database, so that no writer has to do so much in its commit. The
/// first step goes on beside the writer, and leaves little for the second.
///
/// Without the second step a report that follows another one would see the log in use again, and it would grow with each of them.
pub(super) fn clear_log(connection: &mut SqliteConnection, read_for: Duration) {
    if read_for < LONG {
        return;
    }
    let cleared = connection
        .batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|()| connection.batch_execute(START_OVER));
    if let Err(error) = cleared {
        debug!(error = chain(&error); "failed to clear the log of the database after a long read; the next commits do");
    }
}

statement!(JournalMode {} -> (Text,) = "PRAGMA journal_mode");
