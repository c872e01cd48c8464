//! What was measured, site by site.

use std::borrow::Cow;

use serde::Serialize;

use super::time;
use crate::model::{SiteId, Status};
use crate::store::{Range, SiteStatistics};

/// A report; what was not measured is `null`.
#[derive(Serialize)]
pub struct Report<'a> {
    from: String,
    to: String,
    sites: Vec<SiteRow<'a>>,
}

impl<'a> Report<'a> {
    /// Of the sites' statistics in a range.
    pub fn of(range: Range, sites: &'a [SiteStatistics]) -> Self {
        let sites = sites.iter().map(SiteRow::from).collect();
        Self { from: time(range.from), to: time(range.to), sites }
    }
}

/// A site in the report, which is a row in its CSV as well.
#[derive(Serialize)]
pub struct SiteRow<'a> {
    site_id: SiteId,
    name: &'a str,
    url: Cow<'a, str>,
    status: Option<Status>,
    since: Option<String>,
    /// Slots with a verdict: up, degraded and down.
    checks: u64,
    up: u64,
    degraded: u64,
    down: u64,
    missed: u64,
    unknown: u64,
    uptime_percent: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

impl<'a> From<&'a SiteStatistics> for SiteRow<'a> {
    fn from(statistics: &'a SiteStatistics) -> Self {
        let SiteStatistics { site, up, degraded, down, missed, unknown, percentiles_us } = statistics;
        let ms = |index: usize| percentiles_us.map(|all| f64::from(all[index]) / 1_000.0);
        Self {
            site_id: site.id,
            name: &site.spec.name,
            url: site.spec.shown_url(),
            status: site.status(),
            since: site.since.map(time),
            checks: statistics.checks(),
            up: *up,
            degraded: *degraded,
            down: *down,
            missed: *missed,
            unknown: *unknown,
            uptime_percent: statistics.uptime_percent(),
            p50_ms: ms(0),
            p95_ms: ms(1),
            p99_ms: ms(2),
        }
    }
}
