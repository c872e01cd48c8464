//! What a tick has to do: which slots to queue, and whether some were skipped. No I/O, for every database does the same.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::Gap;
use crate::database::rows::from_seconds;
use crate::schedule::{self, Cron, DueRange, NoCron, Rhythm, SET_BACK_TOLERANCE_S};

/// With nothing to queue, the last tick is written this often: an idle monitor should not keep a disk awake.
const IDLE_TICK_S: i64 = 10;

/// A scheduler that comes later than this has been away; one that comes sooner was only slow, or had nothing to do,
/// and skips no slot.
const AWAY_S: i64 = IDLE_TICK_S + 2;

/// How far queueing has come. Seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// Slots up to this are queued; `None` before the first tick.
    pub(super) last_tick: Option<i64>,
    /// Since when the first site has slots; of interest only before the first tick.
    pub(super) first_site: Option<i64>,
    /// The database's time.
    pub(super) now: i64,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// Wall time was adjusted: wait until it is where it was.
    Wait,
    /// Wall time was set back by so many seconds: go on from there.
    SetBack { by_s: i64 },
    /// Queue what is due.
    Enqueue(Due),
}

/// Slots that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    /// Each slot of an interval lies in one of them.
    pub(super) ranges: Vec<DueRange>,
    /// The slots of cron expressions.
    pub(super) crons: Vec<DueCron>,
    /// Slots that are left out.
    pub(super) gap: Option<Gap>,
    /// The last tick is written even when nothing is queued.
    pub(super) is_news: bool,
}

/// A slot of all sites of one cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DueCron {
    /// As in `site_config`.
    pub(super) cron: String,
    pub(super) at: i64,
    /// For how long its jobs may wait.
    pub(super) late_after_s: u32,
}

/// The rules of enabled sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// Ascending.
    pub(super) intervals: Vec<u32>,
    pub(super) crons: Vec<Cron>,
}

impl Rules {
    /// From the columns of `site_config`. An expression that this version does not know is left to the scheduler that knows it.
    pub(super) fn new(intervals: Vec<(i32,)>, crons: Vec<(String,)>) -> Self {
        let known =
            |(text,): (String,)| Cron::from_text(&text).map_err(|error| say_unknown(text, &error)).ok();
        Self {
            intervals: intervals.into_iter().map(|row| row.0.unsigned_abs()).collect(),
            crons: crons.into_iter().filter_map(known).collect(),
        }
    }
}

/// Once for each expression, and not at each tick.
fn say_unknown(expression: String, error: &NoCron) {
    static SAID: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if !said.contains(&expression) {
        let schedule = expression.as_str();
        log::error!(schedule; "sites with this schedule are not queued by this version: it {}", error.message);
        said.insert(expression);
    }
}

impl Plan {
    pub(super) fn of(progress: Progress, rules: &Rules) -> Self {
        let Progress { last_tick, first_site, now } = progress;
        // Sites that were added before the first start have slots since then.
        let after = last_tick.or(first_site).unwrap_or(now - 1);
        match after - now {
            ..=0 => Self::Enqueue(due(after, now, last_tick.is_none(), rules)),
            1..=SET_BACK_TOLERANCE_S => Self::Wait,
            by_s => Self::SetBack { by_s },
        }
    }
}

fn due(after: i64, now: i64, is_first: bool, Rules { intervals, crons }: &Rules) -> Due {
    let shortest = intervals.first().copied().map_or(i64::MAX, i64::from);
    // A window longer than the shortest interval has skipped slots, and so has one with two slots of a cron expression.
    let has_two = || now - after > shortest || crons.iter().any(|cron| cron.count(after, now) > 1);
    let skips = now - after > AWAY_S && has_two();
    let ranges =
        if skips { one_per_site(intervals, after, now) } else { all(intervals, after, now, shortest) };
    let crons = crons.iter().flat_map(|cron| due_of(cron, after, now, skips)).collect();
    let gap = skips.then(|| Gap { after: from_seconds(after), until: from_seconds(now) });
    Due { ranges, crons, gap, is_news: skips || is_first || now - after >= IDLE_TICK_S }
}

/// The slots of `cron` in a window; only the last one where others are skipped.
fn due_of(cron: &Cron, after: i64, until: i64, skips: bool) -> Vec<DueCron> {
    let rhythm = Rhythm::Cron(cron.clone());
    let due = |at| DueCron { cron: cron.text(), at, late_after_s: rhythm.patience_s(at) };
    if skips {
        rhythm.latest(until).filter(|at| *at > after).map(due).into_iter().collect()
    } else {
        rhythm.slots(after, until).map(due).collect()
    }
}

