//! What makes an answer a good one: the conditions of `[site.expect]`, judged one by one, and what was found instead.
//!
//! Pure: an [`Answer`] goes in, [`Verdict`]s come out. All conditions are judged always, for a person who repairs a site
//! wants to see everything that is wrong with it. The work is bounded: regular expressions take time linear in the body that
//! was kept, JSON is read once, and its paths share a budget.

use std::time::Duration;

use self::body::BodyCondition;
pub(crate) use self::excerpt::escaped;
pub(in crate::probe) use self::excerpt::quoted;
use self::header::HeaderCondition;
use self::json::JsonCondition;
use self::limit::{SizeLimit, judge_time};
use self::status::StatusCondition;
use self::transport::{TlsCondition, VersionCondition};
pub(in crate::probe) use self::verdict::{Verdict, summary};
use crate::json::BadPath;
use crate::model::settings::{Expectations, TimeLimits};
use crate::pattern::BadPattern;

mod body;
mod charset;
mod excerpt;
mod header;
mod json;
mod limit;
mod media_type;
mod prescan;
mod status;
#[cfg(test)]
mod tests;
mod transport;
mod verdict;
mod wording;

/// What a site expects, compiled once and used by many checks.
pub(in crate::probe) struct Expect {
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
pub(in crate::probe) struct Answer<'a> {
    /// 100 to 999.
    pub(in crate::probe) status: u16,
    /// For example `HTTP/1.1`.
    pub(in crate::probe) version: &'static str,
    /// As on the wire: in order, repeated ones repeated.
    pub(in crate::probe) headers: &'a [(&'a str, &'a [u8])],
    /// Decoded; as much of its beginning as is kept.
    pub(in crate::probe) body: &'a [u8],
    /// Decoded bytes that were read, which may be more than are kept.
    pub(in crate::probe) body_bytes: u64,
    /// The body went on past what was read.
    pub(in crate::probe) truncated: bool,
    /// The body is a piece of a coded one, which nobody can read alone.
    pub(in crate::probe) is_coded_part: bool,
    /// The last hop was https.
    pub(in crate::probe) is_tls: bool,
    /// A hop before it went without TLS, after one that was https.
    pub(in crate::probe) fell_back: bool,
    /// The whole try.
    pub(in crate::probe) took: Duration,
}

/// What such a body is, in words that complete "the body is …". To judge its bytes would let everything pass that must not be there.
const CODED_PART: &str = "a part of a coded one, which cannot be read alone";

/// Why expectations cannot be compiled. Validation at load refuses the same.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no {kind}")]
pub(in crate::probe) struct ExpectError {
    kind: &'static str,
    text: String,
    source: BadPattern,
}

impl Expect {
    /// Reads every pattern and path once.
    pub(in crate::probe) fn compile(settings: &Expectations) -> Result<Self, ExpectError> {
        Ok(Self {
            status: StatusCondition::new(&settings.status),
            headers: compile_all(&settings.headers, HeaderCondition::compile)?,
            body: BodyCondition::compile(&settings.body)?,
            json: compile_all(&settings.json, JsonCondition::compile)?,
            size: settings.body.max_bytes.map(SizeLimit::new),
            version: VersionCondition::new(&settings.http_version),
            tls: settings.tls.map(TlsCondition::new),
            time: settings.response_time,
        })
    }

    /// Whether a condition looks at bytes of the body.
    pub(in crate::probe) fn needs_body(&self) -> bool {
        !self.body.is_empty() || !self.json.is_empty()
    }

    /// The most decoded bytes that a body may have. To judge it, one byte more must be read.
    pub(in crate::probe) fn max_bytes(&self) -> Option<u64> {
        self.size.as_ref().map(SizeLimit::max_bytes)
    }

    /// Judges every condition, in the order status, headers, body, JSON, size, version, TLS, time.
    pub(in crate::probe) fn judge(&self, answer: &Answer<'_>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(1 + self.headers.len());
        verdicts.push(self.status.judge(answer.status));
        verdicts.extend(self.headers.iter().map(|condition| condition.judge(answer.headers)));
        verdicts.extend(self.judge_body(answer));
        verdicts.extend(self.judge_json(answer));
        verdicts.extend(self.size.as_ref().map(|limit| limit.judge(answer)));
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
        self.body.iter().map(|condition| condition.judge(&text, answer)).collect()
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
    /// Whether there is more of the body than is kept, so that nothing can be said of its end.
    fn is_partial(&self) -> bool {
        self.truncated || self.body_bytes > self.body.len() as u64
    }

    fn content_type(&self) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found.map(|(_, value)| *value)
    }
}

impl ExpectError {
    fn regex(text: &str, source: BadPattern) -> Self {
        Self { kind: "regular expression", text: text.to_owned(), source }
    }

    fn path(text: &str, source: BadPath) -> Self {
        Self { kind: "JSON path", text: text.to_owned(), source: BadPattern::new(source) }
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

/// A regular expression as a site writes it.
fn regex(pattern: &str) -> Result<regex::Regex, ExpectError> {
    crate::pattern::regex(pattern).map_err(|why| ExpectError::regex(pattern, why))
}
