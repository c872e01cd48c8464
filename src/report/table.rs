//! The report as a table.

use std::io::{self, Write};

use super::{Cell, Column, Layout, Page, count, number, status_cell};
use crate::api::time;
use crate::store::{Range, SiteStatistics};

const COLUMNS: [Column; 14] = [
    Column::text("NAME").cut(),
    Column::text("STATUS"),
    Column::text("SINCE").expendable(8),
    Column::number("UPTIME %"),
    Column::number("CHECKS").expendable(2),
    Column::number("UP").expendable(9),
    Column::number("DEGRADED").expendable(5),
    Column::number("DOWN").expendable(1),
    Column::number("MISSED").expendable(4),
    Column::number("UNKNOWN").expendable(3),
    Column::number("P50 MS").expendable(3),
    Column::number("P95 MS").expendable(6),
    Column::number("P99 MS").expendable(7),
    Column::text("URL").cut().expendable(10),
];

/// Writes a row per site, and a line that sums them up.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_table(
    range: Range,
    sites: &[SiteStatistics],
    page: Page,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{} to {}", time(range.from), time(range.to))?;
    if sites.is_empty() {
        return writeln!(out, "no sites yet; `uptime-monitor sites add URL` adds one");
    }
    let mut layout = Layout::new(&COLUMNS);
    for site in sites {
        layout.row(row(site));
    }
    writeln!(out)?;
    layout.write(page, out)?;
    writeln!(out, "\n{}", summary(sites))
}

fn row(statistics: &SiteStatistics) -> Vec<Cell> {
    let site = &statistics.site;
    let time_cell = |at: Option<_>| at.map_or_else(Cell::none, |at| Cell::new(time(at)));
    let [p50, p95, p99] = match statistics.percentiles_us {
        Some(all) => all.map(|us| Cell::new(number::ms(us))),
        None => [(); 3].map(|()| Cell::none()),
    };
    vec![
        Cell::new(&site.spec.name),
        status_cell(site),
        time_cell(site.since),
        Cell::new(number::percent(available(statistics), statistics.checks())),
        Cell::new(statistics.checks()),
        Cell::new(statistics.up),
        Cell::new(statistics.degraded),
        Cell::new(statistics.down),
        Cell::new(statistics.missed),
        Cell::new(statistics.unknown),
        p50,
        p95,
        p99,
        Cell::new(site.spec.shown_url()),
    ]
}

fn summary(sites: &[SiteStatistics]) -> String {
    let total = |of: fn(&SiteStatistics) -> u64| sites.iter().map(of).sum::<u64>();
    let checks = total(SiteStatistics::checks);
    let mut line = format!("{}, {}", count(sites.len() as u64, "site"), count(checks, "check"));
    if checks > 0 {
        line += &format!(", {} % up", number::percent(total(available), checks));
    }
    for (number, word) in [(total(|site| site.missed), "missed"), (total(|site| site.unknown), "unknown")] {
        if number > 0 {
            line += &format!(", {} {word}", count(number, "slot"));
        }
    }
    line
}

/// Checks that count as uptime.
fn available(statistics: &SiteStatistics) -> u64 {
    statistics.up + statistics.degraded
}

#[cfg(test)]
mod tests {
    use super::super::samples::{day, measured, text, unmeasured};
    use super::*;

    fn table(sites: &[SiteStatistics], page: Page) -> String {
        text(|out| write_table(day(), sites, page, out))
    }

    #[test]
    fn a_table_has_a_line_per_site_and_a_summary() {
        let shown = table(&[measured("shop", 19_999, 1), unmeasured("new")], Page::default());

        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z");
        let shop = "shop  up      1970-01-01T00:01:00Z    99.995   20000  19999         0     1       2        1    65.9   120.0  1200.5  https://shop.example/health";
        assert_eq!(lines[3], shop);
        assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>()[..5], ["new", "-", "-", "-", "0"]);
        assert_eq!(lines[6], "2 sites, 20000 checks, 99.995 % up, 2 slots missed, 1 slot unknown");
    }

    #[test]
    fn colour_only_adds_to_the_words() {
        let plain = table(&[measured("shop", 1, 0)], Page::default());
        let coloured = table(&[measured("shop", 1, 0)], Page { width: None, colour: true });

        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.contains("\u{1b}[38;5;2mup "), "{coloured:?}");
    }

    #[test]
    fn eighty_columns_hold_what_matters() {
        let shown = table(
            &[measured("a-rather-long-name-of-a-site", 10, 1)],
            Page { width: Some(80), colour: false },
        );

        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(shown.contains("UPTIME %") && shown.contains("DOWN") && shown.contains("90.909"), "{shown}");
    }

    #[test]
    fn without_sites_the_table_says_how_to_add_one() {
        assert!(table(&[], Page::default()).contains("uptime-monitor sites add"));
    }
}
