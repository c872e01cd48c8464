//! Why a change of sites was refused.

use crate::config::Problem;
use crate::database::DatabaseError;
use crate::failure::MayHeal;
use crate::store::StoreError;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SitesError {
    /// The database refused or is away.
    #[error("failed to use the store")]
    Database(#[source] DatabaseError),

    /// What speaks against it, of one site or of several.
    #[error("{}", lines(.0))]
    Refused(Vec<StoreError>),

    /// What is wrong with the values.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),

    /// A configuration file without a byte would disable all sites that it declared.
    #[error(
        "{file} is empty, and {} it declared would be disabled; restore it, or write a comment into it to declare no site",
        match .sites { 1 => "a site that".to_owned(), sites => format!("{sites} sites that") }
    )]
    FileEmptied {
        /// Its path.
        file: String,
        /// Sites that are of the file.
        sites: usize,
    },
}

impl SitesError {
    /// Whether names are taken, and nothing else is in the way.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Refused(refused) if matches!(refused.as_slice(), [StoreError::Exists(_)]))
    }
}

impl From<StoreError> for SitesError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => Self::Database(error),
            refused => Self::Refused(vec![refused]),
        }
    }
}

/// The rule of a start, which waits for a database that is away or busy, and for no other.
impl MayHeal for SitesError {
    fn may_heal(&self) -> bool {
        matches!(self, Self::Database(error) if error.may_heal())
    }
}

fn lines<T: ToString>(errors: &[T]) -> String {
    errors.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}
