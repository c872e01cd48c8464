//! How one site is requested and what is expected of its answer, compiled.

use std::time::Duration;

use super::decode;
use super::expect::{Answer, Expect};
use super::request::RequestPlan;
use crate::model::settings::{CheckSettings, HttpVersion};
use crate::probe::evidence;
use crate::probe::expect::{ExpectError, Verdict};
use crate::probe::notes::{HopNotes, Notes};
use crate::probe::settings::Settings;

/// `[site.request]` and `[site.expect]` of a site with a URL of the web.
pub(in crate::probe) struct HttpPlan {
    pub(super) request: RequestPlan,
    expect: Expect,
}

impl HttpPlan {
    pub(in crate::probe) fn compile(
        settings: &CheckSettings,
        common: &Settings,
    ) -> Result<Self, ExpectError> {
        Ok(Self {
            request: RequestPlan::new(&settings.request, common.max_redirects),
            expect: Expect::compile(&settings.expect)?,
        })
    }

    /// Whether HTTP/2 is one of the versions that are expected by name. It is spoken to no other site (ADR 35).
    pub(in crate::probe) fn expects_http2(&self) -> bool {
        self.expect.expects(HttpVersion::V2)
    }

    /// Every expectation of an answer that came whole.
    pub(in crate::probe) fn judge(&self, notes: &Notes, took: Duration) -> Vec<Verdict> {
        let Some((hop, head)) = notes.hops.last().and_then(|hop| Some((hop, hop.head.as_ref()?))) else {
            return Vec::new();
        };
        let headers: Vec<(&str, &[u8])> = head.fields().collect();
        self.expect.judge(&Answer {
            status: head.status,
            version: head.version,
            headers: &headers,
            body: &notes.body.kept,
            body_bytes: notes.body.bytes,
            truncated: notes.body.truncated,
            is_coded_part: decode::is_coded_part(head),
            is_tls: hop.is_tls(),
            fell_back: notes.hops.iter().skip_while(|hop| !hop.is_tls()).any(|hop: &HopNotes| !hop.is_tls()),
            took,
        })
    }

    /// As far as a body is read, where `limit` is for all. What a site expects to be at most so large need not be read further.
    pub(super) fn body_limit(&self, limit: u64) -> u64 {
        limit.min(self.expect.max_bytes().unwrap_or(u64::MAX))
    }

    /// As much of a body as somebody will look at.
    pub(super) fn kept(&self, limit: u64) -> usize {
        if self.expect.needs_body() { usize::try_from(limit).unwrap_or(usize::MAX) } else { evidence::KEPT }
    }
}
