//! Counts slots against rows: which were due, which have a row, which lie in a declared gap.
//!
//! Nothing is enumerated: the slots of a site in a window are counted by arithmetic, and each row adds one to
//! what was found there. So a year of a million sites costs as much as its rows.

use std::collections::{BTreeMap, HashMap};

use super::Range;
use crate::model::{SiteId, Status};
use crate::schedule::Rhythm;

/// A time in which a site was scheduled in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Slots later than this, seconds since the epoch.
    pub valid_from: i64,
    /// And not later than this.
    pub valid_to: Option<i64>,
    /// Which slots.
    pub rhythm: Rhythm,
    /// The extra slot of a site that was checked at once.
    pub first_slot: Option<i64>,
}

impl Span {
    fn contains(&self, at: i64) -> bool {
        let in_rhythm =
            at > self.valid_from && at <= self.valid_to.unwrap_or(i64::MAX) && self.rhythm.is_slot(at);
        in_rhythm || self.first_slot == Some(at)
    }

    /// Slots in `(after, until]`.
    fn count(&self, after: i64, until: i64) -> u64 {
        let in_rhythm =
            self.rhythm.count(after.max(self.valid_from), until.min(self.valid_to.unwrap_or(i64::MAX)));
        in_rhythm + u64::from(self.first_slot.is_some_and(|at| at > after && at <= until))
    }

    /// Slots in `(after, until]` that the gap has swallowed: those that had a later slot in it. The extra slot never is.
    fn count_skipped(&self, gap: &Window, after: i64, until: i64) -> u64 {
        let from = after.max(gap.after).max(self.valid_from);
        let to = until.min(self.last_skipped(gap)).min(self.valid_to.unwrap_or(i64::MAX));
        self.rhythm.count(from, to)
    }

    fn last_skipped(&self, gap: &Window) -> i64 {
        if gap.open { gap.until } else { gap.until - i64::from(self.rhythm.every_s) }
    }

    fn is_skipped(&self, gap: &Window, at: i64) -> bool {
        self.first_slot != Some(at) && at > gap.after && at <= self.last_skipped(gap)
    }
}

/// An outage of the scheduler: `(after, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Slots up to this had been queued.
    pub after: i64,
    /// Queueing went on here.
    pub until: i64,
    /// It has not gone on yet, so not even a site's last slot was queued.
    pub open: bool,
}

/// All that is known of a site's schedule.
#[derive(Debug, Clone)]
pub struct SiteSchedule {
    /// For the listing.
    pub name: String,
    /// In any order; they do not overlap.
    pub spans: Vec<Span>,
    /// Slots later than this are too young to be judged.
    pub judged_until: i64,
}

/// Counts, site by site.
pub struct Auditor {
    range: Range,
    gaps: Vec<Window>,
    sites: HashMap<SiteId, Account>,
    /// Checked slots per millisecond of lag: exact, and as small as the lags are few.
    lag_ms: BTreeMap<u64, u64>,
}

struct Account {
    schedule: SiteSchedule,
    recorded: u64,
    /// Rows in each gap.
    recorded_in_gap: Vec<u64>,
    waiting: u64,
}

impl Auditor {
    /// Starts with no rows. Gaps that overlap, as after a clock that jumped, count as one.
    pub fn new(range: Range, sites: HashMap<SiteId, SiteSchedule>, gaps: Vec<Window>) -> Self {
        let gaps = merge(gaps);
        let account =
            |schedule| Account { schedule, recorded: 0, recorded_in_gap: vec![0; gaps.len()], waiting: 0 };
        let sites = sites.into_iter().map(|(id, schedule)| (id, account(schedule))).collect();
        Self { range, gaps, sites, lag_ms: BTreeMap::new() }
    }

    /// Counts a row. Rows of slots that were never due (a clock that jumped) do not count.
    pub fn row(&mut self, site: SiteId, at: i64, status: Status, started_at_us: i64) {
        let Some(account) = self.sites.get_mut(&site).filter(|account| at <= account.schedule.judged_until)
        else {
            return;
        };
        let Some(span) = account.schedule.spans.iter().find(|span| span.contains(at)) else { return };
        account.recorded += 1;
        for (gap, recorded) in self.gaps.iter().zip(&mut account.recorded_in_gap) {
            *recorded += u64::from(span.is_skipped(gap, at));
        }
        if matches!(status, Status::Up | Status::Degraded | Status::Down) {
            let lag_ms = (started_at_us / 1_000 - at * 1_000).max(0).unsigned_abs();
            *self.lag_ms.entry(lag_ms).or_default() += 1;
        }
    }

