//! How one site is checked: its settings, compiled once and used by many checks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::expect::Expect;
use super::request::RequestPlan;
use super::settings::Settings;
use super::tls::TlsPlan;
use crate::model::settings::CheckSettings;

/// Plans that are kept. More sites than this with settings of their own have them compiled again now and then.
const KEPT: usize = 4096;

/// A certificate that expires sooner is worth a warning. Those who renew by themselves do it 30 days ahead.
const EXPIRY_WARNING: Duration = Duration::from_secs(14 * 24 * 3600);

/// What a check does and judges.
pub(super) struct Plan {
    pub(super) request: RequestPlan,
    pub(super) tls: TlsPlan,
    /// `None`: certificates may expire when they like.
    pub(super) expiry_warning: Option<Duration>,
    pub(super) expect: Expect,
}

/// Why a site's settings are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("read the settings, which a newer version may have written: {0}")]
    Unreadable(String),
    #[error("use {0}")]
    Useless(String),
}

impl Plan {
    pub(super) fn compile(settings: &CheckSettings, common: &Settings) -> Result<Self, PlanError> {
        let CheckSettings { request, tls, expect } = settings;
        Ok(Self {
            request: RequestPlan::new(request, common.max_redirects),
            tls: TlsPlan::new(tls, common).map_err(PlanError::Useless)?,
            expiry_warning: match tls.expiry_warning {
                Some(warning) => Some(warning).filter(|warning| !warning.is_zero()),
                None => (!tls.accept_invalid).then_some(EXPIRY_WARNING),
            },
            expect: Expect::compile(expect).map_err(|error| PlanError::Useless(error.to_string()))?,
        })
    }
}

/// The plans of one thread, by the text of the settings.
#[derive(Default)]
pub(super) struct Plans {
    known: RefCell<HashMap<Option<Arc<str>>, Rc<Plan>>>,
}

impl Plans {
    /// The plan for `settings`, made anew when it is not known.
    pub(super) fn of(&self, settings: Option<&Arc<str>>, common: &Settings) -> Result<Rc<Plan>, PlanError> {
        let key = settings.map(Arc::clone);
        if let Some(plan) = self.known.borrow().get(&key) {
            return Ok(Rc::clone(plan));
        }
        let settings: CheckSettings = match settings {
            Some(text) => {
                serde_json::from_str(text).map_err(|error| PlanError::Unreadable(error.to_string()))?
            }
            None => CheckSettings::default(),
        };
        let plan = Rc::new(Plan::compile(&settings, common)?);
        let mut known = self.known.borrow_mut();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, Rc::clone(&plan));
        Ok(plan)
    }
}
