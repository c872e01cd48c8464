//! Whether a server that has let us in is one that we can work with: old enough, UTF-8, taking changes, and with a session
//! for each connection.

use log::warn;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connect::{Connector, Raw};
use super::refusal::{READ_ONLY, STANDBY, explain_statement, refused, shared_session};
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::database::DatabaseError;

/// The oldest server that has all that we use.
const OLDEST: i32 = 140_000;

/// Clocks that are further apart are worth a word.
const CLOCKS_APART_S: f64 = 5.0;

const FACTS: &str = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
    current_setting('server_encoding'), pg_is_in_recovery()::int, current_setting('transaction_read_only'), \
    extract(epoch FROM clock_timestamp()), current_database()";

/// What a server says of itself.
#[derive(Debug, Default)]
struct Facts {
    version: i32,
    name: String,
    encoding: String,
    standby: bool,
    read_only: bool,
    epoch_s: f64,
    database: String,
}

/// Refuses a server that is of no use, with the remedy.
///
/// # Errors
/// It cannot be reached, or is refused.
pub(super) async fn check(connector: &Connector) -> Result<(), DatabaseError> {
    examine(connector).await.map_err(|trouble| trouble.at(connector.server()))
}

async fn examine(connector: &Connector) -> Result<(), Trouble> {
    let raw = connector.raw().await?;
    let asked = Clock::system().now();
    let rows = ask(&raw, FACTS).await?;
    let facts = Facts::of(&rows);
    compare_clocks(&facts, asked, connector.server());
    if let Some(trouble) = unfit(&facts) {
        return Err(trouble);
    }
    refuse_shared_sessions(connector, &raw).await
}

impl Facts {
    fn of(row: &[String]) -> Self {
        let text = |index: usize| row.get(index).cloned().unwrap_or_default();
        Self {
            version: text(0).parse().unwrap_or_default(),
            name: text(1),
            encoding: text(2),
            standby: text(3) == "1",
            read_only: text(4) == "on",
            epoch_s: text(5).parse().unwrap_or_default(),
            database: text(6),
        }
    }
}

/// The first row that `sql` gives, as texts. Not prepared: behind some poolers a prepared statement may be another client's.
async fn ask(raw: &Raw, sql: &str) -> Result<Vec<String>, Trouble> {
    first_row(&raw.client, sql).await.map_err(|error| explain_statement(&error))
}

async fn first_row(client: &Client, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    for message in client.simple_query(sql).await? {
        if let SimpleQueryMessage::Row(row) = message {
            return Ok((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect());
        }
    }
    Ok(Vec::new())
}

/// Why a server that answers is of no use.
fn unfit(facts: &Facts) -> Option<Trouble> {
    let Facts { version, name, encoding, .. } = facts;
    if *version < OLDEST {
        let oldest = OLDEST / 10_000;
        return Some(refused(
            format!("it is PostgreSQL {name}"),
            format!("upgrade it to PostgreSQL {oldest} or newer"),
        ));
    }
    // SQL_ASCII stores any bytes, and ours are UTF-8.
    if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") {
        return Some(refused(
            format!(
                "the database {:?} has the encoding {encoding}, which cannot hold every text of a site",
                facts.database
            ),
            "make one that can, CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it in database.url",
        ));
    }
    // Both may pass.
    if facts.standby {
        return Some(Trouble::Away(STANDBY.to_owned()));
    }
    facts.read_only.then(|| Trouble::Away(READ_ONLY.to_owned()))
}

/// A slot belongs to a second of the database's clock, and a result to one of the worker's: far apart, lags and ranges look
/// wrong although nothing is lost.
fn compare_clocks(facts: &Facts, asked: crate::clock::Timestamp, server: &str) {
    let ours_s = asked.timestamp_micros() as f64 / 1e6;
    let ahead_s = ours_s - facts.epoch_s;
    if facts.epoch_s > 0.0 && ahead_s.abs() > CLOCKS_APART_S {
        let ahead_s = ahead_s.round() as i64;
        warn!(server, ahead_s; "the clock of this machine differs from that of PostgreSQL; set both by NTP");
    }
}