    /// Counts a job that waits in the queue and has no row: it is late, but not lost.
    pub fn waiting(&mut self, site: SiteId, at: i64) {
        let Some(account) = self.sites.get_mut(&site).filter(|account| at <= account.schedule.judged_until)
        else {
            return;
        };
        let Some(span) = account.schedule.spans.iter().find(|span| span.contains(at)) else { return };
        if !self.gaps.iter().any(|gap| span.is_skipped(gap, at)) {
            account.waiting += 1;
        }
    }

    /// Balances the accounts.
    pub fn finish(self) -> Audit {
        let (from, to) = (self.range.from.timestamp(), self.range.to.timestamp());
        let mut gaps: Vec<GapCount> = self
            .gaps
            .iter()
            .map(|gap| GapCount { from: gap.after.max(from - 1), to: gap.until.min(to), slots: 0 })
            .collect();
        let mut sites: Vec<SiteAudit> = Vec::with_capacity(self.sites.len());
        for account in self.sites.into_values() {
            let until = account.schedule.judged_until.min(to - 1);
            sites.push(account.balance(&self.gaps, &mut gaps, from - 1, until));
        }
        sites.retain(|site| site.expected > 0);
        sites.sort_by(|a, b| a.name.cmp(&b.name));
        gaps.retain(|gap| gap.slots > 0);
        let total = |of: fn(&SiteAudit) -> u64| sites.iter().map(of).sum();
        Audit {
            range: self.range,
            expected: total(|site| site.expected),
            recorded: total(|site| site.recorded),
            waiting: total(|site| site.waiting),
            unaccounted: total(|site| site.unaccounted),
            lag_ms: Lag::of(&self.lag_ms),
            gaps,
            sites,
        }
    }
}

impl Account {
    fn balance(self, windows: &[Window], gaps: &mut [GapCount], after: i64, until: i64) -> SiteAudit {
        let expected: u64 = self.schedule.spans.iter().map(|span| span.count(after, until)).sum();
        let mut in_gaps = 0;
        for ((window, gap), recorded) in windows.iter().zip(gaps).zip(&self.recorded_in_gap) {
            let skipped: u64 =
                self.schedule.spans.iter().map(|span| span.count_skipped(window, after, until)).sum();
            let missing = skipped.saturating_sub(*recorded);
            gap.slots += missing;
            in_gaps += missing;
        }
        let missing = expected.saturating_sub(self.recorded);
        SiteAudit {
            name: self.schedule.name,
            expected,
            recorded: self.recorded,
            waiting: self.waiting,
            unaccounted: missing.saturating_sub(in_gaps).saturating_sub(self.waiting),
        }
    }
}

fn merge(mut gaps: Vec<Window>) -> Vec<Window> {
    gaps.sort_by_key(|gap| gap.after);
    let mut merged: Vec<Window> = Vec::with_capacity(gaps.len());
    for gap in gaps {
        match merged.last_mut() {
            Some(last) if gap.after < last.until => {
                if gap.until > last.until {
                    (last.until, last.open) = (gap.until, gap.open);
                }
            }
            _ => merged.push(gap),
        }
    }
    merged
}

/// What was due, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// What was asked for.
    pub range: Range,
    /// Slots that were due.
    pub expected: u64,
    /// Slots with a row.
    pub recorded: u64,
    /// Slots that still wait in the queue.
    pub waiting: u64,
    /// Slots without a row that lie in no declared gap and wait in no queue. Must be 0.
    pub unaccounted: u64,
    /// Declared gaps with missing slots.
    pub gaps: Vec<GapCount>,
    /// From slot to start, over checked slots; `None` without one.
    pub lag_ms: Option<Lag>,
    /// Site by site, by name; those with slots in the range.
    pub sites: Vec<SiteAudit>,
}

impl Audit {
    /// Slots without a row.
    pub fn missing(&self) -> u64 {
        self.expected - self.recorded
    }
}

/// A gap, as far as it lies in the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapCount {
    /// Slots later than this, seconds since the epoch.
    pub from: i64,
    /// And not later than this.
    pub to: i64,
    /// Slots without a row.
    pub slots: u64,
}

/// Schedule lag in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// The worst.
    pub max: u64,
}

impl Lag {
    fn of(counts: &BTreeMap<u64, u64>) -> Option<Self> {
        let total: u64 = counts.values().sum();
        let percentile = |percent: u64| {
            let rank = (total * percent).div_ceil(100);
            let mut seen = 0;
            counts.iter().find(|(_, count)| {
                seen += **count;
                seen >= rank
            })
        };
        let (max, _) = counts.last_key_value()?;
        Some(Self { p50: *percentile(50)?.0, p99: *percentile(99)?.0, max: *max })
    }
}

/// One site's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAudit {
    /// Which site.
    pub name: String,
    /// Slots that were due.
    pub expected: u64,
    /// Slots with a row.
    pub recorded: u64,
    /// Slots that still wait in the queue.
    pub waiting: u64,
    /// Neither row, gap nor job.
    pub unaccounted: u64,
}
