//! What makes an answer over HTTP a good one: the conditions of `[site.expect]`, judged one by one, and what was found instead.
//!
//! Pure: an [`Answer`] goes in, [`Verdict`]s come out. All conditions are judged always, for a person who repairs a site
//! wants to see everything that is wrong with it. The work is bounded: regular expressions take time linear in the body that
//! was kept, JSON is read once, and its paths share a budget.

use std::time::Duration;

use self::header::HeaderCondition;
use self::json::JsonCondition;
use self::status::StatusCondition;
use self::transport::{TlsCondition, VersionCondition};
use crate::model::settings::{Expectations, HttpVersion, TimeLimits};
use crate::probe::expect::{BodyCondition, ExpectError, Extent, SizeLimit, Verdict, charset, judge_time};

mod header;
mod json;
mod status;
#[cfg(test)]
mod tests;
mod transport;

/// What a site expects, compiled once and used by many checks.
pub(super) struct Expect {
    status: StatusCondition,
    headers: Vec<HeaderCondition>,
    body: Vec<BodyCondition>,
    json: Vec<JsonCondition>,
    size: Option<SizeLimit>,
    version: Option<VersionCondition>,
    tls: Option<TlsCondition>,
    time: TimeLimits,
}

/// What a try has seen of the last answer.
pub(super) struct Answer<'a> {
    /// 100 to 999.
    pub(super) status: u16,
    pub(super) version: HttpVersion,
    /// As on the wire: in order, repeated ones repeated.
    pub(super) headers: &'a [(&'a str, &'a [u8])],
    /// Decoded; as much of its beginning as is kept.
    pub(super) body: &'a [u8],
    /// Decoded bytes that were read, which may be more than are kept.
    pub(super) body_bytes: u64,
    /// The body went on past what was read.
    pub(super) truncated: bool,
    /// The body is a piece of a coded one, which nobody can read alone.
    pub(super) is_coded_part: bool,
    /// The last hop was https.
    pub(super) is_tls: bool,
    /// A hop before it went without TLS, after one that was https.
    pub(super) fell_back: bool,
    /// The whole try.
    pub(super) took: Duration,
}

/// What conditions on text and size are about.
const SUBJECT: &str = "body";

/// What such a body is, in words that complete "the body is …". To judge its bytes would let everything pass that must not be there.
const CODED_PART: &str = "a part of a coded one, which cannot be read alone";

impl Expect {
    /// Reads every pattern and path once.
    pub(super) fn compile(settings: &Expectations) -> Result<Self, ExpectError> {
        Ok(Self {
            status: StatusCondition::new(&settings.status),
            headers: compile_all(&settings.headers, HeaderCondition::compile)?,
            body: BodyCondition::compile(&settings.body, SUBJECT)?,
            json: compile_all(&settings.json, JsonCondition::compile)?,
            size: settings.body.max_bytes.map(|most| SizeLimit::new(most, SUBJECT)),
            version: VersionCondition::new(&settings.http_version),
            tls: settings.tls.map(TlsCondition::new),
            time: settings.response_time,
        })
    }

    /// Whether a condition looks at bytes of the body.
    pub(super) fn needs_body(&self) -> bool {
        !self.body.is_empty() || !self.json.is_empty()
    }

    /// Whether `version` is expected by name.
    pub(super) fn expects(&self, version: HttpVersion) -> bool {
        self.version.as_ref().is_some_and(|condition| condition.names(version))
    }

    /// The most decoded bytes that a body may have. To judge it, one byte more must be read.
    pub(super) fn max_bytes(&self) -> Option<u64> {
        self.size.as_ref().map(SizeLimit::max_bytes)
    }

    /// Judges every condition, in the order status, headers, body, JSON, size, version, TLS, time.
    pub(super) fn judge(&self, answer: &Answer<'_>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(1 + self.headers.len());
        verdicts.push(self.status.judge(answer.status));
        verdicts.extend(self.headers.iter().map(|condition| condition.judge(answer.headers)));
        verdicts.extend(self.judge_body(answer));
        verdicts.extend(self.judge_json(answer));
        verdicts.extend(self.size.as_ref().map(|limit| limit.judge(answer.extent())));
        verdicts.extend(self.version.as_ref().map(|condition| condition.judge(answer.version)));
        verdicts.extend(self.tls.map(|condition| condition.judge(answer.is_tls, answer.fell_back)));
        verdicts.extend(judge_time(self.time, answer.took));
        verdicts
    }

    fn judge_body(&self, answer: &Answer<'_>) -> Vec<Verdict> {
        if self.body.is_empty() {
            return Vec::new();
        }
        if answer.is_coded_part {
            return self.body.iter().map(|condition| condition.unread(CODED_PART)).collect();
        }
        let text = charset::text(answer.body, answer.content_type());
        self.body.iter().map(|condition| condition.judge(&text, answer.extent())).collect()
    }

    fn judge_json(&self, answer: &Answer<'_>) -> Vec<Verdict> {
        if self.json.is_empty() {
            return Vec::new();
        }
        let mut body = json::body(answer);
        self.json.iter().map(|condition| condition.judge(&mut body)).collect()
    }
}

impl Answer<'_> {
    fn extent(&self) -> Extent {
        Extent { kept: self.body.len(), read: self.body_bytes, truncated: self.truncated }
    }

    fn content_type(&self) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found.map(|(_, value)| *value)
    }
}

/// One setting may stand for several conditions.
fn compile_all<T, C>(
    settings: &[T],
    compile: impl Fn(&T) -> Result<Vec<C>, ExpectError>,
) -> Result<Vec<C>, ExpectError> {
    let compiled: Result<Vec<_>, _> = settings.iter().map(compile).collect();
    Ok(compiled?.into_iter().flatten().collect())
}
