//! A connection with our settings.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::database::DatabaseError;
use crate::private;

/// WAL, so that other programs read while we write.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
    PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";

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
