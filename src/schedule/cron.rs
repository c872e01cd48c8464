//! Cron expressions: `minute hour day month weekday`, in a time zone.
//!
//! A library reads the numbers of the fields; which fields and words there are, and what a day must match, is decided here,
//! because libraries differ in it. Time zones are those of the database that is compiled in: all machines of one version agree
//! about every slot, whatever their systems know of zones.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::MAX_EVERY_S;
use super::calendar::{Calendar, Days, Hours};

/// Where none is said.
const DEFAULT_ZONE: &str = "UTC";

/// Expressions that are kept compiled. There are few different ones, however many sites there are.
const KEPT: usize = 100_000;

const EXAMPLE: &str = "write minute, hour, day, month and weekday, for example \"*/5 8-18 * * mon-fri\"";

/// Words for whole expressions.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const FIELDS: [&str; 5] = ["minute", "hour", "day", "month", "weekday"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
static KNOWN: LazyLock<Mutex<HashMap<String, Result<Cron, NoCron>>>> = LazyLock::new(Mutex::default);

/// A cron expression in its zone. Clones are cheap.
#[derive(Clone)]
pub struct Cron(Arc<Compiled>);

struct Compiled {
    /// With single spaces, in small letters.
    expression: String,
    /// As the IANA database spells it.
    zone: String,
    calendar: Calendar,
}

/// Why there is no such cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct NoCron {
    /// What is wrong: it follows the name of the key.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
    /// It is the zone that is wrong, and not the expression.
    pub is_zone: bool,
}

impl NoCron {
    fn expression(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: remedy.into(), is_zone: false }
    }
}

impl Cron {
    /// Compiles `expression`, in `zone`, a name of the IANA database; `None` for UTC.
    ///
    /// # Errors
    /// It is none, nothing will ever be due by it, or there is no such zone.
    pub fn parse(expression: &str, zone: Option<&str>) -> Result<Self, NoCron> {
        let words: Vec<String> = expression.split_whitespace().map(str::to_ascii_lowercase).collect();
        let expression = words.join(" ");
        let (days, hours) = fields(&expression)?;
        if !days.is_ever() {
            return Err(NoCron::expression("is never due", "choose a day that some month has"));
        }
        let (zone, name) = found_zone(zone.unwrap_or(DEFAULT_ZONE))?;
        Ok(Self(Arc::new(Compiled { expression, zone: name, calendar: Calendar::new(days, hours, zone) })))
    }

    /// Reads what [`text`](Self::text) has written. What was read before is remembered.
    ///
    /// # Errors
    /// As [`parse`](Self::parse): a newer version may have written it.
    pub fn from_text(text: &str) -> Result<Self, NoCron> {
        if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return known.clone();
        }
        let (expression, zone) = text.rsplit_once(' ').unwrap_or((text, DEFAULT_ZONE));
        let read = Self::parse(expression, Some(zone));
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT {
            known.insert(text.to_owned(), read.clone());
        }
        read
    }

    /// Expression and zone in one text, as databases keep it: `*/5 8-18 * * mon-fri Europe/Berlin`.
    pub fn text(&self) -> String {
        format!("{} {}", self.0.expression, self.0.zone)
    }

    /// For example `*/5 8-18 * * mon-fri`.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// For example `Europe/Berlin`.
    pub fn zone(&self) -> &str {
        &self.0.zone
    }

    /// The newest slot that is not later than `at`, if there was one within 40 years.
    pub fn latest(&self, at: i64) -> Option<i64> {
        self.0.calendar.latest(at)
    }

    /// The first slot later than `after`, if there is one within 40 years.
    pub fn next(&self, after: i64) -> Option<i64> {
        self.0.calendar.next(after)
    }

    /// Whether `at` is a slot.
    pub fn is_slot(&self, at: i64) -> bool {
        self.0.calendar.is_slot(at)
    }

    /// Number of slots in `(after, until]`.
    pub fn count(&self, after: i64, until: i64) -> u64 {
        self.0.calendar.count(after, until)
    }

    /// Seconds between two slots at least, where the zone's offset stays.
    pub(super) fn shortest_s(&self) -> u32 {
        self.0.calendar.shortest_s()
    }

    /// Until the next slot; for a check outside of the calendar, right before a slot, as long as for any other.
    pub(super) fn patience_s(&self, at: i64) -> u32 {
        let wait = self.next(at).map_or(MAX_EVERY_S.into(), |next| next - at);
        u32::try_from(wait).unwrap_or(MAX_EVERY_S).max(self.shortest_s()).min(MAX_EVERY_S)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.expression(), self.zone()) == (other.expression(), other.zone())
    }
}

impl Eq for Cron {}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({:?})", self.text())
    }
}

fn found_zone(name: &str) -> Result<(TimeZone, String), NoCron> {
    let name = name.trim();
    let refused = |remedy: String| NoCron { message: "is no time zone".to_owned(), remedy, is_zone: true };
    let Ok(zone) = ZONES.get(name) else {
        let known = ZONES.available().map(|known| known.to_string());
        return Err(refused(match nearest(name, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write a name of the IANA database, for example \"Europe/Berlin\" or \"UTC\"".to_owned(),
        }));
    };
    let name = zone.iana_name().unwrap_or(DEFAULT_ZONE).to_owned();
    Ok((zone, name))
}

