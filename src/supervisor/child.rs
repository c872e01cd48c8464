//! One child across its incarnations.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::history::History;
use super::incarnation::{Incarnation, Spawner, Tie};
use super::life::Life;
use super::policy::Policy;
use super::report::{Cause, ChildStatus, Hang};

/// What the supervisor knows of a child.
pub(super) struct Child {
    name: String,
    spawner: Box<dyn Spawner>,
    generation: u64,
    incarnation: Option<Incarnation>,
    /// Not to be restarted any more.
    retired: bool,
    history: History,
    restarts: BTreeMap<&'static str, u64>,
    /// The generations that hung and whose end has not been seen.
    zombies: Vec<u64>,
}

impl Child {
    pub(super) fn new(name: String, spawner: Box<dyn Spawner>) -> Self {
        Self {
            name,
            spawner,
            generation: 0,
            incarnation: None,
            retired: false,
            history: History::default(),
            restarts: BTreeMap::new(),
            zombies: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn zombies(&self) -> u32 {
        u32::try_from(self.zombies.len()).unwrap_or(u32::MAX)
    }

    /// Starts the next incarnation.
    pub(super) fn begin(&mut self, tie: Tie, heartbeat: Duration) -> std::io::Result<()> {
        self.generation += 1;
        let life = Life::new(&self.name, self.generation);
        self.incarnation = Some(Incarnation::begin(life, &*self.spawner, tie, heartbeat)?);
        Ok(())
    }

    /// Lets the present incarnation go, and returns how long it lived.
    pub(super) fn end(&mut self) -> Duration {
        let Some(incarnation) = self.incarnation.take() else { return Duration::ZERO };
        self.spawner.close();
        incarnation.uptime()
    }

    /// Lets an incarnation go that does not go by itself. Its thread is a zombie until it has said farewell.
    pub(super) fn abandon(&mut self) -> Duration {
        self.zombies.extend(self.incarnation.as_ref().map(Incarnation::generation));
        self.end()
    }

    /// Whether this is the generation that runs now.
    pub(super) fn is_present(&self, generation: u64) -> bool {
        self.incarnation.as_ref().is_some_and(|incarnation| incarnation.generation() == generation)
    }

    /// An incarnation of the past has ended at last.
    pub(super) fn zombie_ended(&mut self, generation: u64) {
        self.zombies.retain(|&zombie| zombie != generation);
    }

    /// Counts a failure. Returns the pause before the next start, or `None` when there were too many.
    pub(super) fn failed(
        &mut self,
        cause: &Cause,
        now: Instant,
        uptime: Duration,
        policy: &Policy,
    ) -> Option<Duration> {
        let pause = self.history.failed(now, uptime, policy)?;
        *self.restarts.entry(cause.kind()).or_default() += 1;
        Some(pause)
    }

    pub(super) fn look(&mut self, elapsed: Duration, policy: &Policy) -> Option<Hang> {
        self.incarnation.as_mut()?.look(elapsed, policy)
    }

    pub(super) fn inject(&self, fault: Fault) {
        if let Some(incarnation) = &self.incarnation {
            incarnation.inject(fault);
        }
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired
    }

    /// From now on it is not restarted.
    pub(super) fn retire(&mut self) {
        self.retired = true;
    }

    pub(super) fn status(&self) -> ChildStatus {
        ChildStatus {
            name: self.name.clone(),
            generation: self.generation,
            alive: self.incarnation.is_some(),
            restarts: self.restarts.clone(),
            zombies: self.zombies(),
        }
    }
}

impl Drop for Child {
    /// Without its supervisor a child must not go on, and must not be found.
    fn drop(&mut self) {
        self.end();
    }
}
