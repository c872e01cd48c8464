//! Where a claimer puts jobs for a checker that has asked.
//!
//! A message cannot be taken back: jobs that were sent to a checker that has just died, or that hangs, would stay leased until
//! somebody notices. So jobs lie in a tray until the checker takes them, and until then the claimer may take them back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::leases::{Holder, Leases};
use crate::model::Job;

/// A checker that has not taken its jobs by then has other troubles.
const PICK_UP: Duration = Duration::from_millis(500);

/// A checker's tray for one question. The checker holds it for as long as it lives; the claimer holds it while jobs lie in it.
#[derive(Debug, Clone, Default)]
pub struct Tray(Arc<Mutex<Vec<Job>>>);

/// The claimer's way to a tray, which does not keep it.
#[derive(Debug, Clone)]
pub struct TraySlot(Weak<Mutex<Vec<Job>>>);

impl Tray {
    /// For the question.
    pub fn slot(&self) -> TraySlot {
        TraySlot(Arc::downgrade(&self.0))
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what lies there, and notes who has it: nothing, when the claimer has taken it back.
    pub fn take(&self, leases: &Leases, holder: &Holder) -> Vec<Job> {
        let mut tray = self.jobs();
        let jobs = std::mem::take(&mut *tray);
        if leases.hand(&jobs, holder) { jobs } else { Vec::new() }
    }
}

impl TraySlot {
    /// Whether the checker that asked has died.
    pub fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Puts jobs there; gives them back when the checker has died.
    pub fn put(&self, jobs: Vec<Job>) -> Result<Served, Vec<Job>> {
        let Some(tray) = self.0.upgrade().map(Tray) else { return Err(jobs) };
        *tray.jobs() = jobs;
        Ok(Served { tray, at: crate::clock::Clock::instant() })
    }
}

/// A tray with jobs in it, as the claimer remembers it.
#[derive(Debug)]
pub struct Served {
    tray: Tray,
    at: Instant,
}

impl Served {
    /// Jobs that the checker will not take: it is gone, or does not come. `None` while it may still come.
    pub fn left_over(&self, now: Instant) -> Option<Vec<Job>> {
        let mut jobs = self.tray.jobs();
        let is_over = jobs.is_empty() || Arc::strong_count(&self.tray.0) == 1 || now >= self.at + PICK_UP;
        is_over.then(|| std::mem::take(&mut *jobs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Timestamp};
    use crate::model::{Region, SiteId, Slot, Target};

    fn job() -> Job {
        Job {
            slot: Slot { scheduled_at: Timestamp::UNIX_EPOCH, site_id: SiteId(1), region: Region::DEFAULT },
            attempt: 1,
            next_slot: Clock::instant(),
            target: Target {
                url: "http://a/".to_owned(),
                timeout: Duration::ZERO,
                retries: 0,
                settings: None,
            },
        }
    }

    #[test]
    fn jobs_are_taken_once_and_by_one_side() {
        let (tray, leases, holder) = (Tray::default(), Leases::default(), Holder::new("checker-0", 1));
        let served = tray.slot().put(vec![job()]).unwrap();
        assert!(served.left_over(Clock::instant()).is_none(), "the checker may still come");

        assert_eq!(tray.take(&leases, &holder).len(), 1);

        assert_eq!(served.left_over(Clock::instant() + PICK_UP).map(|jobs| jobs.len()), Some(0));
        assert!(leases.is_held(&job().slot));
    }

    #[test]
    fn jobs_of_a_checker_that_does_not_come_are_taken_back() {
        let (tray, leases, holder) = (Tray::default(), Leases::default(), Holder::new("checker-0", 1));
        let served = tray.slot().put(vec![job()]).unwrap();

        assert_eq!(served.left_over(Clock::instant() + PICK_UP).map(|jobs| jobs.len()), Some(1));

        assert!(tray.take(&leases, &holder).is_empty());
        assert!(!leases.is_held(&job().slot));
    }

    #[test]
    fn jobs_of_a_checker_that_has_died_are_taken_back_at_once() {
        let tray = Tray::default();
        let slot = tray.slot();
        let served = slot.put(vec![job()]).unwrap();

        drop(tray);

        assert_eq!(served.left_over(Clock::instant()).map(|jobs| jobs.len()), Some(1));
        drop(served);
        assert!(slot.is_gone() && slot.put(vec![job()]).is_err());
    }
}
