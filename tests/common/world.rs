//! A database with queue and store and a time of its own, whichever database it is: what the promises of the ports are tested on.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_postgres::{Client, NoTls};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::postgres::{Postgres, PostgresSettings};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::queue::postgres::PostgresJobQueue;
use uptime_monitor::store::postgres::PostgresStore;
use uptime_monitor::store::{Catalog, History, ResultStore};

use super::{Database, jan_1, servers};

/// All three ports of a store.
pub trait Store: ResultStore + Catalog + History {}

impl<S: ResultStore + Catalog + History> Store for S {}

/// See the module.
pub struct World {
    /// The database's time, or what it was a moment ago.
    pub clock: Clock,
    pub queue: Arc<dyn JobQueue>,
    pub store: Arc<dyn Store>,
    kind: Kind,
}

enum Kind {
    Sqlite(#[allow(dead_code, reason = "the folder goes with it")] Database),
    /// A connection that moves time.
    Postgres(Client),
}

impl World {
    /// In a folder of its own.
    pub fn sqlite() -> Self {
        let database = Database::new(Clock::starting_at(jan_1()));
        let (queue, store) = (Arc::new(database.queue.clone()), Arc::new(database.store.clone()));
        Self { clock: database.clock.clone(), queue, store, kind: Kind::Sqlite(database) }
    }

    /// A new database on the shared server, if there is one. Its time stands still but for [`forward`](Self::forward).
    pub async fn postgres() -> Option<Self> {
        let url = servers::postgres()?.fresh_database();
        let database = migrated(&url).await;
        let time = connect(&url).await;
        let still = format!(
            "CREATE TABLE test_clock (now timestamptz);
             INSERT INTO test_clock VALUES ('{}');
             CREATE OR REPLACE FUNCTION uptime_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now FROM test_clock'",
            jan_1().to_rfc3339()
        );
        time.batch_execute(&still).await.expect("time is ours");
        let clock = Clock::starting_at(jan_1());
        let queue = Arc::new(PostgresJobQueue::new(database.clone()));
        Some(Self { clock, queue, store: Arc::new(PostgresStore::new(database)), kind: Kind::Postgres(time) })
    }

    /// Lets `seconds` pass, or takes them back.
    pub async fn forward(&self, seconds: i64) {
        self.clock.jump(TimeDelta::seconds(seconds));
        if let Kind::Postgres(time) = &self.kind {
            let moved = format!("UPDATE test_clock SET now = now + interval '{seconds} seconds'");
            time.batch_execute(&moved).await.expect("time moves");
        }
    }
}

/// Settings as of a process that is small and impatient.
pub fn settings(url: &str) -> PostgresSettings {
    PostgresSettings {
        url: url.to_owned(),
        ca_file: None,
        connections: 4,
        connect_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(20),
    }
}

/// The database at `url`, with our tables.
pub async fn migrated(url: &str) -> Postgres {
    let database = Postgres::open(settings(url)).await.expect("the server is there");
    database.migrate().await.expect("migrations apply");
    database
}

/// A connection for what our ports do not do.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}
