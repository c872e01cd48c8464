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
    #[error("no answer from PostgreSQL within {waited:?}; look whether the server at database.url is well")]
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

    /// SQLite: somebody else was writing when another piece of our work tried. Safe to try again.
    #[error("the database is locked by another program")]
    Locked,

    /// PostgreSQL answered a statement with an error. Its transaction was rolled back.
    #[error("failed to run a database statement: {message} (SQLSTATE {code})")]
    Answered {
        /// The SQLSTATE, five letters and digits, which is the same in every language of the server.
        code: String,
        /// What the server said, in its language.
        message: String,
    },

    /// A statement failed, and no SQLSTATE says why. Its transaction was rolled back.
    #[error("failed to run a database statement")]
    Statement(#[source] DieselError),

    /// The work panicked; its transaction was rolled back.
    #[error("database work panicked")]
    Panicked,

    /// The thread has ended.
    #[error("the database was closed")]
    Closed,
}

/// Classes of SQLSTATE with which PostgreSQL refuses the data of a statement: a value out of range or that its encoding
/// cannot hold (22), a constraint (23), a row or statement that is too large (54), somebody's own trigger (P0).
const DATA_CLASSES: [&str; 4] = ["22", "23", "54", "P0"];

/// Classes of SQLSTATE that name something set up wrongly: authorization (28), database or schema (3D, 3F), and privileges,
/// tables, columns or functions (42). Somebody has to mend it.
const SETUP_CLASSES: [&str; 4] = ["28", "3D", "3F", "42"];

impl DatabaseError {
    /// Whether waiting may help: the database is away, busy or starting, and not set up wrongly. What a start waits for.
    pub fn may_heal(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Exhausted { .. }
            | Self::Silent { .. }
            | Self::Busy(_)
            | Self::Locked => true,
            // Two clients behind one pooler have prepared a statement of the same name: gone with the session.
            Self::Answered { code, .. } if code == "42P05" => true,
            Self::Answered { code, .. } => !is_in(code, &SETUP_CLASSES) && !self.blames_data(),
            Self::Statement(_) => !self.blames_data(),
            _ => false,
        }
    }

    /// Whether the values of the statement are what the database will not take, now or later, on this server or a mended
    /// one. Without them the same statement works. False for whatever an operator can mend while we wait, such as a
    /// missing privilege: dropping data because of that would lose them for nothing.
    pub fn blames_data(&self) -> bool {
        match self {
            Self::Answered { code, .. } => is_in(code, &DATA_CLASSES),
            Self::Statement(error) => refuses_data(error),
            _ => false,
        }
    }

    /// The SQLSTATE, where PostgreSQL has answered.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Answered { code, .. } => Some(code),
            _ => None,
        }
    }
}

fn is_in(code: &str, classes: &[&str]) -> bool {
    classes.iter().any(|class| code.starts_with(class))
}

/// By diesel's kinds, and for SQLite, which has none for it, by its own constant text, which is never translated.
fn refuses_data(error: &DieselError) -> bool {
    use DatabaseErrorKind as Kind;
    match error {
        DieselError::DatabaseError(kind, info) => {
            let constraint = matches!(
                kind,
                Kind::UniqueViolation
                    | Kind::ForeignKeyViolation
                    | Kind::NotNullViolation
                    | Kind::CheckViolation
                    | Kind::RestrictViolation
                    | Kind::ExclusionViolation
            );
            constraint || info.message().contains("string or blob too big")
        }
        DieselError::SerializationError(_) | DieselError::InvalidCString(_) => true,
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: &str) -> DatabaseError {
        DatabaseError::Answered { code: code.to_owned(), message: "in any language".to_owned() }
    }

    #[test]
    fn what_the_server_says_of_the_data_is_told_from_what_time_or_an_operator_mends() {
        // The codes: PostgreSQL's documentation, appendix A.
        for code in ["22P05", "22021", "22008", "22003", "23514", "54000", "P0001"] {
            assert!(answered(code).blames_data() && !answered(code).may_heal(), "{code}");
        }
        for code in [
            "40001", "40P01", "55P03", "57014", "53100", "53300", "25006", "XX000", "08006", "0A000",
            "26000", "42P05",
        ] {
            assert!(!answered(code).blames_data() && answered(code).may_heal(), "{code}");
        }
        for code in ["42501", "42P01", "42703", "3F000", "28000"] {
            assert!(!answered(code).blames_data() && !answered(code).may_heal(), "{code}");
        }
    }

    #[test]
    fn a_refused_login_never_blames_the_data() {
        let refused = DatabaseError::Refused {
            server: "db:5432".to_owned(),
            message: "no".to_owned(),
            remedy: "yes".to_owned(),
        };

        assert!(!refused.blames_data() && !refused.may_heal());
    }

    #[test]
    fn a_value_that_sqlite_will_never_take_is_told_from_a_lock() {
        let said = |message: &str| {
            DatabaseError::from(DieselError::DatabaseError(
                DatabaseErrorKind::Unknown,
                Box::new(message.to_owned()),
            ))
        };

        assert!(said("string or blob too big").blames_data());
        for passing in ["database is locked", "database or disk is full", "disk I/O error"] {
            assert!(!said(passing).blames_data() && said(passing).may_heal(), "{passing}");
        }
    }
}
