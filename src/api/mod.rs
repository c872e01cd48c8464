//! What programs read from us: one JSON document per question, each with its schema in `docs/`.
//!
//! | document | written by | schema |
//! |---|---|---|
//! | [`Report`] | `report --format json` | `report.schema.json` |
//! | [`Audit`] | `audit --json` | `audit.schema.json` |
//! | [`Site`] | `sites list --json`, `sites show --json`, the latter with the last [`Failure`] | `site.schema.json` |
//! | [`Health`] | `/health`, `health --json` | `health.schema.json` |
//! | [`CheckResult`](crate::model::CheckResult), which also travels and is kept | `check --json` | `result.schema.json` |
//!
//! The shapes are contracts: keys are added, never renamed or removed. Here is only how things look; what they mean stands where they
//! are made.

mod audit;
mod failure;
mod health;
mod report;
mod site;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use crate::clock::Timestamp;

pub use audit::Audit;
pub use failure::Failure;
pub use health::{Actor, Health, Log, Queue, Service};
pub use report::{Report, SiteRow};
pub use site::{Shown, Site};

/// RFC 3339 in UTC with whole seconds, as everywhere in our output.
pub fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// [`time`] of a slot, in seconds since the epoch.
pub(crate) fn slot_time(at: i64) -> String {
    DateTime::from_timestamp(at, 0).map_or_else(|| at.to_string(), time)
}

/// Writes a document on a line of its own.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_line(document: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}
