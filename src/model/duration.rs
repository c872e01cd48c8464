//! Reads and writes durations the way people write them, such that they read back identically.

use std::time::Duration;

const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// For example `1m30s`. Without months and years, whose length is anybody's guess.
pub fn text(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in UNITS {
        if rest >= nanos {
            text += &format!("{}{unit}", rest / nanos);
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// What is wrong with a text that should be a duration, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {remedy}")]
pub struct NoDuration {
    /// Goes on after the text: `is no duration: …`.
    pub message: String,
    /// What to write.
    pub remedy: String,
}

/// Reads numbers with units: `10s`, `1m30s`, `1h 30min`, `2 weeks`. Months and years are refused: nobody knows how long they are,
/// and `1M` is nearly always a slip for `1m`.
///
/// # Errors
/// It has no unit, or one that is none.
pub fn parse(text: &str) -> Result<Duration, NoDuration> {
    let units = text.split(|letter: char| !letter.is_alphabetic());
    if let Some(fault) = units.filter_map(of_no_fixed_length).next() {
        return Err(fault);
    }
    humantime::parse_duration(text).map_err(|error| NoDuration {
        message: format!("is no duration: {}", said(&error)),
        remedy: "write numbers with the units ms, s, m, h, d and w, for example \"10s\" or \"1m30s\""
            .to_owned(),
    })
}

/// Without the library's list of units, which has months and years.
fn said(error: &humantime::DurationError) -> String {
    match error {
        humantime::DurationError::UnknownUnit { unit, .. } if !unit.is_empty() => {
            format!("{unit} is no unit")
        }
        other => other.to_string(),
    }
}

fn of_no_fixed_length(unit: &str) -> Option<NoDuration> {
    let (meaning, remedy) = match unit {
        "M" => ("months", "write m for minutes, or days, for example \"30d\""),
        "mo" | "mos" | "mon" | "month" | "months" | "Month" | "Months" => {
            ("months", "write days, for example \"30d\"")
        }
        "y" | "Y" | "yr" | "yrs" | "year" | "years" | "Year" | "Years" => {
            ("years", "write days, for example \"365d\"")
        }
        _ => return None,
    };
    let message = format!("is no duration: {unit} means {meaning}, whose length nobody knows");
    Some(NoDuration { message, remedy: remedy.to_owned() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn months_and_years_are_refused_with_what_to_write_instead() {
        for (text, remedy) in [
            ("1M", "write m for minutes"),
            ("1d 2M", "write m for minutes"),
            ("1month", "30d"),
            ("2 months", "30d"),
            ("1y", "365d"),
            ("1.5years", "365d"),
            ("1yr", "365d"),
        ] {
            let fault = super::parse(text).unwrap_err();
            assert!(fault.remedy.contains(remedy), "{text}: {fault}");
        }
    }

    #[test]
    fn an_unknown_unit_is_told_with_those_that_there_are() {
        for (text, unit) in [("1Min", "Min"), ("1Mo", "Mo"), ("10 parsecs", "parsecs")] {
            let fault = super::parse(text).unwrap_err().to_string();

            assert!(fault.starts_with(&format!("is no duration: {unit} is no unit; ")), "{fault}");
            assert!(fault.contains("ms, s, m, h, d and w") && !fault.contains("year"), "{fault}");
        }
    }

    #[test]
    fn a_duration_is_written_as_people_write_it_and_reads_back() {
        for text in ["0s", "1ms", "1m", "1m30s", "1h", "31d", "1d12h", "1s500ms"] {
            let parsed = super::parse(text).unwrap();
            assert_eq!(super::text(parsed), text);
        }
    }
}
