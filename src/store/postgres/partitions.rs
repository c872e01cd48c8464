//! The days of `ping_status`: each UTC day is a partition, made before its first result and dropped as a whole.
//!
//! A partition that could not be made costs nothing but tidiness: its results go to the default partition, and move when it is
//! made. So nothing here stops results, and nothing waits long for a lock, for behind whoever waits for one of these locks all
//! writers wait, too.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use diesel::OptionalExtension as _;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use log::{debug, info, warn};

use super::pruned;
use crate::clock::{Clock, Timestamp};
use crate::database::postgres::Postgres;
use crate::database::{DatabaseError, statement};
use crate::failure::chain;

/// A result of an older slot, or of one further in the future, has a nonsense date and gets no partition.
const SENSIBLE_PAST: Days = Days::new(400);
const SENSIBLE_FUTURE: Days = Days::new(3);

/// Partitions are made for today and so many days more, so that midnight is like any other second.
const AHEAD: u64 = 3;

/// After a failure the next try waits for so long.
const RETRY: Duration = Duration::from_secs(60);

/// Makes and drops partitions.
pub(super) struct Partitions {
    database: Postgres,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    days: BTreeSet<NaiveDate>,
    failed: Option<Instant>,
}

impl Partitions {
    pub(super) fn new(database: Postgres) -> Self {
        Self { database, known: Mutex::default() }
    }

    /// Makes partitions for these slots where there are none. What fails is tried again later.
    pub(super) async fn prepare_for(&self, slots: impl Iterator<Item = Timestamp>) {
        let unknown = self.unknown(slots.map(|slot| slot.date_naive()));
        if !unknown.is_empty() {
            self.try_to_make(unknown).await;
        }
    }

