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

/// A result that exceeds this is sent with its texts cut, so that no result is too large for a broker and sent for ever.
const LARGEST_RESULT: usize = 256 * 1024;

/// What is left of a text in such a result.
const CUT_TEXT: usize = 16 * 1024;

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
    #[error("scheduled_at is in the year {0}")]
    Year(i32),
}

/// The headers of every result.
pub(super) fn headers() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(CONTENT_TYPE)
}

/// The key: results of a site stay in order. Empty where no database knows the site: readers refuse such results.
pub(super) fn key(result: &CheckResult) -> String {
    result.site_id.map(|id| id.to_string()).unwrap_or_default()
}

/// The value.
pub(super) fn encode(result: &CheckResult) -> Result<Vec<u8>, serde_json::Error> {
    let value = serde_json::to_vec(result)?;
    if value.len() <= LARGEST_RESULT { Ok(value) } else { serde_json::to_vec(&cut(result.clone())) }
}

fn cut(mut result: CheckResult) -> CheckResult {
    let texts = [Some(&mut result.url), result.error.as_mut(), result.final_url.as_mut()];
    texts.into_iter().flatten().for_each(cut_text);
    if let Some(certificate) = &mut result.certificate {
        cut_text(&mut certificate.subject);
        cut_text(&mut certificate.issuer);
    }
    result
}

fn cut_text(text: &mut String) {
    if text.len() > CUT_TEXT {
        text.truncate(text.floor_char_boundary(CUT_TEXT));
        text.push('…');
    }
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

fn judge(result: CheckResult) -> Result<CheckResult, Unreadable> {
    let year = result.scheduled_at.year();
    if result.v != CheckResult::VERSION {
        return Err(Unreadable::Version(result.v.into()));
    }
    if result.site_id.is_none() {
        return Err(Unreadable::NoSite);
    }
    if !YEARS.contains(&year) {
        return Err(Unreadable::Year(year));
    }
    Ok(result)
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
            (&LEAST.replace("\"up\"", "\"sideways\""), "not a result: unknown variant `sideways`"),
            (&" ".repeat(LARGEST_VALUE + 1), "the message has 1048577 bytes"),
        ] {
            let error = read(message).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn no_result_is_too_large_to_be_sent() {
        let mut result = read(LEAST).unwrap();
        result.error = Some("ü".repeat(400_000));
        result.final_url = Some("x".repeat(2_000_000));

        let value = encode(&result).unwrap();

        assert!(value.len() < LARGEST_RESULT);
        assert!(decode(Some(&value)).unwrap().error.unwrap().ends_with("ü…"));
    }
}
