use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use diesel::sql_types::BigInt;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::database::statement;
use crate::model::{CheckResult, Region, SiteSpec, Unchecked};
use crate::queue::JobQueue as _;
use crate::queue::sqlite::SqliteJobQueue;
use crate::schedule::Schedule;
use crate::store::sqlite::SqliteStore;
use crate::store::{Catalog as _, ResultStore as _, Start};

statement!(CountRows {} -> (BigInt,) = "SELECT count(*) FROM ping_status");

statement!(AddRow { at: i64 as BigInt } -> () =
    "INSERT INTO ping_status (scheduled_at, site_id, status, started_at_us, body_bytes, worker, attempt)
     VALUES (" (at: BigInt) ", 1, 'up', 0, 0, 'w', 1)");

fn rows(connection: &mut SqliteConnection) -> Result<i64, DatabaseError> {
    Ok(CountRows {}.get_result::<(i64,)>(connection)?.0)
}

async fn add_row(database: &Sqlite, at: i64) {
    let add = move |connection: &mut SqliteConnection| -> Result<usize, DatabaseError> {
        Ok(AddRow { at }.execute(connection)?)
    };
    database.transaction(Durability::Derived, add).await.unwrap();
}

/// A migrated file in a folder of its own.
struct Home {
    _folder: TempDir,
    path: std::path::PathBuf,
    database: Sqlite,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uptime.db");
        migrate(&path).unwrap();
        let database = Sqlite::open(&path).unwrap();
        Self { _folder: folder, path, database }
    }

    /// Of the log, in bytes.
    fn log(&self) -> u64 {
        std::fs::metadata(format!("{}-wal", self.path.display())).unwrap().len()
    }
}

/// A report that has begun, and goes on until it is told to end.
struct Report {
    end: Sender<()>,
    /// Rows at its beginning and at its end.
    seen: JoinHandle<Result<(i64, i64), DatabaseError>>,
}

impl Report {
    async fn begin(database: &Sqlite) -> Self {
        let (end, told): (Sender<()>, Receiver<()>) = channel();
        let (begins, begun) = tokio::sync::oneshot::channel();
        let database = database.clone();
        let seen = tokio::spawn(async move {
            let work = move |connection: &mut SqliteConnection| {
                let first = rows(connection)?;
                begins.send(()).unwrap();
                told.recv().unwrap();
                Ok((first, rows(connection)?))
            };
            database.read_at_length(work).await
        });
        begun.await.unwrap();
        Self { end, seen }
    }

    async fn end(self) -> (i64, i64) {
        self.end.send(()).unwrap();
        self.seen.await.unwrap().unwrap()
    }
}

/// One that is due once, when it is added.
fn daily_site() -> SiteSpec {
    SiteSpec {
        name: "daily".to_owned(),
        url: "http://127.0.0.1:9/".to_owned(),
        schedule: Schedule::Every(86_400),
        timeout: Duration::from_millis(500),
        retries: 0,
        enabled: true,
        tags: vec![],
        settings: None,
    }
}

#[tokio::test]
async fn ticks_claims_stores_and_counts_go_on_beside_a_report_which_sees_one_state() {
    let home = Home::new();
    let clock = Clock::system();
    let queue = SqliteJobQueue::new(home.database.clone(), clock.clone());
    let store = SqliteStore::new(home.database.clone(), clock.clone());
    store.add(daily_site(), Start::AtOnce).await.unwrap();
    let report = Report::begin(&home.database).await;

    let beside = async {
        queue.enqueue_due().await.unwrap();
        let jobs = queue.claim("me", Region::DEFAULT, 10, Duration::from_secs(30)).await.unwrap();
        let result = CheckResult::unchecked(&jobs[0], clock.now(), "me", Unchecked::Poison);
        let stored = store.persist(&[Arc::new(vec![result])]).await.unwrap();
        let (depth, sites) = (queue.depth().await.unwrap(), store.count().await.unwrap());
        (stored.new.len(), depth.leased, sites.enabled)
    };
    let beside = tokio::time::timeout(Duration::from_secs(10), beside).await;

    assert_eq!(report.end().await, (0, 0), "it began before the result was stored");
    assert_eq!(beside.expect("nobody waits for it"), (1, 1, 1));
    assert_eq!(home.database.read_at_length(rows).await.unwrap(), 1);
}

