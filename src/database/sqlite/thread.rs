//! A thread with a connection of its own, which does one piece of work after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use tokio::sync::oneshot;

use super::connect;
use crate::database::DatabaseError;
use crate::failure::chain;

/// Pieces of work that may wait for the thread. Callers beyond that wait for room.
const WAITING_WORK: usize = 64;

/// Pause between two tries to open the database again.
const RECONNECT: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// A handle on the thread. Clones share it; the thread ends with the last one.
#[derive(Clone)]
pub(super) struct Thread(SyncSender<Work>);

impl Thread {
    /// Starts it with a connection to `path`.
    pub(super) fn start(path: &Path, mut connection: SqliteConnection) -> Result<Self, DatabaseError> {
        let (work, inbox) = sync_channel(WAITING_WORK);
        let path = path.to_owned();
        thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || serve(&path, &mut connection, &inbox))
            .map_err(|source| DatabaseError::Open { path: PathBuf::new(), source: source.into() })?;
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

fn serve(path: &Path, connection: &mut SqliteConnection, inbox: &Receiver<Work>) {
    for work in inbox {
        if catch_unwind(AssertUnwindSafe(|| work(connection))).is_err() {
            // A panic can leave a transaction open; a new connection has none.
            *connection = reconnect(path);
        }
    }
}

fn reconnect(path: &Path) -> SqliteConnection {
    loop {
        match connect(path) {
            Ok(connection) => return connection,
            Err(error) => log::warn!(error = chain(&error); "failed to open the database again; trying on"),
        }
        thread::sleep(RECONNECT);
    }
}