fn one_per_site(intervals: &[u32], after: i64, until: i64) -> Vec<DueRange> {
    intervals.iter().flat_map(|&every_s| schedule::due(every_s, after, until)).collect()
}

/// Every slot of a window, also where it is longer than an interval: in steps of the shortest one.
fn all(intervals: &[u32], after: i64, until: i64, shortest: i64) -> Vec<DueRange> {
    let mut ranges = Vec::new();
    let mut from = after;
    while from < until {
        let to = until.min(from.saturating_add(shortest));
        ranges.extend(one_per_site(intervals, from, to));
        from = to;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last_tick: i64, now: i64) -> Progress {
        Progress { last_tick: Some(last_tick), first_site: None, now }
    }

    fn intervals(intervals: &[u32]) -> Rules {
        Rules { intervals: intervals.to_vec(), crons: Vec::new() }
    }

    /// 2026-03-02T10:00:00Z, a Monday.
    const TEN: i64 = 1_772_445_600;

    fn crons(expression: &str) -> Rules {
        Rules { intervals: vec![3_600], crons: vec![Cron::parse(expression, None).unwrap()] }
    }

    /// Minutes after ten, and for how many minutes each may wait.
    fn cron_slots(plan: &Plan) -> Vec<(i64, u32)> {
        let Plan::Enqueue(due) = plan else { return Vec::new() };
        due.crons.iter().map(|due| ((due.at - TEN) / 60, due.late_after_s / 60)).collect()
    }

    fn slots(plan: &Plan, every_s: u32) -> u64 {
        let Plan::Enqueue(due) = plan else { return 0 };
        let of_interval = due.ranges.iter().filter(|range| range.every_s == every_s);
        of_interval.map(|range| u64::from(range.phase_to - range.phase_from + 1)).sum()
    }

    #[test]
    fn a_scheduler_that_is_a_little_late_queues_every_slot() {
        let plan = Plan::of(at(100, 111), &intervals(&[1, 5]));

        assert_eq!((slots(&plan, 1), slots(&plan, 5)), (11, 11));
        assert!(matches!(plan, Plan::Enqueue(Due { gap: None, .. })));
    }

    #[test]
    fn a_scheduler_that_was_away_queues_one_slot_per_site_and_says_so() {
        let plan = Plan::of(at(100, 1_000), &intervals(&[1, 60]));

        assert_eq!((slots(&plan, 1), slots(&plan, 60)), (1, 60));
        assert!(matches!(plan, Plan::Enqueue(Due { gap: Some(_), .. })));
    }

    #[test]
    fn slots_of_a_cron_expression_are_queued_until_the_next_one() {
        let plan = Plan::of(at(TEN - 1, TEN), &crons("0,20 10,12 * * *"));
        assert_eq!(cron_slots(&plan), [(0, 20)]);

        let plan = Plan::of(at(TEN, TEN + 1_200), &crons("0,20 10,12 * * *"));
        assert_eq!(cron_slots(&plan), [(20, 100)]);
        assert!(matches!(plan, Plan::Enqueue(Due { gap: None, .. })), "one slot is none that was skipped");
    }

    #[test]
    fn of_a_cron_expression_only_the_last_slot_is_queued_after_an_outage() {
        let plan = Plan::of(at(TEN - 1, TEN + 600), &crons("*/5 * * * *"));

        assert_eq!(cron_slots(&plan), [(10, 5)]);
        let gap = Gap { after: from_seconds(TEN - 1), until: from_seconds(TEN + 600) };
        assert!(matches!(plan, Plan::Enqueue(Due { gap: Some(found), .. }) if found == gap));
    }

    #[test]
    fn a_job_of_a_rare_moment_waits_for_31_days_at_most() {
        let plan = Plan::of(at(TEN - 1, TEN), &crons("0 10 2 3 *"));

        assert_eq!(cron_slots(&plan), [(0, 31 * 24 * 60)]);
    }

    #[test]
    fn a_clock_that_is_adjusted_is_waited_for_and_one_that_is_set_is_followed() {
        assert_eq!(Plan::of(at(102, 100), &intervals(&[1])), Plan::Wait);
        assert_eq!(Plan::of(at(103, 100), &intervals(&[1])), Plan::SetBack { by_s: 3 });
    }

    #[test]
    fn an_idle_scheduler_writes_now_and_then() {
        let is_news = |plan| matches!(plan, Plan::Enqueue(Due { is_news: true, .. }));

        assert!(!is_news(Plan::of(at(100, 109), &intervals(&[]))));
        assert!(is_news(Plan::of(at(100, 110), &intervals(&[]))));
    }
}