    async fn try_to_make(&self, days: BTreeSet<NaiveDate>) {
        if let Err(error) = self.make(days).await {
            warn!(error = chain(&error); "failed to make a partition; results go to ping_status_default meanwhile");
            self.known().failed = Some(Clock::instant());
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, days: impl Iterator<Item = NaiveDate>) -> BTreeSet<NaiveDate> {
        let known = self.known();
        if known.failed.is_some_and(|failed| failed.elapsed() < RETRY) {
            return BTreeSet::new();
        }
        days.filter(|day| !known.days.contains(day)).collect()
    }

    /// Makes the partitions of `days` that are sensible, and those of the days ahead.
    async fn make(&self, mut days: BTreeSet<NaiveDate>) -> Result<(), DatabaseError> {
        let today = self.database.call(async |connection| today(connection).await).await?;
        days.retain(|&day| day >= today - SENSIBLE_PAST && day <= today + SENSIBLE_FUTURE);
        days.extend((0..=AHEAD).map(|ahead| today + Days::new(ahead)));
        for day in days {
            if !self.known().days.contains(&day) {
                self.database.transaction(async move |connection| make(connection, day).await).await?;
                self.known().days.insert(day);
            }
        }
        Ok(())
    }

    /// Makes the partitions of today and the days ahead.
    pub(super) async fn make_ahead(&self) {
        self.try_to_make(BTreeSet::new()).await;
    }

    /// Drops days that end at or before `cut`. Returns about how many rows went.
    pub(super) async fn drop_days(&self, cut: Timestamp) -> Result<usize, DatabaseError> {
        let mut dropped = 0;
        for (name, rows) in self.existing().await? {
            let Some(day) = day_of(&name).filter(|day| end_of(*day) <= cut) else { continue };
            self.known().days.remove(&day);
            self.database.transaction(async move |connection| detach(connection, day).await).await?;
            let drop = format!("DROP TABLE IF EXISTS {name}");
            self.database.call(async move |connection| execute(connection, &drop).await).await?;
            info!(day:%, rows; "a day's results are dropped");
            dropped += rows.max(1) as usize;
        }
        Ok(dropped)
    }

    /// Whether there is a day that ended at or before `cut`.
    pub(super) async fn is_older(&self, cut: Timestamp) -> Result<bool, DatabaseError> {
        let days = self.existing().await?;
        Ok(days.iter().filter_map(|(name, _)| day_of(name)).any(|day| end_of(day) <= cut))
    }

    async fn existing(&self) -> Result<Vec<(String, i64)>, DatabaseError> {
        let all = async |connection: &mut AsyncPgConnection| -> Result<_, DatabaseError> {
            Ok(Existing {}.load(connection).await?)
        };
        self.database.call(all).await
    }
}

async fn execute(connection: &mut AsyncPgConnection, sql: &str) -> Result<(), DatabaseError> {
    Ok(connection.batch_execute(sql).await?)
}

/// Of two that make or drop partitions one waits for the other. And neither waits long for a table.
const ALONE: &str = "SET LOCAL lock_timeout = '1s'; SELECT pg_advisory_xact_lock(7075746977)";

async fn today(connection: &mut AsyncPgConnection) -> Result<NaiveDate, DatabaseError> {
    let (now,): (Timestamp,) = Now {}.get_result(connection).await?;
    Ok(now.date_naive())
}

fn name_of(day: NaiveDate) -> String {
    format!("ping_status_{}", day.format("%Y%m%d"))
}

fn day_of(name: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(name.strip_prefix("ping_status_")?, "%Y%m%d").ok()
}

fn end_of(day: NaiveDate) -> Timestamp {
    (day + Days::new(1)).and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Makes a day's partition with the rows that have already come for it. They are in the default partition, which must be closed
/// to others from the look at them to the end.
async fn make(connection: &mut AsyncPgConnection, day: NaiveDate) -> Result<(), DatabaseError> {
    execute(connection, ALONE).await?;
    let name = name_of(day);
    let (exists,): (bool,) = Exists { name: name.clone() }.get_result(connection).await?;
    if exists {
        return Ok(());
    }
    let (from, to) = (day, day + Days::new(1));
    let sql = format!(
        "LOCK TABLE ping_status_default IN ACCESS EXCLUSIVE MODE;
         CREATE TABLE {name} (LIKE ping_status INCLUDING ALL);
         WITH early AS (DELETE FROM ping_status_default WHERE scheduled_at >= '{from} UTC' AND scheduled_at < '{to} UTC' RETURNING *)
         INSERT INTO {name} SELECT * FROM early;
         ALTER TABLE ping_status ATTACH PARTITION {name} FOR VALUES FROM ('{from} UTC') TO ('{to} UTC')"
    );
    execute(connection, &sql).await?;
    debug!(day:%; "a partition is made");
    Ok(())
}

/// Takes a day out of the table, which writers wait for, in a transaction of its own: removing its files takes longer. Another
/// process may have done so since we looked.
async fn detach(connection: &mut AsyncPgConnection, day: NaiveDate) -> Result<(), DatabaseError> {
    execute(connection, ALONE).await?;
    let attached: Option<(bool,)> =
        IsAttached { name: name_of(day) }.get_result(connection).await.optional()?;
    if attached == Some((true,)) {
        execute(connection, &format!("ALTER TABLE ping_status DETACH PARTITION {}", name_of(day))).await?;
    }
    Ok(pruned::mark(connection, end_of(day)).await?)
}

statement!(for Pg: Now {} -> (Timestamptz,) = "SELECT uptime_now()");

statement!(for Pg: IsAttached { name: String as Text } -> (Bool,) =
    "SELECT relispartition FROM pg_class WHERE oid = to_regclass(" (name: Text) ")");

statement!(for Pg: Exists { name: String as Text } -> (Bool,) =
    "SELECT to_regclass(" (name: Text) ") IS NOT NULL");

statement!(for Pg:
    /// Days by age, with the planner's idea of their rows, for counting them would take longer than dropping them. Also days that
    /// are not attached, left by a process that ended between the two steps of dropping them.
    Existing {} -> (Text, BigInt) =
    "SELECT day.relname::text, greatest(day.reltuples, 0)::bigint
     FROM pg_class AS day
     WHERE day.relkind = 'r' AND day.relname ~ '^ping_status_[0-9]{8}$'
       AND day.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ping_status'::regclass)
     ORDER BY day.relname"
);
