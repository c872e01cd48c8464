//! The kinds of checks there are. What they have in common is the frame around them: tries and their time limit, names, guard,
//! connections and TLS, timings, certificates, evidence and the verdict.

use std::time::Duration;

use super::expect::{ExpectError, Verdict};
use super::http::{self, HttpPlan};
use super::settings::Settings;
use super::trace::Notes;
use crate::model::settings::CheckSettings;

/// How a site is checked, by the kind of its check.
pub(super) enum Kind {
    Http(HttpPlan),
}

impl Kind {
    pub(super) fn compile(settings: &CheckSettings, common: &Settings) -> Result<Self, ExpectError> {
        Ok(Self::Http(HttpPlan::compile(settings, common)?))
    }

    /// Texts of `settings` that must not stand in a result, longest first.
    pub(super) fn secrets(settings: &CheckSettings) -> Vec<String> {
        http::secrets(&settings.request)
    }

    /// Judges what a try has found that came to its end.
    pub(super) fn judge(&self, notes: &Notes, took: Duration) -> Vec<Verdict> {
        match self {
            Self::Http(plan) => plan.judge(notes, took),
        }
    }
}
