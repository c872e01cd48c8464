//! Why the store could not do what was asked, as data: what to do about it depends on the caller, and is said there.

use super::Listed;
use crate::database::DatabaseError;
use crate::failure::MayHeal;
use crate::model::SiteId;

/// Why the store could not do what was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or is away.
    #[error("failed to use the store")]
    Database(#[from] DatabaseError),

    /// No site has this name.
    #[error("there is no site {name:?}")]
    UnknownSite {
        /// As given.
        name: String,
        /// The most similar name.
        nearest: Option<String>,
    },

    /// Names that are taken.
    #[error("there are sites of these names already: {0:?}")]
    Exists(Vec<String>),

    /// Ids that other sites have, or had.
    #[error("these ids belong to other sites, or to removed ones: {0:?}")]
    IdsTaken(Vec<SiteId>),

    /// The file declares it.
    #[error("{0:?} is declared in the configuration file")]
    DeclaredInFile(String),

    /// Somebody else changed or removed it after it was read.
    #[error("somebody else has changed {0:?} meanwhile")]
    ChangedMeanwhile(String),

    /// What was declared of it cannot be read, and so not be changed.
    #[error("this version cannot read the site {:?}", .0.known().spec.name)]
    Unreadable(Box<Listed>),
}

impl StoreError {
    /// Whether the same call may succeed later, if need be after somebody has mended the database: so it is worth trying for as
    /// long as it takes. False where the values themselves are what the database will never take
    /// ([`DatabaseError::blames_data`]), or where a site is not as the caller thinks.
    pub fn may_heal(&self) -> bool {
        match self {
            Self::Database(error) => !error.blames_data(),
            _ => false,
        }
    }
}

impl MayHeal for StoreError {
    fn may_heal(&self) -> bool {
        self.may_heal()
    }
}

impl From<Box<Listed>> for StoreError {
    fn from(unreadable: Box<Listed>) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
