//! A check: tries until one is good.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::kinds::Kinds;
use super::outcome::Outcome;
use super::plans::Plans;
use super::settings::{ProbeConfig, ProbeError, ProbeSettings, Settings};
use super::trace::Trace;
use super::verdict::conclude;
use crate::clock::Clock;
use crate::model::{PAUSE_BEFORE_RETRY, Status, Target};

/// Checks targets on one thread. Clones are cheap.
#[derive(Clone)]
pub struct Probe {
    settings: Arc<Settings>,
    kinds: Kinds,
    plans: Rc<Plans>,
    clock: Clock,
}

impl Probe {
    /// A probe that trusts what the system trusts. In a process with many threads, make [`ProbeSettings`] once instead.
    pub fn new(config: &ProbeConfig, clock: Clock) -> Result<Self, ProbeError> {
        Ok(Self::with_settings(&ProbeSettings::load(config)?, clock))
    }

    /// A probe for this thread, which must run an actix or a tokio `LocalSet`. Probes of the same settings share all that is
    /// known of names.
    pub fn with_settings(settings: &ProbeSettings, clock: Clock) -> Self {
        let settings = Arc::clone(&settings.0);
        let kinds = Kinds::new(&settings, clock.clone());
        Self { settings, kinds, plans: Rc::default(), clock }
    }

    /// Checks `target` and says what was found. The first try is always made; another follows a `down` only while there
    /// are retries left and one could still end before `deadline`, which is the start of the site's next slot.
    pub async fn check(&self, target: &Target, deadline: Instant) -> Outcome {
        let started_at = self.clock.now();
        let plan = match self.plans.of(target.settings.as_ref(), &self.settings) {
            Ok(plan) => plan,
            Err(error) => return Outcome::internal(format!("cannot {error}"), started_at),
        };
        let mut tries = 1;
        loop {
            let trace = Rc::new(Trace::new());
            let ended = self.kinds.try_once(target, &plan, &trace).await;
            let outcome = Outcome { tries, ..conclude(&trace, &plan, ended, started_at) };
            let left = deadline.saturating_duration_since(Clock::instant());
            let may_retry =
                tries <= target.retries.into() && left >= PAUSE_BEFORE_RETRY.saturating_add(target.timeout);
            if outcome.status != Status::Down || !may_retry {
                return outcome;
            }
            tries += 1;
            tokio::time::sleep(PAUSE_BEFORE_RETRY).await;
        }
    }
}
