//! Why a database could not do what was asked, whichever database it is.

use std::path::PathBuf;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Any other error, as it was found.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite: the file or its folder can't be used.
    #[error(
        "failed to open the database {path}; check that the folder exists or can be made, and that this user may write there"
    )]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },

    /// SQLite: another `run` has it.
    #[error(
        "the database {path} is in use by another `uptime-monitor run`; stop that one, or give this one a file of its own (database.url)"
    )]
    InUse {
        /// The database file.
        path: PathBuf,
    },

    /// PostgreSQL: the server can't be reached. It may come back at any time.
    #[error("failed to reach PostgreSQL at {server}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the system said.
        #[source]
        source: Cause,
    },

    /// PostgreSQL: the server is there and won't have us. Trying again will not help.
    #[error("PostgreSQL at {server} refused: {message}; {remedy}")]
    Refused {
        /// Host and port.
        server: String,
        /// What it said.
        message: String,
        /// What to do about it.
        remedy: String,
    },

    /// PostgreSQL: every connection is in use.
    #[error(
        "no free connection to PostgreSQL within {waited:?}; raise database.connections, or look for slow statements"
    )]
    Exhausted {
        /// For how long one was waited for.
        waited: Duration,
    },

    /// PostgreSQL: no answer, as from a server that is frozen or cut off. The statement may have run.
    #[error("no answer from PostgreSQL within {waited:?}")]
    Silent {
        /// For how long it was waited for.
        waited: Duration,
    },

    /// The database was made by a newer version.
    #[error(
        "the database {database} has migrations that this version does not know ({versions}); start the newer version that made them, or restore a backup"
    )]
    Newer {
        /// The file, or server and name.
        database: String,
        /// Unknown migrations.
        versions: String,
    },

    /// The database lacks migrations and we were told not to apply them.
    #[error(
        "the database {database} lacks {count} migration(s); run `uptime-monitor migrate`, or set database.migrate = true"
    )]
    Older {
        /// The file, or server and name.
        database: String,
        /// How many are missing.
        count: usize,
    },

    /// A migration failed; it was rolled back.
    #[error("failed to migrate the database")]
    Migrate(#[source] Cause),

    /// Somebody else is writing. Safe to try again.
    #[error("the database is locked by another program")]
    Busy(#[source] DieselError),

    /// A statement failed. Its transaction was rolled back.
    #[error("failed to run a database statement")]
    Statement(#[source] DieselError),

    /// The work panicked; its transaction was rolled back.
    #[error("database work panicked")]
    Panicked,

    /// The thread has ended.
    #[error("the database was closed")]
    Closed,
}

impl DatabaseError {
    /// Whether waiting may help: the database is away, busy or starting, and not set up wrongly.
    pub fn may_heal(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Exhausted { .. }
                | Self::Silent { .. }
                | Self::Busy(_)
                | Self::Statement(_)
        )
    }
}

impl From<DieselError> for DatabaseError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if info.message().contains("locked") =>
            {
                Self::Busy(error)
            }
            _ => Self::Statement(error),
        }
    }
}
