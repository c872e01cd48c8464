//! What is expected of what comes over a connection, and when that is settled.

use std::time::Duration;

use crate::model::settings::{Expectations, TimeLimits};
use crate::probe::expect::{
    BodyCondition, ExpectError, Extent, SizeLimit, SoFar, Verdict, charset, judge_time,
};
use crate::probe::notes::Body;

/// What conditions are about.
const SUBJECT: &str = "answer";

/// Conditions on a text, its size and the time.
pub(super) struct TcpExpect {
    conditions: Vec<BodyCondition>,
    size: Option<SizeLimit>,
    time: TimeLimits,
}

impl TcpExpect {
    pub(super) fn compile(settings: &Expectations) -> Result<Self, ExpectError> {
        Ok(Self {
            conditions: BodyCondition::compile(&settings.body, SUBJECT)?,
            size: settings.body.max_bytes.map(|most| SizeLimit::new(most, SUBJECT)),
            time: settings.response_time,
        })
    }

    /// Whether anything has to be read.
    pub(super) fn listens(&self) -> bool {
        !self.conditions.is_empty() || self.size.is_some()
    }

    /// As far as an answer is read, where `limit` is for all.
    pub(super) fn limit(&self, limit: u64) -> u64 {
        limit.min(self.size.as_ref().map_or(u64::MAX, SizeLimit::max_bytes))
    }

    /// Whether more than `came` would change nothing: all is there that has to be, and neither has anything to stay away nor does the
    /// size count, which only the end tells; or something is there that must not be.
    pub(super) fn is_settled(&self, came: &[u8]) -> bool {
        let so_far = self.so_far(came);
        let is_all = || self.size.is_none() && !so_far.is_empty();
        so_far.contains(&SoFar::Failed) || is_all() && so_far.iter().all(|it| *it == SoFar::Met)
    }

    /// What has to be there and is not yet, for example `answer to contain "+PONG"`.
    pub(super) fn awaited(&self, came: &[u8]) -> Option<String> {
        let so_far = self.so_far(came).into_iter().zip(&self.conditions);
        so_far.filter(|(it, _)| *it == SoFar::Awaited).map(|(_, condition)| condition.wanted()).next()
    }

    fn so_far(&self, came: &[u8]) -> Vec<SoFar> {
        if self.conditions.is_empty() {
            return Vec::new();
        }
        let text = charset::plain(came);
        self.conditions.iter().map(|condition| condition.so_far(&text)).collect()
    }

    /// Every condition, once nothing more is read.
    pub(super) fn judge(&self, body: &Body, took: Duration) -> Vec<Verdict> {
        let extent = Extent { kept: body.kept.len(), read: body.bytes, truncated: body.truncated };
        let text = charset::plain(&body.kept);
        let mut verdicts: Vec<Verdict> =
            self.conditions.iter().map(|condition| condition.judge(&text, extent)).collect();
        verdicts.extend(self.size.as_ref().map(|limit| limit.judge(extent)));
        verdicts.extend(judge_time(self.time, took));
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn expect(body: Json) -> TcpExpect {
        TcpExpect::compile(&serde_json::from_value(json!({ "body": body })).unwrap()).unwrap()
    }

    #[test]
    fn what_more_could_change_is_not_settled() {
        for (body, came, is_settled) in [
            (json!({"contains": ["ok"]}), "ok", true),
            (json!({"contains": ["ok"], "matches": ["k$"]}), "ok", true),
            (json!({"contains": ["ok", "no"]}), "ok", false),
            (json!({"contains": ["ok"], "not_contains": ["ERR"]}), "ok", false),
            (json!({"contains": ["ok"], "not_contains": ["ERR"]}), "ERR", true),
            (json!({"contains": ["ok"], "not_matches": ["ERR"]}), "ok ERR", false),
            (json!({"contains": ["ok"], "max_bytes": 9}), "ok", false),
            (json!({"not_contains": ["ERR"], "max_bytes": 9}), "ERR", true),
            (json!({"max_bytes": 9}), "ok", false),
        ] {
            assert_eq!(expect(body.clone()).is_settled(came.as_bytes()), is_settled, "{body}: {came}");
        }
    }

    #[test]
    fn no_first_bytes_hide_those_behind_them() {
        let absent = expect(json!({"not_contains": ["ERROR"]}));
        for first in [
            "\u{feff}".as_bytes(),
            b"\xff\xfe",
            b"\xfe\xff",
            b"<meta charset=utf-16>",
            b"<meta charset=iso-2022-jp>\x1b$B",
        ] {
            assert!(absent.is_settled(&[first, b"ERROR"].concat()), "{first:?}");
        }
    }
}
