//! One result as one message: JSON under the site's id.
//!
//! A message is read when its meaning is clear: fields that we don't know are ignored, optional ones may be missing.
//! Everything else is an [`Unreadable`] and goes to the dead letters. So does another `v`: it is raised only by a
//! change that older readers would misunderstand, while new optional fields leave it as it is.

use chrono::Datelike;
use rdkafka::message::{Header, OwnedHeaders};
use serde::Deserialize;

use crate::model::CheckResult;

/// Header that tells what a message is.
pub(super) const CONTENT_TYPE: Header<'static, &'static str> =
    Header { key: "ct", value: Some("check-result/1+json") };

/// Larger values are not parsed. A result is a few hundred bytes, and a compressed message may be far larger than brokers allow.
pub(super) const LARGEST_VALUE: usize = 1_048_576;

/// A result that exceeds this with all its texts within their bounds goes as its essence: nothing but escapes can make it so large.
const LARGEST_RESULT: usize = 256 * 1024;

/// A result that is no larger has no text past its bounds that would matter to a broker.
const SMALL: usize = 64 * 1024;

/// Slots of other years are nonsense: no such program ran, or the sender's clock is broken.
const YEARS: std::ops::Range<i32> = 2000..2200;

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the message is empty")]
    Empty,
    #[error("the message has {bytes} bytes, more than {LARGEST_VALUE}")]
    TooLarge { bytes: usize },
    #[error("not a result: {0}")]
    Malformed(serde_json::Error),
    #[error("version {0} of the format is unknown here; this program reads version {ours}", ours = CheckResult::VERSION)]
    Version(serde_json::Value),
    #[error("no site_id")]
    NoSite,
    #[error("{field} is in the year {year}")]
    Year { field: &'static str, year: i32 },
    #[error("scheduled_at has a fraction of a second, which no slot has")]
    Fraction,
}

/// The headers of every result.
pub(super) fn headers() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(CONTENT_TYPE)
}

/// The key: results of a site stay in order. Empty where no database knows the site: readers refuse such results.
pub(super) fn key(result: &CheckResult) -> String {
    result.site_id.map(|id| id.to_string()).unwrap_or_default()
}

/// The time of a message: its slot, which the database's clock has decided. Brokers refuse a time that is too far ahead of their
/// own, and this machine's clock may be any; a time before 1970 is the broker's to choose.
pub(super) fn at_ms(result: &CheckResult) -> Option<i64> {
    Some(result.scheduled_at.timestamp_millis()).filter(|at| *at > 0)
}

/// The value: within its bounds whoever has made the result, so that none is too large for every broker.
pub(super) fn encode(result: &CheckResult) -> Result<Vec<u8>, serde_json::Error> {
    let value = serde_json::to_vec(result)?;
    if value.len() <= SMALL {
        return Ok(value);
    }
    let bounded = serde_json::to_vec(&result.clone().bounded())?;
    if bounded.len() <= LARGEST_RESULT { Ok(bounded) } else { serde_json::to_vec(&result.essence()) }
}

/// What a message says.
pub(super) fn decode(value: Option<&[u8]>) -> Result<CheckResult, Unreadable> {
    let value = value.filter(|value| !value.is_empty()).ok_or(Unreadable::Empty)?;
    if value.len() > LARGEST_VALUE {
        return Err(Unreadable::TooLarge { bytes: value.len() });
    }
    let result: CheckResult = serde_json::from_slice(value)
        .map_err(|error| foreign_version(value).unwrap_or(Unreadable::Malformed(error)))?;
    judge(result)
}

/// Another version may have other fields: then it is the version that is the trouble, and not the field that is missed first.
fn foreign_version(value: &[u8]) -> Option<Unreadable> {
    #[derive(Deserialize)]
    struct Versioned {
        v: serde_json::Value,
    }
    let Versioned { v } = serde_json::from_slice(value).ok()?;
    (v != CheckResult::VERSION).then_some(Unreadable::Version(v))
}

