//! The plans of one thread: most jobs bring settings that it has seen before.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::plan::Plan;
use super::plan_error::PlanError;
use super::settings::Settings;
use crate::model::secret::without_values;
use crate::model::settings::CheckSettings;

/// Plans that are kept: those of a thread's share of tens of thousands of sites.
const KEPT: usize = 4096;

/// Bytes of settings that are kept with their plans. Each may have a body of 1 MiB.
const KEPT_BYTES: usize = 64 << 20;

/// Compiled settings, by their text. A text is hashed with XXH3, which takes 1 MiB in about 50 µs.
#[derive(Default)]
pub(super) struct Plans(RefCell<Kept>);

struct Kept {
    /// Plans and bytes of settings, at most.
    most: (usize, usize),
    /// `None`: the plan for sites without settings of their own.
    common: Option<Rc<Plan>>,
    plans: HashMap<Arc<str>, Rc<Plan>, Xxh3DefaultBuilder>,
    /// Those of `plans`, in no order.
    texts: Vec<Arc<str>>,
    /// Together, of `texts`.
    bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            most: (KEPT, KEPT_BYTES),
            common: None,
            plans: HashMap::default(),
            texts: Vec::new(),
            bytes: 0,
        }
    }
}

impl Plans {
    /// The plan for `settings`, made anew when it is not known.
    pub(super) fn of(&self, settings: Option<&Arc<str>>, common: &Settings) -> Result<Rc<Plan>, PlanError> {
        if let Some(plan) = self.0.borrow().find(settings) {
            return Ok(plan);
        }
        let read: CheckSettings = match settings {
            Some(text) => {
                serde_json::from_str(text).map_err(|error| PlanError::Unreadable(without_values(&error)))?
            }
            None => CheckSettings::default(),
        };
        let plan = Rc::new(Plan::compile(&read, common)?);
        self.0.borrow_mut().keep(settings, &plan);
        Ok(plan)
    }
}

impl Kept {
    fn find(&self, settings: Option<&Arc<str>>) -> Option<Rc<Plan>> {
        match settings {
            Some(text) => self.plans.get(text).cloned(),
            None => self.common.clone(),
        }
    }

    fn keep(&mut self, settings: Option<&Arc<str>>, plan: &Rc<Plan>) {
        let Some(text) = settings else {
            self.common = Some(Rc::clone(plan));
            return;
        };
        let (most, most_bytes) = self.most;
        while self.texts.len() >= most || (self.bytes + text.len() > most_bytes && !self.texts.is_empty()) {
            self.forget_any();
        }
        self.bytes += text.len();
        self.texts.push(Arc::clone(text));
        self.plans.insert(Arc::clone(text), Rc::clone(plan));
    }

    /// Forgets a plan by chance. Sites come round in a circle, so the plan that was longest without use is the one that is
    /// needed next: with one site too many, to forget that one would forget each just before its turn.
    fn forget_any(&mut self) {
        let text = self.texts.swap_remove(fastrand::usize(..self.texts.len()));
        self.bytes -= text.len();
        self.plans.remove(&text);
    }
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;

    use super::super::settings::{ProbeConfig, ProbeSettings};
    use super::*;

    fn settings() -> ProbeSettings {
        let mut roots = RootCertStore::empty();
        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        roots.add(root.der().clone()).unwrap();
        ProbeSettings::with_roots(&ProbeConfig::default(), roots).unwrap()
    }

    fn plans(most: (usize, usize)) -> Plans {
        Plans(RefCell::new(Kept { most, ..Kept::default() }))
    }

    fn text(number: usize) -> Arc<str> {
        format!(r#"{{"request":{{"headers":{{"X-Number":"{number}"}}}}}}"#).into()
    }

    #[test]
    fn one_site_too_many_costs_few_plans_and_not_all() {
        let most = 400;
        let (common, plans) = (settings(), plans((most, KEPT_BYTES)));
        let texts: Vec<_> = (0..=most).map(text).collect();
        texts.iter().for_each(|text| drop(plans.of(Some(text), &common.0).unwrap()));

        let is_known = |text: &&Arc<str>| {
            let is_known = plans.0.borrow().find(Some(text)).is_some();
            plans.of(Some(text), &common.0).unwrap();
            is_known
        };
        let known = texts.iter().filter(is_known).count();

        assert!(known > most * 9 / 10, "{known} of {}", texts.len());
    }

    #[test]
    fn the_same_settings_are_compiled_once() {
        let (common, plans) = (settings(), Plans::default());

        let [first, again] = [text(1), text(1)].map(|text| plans.of(Some(&text), &common.0).unwrap());
        let [none, nothing] = [(), ()].map(|()| plans.of(None, &common.0).unwrap());

        assert!(Rc::ptr_eq(&first, &again) && Rc::ptr_eq(&none, &nothing));
    }

    #[test]
    fn large_settings_are_kept_within_a_bound() {
        let most_bytes = 100_000;
        let (common, plans) = (settings(), plans((KEPT, most_bytes)));
        for number in 0..100 {
            let body = "x".repeat(10_000);
            let text = format!(r#"{{"request":{{"body":"{number}{body}"}}}}"#).into();
            plans.of(Some(&text), &common.0).unwrap();
        }

        let kept = plans.0.borrow();
        assert!(kept.bytes <= most_bytes && kept.texts.len() == kept.plans.len(), "{}", kept.bytes);
        assert!(kept.texts.len() == 9, "{}", kept.texts.len());
    }
}
