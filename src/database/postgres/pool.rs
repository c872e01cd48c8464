//! The pool: which connections are fit for use, and what was wrong with those that could not be made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{ErrorSink, ManageConnection, Pool};
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use tokio::time::timeout;

use super::connect::{Connector, Lifeline, Link};
use super::ear::Said;
use super::trouble::Trouble;
use super::{PostgresSettings, Work};
use crate::clock::Clock;
use crate::database::DatabaseError;

/// A connection that has been idle for longer may have been cut off by something on its way, and is tried out first.
const FRESH: Duration = Duration::from_secs(5);

/// For that trial.
const TRIAL: Duration = Duration::from_secs(2);

/// Must be called inside the runtime on which the connections shall live.
pub(super) fn build(
    settings: &PostgresSettings,
    connector: Connector,
    last_trouble: LastTrouble,
) -> Pool<Connector> {
    Pool::builder()
        .max_size(settings.connections.max(1))
        // A little longer than the connector takes to give up, so that its reason arrives before the time is up.
        .connection_timeout(settings.connect_timeout + Duration::from_secs(1))
        .error_sink(Box::new(last_trouble))
        .build_unchecked(connector)
}

/// A connection, and whether it can be used again.
pub(crate) struct Session {
    connection: AsyncPgConnection,
    life: Lifeline,
    /// The server has said something after which a new session is better.
    spoiled: bool,
    /// Work has begun and not ended: it was given up, or it panicked. What the connection does now nobody knows.
    in_work: bool,
    used: Instant,
}

impl Session {
    fn new(Link { connection, life }: Link) -> Self {
        Self { connection, life, spoiled: false, in_work: false, used: Clock::instant() }
    }

    /// The last error that the server told in the last work.
    pub(super) fn said(&self) -> Option<Said> {
        self.life.ear.error()
    }

    /// Runs `work`, for `limit` at most.
    pub(super) async fn run<T, E, W>(&mut self, limit: Duration, work: W) -> Result<T, E>
    where
        E: From<DatabaseError>,
        for<'c> W: AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + Work<&'c mut AsyncPgConnection, Result<T, E>, Fut: Send>,
    {
        self.in_work = true;
        self.life.ear.forget();
        let done = timeout(limit, work(&mut self.connection)).await;
        let done = done.map_err(|_| DatabaseError::Silent { waited: limit })?;
        self.in_work = false;
        self.used = Clock::instant();
        // Also where the work went on after it: the next work may not.
        self.spoiled |= self.said().is_some_and(|said| !said.leaves_session_fit());
        done
    }

    fn is_broken(&mut self) -> bool {
        self.in_work || self.spoiled || self.connection.is_broken()
    }
}

impl ManageConnection for Connector {
    type Connection = Session;
    type Error = Trouble;

    async fn connect(&self) -> Result<Session, Trouble> {
        self.establish().await.map(Session::new)
    }

    async fn is_valid(&self, session: &mut Session) -> Result<(), Trouble> {
        if session.is_broken() {
            return Err(Trouble::Away("the connection was closed".to_owned()));
        }
        if session.used.elapsed() < FRESH {
            return Ok(());
        }
        let trial = async |connection: &mut AsyncPgConnection| Ok(connection.batch_execute("SELECT").await?);
        session
            .run(TRIAL, trial)
            .await
            .map_err(|error: DatabaseError| Trouble::Away(crate::failure::chain(&error)))
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.is_broken()
    }
}

/// Remembers the last reason, which the pool would keep to itself.
#[derive(Debug, Clone, Default)]
pub(super) struct LastTrouble {
    seen: Arc<Mutex<Option<(Instant, Trouble)>>>,
}

impl LastTrouble {
    /// What has gone wrong since `moment`.
    pub(super) fn since(&self, moment: Instant) -> Option<Trouble> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().filter(|(at, _)| *at >= moment).map(|(_, trouble)| trouble.clone())
    }
}

impl ErrorSink<Trouble> for LastTrouble {
    fn sink(&self, trouble: Trouble) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((Clock::instant(), trouble));
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<Trouble>> {
        Box::new(self.clone())
    }
}
