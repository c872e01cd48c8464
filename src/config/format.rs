//! Writes sizes the way people write them, such that they read back identically.

use std::time::Duration;

pub use crate::model::duration::text as duration;

/// An interval of whole seconds, for example `1m`.
pub(super) fn seconds(seconds: u32) -> String {
    duration(Duration::from_secs(seconds.into()))
}

/// For example `"1MiB"`, or the bare number of bytes where no unit fits.
pub(super) fn size(bytes: usize) -> toml::Value {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes > 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift).into();
        }
    }
    i64::try_from(bytes).unwrap_or(i64::MAX).into()
}
