//! Which checker holds which claimed job, in this process.
//!
//! The truth about leases is in the queue. This book only makes recovery quick: what a dead checker held is given
//! back at once instead of when its leases end. If the book is wrong, the lease still ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Job, Slot};
use crate::supervisor::Life;

/// Who holds a job: an incarnation of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    name: Arc<str>,
    generation: u64,
}

impl Holder {
    /// The incarnation that this life belongs to.
    pub fn of(life: &Life) -> Self {
        Self::new(life.name(), life.generation())
    }

    pub(super) fn new(name: &str, generation: u64) -> Self {
        Self { name: name.into(), generation }
    }

    /// Whether `other` is an earlier incarnation of this checker.
    pub fn follows(&self, other: &Self) -> bool {
        self.name == other.name && self.generation > other.generation
    }
}

/// The book. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Leases(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    held: HashMap<Slot, Held>,
    /// The newest incarnation of each checker.
    heirs: HashMap<Arc<str>, u64>,
    /// The newest incarnation of the publisher.
    publisher: u64,
    orphans: Orphans,
    /// The job that runs alone.
    alone: Option<Slot>,
}

/// Jobs that nobody holds any more, to be given back to the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// They were begun, or may have been, and ended without a result.
    pub failed: Vec<Slot>,
    /// They were not begun.
    pub unused: Vec<Slot>,
}

impl Orphans {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty() && self.unused.is_empty()
    }
}

#[derive(Debug)]
struct Held {
    holder: Holder,
    /// The incarnation of the publisher that has its result.
    publisher: Option<u64>,
}

impl Book {
    /// Jobs whose checker is dead, and whose results nobody has, are orphans.
    fn orphan_the_dead(&mut self) {
        let (heirs, publisher) = (&self.heirs, self.publisher);
        let is_lost = |held: &Held| {
            let is_dead = heirs.get(&held.holder.name).is_some_and(|&heir| heir > held.holder.generation);
            is_dead && held.publisher != Some(publisher)
        };
        let orphans: Vec<Slot> =
            self.held.extract_if(|_, held| is_lost(held)).map(|(slot, _)| slot).collect();
        self.forget(&orphans);
        self.orphans.failed.extend(orphans);
    }

    fn forget(&mut self, slots: &[Slot]) {
        for slot in slots {
            self.held.remove(slot);
        }
        self.alone.take_if(|alone| slots.contains(alone));
    }
}

impl Leases {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checker takes jobs. False when it has been replaced meanwhile: then they go back to the queue.
    pub fn hand(&self, jobs: &[Job], holder: &Holder) -> bool {
        let mut book = self.book();
        let is_heir = book.heirs.get(&holder.name).is_none_or(|&heir| heir <= holder.generation);
        if is_heir {
            let held = || Held { holder: holder.clone(), publisher: None };
            book.held.extend(jobs.iter().map(|job| (job.slot, held())));
        } else {
            let slots: Vec<Slot> = jobs.iter().map(|job| job.slot).collect();
            book.forget(&slots);
            book.orphans.unused.extend(slots);
        }
        is_heir
    }

    /// Results are stored and their jobs gone.
    pub fn settle(&self, slots: &[Slot]) {
        let mut book = self.book();
        book.forget(slots);
        if !book.orphans.is_empty() {
            let Orphans { failed, unused } = &mut book.orphans;
            failed.retain(|orphan| !slots.contains(orphan));
            unused.retain(|orphan| !slots.contains(orphan));
        }
    }

    /// The publisher has results: their jobs do not die with their checker.
    pub fn publish<'a>(&self, slots: impl Iterator<Item = Slot> + 'a, publisher: u64) {
        let mut book = self.book();
        for slot in slots {
            if let Some(held) = book.held.get_mut(&slot) {
                held.publisher = Some(publisher);
            }
        }
    }

    /// A new publisher begins: results that it is not sent again by a living checker are lost.
    pub fn succeed_publisher(&self, publisher: u64) {
        let mut book = self.book();
        book.publisher = publisher;
        book.orphan_the_dead();
    }

    /// A new incarnation of a checker begins: what earlier ones of the same name held is orphaned.
    pub fn succeed(&self, heir: &Holder) {
        let mut book = self.book();
        book.heirs.insert(Arc::clone(&heir.name), heir.generation);
        book.orphan_the_dead();
    }

    /// A check ended without a result.
    pub fn abandon(&self, slots: &[Slot]) {
        let mut book = self.book();
        book.forget(slots);
        book.orphans.failed.extend(slots);
    }

    /// Nobody has begun these jobs, and nobody will.
    pub fn leave_unused(&self, slots: &[Slot]) {
        let mut book = self.book();
        book.forget(slots);
        book.orphans.unused.extend(slots);
    }

    /// Jobs that nobody holds any more, to be given back to the queue.
    pub fn take_orphans(&self) -> Orphans {
        std::mem::take(&mut self.book().orphans)
    }

    /// The queue could not take them: they are orphans still.
    pub fn return_orphans(&self, orphans: Orphans) {
        let mut book = self.book();
        book.orphans.failed.extend(orphans.failed);
        book.orphans.unused.extend(orphans.unused);
    }

    /// A job is to run alone.
    pub fn run_alone(&self, slot: Slot) {
        self.book().alone = Some(slot);
    }

    /// Whether a job runs alone.
    pub fn has_loner(&self) -> bool {
        self.book().alone.is_some()
    }

    /// A job has ended that may have run alone.
    pub fn has_run(&self, slot: Slot) {
        self.book().alone.take_if(|alone| *alone == slot);
    }

    /// Whether somebody holds the job.
    pub fn is_held(&self, slot: &Slot) -> bool {
        self.book().held.contains_key(slot)
    }

    /// Everything, held or orphaned: at the end of the process all of it goes back.
    pub fn take_all(&self) -> Vec<Slot> {
        let mut book = self.book();
        let Orphans { failed: mut slots, unused } = std::mem::take(&mut book.orphans);
        slots.extend(unused);
        slots.extend(book.held.drain().map(|(slot, _)| slot));
        slots
    }

    /// Number of jobs that are held and have no result yet.
    pub fn checking(&self) -> usize {
        self.book().held.values().filter(|held| held.publisher.is_none()).count()
    }

    /// Number of jobs that are held.
    pub fn len(&self) -> usize {
        self.book().held.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
