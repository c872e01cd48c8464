//! Why a site's settings make no plan.

use super::expect::ExpectError;

/// Why a site's settings are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("read the settings, which a newer version may have written: {0}")]
    Unreadable(String),
    #[error("use {0}")]
    Useless(String),
}

impl From<ExpectError> for PlanError {
    fn from(error: ExpectError) -> Self {
        Self::Useless(error.to_string())
    }
}
