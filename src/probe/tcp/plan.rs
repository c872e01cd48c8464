//! What is sent over a connection and what is expected of the answer, compiled.

use std::time::Duration;

use bytes::Bytes;

use super::expect::TcpExpect;
use crate::model::secret::SHORTEST_SECRET;
use crate::model::settings::{CheckSettings, Expectations, RequestSettings, TcpSettings};
use crate::probe::expect::Verdict;
use crate::probe::plan::PlanError;
use crate::probe::trace::Notes;

/// `send` and `expect` of a site with a URL of `tcp` or `tls`.
pub(in crate::probe) struct TcpPlan {
    /// Empty: nothing is sent.
    pub(super) send: Bytes,
    pub(super) expect: TcpExpect,
}

impl TcpPlan {
    pub(in crate::probe) fn compile(tcp: &TcpSettings, settings: &CheckSettings) -> Result<Self, PlanError> {
        if !is_fit(settings) {
            return Err(PlanError::Useless("settings of HTTP for a connection without it".to_owned()));
        }
        Ok(Self {
            send: Bytes::copy_from_slice(tcp.send.as_deref().unwrap_or_default().as_bytes()),
            expect: TcpExpect::compile(&settings.expect)?,
        })
    }

    /// Every expectation of what came.
    pub(in crate::probe) fn judge(&self, notes: &Notes, took: Duration) -> Vec<Verdict> {
        self.expect.judge(&notes.body, took)
    }
}

/// Nothing is said that only HTTP could keep to.
fn is_fit(settings: &CheckSettings) -> bool {
    let RequestSettings { ip, hide, .. } = &settings.request;
    let Expectations { body, response_time, .. } = &settings.expect;
    let request = RequestSettings { ip: *ip, hide: hide.clone(), ..RequestSettings::default() };
    let expect =
        Expectations { body: body.clone(), response_time: *response_time, ..Expectations::default() };
    settings.request == request && settings.expect == expect
}

/// Texts that nobody is to see again, longest first: servers echo what they do not understand.
pub(in crate::probe) fn secrets(tcp: &TcpSettings, hide: &[String]) -> Vec<String> {
    let sent = tcp.send.iter().map(|text| text.trim());
    let mut all: Vec<String> = sent.chain(hide.iter().map(String::as_str)).map(str::to_owned).collect();
    all.retain(|secret| secret.len() >= SHORTEST_SECRET);
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.dedup();
    all
}
