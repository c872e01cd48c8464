//! What is expected of what comes over a connection, and when that is settled.

use std::time::Duration;

use crate::model::settings::{Expectations, TimeLimits};
use crate::probe::expect::{
    BodyCondition, ExpectError, Extent, SizeLimit, SoFar, Verdict, charset, judge_time,
};
use crate::probe::trace::Body;

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

    /// Whether more than `came` would change nothing: all is there that has to be, and nothing has to stay away, or something
    /// is there that must not be.
    pub(super) fn is_settled(&self, came: &[u8]) -> bool {
        let so_far = self.so_far(came);
        so_far.contains(&SoFar::Failed) || !so_far.is_empty() && so_far.iter().all(|it| *it == SoFar::Met)
    }

    /// What has to be there and is not yet, for example `answer to contain "+PONG"`.
    pub(super) fn awaited(&self, came: &[u8]) -> Option<String> {
        let so_far = self.so_far(came).into_iter().zip(&self.conditions);
        so_far.filter(|(it, _)| *it == SoFar::Awaited).map(|(_, condition)| condition.wanted()).next()
    }

    fn so_far(&self, came: &[u8]) -> Vec<SoFar> {
        let text = charset::text(came, None);
        self.conditions.iter().map(|condition| condition.so_far(&text)).collect()
    }

    /// Every condition, once nothing more is read.
    pub(super) fn judge(&self, body: &Body, took: Duration) -> Vec<Verdict> {
        let extent = Extent { kept: body.kept.len(), read: body.bytes, truncated: body.truncated };
        let text = charset::text(&body.kept, None);
        let mut verdicts: Vec<Verdict> =
            self.conditions.iter().map(|condition| condition.judge(&text, extent)).collect();
        verdicts.extend(self.size.as_ref().map(|limit| limit.judge(extent)));
        verdicts.extend(judge_time(self.time, took));
        verdicts
    }
}
