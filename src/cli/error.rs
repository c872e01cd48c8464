//! Why a command failed, and which exit code that makes.

use std::io;

use super::{output, refusal};
use crate::app::AppError;
use crate::config::{Problem, Problems};
use crate::database::DatabaseError;
use crate::failure::chain;
use crate::probe::ProbeError;
use crate::sites::SitesError;
use crate::store::StoreError;

const WRONG_USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] Problems),

    /// Values on the command line that are wrong.
    #[error("{}", lines(.0.iter().map(Problem::to_string)))]
    Invalid(Vec<Problem>),

    /// What was asked for makes no sense; the text names the remedy.
    #[error("{0}")]
    Usage(String),

    /// There is nothing to read from.
    #[error("there is no database {path} yet; `{remedy}` creates it")]
    NoDatabase {
        /// The database file.
        path: String,
        /// A command.
        remedy: &'static str,
    },

    /// The store is away.
    #[error("failed to use the store")]
    Store(#[source] DatabaseError),

    /// What the store refused, of one site or of several; nothing was changed.
    #[error("{}", lines(.0.iter().map(refusal::sentence)))]
    Refused(Vec<StoreError>),

    /// The database is away.
    #[error(transparent)]
    Database(#[from] DatabaseError),

    /// Nobody tells how a process is.
    #[error("no process answers at {url}: {why}; is it running, with web.listen set to this address?")]
    NotAnswering {
        /// What was asked, without a password.
        url: String,
        /// What came instead.
        why: String,
    },

    /// No check can be made with this configuration.
    #[error("failed to prepare the check")]
    Probe(#[from] ProbeError),

    /// `run` gave up.
    #[error(transparent)]
    App(#[from] AppError),

    /// A file that the user named cannot be written.
    #[error("failed to write {path}")]
    File {
        /// As named.
        path: String,
        /// What the system said.
        source: io::Error,
    },

    /// The answer could not be written.
    #[error("failed to write the output")]
    Output(#[from] io::Error),

    /// No threads or no sockets are left.
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
}

impl CliError {
    /// Says on stderr what went wrong, and returns the exit code.
    pub(super) fn tell(&self) -> u8 {
        output::tell(&format_args!("error: {}", chain(self)));
        self.exit_code()
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_)
            | Self::Invalid(_)
            | Self::Usage(_)
            | Self::File { .. }
            | Self::Probe(_) => WRONG_USAGE,
            Self::Refused(errors) => errors.iter().map(store_exit_code).max().unwrap_or(WRONG_USAGE),
            Self::App(error) => error.exit_code(),
            Self::NoDatabase { .. }
            | Self::NotAnswering { .. }
            | Self::Store(_)
            | Self::Database(_)
            | Self::Output(_)
            | Self::Runtime(_) => UNREACHABLE,
        }
    }
}

fn store_exit_code(error: &StoreError) -> u8 {
    match error {
        StoreError::UnknownSite { .. }
        | StoreError::Exists(_)
        | StoreError::IdsTaken(_)
        | StoreError::DeclaredInFile(_) => WRONG_USAGE,
        StoreError::Database(_) | StoreError::Unreadable(_) | StoreError::ChangedMeanwhile(_) => UNREACHABLE,
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        SitesError::from(error).into()
    }
}

impl From<SitesError> for CliError {
    fn from(error: SitesError) -> Self {
        match error {
            SitesError::Database(error) => Self::Store(error),
            SitesError::Refused(refused) => Self::Refused(refused),
            SitesError::Invalid(problems) => Self::Invalid(problems),
            emptied @ SitesError::FileEmptied { .. } => Self::Usage(emptied.to_string()),
        }
    }
}

/// One text as it is, several below each other.
fn lines(texts: impl ExactSizeIterator<Item = String>) -> String {
    match texts.len() {
        1 => texts.collect(),
        many => texts.fold(format!("{many} problems:"), |text, line| text + "\n  " + &line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_can_mend_is_wrong_usage_and_what_is_away_is_unreachable() {
        let unknown = StoreError::UnknownSite { name: "shop".to_owned(), nearest: None };
        let away = StoreError::Database(DatabaseError::Closed);

        assert_eq!(CliError::from(unknown).exit_code(), 2);
        assert_eq!(CliError::from(away).exit_code(), 3);
    }
}
