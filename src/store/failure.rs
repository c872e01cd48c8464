//! What is kept of a result that is not up, for the person who asks why.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use crate::clock::Timestamp;
use crate::model::{CheckResult, Evidence, Hop, Reason, Status};

/// Bytes of text. More than checks gather, unless they follow many hops; less than makes a batch of thousands of results too
/// large for a database, whoever sent them.
const LARGEST: usize = 64 * 1024;

/// A result that was not up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its slot.
    pub scheduled_at: Timestamp,
    /// Anything but up.
    pub status: Status,
    /// `None` where nobody checked, and where only a newer version knows it.
    pub reason: Option<Reason>,
    /// For people: every failed expectation with its actual value.
    pub error: Option<String>,
    /// `None` where nothing was seen.
    pub evidence: Option<Seen>,
}

/// What the check saw, as it stands in `ping_status.evidence`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Of the last answer.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Every request of the try, where there was more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// Tries that were made, where there was more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
}

/// The text that stands in the database for what `result` saw; `None` where that is nothing, and where it is up. What is larger
/// than any honest one goes without its largest parts.
pub(super) fn evidence_text(result: &CheckResult) -> Option<String> {
    if result.status == Status::Up {
        return None;
    }
    let seen = Seen::by(result);
    storable(&seen).or_else(|| storable(&seen.answer())).or_else(|| storable(&seen.essence()))
}

fn storable(seen: &Seen) -> Option<String> {
    (*seen != Seen::default()).then(|| to_text(seen)).filter(|text| text.len() <= LARGEST)
}

impl Seen {
    fn by(result: &CheckResult) -> Self {
        Self {
            evidence: result.evidence.as_deref().cloned().unwrap_or_default(),
            hops: result.hops.clone(),
            tries: Some(result.tries).filter(|tries| *tries > 1),
        }
    }

    /// The last answer without the way to it.
    fn answer(&self) -> Self {
        Self { hops: Vec::new(), ..self.clone() }
    }

    /// Without what a server makes as long as it likes.
    fn essence(self) -> Self {
        let Evidence { failed, addresses, .. } = self.evidence;
        let evidence = Evidence { failed, addresses, ..Evidence::default() };
        Self { evidence, hops: Vec::new(), tries: self.tries }
    }
}

/// The texts of a row: status, reason, error, evidence.
pub(super) type FailureTexts = (String, Option<String>, Option<String>, Option<String>);

/// Reads the row of a slot. What of it only a newer version knows is left out: the rest is worth being shown.
pub(super) fn failure(scheduled_at: Timestamp, (status, reason, error, evidence): FailureTexts) -> Failure {
    Failure {
        scheduled_at,
        status: Status::of_word(&status),
        reason: reason.and_then(|word| word.parse().ok()),
        error,
        evidence: evidence.and_then(|text| serde_json::from_str(&text).ok()),
    }
}

fn to_text(seen: &Seen) -> String {
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut text, WithoutNul);
    // Strings for keys, and a buffer that takes all: nothing in it can fail.
    let _ = seen.serialize(&mut writer);
    String::from_utf8(text).unwrap_or_default()
}

/// Shows NUL as U+FFFD: PostgreSQL stores `\u0000` in JSON, and refuses to make it a text in whoever's query.
struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all("\u{FFFD}".as_bytes()),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(failed: &str, body: &str) -> Seen {
        let evidence =
            Evidence { failed: vec![failed.to_owned()], body: Some(body.to_owned()), ..Evidence::default() };
        Seen { evidence, tries: Some(2), ..Seen::default() }
    }

    #[test]
    fn what_is_as_large_as_a_check_gathers_is_kept_whole() {
        // The worst of all bytes for JSON.
        let largest = seen(&"\u{1}".repeat(4 * 1024), &"\u{1}".repeat(4 * 1024));

        let text = storable(&largest).unwrap();

        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), largest);
    }

    #[test]
    fn no_text_is_larger_than_the_limit() {
        let long = "x".repeat(LARGEST);

        assert_eq!(storable(&seen("short", &long)), None);
        let essence = storable(&seen("short", &long).essence());
        assert_eq!(essence.as_deref(), Some(r#"{"failed":["short"],"tries":2}"#));
        assert_eq!(storable(&seen(&long, "").essence()), None);
        assert_eq!(storable(&Seen::default()), None);
    }
}