/// The zone that is most like `name`, which may be only its city.
fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let name = name.to_lowercase().replace(' ', "_");
    let similarity = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or_default();
        strsim::jaro_winkler(&name, &known).max(strsim::jaro_winkler(&name, city))
    };
    known
        .map(|known| (similarity(&known), known))
        .filter(|(similarity, _)| *similarity > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, known)| known)
}

/// What `expression`, with single spaces and in small letters, says.
fn fields(expression: &str) -> Result<(Days, Hours), NoCron> {
    let expression = match NICKNAMES.iter().find(|(nickname, _)| *nickname == expression) {
        Some((_, fields)) => *fields,
        None if expression.starts_with('@') => {
            let known: Vec<&str> = NICKNAMES.iter().map(|(nickname, _)| *nickname).collect();
            return Err(NoCron::expression(
                "is an unknown word",
                format!("choose from {}", known.join(", ")),
            ));
        }
        None => expression,
    };
    let texts: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = texts[..] else {
        let message = format!("has {} fields, not 5", texts.len());
        let remedy =
            if texts.len() == 6 { "leave out the seconds: slots lie on whole minutes" } else { EXAMPLE };
        return Err(NoCron::expression(message, remedy));
    };
    let numbers = [
        minute.to_owned(),
        hour.to_owned(),
        day.to_owned(),
        numbered(month, &MONTHS, 1),
        numbered(weekday, &WEEKDAYS, 0),
    ];
    for (name, field) in FIELDS.iter().zip(&numbers) {
        check(name, field)?;
    }
    let pattern = parser().parse(&numbers.join(" ")).map_err(|error| refused(&numbers, &error))?.pattern;
    // In all crons of the Vixie line a field that begins with a star is one that does not choose.
    let is_star = |field: &str| field.starts_with('*');
    let days = Days {
        days: bits(&pattern.days.values()),
        months: bits(&pattern.months.values()),
        weekdays: bits(&pattern.days_of_week.values()),
        both: is_star(day) || is_star(weekday),
    };
    let hours = Hours {
        minutes: bits(&pattern.minutes.values()),
        hours: bits(&pattern.hours.values()),
        flows: is_star(minute) || is_star(hour),
    };
    Ok((days, hours))
}

/// For five fields.
fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

fn bits(values: &[u16]) -> u64 {
    values.iter().fold(0, |bits, value| bits | 1 << value)
}

/// `field` with the numbers of `names`. Sunday at the end of a range is the seventh day.
fn numbered(field: &str, names: &[&str], first: usize) -> String {
    let number = |word: &str, ends_range: bool| match names.iter().position(|name| *name == word) {
        Some(0) if ends_range && first == 0 => "7".to_owned(),
        Some(index) => (index + first).to_string(),
        None => word.to_owned(),
    };
    let item = |item: &str| {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let range = match range.split_once('-') {
            Some((from, to)) => format!("{}-{}", number(from, false), number(to, true)),
            None => number(range, false),
        };
        step.map_or(range.clone(), |step| format!("{range}/{step}"))
    };
    field.split(',').map(item).collect::<Vec<_>>().join(",")
}

/// Refuses what only some crons know: the library would take some of it, and give it a meaning of its own.
fn check(name: &str, field: &str) -> Result<(), NoCron> {
    let has_only_signs =
        field.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '*' | '/' | ',' | '-'));
    if !has_only_signs {
        let words = match name {
            "month" => ", and the words jan to dec",
            "weekday" => ", and the words sun to sat",
            _ => "",
        };
        let remedy = format!("write numbers, ranges (1-5), lists (1,2) and steps (*/5){words}");
        return Err(NoCron::expression(format!("has an unknown {name} \"{field}\""), remedy));
    }
    if field.split(',').any(str::is_empty) {
        return Err(NoCron::expression(
            format!("has an empty item in the {name} \"{field}\""),
            "remove the comma",
        ));
    }
    Ok(())
}

/// Names the field that the library refuses: its own words tell of places inside of itself.
fn refused(fields: &[String; 5], error: &croner::errors::CronError) -> NoCron {
    const BOUNDS: [&str; 5] =
        ["0 to 59", "0 to 23", "1 to 31", "1 to 12", "0 to 7, where 0 and 7 are Sunday"];
    let is_refused = |index: &usize| {
        let mut alone = ["*"; 5];
        alone[*index] = &fields[*index];
        parser().parse(&alone.join(" ")).is_err()
    };
    match (0..FIELDS.len()).find(is_refused) {
        Some(index) => NoCron::expression(
            format!("has a bad {} \"{}\"", FIELDS[index], fields[index]),
            format!("choose {}, from the lower to the higher, and steps of at least 1 (*/5)", BOUNDS[index]),
        ),
        None => NoCron::expression(format!("is no cron expression: {error}"), EXAMPLE),
    }
}
