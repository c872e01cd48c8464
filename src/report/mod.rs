//! What was found, written out for people: tables, and CSV for their spreadsheets. JSON for programs is in [`api`](crate::api).
//!
//! Knows neither commands nor terminals: a [`Page`] says how wide and how colourful the output may be.

mod audit;
mod csv;
mod layout;
mod number;
mod table;

use crate::model::{Site, Status};

pub use audit::{Listing, write_audit};
pub use csv::write_csv;
pub use layout::{Cell, Column, Layout};
pub use number::count;
pub use table::write_table;

/// What is written onto.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page {
    /// Characters in a line; `None`: as many as it takes.
    pub width: Option<u16>,
    /// Whether colours are shown.
    pub colour: bool,
}

/// A cell with the site's status in its colour; the words alone say everything. A verdict that is not of the newest slot has the
/// reason beside it: `up, missed`.
pub fn status_cell(site: &Site) -> Cell {
    use comfy_table::Color;
    let Some(status) = site.status() else { return Cell::none() };
    let colour = match status {
        Status::Up => Color::DarkGreen,
        Status::Degraded => Color::DarkYellow,
        Status::Down => Color::DarkRed,
        Status::Missed => Color::DarkMagenta,
        Status::Unknown => Color::DarkCyan,
    };
    let text = match site.freshness.fault().filter(|fault| *fault != status) {
        Some(fault) => format!("{status}, {fault}"),
        None => status.to_string(),
    };
    Cell::new(text).coloured(colour)
}

#[cfg(test)]
pub(crate) mod samples {
    //! Statistics to write out in tests.

    use std::io;
    use std::time::Duration;

    use chrono::DateTime;

    use crate::clock::Timestamp;
    use crate::model::{Freshness, Origin, Site, SiteId, SiteSpec, Verdict};
    use crate::schedule::{Interval, Schedule};
    use crate::store::{Range, SiteStatistics};

    pub(crate) fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    pub(crate) fn day() -> Range {
        Range { from: at(0), to: at(86_400) }
    }

    pub(crate) fn measured(name: &str, up: u64, down: u64) -> SiteStatistics {
        let spec = SiteSpec {
            name: name.to_owned(),
            url: format!("https://{name}.example/health"),
            schedule: Schedule::Every(60),
            timeout: Duration::from_secs(10),
            retries: 1,
            enabled: true,
            tags: Vec::new(),
            settings: None,
        };
        let site = Site {
            id: SiteId(7),
            spec,
            revision: 1,
            rhythm: Interval { every_s: 60, phase_s: 3 }.into(),
            origin: Origin::Command,
            verdict: Some(Verdict::Up),
            freshness: Freshness::Fresh,
            last_updated: Some(at(86_340)),
            since: Some(at(60)),
        };
        let percentiles_us = Some([65_900, 120_000, 1_200_450]);
        SiteStatistics { site, up, degraded: 0, down, missed: 2, unknown: 1, percentiles_us }
    }

    /// A site that nobody has checked yet.
    pub(crate) fn unmeasured(name: &str) -> SiteStatistics {
        let mut row = measured(name, 0, 0);
        (row.missed, row.unknown, row.percentiles_us) = (0, 0, None);
        (row.site.verdict, row.site.last_updated, row.site.since) = (None, None, None);
        row.site.freshness = Freshness::Waiting;
        row
    }

    pub(crate) fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}