/// Whoever has made it may have bounds of his own, and databases have theirs.
fn judge(result: CheckResult) -> Result<CheckResult, Unreadable> {
    let year = result.scheduled_at.year();
    if result.v != CheckResult::VERSION {
        return Err(Unreadable::Version(result.v.into()));
    }
    if result.site_id.is_none() {
        return Err(Unreadable::NoSite);
    }
    if !YEARS.contains(&year) {
        return Err(Unreadable::Year { field: "scheduled_at", year });
    }
    if result.scheduled_at.timestamp_subsec_nanos() != 0 {
        return Err(Unreadable::Fraction);
    }
    match result.impossible_date() {
        Some((field, year)) => Err(Unreadable::Year { field, year }),
        None => Ok(result.bounded()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every result has.
    const LEAST: &str = r#"{"v":1,"site_id":7,"url":"https://example.com/","scheduled_at":"2026-11-23T10:00:05Z",
        "started_at":"2026-11-23T10:00:05.012345Z","status":"up"}"#;

    fn read(text: &str) -> Result<CheckResult, Unreadable> {
        decode(Some(text.as_bytes()))
    }

    fn with(change: &str) -> String {
        LEAST.replacen('{', &format!("{{{change},"), 1)
    }

    #[test]
    fn a_result_of_an_older_version_that_lacks_optional_fields_is_read() {
        let result = read(LEAST).unwrap();

        assert_eq!((result.attempt, result.worker.as_str(), result.body_truncated), (1, "", false));
        assert_eq!((result.timings.total_us, result.http_status, result.certificate), (None, None, None));
    }

    #[test]
    fn a_certificate_without_its_chain_expires_with_its_leaf() {
        let old =
            with(r#""certificate":{"not_before":"2026-01-01T00:00:00Z","not_after":"2027-01-01T00:00:00Z"}"#);

        let certificate = read(&old).unwrap().certificate.unwrap();

        assert_eq!(certificate.chain_not_after, certificate.not_after);
    }

    #[test]
    fn a_message_without_a_region_is_of_the_default_and_one_with_it_is_another_slot() {
        let (here, there) = (read(LEAST).unwrap(), read(&with(r#""region":"eu-west""#)).unwrap());

        assert!(here.region.is_default() && here.slot() != there.slot());
        assert_eq!(there.region.as_str(), "eu-west");
        assert_eq!(decode(Some(&encode(&there).unwrap())).unwrap(), there);
        assert!(!String::from_utf8(encode(&here).unwrap()).unwrap().contains("region"));
        assert_eq!(key(&here), key(&there), "results of a site stay in order");
    }

    #[test]
    fn fields_of_a_newer_version_are_ignored() {
        assert_eq!(read(&with(r#""carbon_g":3,"planets":[{"a":1}]"#)).unwrap(), read(LEAST).unwrap());
    }

    #[test]
    fn what_makes_no_sense_is_not_read_and_the_reason_says_why() {
        for (message, why) in [
            ("", "the message is empty"),
            ("{", "not a result: EOF"),
            (&LEAST.replace("\"site_id\":7,", ""), "no site_id"),
            (&LEAST.replace("\"v\":1", "\"v\":2"), "version 2 of the format is unknown here"),
            (r#"{"v":"beta"}"#, "version \"beta\" of the format"),
            (
                &LEAST.replace("2026-11-23T10:00:05Z", "1970-01-01T00:00:00Z"),
                "scheduled_at is in the year 1970",
            ),
            (
                &LEAST.replace("2026-11-23T10:00:05Z", "2999-01-01T00:00:00Z"),
                "scheduled_at is in the year 2999",
            ),
            (&with(r#""region":"EU""#), "not a result: the region \"EU\" has a character other than"),
            (&LEAST.replace("10:00:05Z", "10:00:05.5Z"), "scheduled_at has a fraction of a second"),
            (&LEAST.replace("\"up\"", "\"sideways\""), "not a result: unknown variant `sideways`"),
            (&" ".repeat(LARGEST_VALUE + 1), "the message has 1048577 bytes"),
        ] {
            let error = read(message).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn dates_that_no_database_takes_are_not_read() {
        let certificate = |not_after: &str| {
            with(&format!(
                r#""certificate":{{"not_before":"2026-01-01T00:00:00Z","not_after":"{not_after}"}}"#
            ))
        };
        let started = |at: &str| LEAST.replace("2026-11-23T10:00:05.012345Z", at);
        for (message, field) in [
            (started("-10000-01-01T00:00:00Z"), "started_at is in the year -10000"),
            (started("+12026-01-01T00:00:00Z"), "started_at is in the year 12026"),
            (certificate("-4714-01-01T00:00:00Z"), "not_after is in the year -4714"),
            (certificate("+200000-01-01T00:00:00Z"), "not_after is in the year 200000"),
        ] {
            let error = read(&message).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        for odd in [started("1970-01-01T00:00:00Z"), certificate("9999-12-31T23:59:59Z")] {
            read(&odd).unwrap();
        }
    }

    #[test]
    fn no_result_is_too_large_to_be_sent_whatever_is_long_in_it() {
        let hop = |url: String| crate::model::Hop {
            url,
            http_status: Some(302),
            remote_addr: None,
            timings: crate::model::Timings::default(),
            certificate: None,
        };
        let least = read(LEAST).unwrap();
        let mut results = vec![least.clone(), least.clone(), least.clone(), least];
        results[0].error = Some("ü".repeat(400_000));
        results[1].final_url = Some("x".repeat(2_000_000));
        results[2].hops = vec![hop("x".repeat(190_000)); 11];
        let body = Some("\u{1}".repeat(1_000_000));
        results[3].evidence =
            Some(Box::new(crate::model::Evidence { body, ..crate::model::Evidence::default() }));

        for result in results {
            let value = encode(&result).unwrap();

            assert!(value.len() < LARGEST_RESULT, "{}", value.len());
            let read = decode(Some(&value)).unwrap();
            assert!(read.error.is_none_or(|error| error.ends_with("ü…")));
            assert_eq!((read.status, read.hops.len()), (result.status, result.hops.len()));
        }
    }

    #[test]
    fn texts_of_another_program_are_cut_when_they_are_read() {
        let long = with(&format!(r#""worker":"{}","error":"{}""#, "w".repeat(9_000), "e".repeat(90_000)));

        let result = read(&long).unwrap();

        assert!(result.worker.len() <= 256 && result.error.unwrap().len() <= 8 * 1024);
    }

    #[test]
    fn the_time_of_a_message_is_its_slots() {
        let mut result = read(LEAST).unwrap();
        assert_eq!(at_ms(&result), Some(1_795_428_005_000));

        result.scheduled_at = Default::default();

        assert_eq!(at_ms(&result), None);
    }
}
