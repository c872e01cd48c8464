//! A thread with a connection of its own, which does one piece of work after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::database::DatabaseError;
use crate::failure::chain;

/// Pieces of work that may wait for the thread. Callers beyond that wait for room.
const WAITING_WORK: usize = 64;

/// Pause between two tries to open the database again.
const RECONNECT: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// What a thread is for.
#[derive(Clone, Copy)]
pub(super) struct Duty {
    /// The thread's name.
    pub(super) name: &'static str,
    /// Makes its connection.
    pub(super) connect: fn(&Path) -> Result<SqliteConnection, DatabaseError>,
    /// Comes after each piece of work, which took so long. Its caller has the answer already.
    pub(super) afterwards: fn(&mut SqliteConnection, Duration),
}

/// A handle on the thread. Clones share it; the thread ends with the last one.
#[derive(Clone)]
pub(super) struct Thread(SyncSender<Work>);

impl Thread {
    /// Opens `path` and starts the thread.
    pub(super) fn open(duty: Duty, path: &Path) -> Result<Self, DatabaseError> {
        Self::start(duty, path, (duty.connect)(path)?)
    }

    /// Starts the thread with a connection to `path`.
    pub(super) fn start(
        duty: Duty,
        path: &Path,
        mut connection: SqliteConnection,
    ) -> Result<Self, DatabaseError> {
        let (work, inbox) = sync_channel(WAITING_WORK);
        let opened = path.to_owned();
        thread::Builder::new()
            .name(duty.name.to_owned())
            .spawn(move || serve(duty, &opened, &mut connection, &inbox))
            .map_err(|source| DatabaseError::Open { path: path.to_owned(), source: source.into() })?;
        Ok(Self(work))
    }

    /// Runs `work` when its turn comes. When the caller goes away it is still run.
    pub(super) async fn call<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let job: Work = Box::new(move |connection| {
            // A caller that has gone away does not wait for the answer.
            let _ = reply.send(work(connection));
        });
        self.enqueue(job).await?;
        answer.await.map_err(|_| DatabaseError::Panicked)?
    }

    /// Waits for room without blocking the caller's thread.
    async fn enqueue(&self, job: Work) -> Result<(), DatabaseError> {
        let mut job = job;
        loop {
            match self.0.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(DatabaseError::Closed),
                Err(TrySendError::Full(back)) => job = back,
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn serve(duty: Duty, path: &Path, connection: &mut SqliteConnection, inbox: &Receiver<Work>) {
    for work in inbox {
        let began = Clock::instant();
        if catch_unwind(AssertUnwindSafe(|| work(connection))).is_err() {
            // A panic can leave a transaction open; a new connection has none.
            *connection = reconnect(duty, path);
        }
        (duty.afterwards)(connection, began.elapsed());
    }
}

fn reconnect(duty: Duty, path: &Path) -> SqliteConnection {
    loop {
        match (duty.connect)(path) {
            Ok(connection) => return connection,
            Err(error) => log::warn!(error = chain(&error); "failed to open the database again; trying on"),
        }
        thread::sleep(RECONNECT);
    }
}
