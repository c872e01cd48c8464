//! The audit: was every slot accounted for?

use std::cmp::Reverse;
use std::io::{self, Write};

use super::{Cell, Column, Layout, Page, count};
use crate::api::{slot_time, time};
use crate::store::Range;
use crate::store::accounting::{Audit, SiteAudit};

/// Sites with missing slots that are listed unless all are asked for.
const LISTED: usize = 20;

const SITE_COLUMNS: [Column; 7] = [
    Column::text("SITE").cut(),
    Column::number("EXPECTED").expendable(3),
    Column::number("RECORDED").expendable(4),
    Column::number("IN GAPS").expendable(2),
    Column::number("WAITING").expendable(1),
    Column::number("ON ITS WAY").expendable(5),
    Column::number("UNACCOUNTED"),
];

/// Which sites are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those with missing slots, the worst first, up to a bearable number.
    Missing,
    /// Every site, by name.
    All,
}

/// Writes the audit for people, with a verdict as the last line.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_audit(audit: &Audit, listing: Listing, page: Page, out: &mut impl Write) -> io::Result<()> {
    let Range { from, to } = audit.range;
    writeln!(out, "{} to {}, {}\n", time(from), time(to), count(audit.sites.len() as u64, "site"))?;
    write_counts(audit, page, out)?;
    if let Some(lag) = audit.lag_ms {
        writeln!(out, "\nlag: p50 {} ms, p99 {} ms, max {} ms", lag.p50, lag.p99, lag.max)?;
    }
    write_gaps(audit, page, out)?;
    write_sites(audit, listing, page, out)?;
    writeln!(out, "\n{}", verdict(audit))
}

fn write_counts(audit: &Audit, page: Page, out: &mut impl Write) -> io::Result<()> {
    let in_gaps: u64 = audit.gaps.iter().map(|gap| gap.slots).sum();
    let mut table = Layout::new(&[Column::text("SLOTS"), Column::number("COUNT")]);
    for (word, number) in [
        ("expected", audit.expected),
        ("recorded", audit.recorded),
        ("missing", audit.missing()),
        ("  in gaps", in_gaps),
        ("  waiting", audit.waiting),
        ("  on its way", audit.on_its_way),
        ("  unaccounted", audit.unaccounted),
    ] {
        table.row(vec![Cell::new(word), Cell::new(number)]);
    }
    table.write(page, out)
}

fn write_gaps(audit: &Audit, page: Page, out: &mut impl Write) -> io::Result<()> {
    if audit.gaps.is_empty() {
        return Ok(());
    }
    let mut table = Layout::new(&[Column::text("GAP FROM"), Column::text("TO"), Column::number("SLOTS")]);
    for gap in &audit.gaps {
        let (from, to) = gap.bounds(audit.range);
        table.row(vec![Cell::new(slot_time(from)), Cell::new(slot_time(to)), Cell::new(gap.slots)]);
    }
    writeln!(out)?;
    table.write(page, out)
}

fn write_sites(audit: &Audit, listing: Listing, page: Page, out: &mut impl Write) -> io::Result<()> {
    let mut sites: Vec<&SiteAudit> = audit.sites.iter().collect();
    if listing == Listing::Missing {
        sites.retain(|site| site.recorded < site.expected);
        sites.sort_by_key(|site| (Reverse(site.unaccounted), Reverse(site.expected - site.recorded)));
    }
    if sites.is_empty() {
        return Ok(());
    }
    let shown = if listing == Listing::All { sites.len() } else { LISTED };
    let mut table = Layout::new(&SITE_COLUMNS);
    for site in sites.iter().take(shown) {
        table.row(site_row(site));
    }
    writeln!(out)?;
    table.write(page, out)?;
    match sites.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more; --sites lists every site"),
    }
}

