//! Why a connection could not be made.

use std::fmt;

use crate::database::DatabaseError;

/// The reason, without saying where: one answers many callers.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It may come back at any time.
    Away(String),
    /// It will not have us.
    Refused {
        /// What it said.
        message: String,
        /// What to do.
        remedy: String,
    },
}

impl Trouble {
    /// The error for callers.
    pub(super) fn at(self, server: &str) -> DatabaseError {
        let server = server.to_owned();
        match self {
            Self::Away(message) => DatabaseError::Unreachable { server, source: message.into() },
            Self::Refused { message, remedy } => DatabaseError::Refused { server, message, remedy },
        }
    }

    /// What to do about a refusal.
    pub(super) fn remedy(self) -> Option<String> {
        match self {
            Self::Away(_) => None,
            Self::Refused { remedy, .. } => Some(remedy),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(message) | Self::Refused { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Trouble {}
