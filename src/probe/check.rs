//! A check: tries until one is good, hops until one is final.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use awc::http::StatusCode;

use super::connector::Connector;
use super::dns::Dns;
use super::failure::Failure;
use super::outcome::Outcome;
use super::redirect::Route;
use super::request;
use super::settings::{ProbeConfig, ProbeError, ProbeSettings, Settings};
use super::trace::{self, Trace};
use crate::clock::{Clock, Timestamp};
use crate::model::{Reason, Status, Target};

/// Between two tries, so that a blip of milliseconds does not fail both.
const PAUSE: Duration = Duration::from_millis(250);

/// Checks targets on one thread. Clones are cheap and share the resolver and its cache.
#[derive(Clone)]
pub struct Probe {
    settings: Arc<Settings>,
    client: awc::Client,
    clock: Clock,
}

impl Probe {
    /// A probe that trusts what the system trusts. In a process with many threads, make [`ProbeSettings`] once instead.
    pub fn new(config: &ProbeConfig, clock: Clock) -> Result<Self, ProbeError> {
        Ok(Self::with_settings(&ProbeSettings::load(config)?, clock))
    }

    /// A probe for this thread, which must run an actix or a tokio `LocalSet`. Reads `/etc/hosts` and `/etc/resolv.conf`.
    pub fn with_settings(settings: &ProbeSettings, clock: Clock) -> Self {
        let settings = Arc::clone(&settings.0);
        let dns = Rc::new(Dns::new(&settings.dns));
        let client = request::client(Connector::new(Arc::clone(&settings), dns), &settings);
        Self { settings, client, clock }
    }

    /// Checks `target` and says what was found. The first try is always made; another follows a `down` only while there
    /// are retries left and one could still end before `deadline`, which is the start of the site's next slot.
    pub async fn check(&self, target: &Target, deadline: Instant) -> Outcome {
        let started_at = self.clock.now();
        let mut retries = target.retries;
        loop {
            let outcome = self.try_once(target, started_at).await;
            let left = deadline.saturating_duration_since(Clock::instant());
            if outcome.status != Status::Down || retries == 0 || left < PAUSE.saturating_add(target.timeout) {
                return outcome;
            }
            retries -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One try within the target's timeout.
    async fn try_once(&self, target: &Target, started_at: Timestamp) -> Outcome {
        let trace = Rc::new(Trace::new(started_at));
        let follow = trace::TRACE.scope(Rc::clone(&trace), self.follow(&target.url, &trace));
        let verdict = match tokio::time::timeout(target.timeout, follow).await {
            Ok(verdict) => verdict,
            Err(_) => Err(trace.timed_out(target.timeout)),
        };
        trace.finish(verdict)
    }

    /// Goes where redirects lead and judges the last answer.
    async fn follow(&self, url: &str, trace: &Trace) -> Result<(), Failure> {
        let mut route = Route::new(url, self.settings.max_redirects)?;
        let answer = loop {
            let answer = request::send(&self.client, route.url(), trace).await?;
            if !route.follows(&answer)? {
                break answer;
            }
            trace.redirected();
        };
        let status = answer.status();
        request::read_body(answer, self.settings.body_limit, trace).await?;
        expect_success(status)
    }
}

/// Judged after the body, so that a result with a bad status still tells how much was sent and how fast.
fn expect_success(status: StatusCode) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    Err(Failure::new(Reason::Status, format!("status {}{reason}, expected 2xx", status.as_u16())))
}
