//! SQLite: one file, one connection that writes, and two that read, each on a thread of its own.
//!
//! SQLite lets one connection write at a time. Instead of waiting for locks on many connections, all work of a process that
//! writes, or decides what to write, goes through one thread with one connection, as closures over a bounded channel. In a WAL
//! readers neither wait for it nor hold it up, so reports and counts have connections of their own (ADR 33).

mod connection;
mod migrations;
mod run_lock;
mod thread;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;

use self::connection::{clear_log, connect_patiently, connect_to_read, has_log};
use self::thread::{Duty, Thread};
use super::DatabaseError;
use crate::clock::Clock;

pub use connection::connect;
pub use migrations::{migrate, verify};
pub use run_lock::RunLock;

/// What a power cut may take. A process that is killed loses no commit either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: the commit waits for the disk.
    Full,
    /// The last commits, for work that is derived again: slots, leases. Later commits never survive earlier ones.
    Derived,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Derived => "PRAGMA synchronous = NORMAL",
        }
    }
}

const WRITING: Duty = Duty { name: "sqlite", connect, afterwards: |_, _| {} };

const WRITING_PATIENTLY: Duty = Duty { connect: connect_patiently, ..WRITING };

const READING: Duty = Duty { name: "sqlite-read", connect: connect_to_read, afterwards: clear_log };

const REPORTING: Duty = Duty { name: "sqlite-report", ..READING };

/// A handle on the threads. Clones share them; they end with the last one.
#[derive(Clone)]
pub struct Sqlite {
    writer: Thread,
    /// `None` where the writer reads, too: in a process that does one thing after the other, and where reading would hold up writing.
    readers: Option<Readers>,
    lock: LastLock,
}

/// Quick reads do not wait for a report: `/health` counts the queue, and has little time for it.
#[derive(Clone)]
struct Readers {
    quick: Thread,
    long: Thread,
}

/// When another program's lock last outlasted our patience. Each wait takes seconds, and many that are made one after another would
/// take minutes: so whoever waited for the thread meanwhile, with work that is tried again anyway, hears of the lock at once.
#[derive(Debug, Clone, Default)]
struct LastLock(Arc<Mutex<Option<Instant>>>);

impl LastLock {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Clock::instant());
    }

    fn was_found_since(&self, asked: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|found| found >= asked)
    }
}

impl Sqlite {
    /// Opens `path`, which must be migrated already, and starts the threads.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::with_readers(path, connect(path)?)
    }

    /// For a command that works beside a `run`, and does one thing after the other on one connection. It waits for its turn to write
    /// for longer, since a `run` on a slow disk holds that right most of the time, and nobody waits for the command but its user.
    pub fn open_patiently(path: &Path) -> Result<Self, DatabaseError> {
        let writer = Thread::open(WRITING_PATIENTLY, path)?;
        Ok(Self { writer, readers: None, lock: LastLock::default() })
    }

    fn with_readers(path: &Path, mut writing: SqliteConnection) -> Result<Self, DatabaseError> {
        let readers = match has_log(&mut writing)? {
            true => {
                Some(Readers { quick: Thread::open(READING, path)?, long: Thread::open(REPORTING, path)? })
            }
            false => None,
        };
        Ok(Self { writer: Thread::start(WRITING, path, writing)?, readers, lock: LastLock::default() })
    }

    /// Runs `work` in one transaction on the writing thread: all of it happens, or nothing.
    ///
    /// When the caller goes away the work is still done; when the process dies, none of it is.
    pub async fn transaction<T, E, W>(&self, durability: Durability, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let lock = self.lock.clone();
        self.writer
            .call(move |connection| {
                connection.batch_execute(durability.pragma()).map_err(DatabaseError::from)?;
                all_or_nothing(connection, &lock, work)
            })
            .await
    }

    /// Like [`transaction`](Self::transaction), for work that is tried again: it fails at once when other work, which came before it,
    /// has found the database locked meanwhile.
    pub async fn repeated_transaction<T, E, W>(&self, durability: Durability, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let (lock, asked) = (self.lock.clone(), Clock::instant());
        self.writer
            .call(move |connection| {
                if lock.was_found_since(asked) {
                    return Err(DatabaseError::Locked.into());
                }
                connection.batch_execute(durability.pragma()).map_err(DatabaseError::from)?;
                all_or_nothing(connection, &lock, work)
            })
            .await
    }

    /// Runs a quick read on one consistent state, beside the thread that writes: on the last state that was committed before the read
    /// begins, so that a caller sees what it has written.
    pub async fn read<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let thread = self.readers.as_ref().map_or(&self.writer, |readers| &readers.quick);
        thread.call(move |connection| connection.transaction(work)).await
    }

    /// Like [`read`](Self::read), for what may take long. It holds up nobody but others of its kind.
    pub async fn read_at_length<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let thread = self.readers.as_ref().map_or(&self.writer, |readers| &readers.long);
        thread.call(move |connection| connection.transaction(work)).await
    }

    /// Like [`read`](Self::read), on the writing thread: after all work that was given to it before, also by callers that have gone
    /// away meanwhile. For what decides what is written next.
    pub async fn read_in_turn<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.writer.call(move |connection| connection.transaction(work)).await
    }
}

/// On a full disk SQLite rolls back by itself. Then diesel finds nothing to roll back and tells only that, so the
/// cause is kept aside.
fn all_or_nothing<T, E: From<DatabaseError>>(
    connection: &mut SqliteConnection,
    lock: &LastLock,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E> {
    let mut cause = None;
    let outcome = connection.immediate_transaction(|connection| {
        work(connection).map_err(|error| {
            cause = Some(error);
            DieselError::RollbackTransaction
        })
    });
    outcome.map_err(|error| {
        cause.unwrap_or_else(|| {
            let error = DatabaseError::from(error);
            if matches!(error, DatabaseError::Busy(_)) {
                lock.note();
            }
            error.into()
        })
    })
}

#[cfg(test)]
mod tests;
