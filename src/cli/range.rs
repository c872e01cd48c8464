//! `--last`, `--from` and `--to`: which slots a question is about.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use clap::Args;

use super::error::CliError;
use crate::api::time;
use crate::clock::{Clock, Timestamp};
use crate::model::duration;
use crate::store::Range;

/// What counts where nothing is said.
const DEFAULT_LAST: TimeDelta = TimeDelta::hours(24);

/// Clocks that differ by less are as good as one.
const NOTEWORTHY_S: i64 = 5;

/// Clocks that differ by more than this are wrong anyway.
const SLACK: TimeDelta = TimeDelta::days(366);

/// A range of time as typed.
#[derive(Debug, Default, Args)]
pub(super) struct RangeArgs {
    /// The time up to now, for example 10m, 24h or 30d [default: 24h]
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["from", "to"])]
    last: Option<String>,

    /// First moment, RFC 3339, for example 2026-11-24T00:00:00Z [default: 24 h before --to]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,

    /// Moment before which it ends, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl RangeArgs {
    /// What is asked for, before anybody is asked what time it is.
    pub(super) fn parse(&self) -> Result<Asked, CliError> {
        let to = self.to.as_deref().map(|text| moment("--to", text)).transpose()?;
        let begin = match (&self.from, &self.last) {
            (Some(text), _) => Begin::At(moment("--from", text)?),
            (None, Some(text)) => Begin::Before(last(text)?, text.clone()),
            (None, None) => Begin::Before(DEFAULT_LAST, "24h".to_owned()),
        };
        let asked = Asked { begin, to };
        match (&asked.begin, asked.to) {
            (_, Some(to)) => _ = asked.until(to)?,
            // Too long by every clock that may be right.
            (Begin::Before(..), None) => _ = asked.until(Clock::system().now() + SLACK)?,
            (Begin::At(_), None) => {}
        }
        Ok(asked)
    }
}

/// A range that may end now.
#[derive(Debug)]
pub(super) struct Asked {
    begin: Begin,
    to: Option<Timestamp>,
}

#[derive(Debug)]
enum Begin {
    At(Timestamp),
    /// So long before the end, as typed.
    Before(TimeDelta, String),
}

impl Asked {
    /// The slots meant when the database's clock reads `now`. Says so where the clock of this machine, which reads `here`, is
    /// another and it makes a difference.
    pub(super) fn at(&self, now: Timestamp, here: Timestamp) -> Result<Range, CliError> {
        let ahead_s = (here - now).num_seconds();
        if self.to.is_none() && ahead_s.abs() >= NOTEWORTHY_S {
            let now = time(now);
            log::warn!(now, ahead_s; "the clock of this machine is ahead of the database's by so many seconds; the range goes by the database's");
        }
        self.until(self.to.unwrap_or(now.trunc_subsecs(0)))
    }

    fn until(&self, to: Timestamp) -> Result<Range, CliError> {
        let from = match &self.begin {
            Begin::At(from) => *from,
            Begin::Before(length, text) => before(to, *length).ok_or_else(|| self.too_long(text))?,
        };
        if from >= to {
            let (from, to) = (time(from), time(to));
            let message = format!("--from {from} is not before --to {to}; exchange them, or widen the range");
            return Err(CliError::Usage(message));
        }
        Ok(Range { from, to })
    }

    fn too_long(&self, text: &str) -> CliError {
        CliError::Usage(match self.to {
            Some(to) => format!("{text} before {} is before 1970; choose a later --to", time(to)),
            None => format!("--last {text} reaches back before 1970; choose less"),
        })
    }
}

/// In whole seconds, rounded up: slots lie on whole seconds, so the same slots are meant.
fn moment(flag: &str, text: &str) -> Result<Timestamp, CliError> {
    let moment = DateTime::parse_from_rfc3339(text).map_err(|error| {
        CliError::Usage(format!(
            "{flag} {text:?} is no time: {error}; write for example 2026-11-24T00:00:00Z"
        ))
    })?;
    let whole = moment.trunc_subsecs(0);
    let rounded_up = if whole < moment { whole + TimeDelta::seconds(1) } else { whole };
    Ok(rounded_up.with_timezone(&Utc))
}

