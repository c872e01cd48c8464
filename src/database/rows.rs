//! How our types look in the embedded database.

use chrono::DateTime;

use crate::clock::Timestamp;

/// Whole seconds since the epoch, as stored. Out of range reads as the epoch: the tables' checks keep that out.
pub(crate) fn from_seconds(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