/// A pooler may lend one session to several clients in turn. Then settings, prepared statements and locks of one are those of
/// another, or gone. What shows it: a session that serves two connections at once, or one connection that changes its session.
async fn refuse_shared_sessions(connector: &Connector, one: &Raw) -> Result<(), Trouble> {
    const PROCESS: &str = "SELECT pg_backend_pid()";
    let first = ask(one, PROCESS).await?;
    // Straight to PostgreSQL the session is the one that was announced at the start.
    if one.life.ear.process().map(|process| process.to_string()) == first.first().cloned() {
        return Ok(());
    }
    // A limit of connections is no reason to refuse: without a second one nothing is proved.
    let Ok(other) = connector.raw().await else { return Ok(()) };
    let begun = other.client.batch_execute("BEGIN").await;
    let (second, again) = (ask(&other, PROCESS).await, ask(one, PROCESS).await);
    let _ = other.client.batch_execute("ROLLBACK").await;
    let shared = second.as_ref().is_ok_and(|second| *second == first);
    let changed = again.as_ref().is_ok_and(|again| *again != first);
    if begun.is_err() || second.is_err() || again.is_err() || shared || changed {
        return Err(shared_session());
    }
    Ok(())
}

/// Refuses a way to the server that keeps transactions open which we have ended, so that nothing would ever be stored. pgpool-II
/// does so in raw mode after a prepared statement that writes. For a database that has our tables.
///
/// # Errors
/// It cannot be reached, or is refused.
pub(super) async fn check_commits(connector: &Connector) -> Result<(), DatabaseError> {
    let kept_open = async {
        let raw = connector.raw().await?;
        // It writes nothing, and is a write all the same.
        let written = raw.client.execute("DELETE FROM __diesel_schema_migrations WHERE false", &[]).await;
        written.map_err(|error| explain_statement(&error))?;
        // The time of a transaction stands still, and each of these is one of its own.
        let (first, second) = (ask(&raw, "SELECT now()").await?, ask(&raw, "SELECT now()").await?);
        Ok::<bool, Trouble>(first == second)
    };
    let refusal = match kept_open.await {
        Ok(false) => return Ok(()),
        Ok(true) => refused(
            "something on the way to it keeps transactions open that we have ended, so nothing would ever be stored",
            "set backend_clustering_mode = 'streaming_replication' in pgpool.conf, or name PostgreSQL itself in database.url",
        ),
        Err(trouble) => trouble,
    };
    Err(refusal.at(connector.server()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(version: i32, name: &str) -> Facts {
        Facts { version, name: name.to_owned(), encoding: "UTF8".to_owned(), ..Facts::default() }
    }

    fn refusal(facts: &Facts) -> String {
        match unfit(facts).unwrap().at("db:5432") {
            error @ DatabaseError::Refused { .. } => error.to_string(),
            other => panic!("not refused: {other}"),
        }
    }

    #[test]
    fn a_server_that_is_too_old_is_refused_by_its_version() {
        let text = refusal(&facts(130_014, "13.14 (Debian 13.14-1)"));

        assert_eq!(
            text,
            "PostgreSQL at db:5432 refused: it is PostgreSQL 13.14 (Debian 13.14-1); upgrade it to PostgreSQL 14 or newer"
        );
        // It is the version that has to change first.
        assert_eq!(text, refusal(&Facts { standby: true, ..facts(130_014, "13.14 (Debian 13.14-1)") }));
    }

    #[test]
    fn a_standby_and_a_server_that_takes_no_changes_may_heal_and_name_the_remedy() {
        let standby = Facts { standby: true, ..facts(140_000, "14.0") };
        let read_only = Facts { read_only: true, ..facts(140_000, "14.0") };

        for (facts, remedy) in [(standby, "primary"), (read_only, "default_transaction_read_only")] {
            let error = unfit(&facts).unwrap().at("db:5432");
            assert!(error.may_heal() && crate::failure::chain(&error).contains(remedy), "{error:?}");
        }
    }

    #[test]
    fn an_encoding_that_cannot_hold_every_text_is_refused() {
        for encoding in ["LATIN1", "EUC_JP", "WIN1252", "MULE_INTERNAL"] {
            let text = refusal(&Facts { encoding: encoding.to_owned(), ..facts(180_001, "18.1") });
            assert!(text.contains(encoding) && text.contains("ENCODING 'UTF8'"), "{text}");
        }
        let any_bytes = Facts { encoding: "SQL_ASCII".to_owned(), ..facts(180_001, "18.1") };
        assert!(unfit(&any_bytes).is_none());
    }

    #[test]
    fn the_oldest_version_that_is_not_too_old_is_fit() {
        assert!(unfit(&facts(OLDEST, "14.0")).is_none());
        assert!(unfit(&facts(180_001, "18.1")).is_none());
    }
}
