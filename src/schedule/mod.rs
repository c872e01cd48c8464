//! When a site is due: slots as a pure function of time and rule. No I/O, no clock.
//!
//! A [`Schedule`] is what a site declares; with the phase that follows from its name it is a [`Rhythm`], which tells slots.
//! Both know two rules, an [`Interval`] and a [`Cron`] expression. Times are seconds since the epoch.

mod calendar;
mod cron;
mod interval;
mod moment;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::cron::{Cron, NoCron};
pub use self::interval::{DueRange, Interval, due, phase_s};
pub(crate) use self::moment::{SET_BACK_TOLERANCE_S, is_possible, moment};

/// The longest interval: 31 days. Nothing waits for longer to be checked, whatever its rule says.
pub const MAX_EVERY_S: u32 = 31 * 24 * 3600;

/// How often a site is to be checked, as somebody declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// So many seconds from slot to slot: 1 to [`MAX_EVERY_S`].
    Every(u32),
    /// At moments of the calendar.
    Cron(Cron),
}

impl Schedule {
    /// When a site called `name` is due.
    pub fn rhythm(&self, name: &str) -> Rhythm {
        match self {
            Self::Every(every_s) => {
                Rhythm::Interval(Interval { every_s: *every_s, phase_s: phase_s(name, *every_s) })
            }
            Self::Cron(cron) => Rhythm::Cron(cron.clone()),
        }
    }

    /// The shortest time between two slots. At a change of the zone's offset it may be shorter.
    pub fn shortest(&self) -> Duration {
        let seconds = match self {
            Self::Every(every_s) => *every_s,
            Self::Cron(cron) => cron.shortest_s(),
        };
        Duration::from_secs(seconds.into())
    }

    /// Seconds from slot to slot, of an interval.
    pub fn every_s(&self) -> Option<u32> {
        match self {
            Self::Every(every_s) => Some(*every_s),
            Self::Cron(_) => None,
        }
    }

    /// The expression, of a calendar.
    pub fn cron(&self) -> Option<&Cron> {
        match self {
            Self::Every(_) => None,
            Self::Cron(cron) => Some(cron),
        }
    }
}

/// Which moments are slots of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rhythm {
    /// Every so many seconds, at the site's phase.
    Interval(Interval),
    /// At moments of the calendar, without a phase.
    Cron(Cron),
}

impl From<Interval> for Rhythm {
    fn from(interval: Interval) -> Self {
        Self::Interval(interval)
    }
}

impl Rhythm {
    /// What the site has declared.
    pub fn schedule(&self) -> Schedule {
        match self {
            Self::Interval(interval) => Schedule::Every(interval.every_s),
            Self::Cron(cron) => Schedule::Cron(cron.clone()),
        }
    }

    /// The second inside its interval at which it is due; `None` where there is no interval.
    pub fn phase_s(&self) -> Option<u32> {
        match self {
            Self::Interval(interval) => Some(interval.phase_s),
            Self::Cron(_) => None,
        }
    }

    /// The newest slot that is not later than `at`. Every interval has one.
    pub fn latest(&self, at: i64) -> Option<i64> {
        match self {
            Self::Interval(interval) => Some(interval.latest(at)),
            Self::Cron(cron) => cron.latest(at),
        }
    }

    /// The first slot later than `after`. Every interval has one.
    pub fn next(&self, after: i64) -> Option<i64> {
        match self {
            Self::Interval(interval) => Some(interval.next(after)),
            Self::Cron(cron) => cron.next(after),
        }
    }

    /// The slots in `(after, until]`, ascending.
    pub fn slots(&self, after: i64, until: i64) -> impl Iterator<Item = i64> {
        let within = move |at: &i64| *at <= until;
        std::iter::successors(self.next(after).filter(within), move |at| self.next(*at).filter(within))
    }

    /// Whether `at` is a slot.
    pub fn is_slot(&self, at: i64) -> bool {
        match self {
            Self::Interval(interval) => interval.latest(at) == at,
            Self::Cron(cron) => cron.is_slot(at),
        }
    }

    /// Number of slots in `(after, until]`.
    pub fn count(&self, after: i64, until: i64) -> u64 {
        match self {
            Self::Interval(interval) => interval.count(after, until),
            Self::Cron(cron) => cron.count(after, until),
        }
    }

    /// For how many seconds a job for `at` may wait before it is late: until the next slot, which for an interval is so also where
    /// `at` lies beside its phase. At most [`MAX_EVERY_S`].
    pub fn patience_s(&self, at: i64) -> u32 {
        match self {
            Self::Interval(interval) => interval.every_s,
            Self::Cron(cron) => cron.patience_s(at),
        }
    }
}
