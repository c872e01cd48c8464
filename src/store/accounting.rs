//! Counts slots against rows: which were due, which have a row, which lie in a declared gap.
//!
//! Nothing is enumerated: the slots of a site in a window are counted by arithmetic, and each row adds one to
//! what was found there. So a year of a million sites costs as much as its rows.

mod audit;

use std::collections::{BTreeMap, HashMap};

pub use self::audit::{Audit, GapCount, Lag, SiteAudit};
use super::Range;
use crate::model::{SiteId, Status};
use crate::schedule::Rhythm;

/// A time in which a site was scheduled in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A site's spans, so that the one of a slot is found without looking through them: some sites change every minute.
struct Spans {
    /// They do not overlap.
    by_start: Vec<Span>,
    /// Extra slots, and the span of each.
    first_slots: Vec<(i64, usize)>,
}

impl Spans {
    fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_by_key(|span| (span.valid_from, span.valid_to.unwrap_or(i64::MAX)));
        let mut sorted = Self { by_start: spans, first_slots: Vec::new() };
        for index in 0..sorted.by_start.len() {
            let Some(at) = sorted.by_start[index].first_slot else { continue };
            if sorted.find(at).is_some() {
                // A slot that is due for two reasons is one slot.
                sorted.by_start[index].first_slot = None;
                continue;
            }
            let place = sorted.first_slots.partition_point(|(other, _)| *other < at);
            sorted.first_slots.insert(place, (at, index));
        }
        sorted
    }

    /// The span in which `at` is a slot.
    fn find(&self, at: i64) -> Option<&Span> {
        let begun = self.by_start.partition_point(|span| span.valid_from < at);
        let in_force = begun.checked_sub(1).map(|index| &self.by_start[index]);
        in_force.filter(|span| span.is_in_rhythm(at)).or_else(|| {
            let place = self.first_slots.binary_search_by_key(&at, |(first, _)| *first).ok()?;
            Some(&self.by_start[self.first_slots[place].1])
        })
    }
}

impl Span {
    fn is_in_rhythm(&self, at: i64) -> bool {
        at > self.valid_from && at <= self.valid_to.unwrap_or(i64::MAX) && self.rhythm.is_slot(at)
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
        let to = until.min(gap.until).min(self.valid_to.unwrap_or(i64::MAX));
        // Most gaps lie elsewhere, and a look for the last slot takes its time.
        if from < to { self.rhythm.count(from, to.min(self.last_skipped(gap))) } else { 0 }
    }

    /// Of a gap that was closed the last slot was queued.
    fn last_skipped(&self, gap: &Window) -> i64 {
        if gap.open {
            gap.until
        } else {
            self.rhythm.latest(gap.until).map_or(gap.after, |latest| latest - 1)
        }
    }

    fn is_skipped(&self, gap: &Window, at: i64) -> bool {
        let may_lie_there = self.first_slot != Some(at) && at > gap.after && at <= gap.until;
        may_lie_there && at <= self.last_skipped(gap)
    }
}

/// An outage of the scheduler: `(after, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Slots up to this had been queued.
    pub after: i64,
    /// Queueing went on here.
    pub until: i64,
    /// Not even a site's last slot was queued: it has not gone on yet, or only after the clock was set back.
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
    /// Results of earlier slots have been read from the result log, as far as there are any.
    read_before: i64,
    /// Checked slots per millisecond of lag: exact, and as small as the lags are few.
    lag_ms: BTreeMap<u64, u64>,
}

struct Account {
    name: String,
    judged_until: i64,
    spans: Spans,
    /// Of slots whose results have been read from the log.
    read: Found,
    /// Of later ones.
    unread: Found,
}

/// What was found of a site's slots.
struct Found {
    recorded: u64,
    /// Rows in each gap.
    recorded_in_gap: Vec<u64>,
    waiting: u64,
}

impl Auditor {
    /// Starts with no rows. Gaps that overlap, as after a clock that jumped, count as one. Results of slots from
    /// `read_before` on may still lie in the result log; `None`: there are none.
    pub fn new(
        range: Range,
        sites: HashMap<SiteId, SiteSchedule>,
        gaps: Vec<Window>,
        read_before: Option<i64>,
    ) -> Self {
        let gaps = merge(gaps);
        let nothing = || Found { recorded: 0, recorded_in_gap: vec![0; gaps.len()], waiting: 0 };
        let account = |SiteSchedule { name, spans, judged_until }| Account {
            name,
            judged_until,
            spans: Spans::new(spans),
            read: nothing(),
            unread: nothing(),
        };
        let sites = sites.into_iter().map(|(id, schedule)| (id, account(schedule))).collect();
        let read_before = read_before.unwrap_or(i64::MAX);
        Self { range, gaps, sites, read_before, lag_ms: BTreeMap::new() }
    }

