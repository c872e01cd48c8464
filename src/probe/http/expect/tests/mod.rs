//! What expectations promise, seen from outside.

use std::time::Duration;

use serde_json::Value as Json;

use super::{Answer, Expect, Verdict};
use crate::model::settings::{Expectations, HttpVersion};
use crate::model::{Reason, Status};
use crate::probe::expect::summary;

mod bodies;
mod documents;
mod headers;
mod others;

/// As it stands in a site's settings.
fn expect(settings: Json) -> Expect {
    let settings: Expectations = serde_json::from_value(settings).unwrap();
    Expect::compile(&settings).unwrap()
}

/// A good answer with an empty body, to be varied.
fn answer<'a>() -> Answer<'a> {
    Answer {
        status: 200,
        version: HttpVersion::V1_1,
        headers: &[],
        body: b"",
        body_bytes: 0,
        truncated: false,
        is_coded_part: false,
        is_tls: true,
        fell_back: false,
        took: Duration::from_millis(350),
    }
}

/// The verdict on the only condition but the status.
fn only(settings: Json, answer: &Answer<'_>) -> Verdict {
    let mut verdicts = expect(settings).judge(answer);
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    verdicts.remove(1)
}