fn last(text: &str) -> Result<TimeDelta, CliError> {
    let fault =
        |why: &str| CliError::Usage(format!("--last {text:?} {why}; write for example 10m, 24h or 30d"));
    let duration = duration::parse(text).map_err(|error| fault(&error.message))?;
    if duration.as_secs() == 0 {
        return Err(fault("is shorter than a second"));
    }
    TimeDelta::from_std(duration).map_err(|_| fault("is too long"))
}

/// `None` before 1970.
fn before(to: Timestamp, length: TimeDelta) -> Option<Timestamp> {
    let from = to.checked_sub_signed(length).filter(|from| from.timestamp() >= 0);
    from.map(|from| from.trunc_subsecs(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00.750Z".parse().unwrap()
    }

    fn range(last: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<(String, String), String> {
        let args =
            RangeArgs { last: last.map(Into::into), from: from.map(Into::into), to: to.map(Into::into) };
        let shown = |range: Range| (range.from.to_rfc3339(), range.to.to_rfc3339());
        args.parse().and_then(|asked| asked.at(now(), now())).map(shown).map_err(|error| error.to_string())
    }

    fn between(from: &str, to: &str) -> Result<(String, String), String> {
        Ok((format!("{from}+00:00"), format!("{to}+00:00")))
    }

    #[test]
    fn without_a_word_the_last_day_is_meant() {
        assert_eq!(range(None, None, None), between("2026-11-23T12:00:00", "2026-11-24T12:00:00"));
    }

    #[test]
    fn last_ends_now() {
        assert_eq!(range(Some("10m"), None, None), between("2026-11-24T11:50:00", "2026-11-24T12:00:00"));
    }

    #[test]
    fn the_clock_of_the_database_counts_and_not_that_of_this_machine() {
        let args = RangeArgs { last: Some("10m".to_owned()), ..RangeArgs::default() };

        let range = args.parse().unwrap().at(now(), now() + TimeDelta::hours(2)).unwrap();

        assert_eq!(range.to, now().trunc_subsecs(0));
    }

    #[test]
    fn times_of_any_zone_are_taken_as_utc() {
        let range = range(None, Some("2026-11-24T02:00:00+02:00"), Some("2026-11-24T01:00:00Z"));

        assert_eq!(range, between("2026-11-24T00:00:00", "2026-11-24T01:00:00"));
    }

    #[test]
    fn parts_of_a_second_mean_the_slots_after_them() {
        let range = range(None, Some("2026-11-24T00:00:00.5Z"), Some("2026-11-24T00:00:09.000001Z"));

        assert_eq!(range, between("2026-11-24T00:00:01", "2026-11-24T00:00:10"));
    }

    #[test]
    fn an_end_alone_means_the_day_before_it() {
        let range = range(None, None, Some("2026-11-20T00:00:00Z"));

        assert_eq!(range, between("2026-11-19T00:00:00", "2026-11-20T00:00:00"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_remedy() {
        let refused = |last, from, to| range(last, from, to).unwrap_err();

        assert!(refused(Some("10"), None, None).contains("write for example 10m"));
        assert!(refused(Some("0s"), None, None).contains("shorter than a second"));
        assert!(refused(Some("1M"), None, None).contains("M means months"));
        let long = refused(Some("99999d"), None, None);
        assert_eq!(long, "--last 99999d reaches back before 1970; choose less");
        assert!(refused(None, None, Some("1960-01-01T00:00:00Z")).contains("choose a later --to"));
        assert!(refused(Some("500000000000d"), None, None).contains("too long"));
        assert!(refused(None, Some("2026-11-24"), None).contains("write for example 2026-11-24T00:00:00Z"));
        assert!(refused(None, Some("2026-11-25T00:00:00Z"), None).contains("is not before"));
        let same = "2026-11-24T00:00:00Z";
        assert!(refused(None, Some(same), Some(same)).contains("is not before"));
    }
}
