//! Migrations, applied once however many processes start at the same time.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::connect::{Connector, Link};
use super::ear::Said;
use super::refusal;
use crate::database::{DatabaseError, statement};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The lock is taken before anything else, also before diesel makes its own table, which two cannot do at once. It goes with
/// the connection. Whoever waits for it may wait as long as a migration takes.
const LOCK: &str = "SET lock_timeout = 0; SET statement_timeout = '1h'; SELECT pg_advisory_lock(7075746976)";

/// Applies what is missing, on a connection of its own.
pub(super) async fn apply(connector: Connector) -> Result<Vec<String>, DatabaseError> {
    let Link { connection, life } = connector.link().await?;
    life.ear.forget();
    apply_on(connection, &connector).await.map_err(|error| explain(error, life.ear.error(), &connector))
}

async fn apply_on(
    mut connection: AsyncPgConnection,
    connector: &Connector,
) -> Result<Vec<String>, DatabaseError> {
    connection.batch_execute(LOCK).await?;
    refuse_newer(&mut connection, &connector.database()).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(DatabaseError::Migrate)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// A migration's own error has lost its kind; what the server said last is what stopped it.
fn explain(error: DatabaseError, said: Option<Said>, connector: &Connector) -> DatabaseError {
    let (Some(said), server) = (said, connector.server()) else { return error };
    if let Some(trouble) = refusal::unmigratable(&said, connector.address()) {
        return trouble.at(server);
    }
    match error {
        // The connection was lost, a lock not had, or changes are refused: none of that is the migration's fault.
        DatabaseError::Migrate(cause) => {
            let answered =
                DatabaseError::Answered { code: said.sqlstate.clone(), message: said.message.clone() };
            let passing = !said.leaves_session_fit() || matches!(said.sqlstate.as_str(), "55P03" | "57014");
            if passing && answered.may_heal() { answered } else { DatabaseError::Migrate(cause) }
        }
        other => refusal::explain_failure(other, Some(&said), server),
    }
}

/// Refuses a database that lacks migrations or has unknown ones.
pub(super) async fn verify(connector: Connector) -> Result<(), DatabaseError> {
    let database = connector.database();
    let Link { mut connection, life } = connector.link().await?;
    life.ear.forget();
    let applied = refuse_newer(&mut connection, &database).await;
    let applied = applied.map_err(|error| explain(error, life.ear.error(), &connector))?;
    let missing = known()?.iter().filter(|name| !applied.contains(name)).count();
    match missing {
        0 => Ok(()),
        count => Err(DatabaseError::Older { database, count }),
    }
}

/// Returns what has been applied.
async fn refuse_newer(
    connection: &mut AsyncPgConnection,
    database: &str,
) -> Result<Vec<String>, DatabaseError> {
    let known = known()?;
    let applied = applied(connection).await?;
    let unknown: Vec<&str> =
        applied.iter().filter(|name| !known.contains(name)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(applied);
    }
    Err(DatabaseError::Newer { database: database.to_owned(), versions: unknown.join(", ") })
}

fn known() -> Result<Vec<String>, DatabaseError> {
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(DatabaseError::Migrate)?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// Reads diesel's table, and makes none where there is none yet: looking must not change a database.
async fn applied(connection: &mut AsyncPgConnection) -> Result<Vec<String>, DatabaseError> {
    let (table,): (Option<String>,) = MigrationsTable {}.get_result(connection).await?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = Applied {}.load(connection).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

statement!(for Pg: MigrationsTable {} -> (Nullable<Text>,) = "SELECT to_regclass('__diesel_schema_migrations')::text");

statement!(for Pg: Applied {} -> (Text,) = "SELECT version::text FROM __diesel_schema_migrations ORDER BY version");
