//! The actors of one process, and how they hang together.

use std::sync::Arc;

use super::ports::Ports;
use super::settings::Settings;
use super::watched::observed;
use crate::pipeline::checker::Checker;
use crate::pipeline::claimer::Claimer;
use crate::pipeline::janitor::Janitor;
use crate::pipeline::late::LateSlots;
use crate::pipeline::leases::Leases;
use crate::pipeline::persister::Persister;
use crate::pipeline::publisher::Publisher;
use crate::pipeline::scheduler::Scheduler;
use crate::pipeline::surveyor::Surveyor;
use crate::pipeline::tally::Tally;
use crate::probe::Probe;
use crate::supervisor::{Handle, Running, Supervisor};
use crate::web::{Sources, Troubles};

/// The running stages.
pub struct Stages {
    /// Keeps them alive.
    pub running: Running,
    /// Jobs in hand.
    pub leases: Leases,
    /// What was stored.
    pub tally: Tally,
    /// What they talk to.
    pub ports: Ports,
    troubles: Troubles,
    pub(super) owner: Arc<str>,
    pub(super) claimer: Option<Handle<Claimer>>,
    pub(super) checkers: Vec<Handle<Checker>>,
}

/// Which of them a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The scheduler.
    pub schedules: bool,
    /// Claimer, checkers and publisher.
    pub checks: bool,
    /// The persister, the surveyor and the janitor.
    pub stores: bool,
}

impl Parts {
    /// Every stage in one process.
    pub const ALL: Self = Self { schedules: true, checks: true, stores: true };

    /// Whether any of them has to do with the result log.
    pub(super) fn use_log(self) -> bool {
        self.checks || self.stores
    }
}

/// The supervisor's name of the scheduler.
pub(super) const SCHEDULER: &str = "scheduler";

/// The supervisor's name of a checker.
pub(super) fn checker_name(number: usize) -> String {
    format!("checker-{number}")
}

impl Stages {
    /// Starts them in an actix system: last stage first, so that each finds its neighbour.
    pub fn start(parts: Parts, settings: Settings, ports: Ports) -> Self {
        let (leases, tally) = (Leases::default(), Tally::default());
        let (ports, troubles) = observed(ports);
        let late =
            LateSlots::new(Arc::clone(&ports.queue), tally.clone(), Arc::clone(&settings.claim.worker));
        let mut supervisor = Supervisor::new(settings.policy);
        if parts.stores {
            let tally = (!parts.checks).then(|| tally.clone());
            persister(&mut supervisor, &settings, &ports, tally);
            surveyor(&mut supervisor, &ports);
            janitor(&mut supervisor, &settings, &ports);
        }
        let (claimer, checkers) = if parts.checks {
            let (claimer, checkers) = worker(&mut supervisor, &settings, &ports, &leases, &tally, &late);
            (Some(claimer), checkers)
        } else {
            (None, Vec::new())
        };
        if parts.schedules {
            scheduler(&mut supervisor, &settings, &ports, claimer.clone(), late);
        }
        let owner = settings.claim.owner;
        Self { running: supervisor.start(), leases, tally, ports, troubles, owner, claimer, checkers }
    }

    /// What tells how they are, and how the actor is that answers over HTTP.
    pub(super) fn health_sources(&self, web: Option<&Running>) -> Sources {
        let boards = std::iter::once(&self.running).chain(web).map(Running::board).collect();
        Sources {
            queue: Arc::clone(&self.ports.queue),
            log: Arc::clone(&self.ports.log),
            boards,
            troubles: self.troubles.clone(),
            tally: self.tally.clone(),
            clock: self.ports.clock.clone(),
        }
    }
}

