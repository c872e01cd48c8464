//! A database with queue and store and a time of its own, whichever database it is: what the promises of the ports are tested on.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection as _;
use tokio_postgres::{Client, NoTls};
use uptime_monitor::clock::Clock;
use uptime_monitor::database::postgres::{Postgres, PostgresSettings};
use uptime_monitor::database::sqlite;
use uptime_monitor::model::{Site, SiteSpec};
use uptime_monitor::queue::JobQueue;
use uptime_monitor::queue::postgres::PostgresJobQueue;
use uptime_monitor::store::postgres::PostgresStore;
use uptime_monitor::store::{Catalog, History, ResultStore, StoreError};

use super::{APPLIED, Database, jan_1, servers};

/// All three ports of a store.
pub trait Store: ResultStore + Catalog + History {}

impl<S: ResultStore + Catalog + History> Store for S {}

impl dyn Store {
    /// Makes the site of that name what `spec` says, whatever it was.
    pub async fn change(&self, spec: SiteSpec) -> Result<Site, StoreError> {
        let seen = self.site(&spec.name).await?;
        self.replace(&seen, spec).await
    }
}

/// See the module.
pub struct World {
    /// The database's time, or what it was a moment ago.
    pub clock: Clock,
    pub queue: Arc<dyn JobQueue>,
    pub store: Arc<dyn Store>,
    kind: Kind,
}

enum Kind {
    Sqlite(Database),
    /// A connection that moves time.
    Postgres(Client),
}

impl World {
    /// In a folder of its own.
    pub fn sqlite() -> Self {
        Self::on_sqlite(Database::new(Clock::starting_at(jan_1())))
    }

    /// As the first migration has made it, with what `rows` says, and then brought up to date.
    pub fn upgraded_sqlite(rows: &str) -> Self {
        Self::on_sqlite(Database::upgraded(Clock::starting_at(jan_1()), rows))
    }

    fn on_sqlite(database: Database) -> Self {
        let (queue, store) = (Arc::new(database.queue.clone()), Arc::new(database.store.clone()));
        Self { clock: database.clock.clone(), queue, store, kind: Kind::Sqlite(database) }
    }

    /// A new database on the shared server, if there is one. Its time stands still but for [`forward`](Self::forward).
    pub async fn postgres() -> Option<Self> {
        Some(Self::on_postgres(&servers::postgres()?.fresh_database()).await)
    }

    /// As [`upgraded_sqlite`](Self::upgraded_sqlite).
    pub async fn upgraded_postgres(rows: &str) -> Option<Self> {
        let url = servers::postgres()?.fresh_database();
        let first = include_str!("../../migrations/postgres/2026-11-24-000001_init/up.sql");
        let client = connect(&url).await;
        for statements in [first, APPLIED, rows] {
            client.batch_execute(statements).await.expect("the first version's statements work");
        }
        Some(Self::on_postgres(&url).await)
    }

    async fn on_postgres(url: &str) -> Self {
        let database = migrated(url).await;
        let time = connect(url).await;
        let still = format!(
            "CREATE TABLE test_clock (now timestamptz);
             INSERT INTO test_clock VALUES ('{}');
             CREATE OR REPLACE FUNCTION uptime_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now FROM test_clock'",
            jan_1().to_rfc3339()
        );
        time.batch_execute(&still).await.expect("time is ours");
        let clock = Clock::starting_at(jan_1());
        let queue = Arc::new(PostgresJobQueue::new(database.clone()));
        Self { clock, queue, store: Arc::new(PostgresStore::new(database)), kind: Kind::Postgres(time) }
    }

    /// Changes the tables behind the ports' back.
    pub async fn sql(&self, statements: &str) {
        match &self.kind {
            Kind::Sqlite(database) => {
                let mut connection = sqlite::connect(&database.path).expect("the database opens");
                connection.batch_execute(statements).expect("the statements work");
            }
            Kind::Postgres(client) => client.batch_execute(statements).await.expect("the statements work"),
        }
    }

    /// The one number that the tables answer with.
    pub async fn number(&self, query: &str) -> u64 {
        use diesel::prelude::*;
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            number: i64,
        }
        let number = match &self.kind {
            Kind::Sqlite(database) => {
                let mut connection = sqlite::connect(&database.path).expect("the database opens");
                let query = diesel::sql_query(format!("SELECT ({query}) AS number"));
                query.get_result::<Number>(&mut connection).expect("the query works").number
            }
            Kind::Postgres(client) => {
                client.query_one(query, &[]).await.expect("the query works").get::<_, i64>(0)
            }
        };
        number.unsigned_abs()
    }

    /// Where SQL differs.
    pub fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres(_))
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
