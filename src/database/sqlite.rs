//! SQLite: one file, one writing thread.
//!
//! SQLite lets one connection write at a time. Instead of waiting for locks on many connections, all work
//! of a process goes through one thread with one connection, as closures over a bounded channel.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::sync::oneshot;

use super::DatabaseError;
use crate::clock::Clock;
use crate::failure::chain;
use crate::private;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Pieces of work that may wait for the thread. Callers beyond that wait for room.
const WAITING_WORK: usize = 64;

/// Pause between two tries to open the database again.
const RECONNECT: Duration = Duration::from_secs(1);

/// WAL, so that other programs read while we write.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; \
    PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";

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

type Work = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// A handle on the writing thread. Clones share it; it ends with the last one.
#[derive(Clone)]
pub struct Sqlite {
    work: SyncSender<Work>,
    lock: LastLock,
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
    /// Opens `path`, which must be migrated already, and starts the thread.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::serving(path, connect(path)?)
    }

    /// For a command that works beside a `run`: it waits for its turn to write for longer, since a `run` on a slow disk
    /// holds that right most of the time, and nobody waits for the command but its user.
    pub fn open_patiently(path: &Path) -> Result<Self, DatabaseError> {
        let mut connection = connect(path)?;
        connection.batch_execute("PRAGMA busy_timeout = 25000")?;
        Self::serving(path, connection)
    }

    fn serving(path: &Path, mut connection: SqliteConnection) -> Result<Self, DatabaseError> {
        let (work, inbox) = sync_channel(WAITING_WORK);
        let path = path.to_owned();
        thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || serve(&path, &mut connection, &inbox))
            .map_err(|source| DatabaseError::Open { path: PathBuf::new(), source: source.into() })?;
        Ok(Self { work, lock: LastLock::default() })
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
        self.call(move |connection| {
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
        self.call(move |connection| {
            if lock.was_found_since(asked) {
                return Err(DatabaseError::Locked.into());
            }
            connection.batch_execute(durability.pragma()).map_err(DatabaseError::from)?;
            all_or_nothing(connection, &lock, work)
        })
        .await
    }

    /// Runs `work` on one consistent state without taking the right to write from others.
    pub async fn read<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.call(move |connection| connection.transaction(work)).await
    }

    async fn call<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
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
        use std::sync::mpsc::TrySendError;
        let mut job = job;
        loop {
            match self.work.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(DatabaseError::Closed),
                Err(TrySendError::Full(back)) => job = back,
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
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

/// Opens a connection with our settings. Makes the folder and the file where they are missing, for their owner alone: SQLite
/// gives the files beside it the same permissions.
pub fn connect(path: &Path) -> Result<SqliteConnection, DatabaseError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| DatabaseError::Open {
        path: path.to_owned(),
        source,
    };
    private::make_folder_of(path)
        .and_then(|()| private::make_file(path))
        .map_err(|error| failed(error.into()))?;
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| failed(error.into()))?;
    connection.batch_execute(PRAGMAS).map_err(|error| match DatabaseError::from(error) {
        DatabaseError::Statement(source) => failed(source.into()),
        busy => busy,
    })?;
    Ok(connection)
}

/// Applies what is missing and returns the names of what was applied. A database from a newer version is refused.
pub fn migrate(path: &Path) -> Result<Vec<String>, DatabaseError> {
    let mut connection = connect(path)?;
    refuse_newer(&mut connection, path)?;
    // The write lock is taken first, so that of two processes one migrates and the other finds it done.
    connection.batch_execute("PRAGMA busy_timeout = 30000")?;
    connection.immediate_transaction(|connection| {
        let applied = connection.run_pending_migrations(MIGRATIONS).map_err(DatabaseError::Migrate)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}

/// Refuses a database that lacks migrations or has unknown ones.
pub fn verify(path: &Path) -> Result<(), DatabaseError> {
    let mut connection = connect(path)?;
    refuse_newer(&mut connection, path)?;
    let missing = connection.pending_migrations(MIGRATIONS).map_err(DatabaseError::Migrate)?.len();
    match missing {
        0 => Ok(()),
        count => Err(DatabaseError::Older { database: path.display().to_string(), count }),
    }
}

fn refuse_newer(connection: &mut SqliteConnection, path: &Path) -> Result<(), DatabaseError> {
    use diesel::migration::{Migration, MigrationSource};
    let known: Vec<String> = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS)
        .map_err(DatabaseError::Migrate)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = connection.applied_migrations().map_err(DatabaseError::Migrate)?;
    let unknown: Vec<String> =
        applied.iter().map(ToString::to_string).filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(DatabaseError::Newer { database: path.display().to_string(), versions: unknown.join(", ") })
}

/// The right to be the one `run` on a database. Given back by the kernel however the process ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the right for the database at `path`, by a lock on a file beside it with `.lock` appended. A file that has several
    /// names, by symbolic links, is one database.
    pub fn take(path: &Path) -> Result<Self, DatabaseError> {
        let failed =
            |source: std::io::Error| DatabaseError::Open { path: path.to_owned(), source: source.into() };
        private::make_folder_of(path).map_err(failed)?;
        let mut name = behind_links(path).map_err(failed)?.into_os_string();
        name.push(".lock");
        let file = private::options().create(true).append(true).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                refuse_read_only(path).map_err(failed)?;
                warn_of_readers(path);
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The file that SQLite opens at `path`, also where it is still to be made.
fn behind_links(path: &Path) -> std::io::Result<PathBuf> {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize()?;
    Ok(path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)))
}

/// A database from before it was made for its owner alone, or one whose permissions somebody has widened.
fn warn_of_readers(path: &Path) {
    if private::is_open_to_others(path) {
        let file = path.display();
        log::warn!(file:%; "other users of this machine can read the database, which holds the sites' passwords; chmod 600 it, and its -wal and -shm");
    }
}

/// SQLite opens a file that may only be read, and fails at the first change. Must not be called while a connection of
/// this process is open, for closing the file gives up the locks of that connection, too.
fn refuse_read_only(path: &Path) -> std::io::Result<()> {
    match File::options().append(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_database_with_two_names_has_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink("uptime.db", path("link.db")).unwrap();
        symlink(folder.path(), path("folder")).unwrap();
        std::fs::create_dir(path("other")).unwrap();
        symlink("../link.db", path("other/far.db")).unwrap();

        let held = RunLock::take(&path("link.db")).unwrap();

        for name in ["uptime.db", "link.db", "folder/uptime.db", "other/far.db", "other/../uptime.db"] {
            let refused = RunLock::take(&path(name));
            assert!(matches!(refused, Err(DatabaseError::InUse { .. })), "{name}");
        }
        assert!(path("uptime.db.lock").exists());
        drop(held);
        RunLock::take(&path("other/far.db")).unwrap();
    }
}