    /// Counts a row. Rows of slots that were never due (a clock that jumped) do not count.
    pub fn row(&mut self, site: SiteId, at: i64, status: Status, started_at_us: i64) {
        let account = self.sites.get_mut(&site);
        let Some((span, found)) = account.and_then(|account| account.find(at, self.read_before)) else {
            return;
        };
        found.recorded += 1;
        for (gap, recorded) in self.gaps.iter().zip(&mut found.recorded_in_gap) {
            *recorded += u64::from(span.is_skipped(gap, at));
        }
        if matches!(status, Status::Up | Status::Degraded | Status::Down) {
            let lag_ms = (started_at_us / 1_000 - at * 1_000).max(0).unsigned_abs();
            *self.lag_ms.entry(lag_ms).or_default() += 1;
        }
    }

    /// Counts a job that waits in the queue and has no row: it is late, but not lost.
    pub fn waiting(&mut self, site: SiteId, at: i64) {
        let account = self.sites.get_mut(&site);
        let Some((span, found)) = account.and_then(|account| account.find(at, self.read_before)) else {
            return;
        };
        if !self.gaps.iter().any(|gap| span.is_skipped(gap, at)) {
            found.waiting += 1;
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
            let until = account.judged_until.min(to - 1);
            sites.push(account.balance(&self.gaps, &mut gaps, [from - 1, self.read_before - 1, until]));
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
            on_its_way: total(|site| site.on_its_way),
            unaccounted: total(|site| site.unaccounted),
            lag_ms: Lag::of(&self.lag_ms),
            gaps,
            sites,
        }
    }
}

impl Account {
    /// A slot that was due and is old enough to be judged.
    fn find(&mut self, at: i64, read_before: i64) -> Option<(&Span, &mut Found)> {
        let span = self.spans.find(at).filter(|_| at <= self.judged_until)?;
        Some((span, if at < read_before { &mut self.read } else { &mut self.unread }))
    }

    /// In `(after, until]`, where the results up to `stored` have been read from the log.
    fn balance(
        self,
        windows: &[Window],
        gaps: &mut [GapCount],
        [after, stored, until]: [i64; 3],
    ) -> SiteAudit {
        let Self { name, spans, read, unread, .. } = self;
        let (read_expected, unaccounted) = read.balance(&spans, windows, gaps, (after, until.min(stored)));
        let (unread_expected, on_its_way) = unread.balance(&spans, windows, gaps, (after.max(stored), until));
        SiteAudit {
            name,
            expected: read_expected + unread_expected,
            recorded: read.recorded + unread.recorded,
            waiting: read.waiting + unread.waiting,
            on_its_way,
            unaccounted,
        }
    }
}

impl Found {
    /// How many slots were due in `(after, until]`, and how many of them have no row, lie in no gap and wait in no queue.
    fn balance(
        &self,
        spans: &Spans,
        windows: &[Window],
        gaps: &mut [GapCount],
        (after, until): (i64, i64),
    ) -> (u64, u64) {
        let mut in_gaps = 0;
        for ((window, gap), recorded) in windows.iter().zip(gaps).zip(&self.recorded_in_gap) {
            let skipped: u64 =
                spans.by_start.iter().map(|span| span.count_skipped(window, after, until)).sum();
            let missing = skipped.saturating_sub(*recorded);
            gap.slots += missing;
            in_gaps += missing;
        }
        let expected: u64 = spans.by_start.iter().map(|span| span.count(after, until)).sum();
        let missing = expected.saturating_sub(self.recorded);
        (expected, missing.saturating_sub(in_gaps).saturating_sub(self.waiting))
    }
}

fn merge(mut gaps: Vec<Window>) -> Vec<Window> {
    gaps.sort_by_key(|gap| gap.after);
    let mut merged: Vec<Window> = Vec::with_capacity(gaps.len());
    for gap in gaps {
        match merged.last_mut() {
            Some(last) if gap.after < last.until => {
                let open = if gap.until == last.until { last.open || gap.open } else { gap.open };
                if gap.until >= last.until {
                    (last.until, last.open) = (gap.until, open);
                }
            }
            _ => merged.push(gap),
        }
    }
    merged
}
