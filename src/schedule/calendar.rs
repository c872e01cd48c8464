//! Slots of the calendar: which days, and which minutes of them, as the clocks of a zone show them.
//!
//! Between two changes of the zone's offset local time runs like any other, so slots are counted and looked up there by
//! arithmetic, and never visited one by one. At a change:
//!
//! - A rule that **flows** through the hours (a star in minute or hour) follows real time: what the clocks skip is not due, and
//!   what they show twice is due twice.
//! - Any other rule names moments of a day, and each is due once: when clocks show it for the first time, or, where they skip
//!   it, at the moment at which they do.

use std::sync::{Mutex, PoisonError};

use chrono::{Datelike as _, NaiveDate};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY_S: i64 = 86_400;

/// Days on which something is due lie no further apart, whatever the rule: a 29 February that is a Sunday, across a year 2100.
const FURTHEST_S: i64 = 41 * 366 * DAY_S;

/// Which days. Bits are numbers as cron writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) days: u64,
    pub(super) months: u64,
    /// Sunday is 0.
    pub(super) weekdays: u64,
    /// A day must match day and weekday; otherwise one of them will do.
    pub(super) both: bool,
}

impl Days {
    /// `day` counts from the beginning of 1970.
    fn has(&self, day: i64) -> bool {
        // A day outside of what dates can say is none.
        let from_ce = i32::try_from(day + 719_163).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
        let Some(date) = from_ce else { return false };
        let is_set = |bits: u64, number: u32| bits & (1 << number) != 0;
        let (day, weekday) =
            (is_set(self.days, date.day()), is_set(self.weekdays, date.weekday().num_days_from_sunday()));
        is_set(self.months, date.month()) && if self.both { day && weekday } else { day || weekday }
    }

    /// Whether there is such a day.
    pub(super) fn is_ever(&self) -> bool {
        const FROM_2000: i64 = 10_957;
        (FROM_2000..FROM_2000 + FURTHEST_S / DAY_S).any(|day| self.has(day))
    }
}

/// Which minutes of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) flows: bool,
}

impl Hours {
    fn has(&self, minute: i64) -> bool {
        self.hours & (1 << (minute / 60)) != 0 && self.minutes & (1 << (minute % 60)) != 0
    }

    /// How many there are before `minute` of a day, which may be its end.
    fn count_before(&self, minute: i64) -> u64 {
        let (hour, minute) = (minute / 60, minute % 60);
        let below = |bits: u64, number: i64| u64::from((bits & ((1 << number) - 1)).count_ones());
        let whole = below(self.hours, hour) * u64::from(self.minutes.count_ones());
        let is_due = hour < 24 && self.hours & (1 << hour) != 0;
        whole + if is_due { below(self.minutes, minute) } else { 0 }
    }

    /// The first at or after `minute`.
    fn first_from(&self, minute: i64) -> Option<i64> {
        (minute..(minute / 60 + 1) * 60).find(|minute| self.has(*minute)).or_else(|| {
            let hour = (minute / 60 + 1..24).find(|hour| self.hours & (1 << hour) != 0)?;
            Some(hour * 60 + i64::from(self.minutes.trailing_zeros()))
        })
    }

    /// The last before `minute`.
    fn last_before(&self, minute: i64) -> Option<i64> {
        (minute / 60 * 60..minute).rev().find(|minute| self.has(*minute)).or_else(|| {
            let hour = (0..minute / 60).rev().find(|hour| self.hours & (1 << hour) != 0)?;
            Some(hour * 60 + i64::from(self.minutes.ilog2()))
        })
    }
}

/// A rule in its zone.
pub(super) struct Calendar {
    days: Days,
    hours: Hours,
    zone: TimeZone,
    /// The stretch of the last question: the next one is mostly about the same half of a year.
    recent: Mutex<Option<Stretch>>,
}

/// A time in which the zone's offset stays: `[begin, end)`.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    begin: i64,
    end: i64,
    /// Seconds that local time is ahead.
    offset: i64,
    /// From this local time on slots are looked for: earlier ones have been shown before the change at `begin`. No zone puts its clocks
    /// back twice within an hour.
    first: i64,
    /// `begin` itself is due, for local times that were skipped there.
    catches_up: bool,
}

impl Calendar {
    pub(super) fn new(days: Days, hours: Hours, zone: TimeZone) -> Self {
        Self { days, hours, zone, recent: Mutex::default() }
    }

    pub(super) fn is_slot(&self, at: i64) -> bool {
        let stretch = self.stretch(at);
        let local = at + stretch.offset;
        (stretch.catches_up && at == stretch.begin) || (local >= stretch.first && self.shows(local))
    }

    pub(super) fn count(&self, after: i64, until: i64) -> u64 {
        let (mut from, mut count) = (after + 1, 0);
        while from <= until {
            let stretch = self.stretch(from);
            let to = stretch.end.min(until + 1);
            let caught_up = stretch.catches_up && from == stretch.begin && !self.shows(from + stretch.offset);
            count += u64::from(caught_up);
            count += self.count_local((from + stretch.offset).max(stretch.first), to + stretch.offset);
            from = to;
        }
        count
    }

