//! The kinds of checks there are. What they have in common is the frame around them: tries and their time limit, names, guard,
//! connections and TLS, timings, certificates, evidence and the verdict.

use std::time::Duration;

use super::expect::Verdict;
use super::http::{self, HttpPlan};
use super::notes::Notes;
use super::plan_error::PlanError;
use super::settings::Settings;
use super::tcp::{self, TcpPlan};
use super::tls::{self, TlsPlan};
use crate::model::settings::CheckSettings;

/// How a site is checked, by the kind of its check.
#[allow(clippy::large_enum_variant, reason = "there is one for each plan, and that lies in an Rc")]
pub(super) enum Kind {
    Http(HttpPlan),
    Tcp(TcpPlan),
}

impl Kind {
    pub(super) fn compile(settings: &CheckSettings, common: &Settings) -> Result<Self, PlanError> {
        Ok(match &settings.tcp {
            None => Self::Http(HttpPlan::compile(settings, common)?),
            Some(tcp) => Self::Tcp(TcpPlan::compile(tcp, settings)?),
        })
    }

    /// Texts of `settings` that must not stand in a result, longest first.
    pub(super) fn secrets(settings: &CheckSettings) -> Vec<String> {
        match &settings.tcp {
            None => http::secrets(&settings.request),
            Some(tcp) => tcp::secrets(tcp, &settings.request.hide),
        }
    }

    /// `plan` for handshakes with servers of this kind.
    pub(super) fn tls(&self, plan: TlsPlan) -> TlsPlan {
        match self {
            Self::Http(http) if http.expects_http2() => plan.offering(&[tls::HTTP2, tls::HTTP1]),
            Self::Http(_) => plan,
            // Nobody knows what is spoken there: a server that knows ALPN may refuse a client that offers another protocol.
            Self::Tcp(_) => plan.offering(&[]),
        }
    }

    /// Judges what a try has found that came to its end.
    pub(super) fn judge(&self, notes: &Notes, took: Duration) -> Vec<Verdict> {
        match self {
            Self::Http(plan) => plan.judge(notes, took),
            Self::Tcp(plan) => plan.judge(notes, took),
        }
    }
}
