//! PostgreSQL: a small pool of connections on threads of their own.
//!
//! Actors run on threads that may end or block, and a connection must not end or hang with them. So every connection
//! lives on one small runtime, every statement runs there, and callers wait for the answer, for a limited time: a server
//! that is frozen or cut off never answers.

mod address;
mod connect;
mod dial;
mod ear;
mod fitness;
mod migrations;
mod pool;
mod refusal;
mod silence;
mod tls;
mod trouble;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bb8::{Pool, RunError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use tokio::runtime::{Builder, Runtime};

use self::connect::Connector;
use self::pool::LastTrouble;
use self::silence::SILENCE;
use self::trouble::Trouble;
pub(crate) use self::work::Work;
use super::DatabaseError;
use crate::clock::Clock;

/// Enough for what we do on this side of a connection, which is to copy rows.
const THREADS: usize = 2;

/// The database gives up a statement before we do, so that the reason is its own.
const GRACE: Duration = Duration::from_secs(5);

/// For reports and bulk changes, which may take this long without anything being wrong.
const PATIENCE: Duration = Duration::from_secs(600);

/// How to reach the database.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=…`. Understands libpq's `sslmode` and `sslrootcert`.
    pub url: String,
    /// Certificates that we trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// At most this many connections.
    pub connections: u32,
    /// For making a connection, or for one to become free.
    pub connect_timeout: Duration,
    /// For one statement of daily work. Reports and bulk changes have ten minutes.
    pub statement_timeout: Duration,
}

/// A handle on the database. Clones share connections, which end with the last one.
#[derive(Clone)]
pub struct Postgres {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
    pool: Pool<Connector>,
    connector: Connector,
    last_trouble: LastTrouble,
    settings: PostgresSettings,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Waiting for threads is forbidden where we may be dropped, in asynchronous code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Postgres {
    /// Reaches the server, and tells why not. Makes no change; see [`migrate`](Self::migrate).
    pub async fn open(settings: PostgresSettings) -> Result<Self, DatabaseError> {
        let connector = Connector::new(&settings)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| DatabaseError::Unreachable {
                server: connector.server().to_owned(),
                source: error.into(),
            })?;
        let last_trouble = LastTrouble::default();
        let pool = {
            let _inside = runtime.enter();
            pool::build(&settings, connector.clone(), last_trouble.clone())
        };
        let inner = Inner { runtime: Some(runtime), pool, connector, last_trouble, settings };
        let postgres = Self { inner: Arc::new(inner) };
        // Outside the pool, which knows of a failure only that time is up.
        let connector = postgres.inner.connector.clone();
        postgres.on_runtime(async move { audible(&connector, fitness::check(&connector)).await }).await?;
        Ok(postgres)
    }

    /// Applies what is missing and returns the names of what was applied. Many processes may do so at once.
    /// A database from a newer version is refused.
    pub async fn migrate(&self) -> Result<Vec<String>, DatabaseError> {
        let connector = self.inner.connector.clone();
        self.on_runtime(async move {
            // A migration blocks the thread that it runs on, and the silence has to be heard meanwhile.
            let applying = tokio::spawn(migrations::apply(connector.clone()));
            let applied = async {
                let applied = applying.await.unwrap_or(Err(DatabaseError::Panicked))?;
                fitness::check_commits(&connector).await?;
                Ok(applied)
            };
            audible(&connector, applied).await
        })
        .await
    }

    /// Refuses a database that lacks migrations or has unknown ones.
    pub async fn verify(&self) -> Result<(), DatabaseError> {
        let connector = self.inner.connector.clone();
        self.on_runtime(async move {
            let verified = async {
                migrations::verify(connector.clone()).await?;
                fitness::check_commits(&connector).await
            };
            audible(&connector, verified).await
        })
        .await
    }

    /// Runs `work` on a connection, each statement a transaction of its own.
    ///
    /// When the caller goes away the work goes on.
    pub(crate) async fn call<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + std::error::Error + Send + 'static,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>
            + Send
            + 'static,
    {
        self.bounded(self.inner.settings.statement_timeout + GRACE, work).await
    }

    /// Runs `work` in one transaction: all of it happens, or nothing.
    pub(crate) async fn transaction<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + From<diesel::result::Error> + std::error::Error + Send + 'static,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>
            + Send
            + 'static,
    {
        self.call(async move |connection| connection.build_transaction().run(work).await).await
    }

    /// Like [`transaction`](Self::transaction), for a change of very many rows.
    pub(crate) async fn bulk_transaction<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + From<diesel::result::Error> + std::error::Error + Send + 'static,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>
            + Send
            + 'static,
    {
        let patiently = async move |connection: &mut AsyncPgConnection| {
            be_patient(connection).await?;
            work(connection).await
        };
        self.bounded(PATIENCE, async move |connection| connection.build_transaction().run(patiently).await)
            .await
    }

    /// Reads one consistent state of the database for as long as a report takes.
    pub(crate) async fn snapshot<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + From<diesel::result::Error> + std::error::Error + Send + 'static,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>
            + Send
            + 'static,
    {
        let patiently = async move |connection: &mut AsyncPgConnection| {
            be_patient(connection).await?;
            work(connection).await
        };
        self.bounded(PATIENCE, async move |connection| {
            connection.build_transaction().repeatable_read().read_only().run(patiently).await
        })
        .await
    }

    async fn bounded<T, E, W>(&self, limit: Duration, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + std::error::Error + Send + 'static,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>
            + Send
            + 'static,
    {
        let inner = Arc::clone(&self.inner);
        self.on_runtime(async move {
            let mut session = inner.session().await?;
            let done = if limit > SILENCE {
                audible(&inner.connector, session.run(limit, work)).await
            } else {
                session.run(limit, work).await
            };
            let said = session.said();
            drop(session);
            done.map_err(|error| refusal::explain_failure(error, said.as_ref(), inner.connector.server()))
        })
        .await
    }

    async fn on_runtime<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        let Some(runtime) = &self.inner.runtime else { return Err(DatabaseError::Closed.into()) };
        match runtime.spawn(work).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => Err(DatabaseError::Panicked.into()),
            Err(_) => Err(DatabaseError::Closed.into()),
        }
    }
}

impl Inner {
    /// A connection from the pool, or why there is none.
    async fn session(&self) -> Result<bb8::PooledConnection<'_, Connector>, DatabaseError> {
        let asked = Clock::instant();
        match self.pool.get().await {
            Ok(session) => Ok(session),
            Err(RunError::User(trouble)) => Err(trouble.at(self.connector.server())),
            Err(RunError::TimedOut) => Err(self.no_session(asked)),
        }
    }

    /// The pool itself knows only that time is up.
    fn no_session(&self, asked: std::time::Instant) -> DatabaseError {
        let waited = self.settings.connect_timeout;
        if let Some(trouble) = self.last_trouble.since(asked) {
            return trouble.at(self.connector.server());
        }
        if self.pool.state().connections >= self.settings.connections {
            return DatabaseError::Exhausted { waited };
        }
        Trouble::Away(format!("no answer within {waited:?}")).at(self.connector.server())
    }
}

/// Waits for `work` for as long as the server shows signs of life.
async fn audible<T, E: From<DatabaseError>>(
    connector: &Connector,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::select! {
        done = work => done,
        () = silence::falls(connector) => Err(DatabaseError::Silent { waited: SILENCE }.into()),
    }
}

async fn be_patient(connection: &mut AsyncPgConnection) -> Result<(), DatabaseError> {
    let patience = format!("SET LOCAL statement_timeout = {}", PATIENCE.as_millis());
    Ok(connection.batch_execute(&patience).await?)
}