    pub(super) fn next(&self, after: i64) -> Option<i64> {
        let mut from = after + 1;
        while from < after + FURTHEST_S {
            let stretch = self.stretch(from);
            if stretch.catches_up && from == stretch.begin {
                return Some(from);
            }
            let local =
                self.next_local((from + stretch.offset).max(stretch.first), stretch.end + stretch.offset);
            if let Some(local) = local {
                return Some(local - stretch.offset);
            }
            from = stretch.end;
        }
        None
    }

    pub(super) fn latest(&self, at: i64) -> Option<i64> {
        let mut until = at;
        while until > at - FURTHEST_S {
            let stretch = self.stretch(until);
            let from = (stretch.begin + stretch.offset).max(stretch.first);
            if let Some(local) = self.latest_local(from, until + stretch.offset) {
                return Some(local - stretch.offset);
            }
            if stretch.catches_up {
                return Some(stretch.begin);
            }
            until = stretch.begin - 1;
        }
        None
    }

    /// Seconds between two slots at least: of one day, and of two that follow each other.
    pub(super) fn shortest_s(&self) -> u32 {
        let minutes: Vec<i64> = (0..24 * 60).filter(|minute| self.hours.has(*minute)).collect();
        let overnight = minutes.first().zip(minutes.last()).map(|(first, last)| first + 24 * 60 - last);
        let shortest = minutes.windows(2).map(|pair| pair[1] - pair[0]).chain(overnight).min();
        u32::try_from(shortest.unwrap_or(24 * 60) * 60).unwrap_or(u32::MAX)
    }

    /// The time without a change around `at`.
    fn stretch(&self, at: i64) -> Stretch {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let known = recent.filter(|stretch| (stretch.begin..stretch.end).contains(&at));
        *recent.insert(known.unwrap_or_else(|| self.found_stretch(at)))
    }

    fn found_stretch(&self, at: i64) -> Stretch {
        let timestamp = |at: i64| {
            let bounded = at.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
            Timestamp::from_second(bounded).unwrap_or_default()
        };
        let offset_at = |at: i64| i64::from(self.zone.to_offset(timestamp(at)).seconds());
        let begin =
            self.zone.preceding(timestamp(at + 1)).next().map(|change| change.timestamp().as_second());
        let end = self.zone.following(timestamp(at)).next().map(|change| change.timestamp().as_second());
        let offset = offset_at(at);
        // A zone that never changes has neither; what lies further away than anything is looked for will do.
        let (begin, has_begun) = begin.map_or((at - 2 * FURTHEST_S, false), |begin| (begin, true));
        let end = end.unwrap_or(at + 2 * FURTHEST_S);
        let before = if has_begun && !self.hours.flows { offset_at(begin - 1) } else { offset };
        let first = begin + before.max(offset);
        let catches_up = before < offset && self.count_local(begin + before, begin + offset) > 0;
        Stretch { begin, end, offset, first, catches_up }
    }

    /// Whether something is due when clocks show `local`, were it shown once.
    fn shows(&self, local: i64) -> bool {
        local % 60 == 0
            && self.hours.has(local.rem_euclid(DAY_S) / 60)
            && self.days.has(local.div_euclid(DAY_S))
    }

    /// In `[from, to)`.
    fn count_local(&self, from: i64, to: i64) -> u64 {
        let (from, to) = (whole_minute(from), whole_minute(to));
        let (first, last) = (from.div_euclid(DAY_S), to.div_euclid(DAY_S));
        let before = |local: i64| self.hours.count_before(local.rem_euclid(DAY_S) / 60);
        if from >= to {
            return 0;
        }
        let whole = self.hours.count_before(24 * 60);
        let days = (first..last).filter(|day| self.days.has(*day)).count() as u64;
        let of_last = if self.days.has(last) { before(to) } else { 0 };
        let not_of_first = if self.days.has(first) { before(from) } else { 0 };
        days * whole + of_last - not_of_first
    }

    /// The first in `[from, to)`.
    fn next_local(&self, from: i64, to: i64) -> Option<i64> {
        let from = whole_minute(from);
        let (first, last) = (from.div_euclid(DAY_S), to.div_euclid(DAY_S));
        (first..=last)
            .filter(|day| self.days.has(*day))
            .find_map(|day| {
                let minute = if day == first { from.rem_euclid(DAY_S) / 60 } else { 0 };
                Some(day * DAY_S + self.hours.first_from(minute)? * 60)
            })
            .filter(|local| *local < to)
    }

    /// The last in `[from, until]`.
    fn latest_local(&self, from: i64, until: i64) -> Option<i64> {
        let (first, last) = (from.div_euclid(DAY_S), until.div_euclid(DAY_S));
        (first..=last)
            .rev()
            .filter(|day| self.days.has(*day))
            .find_map(|day| {
                let minute = if day == last { until.rem_euclid(DAY_S) / 60 + 1 } else { 24 * 60 };
                Some(day * DAY_S + self.hours.last_before(minute)? * 60)
            })
            .filter(|local| *local >= from)
    }
}

/// The first whole minute at or after `local`.
fn whole_minute(local: i64) -> i64 {
    local + (-local).rem_euclid(60)
}
