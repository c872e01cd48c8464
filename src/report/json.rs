//! The report as JSON: one object on one line.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::{json_line, number, time};
use crate::model::{SiteId, Status};
use crate::store::{Range, SiteStatistics};

#[derive(Serialize)]
struct Report<'a> {
    from: String,
    to: String,
    sites: Vec<SiteRow<'a>>,
}

/// A site in the report, in JSON and in CSV.
#[derive(Serialize)]
pub(super) struct SiteRow<'a> {
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
            uptime_percent: number::percent_number(up + degraded, statistics.checks()),
            p50_ms: ms(0),
            p95_ms: ms(1),
            p99_ms: ms(2),
        }
    }
}

/// Writes the report with stable keys; what was not measured is `null`.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_json(range: Range, sites: &[SiteStatistics], out: &mut impl Write) -> io::Result<()> {
    let sites = sites.iter().map(SiteRow::from).collect();
    json_line(&Report { from: time(range.from), to: time(range.to), sites }, out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{day, measured, text, unmeasured};
    use super::*;

    #[test]
    fn the_json_report_has_exactly_the_documented_keys() {
        let written = text(|out| write_json(day(), &[measured("shop", 3, 1), unmeasured("new")], out));

        let expected = json!({
            "from": "1970-01-01T00:00:00Z",
            "to": "1970-01-02T00:00:00Z",
            "sites": [
                {"site_id": 7, "name": "shop", "url": "https://shop.example/health", "status": "up",
                 "since": "1970-01-01T00:01:00Z", "checks": 4, "up": 3, "degraded": 0, "down": 1, "missed": 2,
                 "unknown": 1, "uptime_percent": 75.0, "p50_ms": 65.9, "p95_ms": 120.0, "p99_ms": 1200.45},
                {"site_id": 7, "name": "new", "url": "https://new.example/health", "status": null, "since": null,
                 "checks": 0, "up": 0, "degraded": 0, "down": 0, "missed": 0, "unknown": 0,
                 "uptime_percent": null, "p50_ms": null, "p95_ms": null, "p99_ms": null},
            ],
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), expected);
        assert_eq!(written.lines().count(), 1);
    }
}