fn site_row(site: &SiteAudit) -> Vec<Cell> {
    let missing = site.expected.saturating_sub(site.recorded);
    let elsewhere = site.waiting + site.on_its_way + site.unaccounted;
    let in_gaps = missing.saturating_sub(elsewhere);
    let numbers = [site.expected, site.recorded, in_gaps, site.waiting, site.on_its_way, site.unaccounted];
    std::iter::once(Cell::new(&site.name)).chain(numbers.map(Cell::new)).collect()
}

fn verdict(audit: &Audit) -> String {
    let sites = audit.sites.iter().filter(|site| site.unaccounted > 0).count() as u64;
    match (audit.expected, audit.unaccounted) {
        (0, _) => "no slot was due that could be judged yet".to_owned(),
        (_, 0) if audit.on_its_way > 0 => format!(
            "every slot is accounted for; {} may still be read from the result log",
            count(audit.on_its_way, "slot")
        ),
        (_, 0) => "every slot is accounted for".to_owned(),
        (_, 1) => "1 slot of 1 site is unaccounted for".to_owned(),
        (_, slots) => format!("{slots} slots of {} are unaccounted for", count(sites, "site")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::samples::{day, text};
    use super::*;
    use crate::store::accounting::{GapCount, Lag};

    pub(crate) fn site(name: &str, expected: u64, recorded: u64, unaccounted: u64) -> SiteAudit {
        SiteAudit { name: name.to_owned(), expected, recorded, waiting: 0, on_its_way: 0, unaccounted }
    }

    pub(crate) fn audit(sites: Vec<SiteAudit>) -> Audit {
        let total = |of: fn(&SiteAudit) -> u64| sites.iter().map(of).sum::<u64>();
        Audit {
            range: day(),
            expected: total(|site| site.expected),
            recorded: total(|site| site.recorded),
            waiting: 0,
            on_its_way: 0,
            unaccounted: total(|site| site.unaccounted),
            gaps: vec![GapCount { from: 59, to: 119, slots: 3 }],
            lag_ms: Some(Lag { p50: 12, p99: 80, max: 1_200 }),
            sites,
        }
    }

    fn shown(audit: &Audit, listing: Listing) -> String {
        text(|out| write_audit(audit, listing, Page::default(), out))
    }

    #[test]
    fn the_last_line_is_the_verdict() {
        let verdict = |sites| shown(&audit(sites), Listing::Missing).lines().last().unwrap().to_owned();

        assert_eq!(verdict(vec![site("a", 10, 7, 0)]), "every slot is accounted for");
        assert_eq!(
            verdict(vec![site("a", 10, 5, 2), site("b", 4, 3, 1)]),
            "3 slots of 2 sites are unaccounted for"
        );
        assert_eq!(verdict(vec![site("a", 10, 9, 1)]), "1 slot of 1 site is unaccounted for");
        assert_eq!(verdict(Vec::new()), "no slot was due that could be judged yet");
        let behind = Audit { on_its_way: 3, ..audit(vec![site("a", 10, 7, 0)]) };
        let last = shown(&behind, Listing::Missing).lines().last().unwrap().to_owned();
        assert_eq!(last, "every slot is accounted for; 3 slots may still be read from the result log");
    }

    #[test]
    fn at_most_twenty_sites_are_listed_the_worst_first() {
        let sites = (0..25).map(|n| site(&format!("site-{n:02}"), 100, 50, n)).collect();

        let shown = shown(&audit(sites), Listing::Missing);

        let listed: Vec<&str> = shown.lines().filter(|line| line.starts_with("site-")).collect();
        assert_eq!(listed.len(), 20);
        assert!(listed[0].starts_with("site-24"), "{shown}");
        assert!(shown.contains("… and 5 more; --sites lists every site"), "{shown}");
    }

    #[test]
    fn every_site_is_listed_by_name_when_asked_for() {
        let sites = vec![site("a", 10, 10, 0), site("b", 10, 9, 1)];

        let all = shown(&audit(sites.clone()), Listing::All);
        let missing = shown(&audit(sites), Listing::Missing);

        assert!(all.contains("\na ") && all.contains("\nb "), "{all}");
        assert!(!missing.contains("\na ") && missing.contains("\nb "), "{missing}");
    }
}