#[tokio::test]
async fn while_another_program_holds_the_right_to_write_reads_answer_at_once() {
    let home = Home::new();
    let mut other = connect(&home.path).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let database = home.database.clone();
    // It waits for five seconds.
    let writing = tokio::spawn(async move { add_row(&database, 1).await });
    tokio::task::yield_now().await;

    let within = Duration::from_secs(2);
    let quick = tokio::time::timeout(within, home.database.read(rows)).await;
    let long = tokio::time::timeout(within, home.database.read_at_length(rows)).await;
    other.batch_execute("ROLLBACK").unwrap();

    assert_eq!((quick.unwrap().unwrap(), long.unwrap().unwrap()), (0, 0));
    writing.await.unwrap();
    assert_eq!(home.database.read(rows).await.unwrap(), 1);
}

#[tokio::test]
async fn whoever_has_written_sees_it() {
    let home = Home::new();

    for at in 1..=100 {
        add_row(&home.database, at).await;

        assert_eq!(home.database.read(rows).await.unwrap(), at);
        assert_eq!(home.database.read_at_length(rows).await.unwrap(), at);
    }
}

#[tokio::test]
async fn what_decides_sees_also_the_work_whose_caller_has_gone_away() {
    let home = Home::new();
    let (go, told) = channel();
    let held = home.database.writer.clone();
    let holding = tokio::spawn(async move {
        held.call(move |_| -> Result<(), DatabaseError> {
            told.recv().unwrap();
            Ok(())
        })
        .await
    });
    tokio::task::yield_now().await;

    let gone = tokio::time::timeout(Duration::from_millis(10), add_row(&home.database, 1)).await;
    assert!(gone.is_err());
    let decides = home.database.read_in_turn(rows);
    let tell = async { go.send(()).unwrap() };
    let (seen, ()) = tokio::join!(decides, tell);

    assert_eq!(seen.unwrap(), 1);
    holding.await.unwrap().unwrap();
}

#[tokio::test]
async fn readers_change_nothing() {
    let home = Home::new();
    let change = |connection: &mut SqliteConnection| -> Result<usize, DatabaseError> {
        Ok(AddRow { at: 1 }.execute(connection)?)
    };

    assert!(home.database.read(change).await.is_err());
    assert!(home.database.read_at_length(change).await.is_err());
    assert_eq!(home.database.read(rows).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reader_that_panics_reads_again() {
    let home = Home::new();

    let panicked = home
        .database
        .read(|connection| -> Result<(), DatabaseError> {
            rows(connection)?;
            panic!("as a test");
        })
        .await;
    add_row(&home.database, 1).await;

    assert!(matches!(panicked, Err(DatabaseError::Panicked)), "{panicked:?}");
    assert_eq!(home.database.read(rows).await.unwrap(), 1, "it holds on to no old state");
}

#[tokio::test]
async fn without_a_log_the_writer_reads() {
    let memory = SqliteConnection::establish(":memory:").unwrap();
    let database = Sqlite::with_readers(Path::new("no file"), memory).unwrap();
    let make = |connection: &mut SqliteConnection| -> Result<(), DatabaseError> {
        connection.batch_execute(
            "CREATE TABLE ping_status (scheduled_at, site_id, status, started_at_us, body_bytes, worker, attempt)",
        )?;
        Ok(())
    };
    database.transaction(Durability::Full, make).await.unwrap();

    add_row(&database, 1).await;

    assert!(database.readers.is_none());
    assert_eq!(database.read(rows).await.unwrap(), 1);
    assert_eq!(database.read_at_length(rows).await.unwrap(), 1);
    assert!(!Path::new("no file").exists());
}

#[tokio::test]
async fn a_command_has_one_connection() {
    let home = Home::new();

    let command = Sqlite::open_patiently(&home.path).unwrap();
    add_row(&command, 1).await;

    assert!(command.readers.is_none());
    assert_eq!(command.read(rows).await.unwrap(), 1);
}

#[tokio::test]
async fn after_a_long_read_the_log_starts_over() {
    let home = Home::new();
    let report = Report::begin(&home.database).await;
    let write = async |slots: std::ops::Range<i64>| {
        for at in slots {
            add_row(&home.database, at).await;
        }
    };
    write(0..300).await;
    report.end().await;
    let grown = home.log();

    let mut reader = connect_to_read(&home.path).unwrap();
    clear_log(&mut reader, Duration::from_secs(60));
    write(300..400).await;

    assert_eq!(home.log(), grown, "the same room is used again");
    assert_eq!(home.database.read(rows).await.unwrap(), 400);
}
