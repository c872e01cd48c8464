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
        Self { name: life.name().into(), generation: life.generation() }
    }
}

/// The book. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Leases(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    held: HashMap<Slot, Holder>,
    orphans: Vec<Slot>,
}

impl Leases {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jobs were handed to a checker.
    pub fn hand(&self, jobs: &[Job], holder: &Holder) {
        self.book().held.extend(jobs.iter().map(|job| (job.slot, holder.clone())));
    }

    /// Results are stored and their jobs gone.
    pub fn settle(&self, slots: &[Slot]) {
        let mut book = self.book();
        for slot in slots {
            book.held.remove(slot);
        }
        if !book.orphans.is_empty() {
            book.orphans.retain(|orphan| !slots.contains(orphan));
        }
    }

    /// A new incarnation begins: what earlier ones of the same name held is orphaned.
    pub fn succeed(&self, heir: &Holder) {
        let mut book = self.book();
        let is_dead = |holder: &Holder| holder.name == heir.name && holder.generation < heir.generation;
        let orphans: Vec<Slot> =
            book.held.extract_if(|_, holder| is_dead(holder)).map(|(slot, _)| slot).collect();
        book.orphans.extend(orphans);
    }

    /// A check ended without a result.
    pub fn abandon(&self, slots: &[Slot]) {
        let mut book = self.book();
        for slot in slots {
            book.held.remove(slot);
        }
        book.orphans.extend(slots);
    }

    /// Jobs that nobody holds any more, to be given back to the queue.
    pub fn take_orphans(&self) -> Vec<Slot> {
        std::mem::take(&mut self.book().orphans)
    }

    /// Whether somebody holds the job.
    pub fn is_held(&self, slot: &Slot) -> bool {
        self.book().held.contains_key(slot)
    }

    /// Everything, held or orphaned: at the end of the process all of it goes back.
    pub fn take_all(&self) -> Vec<Slot> {
        let mut book = self.book();
        let mut slots = std::mem::take(&mut book.orphans);
        slots.extend(book.held.drain().map(|(slot, _)| slot));
        slots
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