fn worker(
    supervisor: &mut Supervisor,
    settings: &Settings,
    ports: &Ports,
    leases: &Leases,
    tally: &Tally,
    late: &LateSlots,
) -> (Handle<Claimer>, Vec<Handle<Checker>>) {
    let publisher = publisher(supervisor, settings, ports, leases, tally);
    let claimer = claimer(supervisor, settings, ports, leases, late, &publisher);
    let checkers = (0..settings.checkers)
        .map(|number| checker(supervisor, number, settings, ports, leases, &claimer, &publisher))
        .collect();
    (claimer, checkers)
}

fn persister(supervisor: &mut Supervisor, settings: &Settings, ports: &Ports, tally: Option<Tally>) {
    let (settings, ports) = (settings.persist.clone(), ports.clone());
    supervisor.supervise("persister", move |life| {
        Persister::new(
            life,
            settings.clone(),
            Arc::clone(&ports.log),
            Arc::clone(&ports.store),
            tally.clone(),
        )
    });
}

fn surveyor(supervisor: &mut Supervisor, ports: &Ports) {
    let (log, store) = (Arc::clone(&ports.log), Arc::clone(&ports.store));
    supervisor.supervise("surveyor", move |life| Surveyor::new(life, Arc::clone(&log), Arc::clone(&store)));
}

fn janitor(supervisor: &mut Supervisor, settings: &Settings, ports: &Ports) {
    let (keep, store) = (settings.keep, Arc::clone(&ports.store));
    supervisor.supervise("janitor", move |life| Janitor::new(life, keep, Arc::clone(&store)));
}

fn publisher(
    supervisor: &mut Supervisor,
    settings: &Settings,
    ports: &Ports,
    leases: &Leases,
    tally: &Tally,
) -> Handle<Publisher> {
    let (owner, lease) = (Arc::clone(&settings.claim.owner), settings.claim.lease);
    let ports = ports.clone();
    let (leases, tally) = (leases.clone(), tally.clone());
    supervisor.supervise("publisher", move |life| {
        let (log, queue) = (Arc::clone(&ports.log), Arc::clone(&ports.queue));
        Publisher::new(life, log, queue, leases.clone(), tally.clone(), Arc::clone(&owner), lease)
    })
}

fn claimer(
    supervisor: &mut Supervisor,
    settings: &Settings,
    ports: &Ports,
    leases: &Leases,
    late: &LateSlots,
    publisher: &Handle<Publisher>,
) -> Handle<Claimer> {
    let (settings, ports) = (settings.claim.clone(), ports.clone());
    let (leases, late, publisher) = (leases.clone(), late.clone(), publisher.clone());
    supervisor.supervise("claimer", move |life| {
        let (queue, clock) = (Arc::clone(&ports.queue), ports.clock.clone());
        let (leases, late) = (leases.clone(), late.clone());
        Claimer::new(life, settings.clone(), queue, leases, late, clock, publisher.clone())
    })
}

fn checker(
    supervisor: &mut Supervisor,
    number: usize,
    settings: &Settings,
    ports: &Ports,
    leases: &Leases,
    claimer: &Handle<Claimer>,
    publisher: &Handle<Publisher>,
) -> Handle<Checker> {
    let (probe, settings, clock) = (settings.probe.clone(), settings.checker.clone(), ports.clock.clone());
    let (leases, claimer, publisher) = (leases.clone(), claimer.clone(), publisher.clone());
    supervisor.supervise(checker_name(number), move |life| {
        let probe = Probe::with_settings(&probe, clock.clone());
        let (claimer, publisher) = (claimer.clone(), publisher.clone());
        Checker::new(life, settings.clone(), probe, clock.clone(), leases.clone(), claimer, publisher)
    })
}

fn scheduler(
    supervisor: &mut Supervisor,
    settings: &Settings,
    ports: &Ports,
    claimer: Option<Handle<Claimer>>,
    late: LateSlots,
) {
    let (every, ports) = (settings.tick, ports.clone());
    supervisor.supervise(SCHEDULER, move |life| {
        let (queue, clock) = (Arc::clone(&ports.queue), ports.clock.clone());
        Scheduler::new(life, queue, clock, every, claimer.clone(), late.clone())
    });
}
