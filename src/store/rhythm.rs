//! A rhythm in the columns of `site_config` and `site_schedule`.
//!
//! An interval stands in two numbers, for the index by which ticks find the sites that are due. A cron expression stands in a text; the numbers
//! beside it are those of the longest interval, so that a scheduler of a version that knows no expressions queues next to nothing.

use crate::schedule::{Cron, Interval, MAX_EVERY_S, NoCron, Rhythm};

/// The columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) every_s: i32,
    pub(super) phase_s: i32,
    pub(super) cron: Option<String>,
}

impl From<&Rhythm> for Columns {
    fn from(rhythm: &Rhythm) -> Self {
        match rhythm {
            Rhythm::Interval(interval) => {
                Self { every_s: interval.every_s as i32, phase_s: interval.phase_s as i32, cron: None }
            }
            Rhythm::Cron(cron) => Self { every_s: MAX_EVERY_S as i32, phase_s: 0, cron: Some(cron.text()) },
        }
    }
}

impl Columns {
    /// What they say.
    ///
    /// # Errors
    /// A newer version may have written an expression that this one does not know.
    pub(super) fn read(&self) -> Result<Rhythm, NoCron> {
        match &self.cron {
            Some(text) => Cron::from_text(text).map(Rhythm::Cron),
            None => Ok(self.interval().into()),
        }
    }

    /// What the numbers say.
    pub(super) fn interval(&self) -> Interval {
        Interval { every_s: self.every_s.unsigned_abs().max(1), phase_s: self.phase_s.unsigned_abs() }
    }
}

/// What `columns` say of a time in which the site called `name` was scheduled. What a newer version has written is left out of
/// counts, and said.
pub(super) fn known_rhythm(name: &str, columns: Columns) -> Option<Rhythm> {
    let unknown = |error| log::warn!(site = name, error:%; "a schedule of this site is not counted: this version does not know it");
    columns.read().map_err(unknown).ok()
}
