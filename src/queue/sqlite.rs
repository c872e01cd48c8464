//! The queue in the embedded database.

mod claim;
mod depth;
mod late;

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use serde_json::json;

use self::claim::{Claimer, claim, claim_suspects};
use super::share::Turns;
use super::tick::{Due, DueCron, Plan, Progress, Rules};
use super::{Depth, JobQueue, QueueError, Settled, Tick};
use crate::clock::Clock;
use crate::database::DatabaseError;
use crate::database::rows::from_seconds;
use crate::database::sqlite::{Durability, Sqlite};
use crate::database::{set_back, statement};
use crate::model::{Job, Region, Slot};
use crate::schedule::{self, DueRange};

/// [`JobQueue`] on SQLite. The process's clock is the database's clock here.
#[derive(Clone)]
pub struct SqliteJobQueue {
    database: Sqlite,
    clock: Clock,
    turns: Turns,
}

impl SqliteJobQueue {
    /// A queue in `database`.
    pub fn new(database: Sqlite, clock: Clock) -> Self {
        Self { database, clock, turns: Turns::default() }
    }

    /// All that the queue holds can be derived again: a slot from the schedule, a lease from its end.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.database.repeated_transaction(Durability::Derived, work).await
    }

    /// A change that depends on the time: that of its own transaction, which may have waited for another program's.
    async fn change_now<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection, i64) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let clock = self.clock.clone();
        self.change(move |connection| work(connection, clock.now_s())).await
    }
}

#[async_trait]
impl JobQueue for SqliteJobQueue {
    async fn enqueue_due(&self) -> Result<Tick, QueueError> {
        Ok(self.change_now(tick).await?)
    }

    async fn claim(
        &self,
        owner: &str,
        region: Region,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Job>, QueueError> {
        let (owner, clock) = (owner.to_owned(), self.clock.clone());
        let share = self.turns.next(limit);
        let work = move |connection: &mut SqliteConnection| {
            claim(connection, &Claimer { owner: &owner, region, lease, now: clock.now() }, share)
        };
        Ok(self.change(work).await?)
    }

    async fn claim_suspects(
        &self,
        owner: &str,
        region: Region,
        lease: Duration,
        given_up: u32,
    ) -> Result<Vec<Job>, QueueError> {
        let (owner, clock) = (owner.to_owned(), self.clock.clone());
        let work = move |connection: &mut SqliteConnection| {
            claim_suspects(connection, &Claimer { owner: &owner, region, lease, now: clock.now() }, given_up)
        };
        Ok(self.change(work).await?)
    }

    async fn settle_late(&self, worker: &str, most: usize) -> Result<Settled, QueueError> {
        let (worker, clock) = (worker.to_owned(), self.clock.clone());
        Ok(self.change(move |connection| late::settle(connection, clock.now(), &worker, most)).await?)
    }

    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), slots.to_vec());
        let work = move |connection: &mut SqliteConnection| {
            each(&slots, |slot| Complete { slot: slot.into(), owner: owner.clone() }.execute(connection))
        };
        Ok(self.change(work).await?)
    }

    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), slots.to_vec());
        let work = move |connection: &mut SqliteConnection| {
            each(&slots, |slot| Release { slot: slot.into(), owner: owner.clone() }.execute(connection))
        };
        Ok(self.change(work).await?)
    }

    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let owner = owner.to_owned();
        let key = |slot: &Slot| json!([slot.region, slot.scheduled_at.timestamp(), slot.site_id]);
        let keys: Vec<_> = slots.iter().map(key).collect();
        let hand_back = HandBack { slots: json!(keys).to_string(), owner };
        Ok(self.change(move |connection| Ok(hand_back.execute(connection)?)).await?)
    }

    async fn renew(&self, owner: &str, slots: &[Slot], lease: Duration) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), slots.to_vec());
        let lease_s = i64::try_from(lease.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
        let work = move |connection: &mut SqliteConnection, now: i64| {
            each(&slots, |slot| {
                let until = now.saturating_add(lease_s);
                Renew { slot: slot.into(), owner: owner.clone(), until }.execute(connection)
            })
        };
        Ok(self.change_now(work).await?)
    }

    async fn leased(&self, owner: &str) -> Result<Vec<Slot>, QueueError> {
        let owner = owner.to_owned();
        let rows: Vec<(i64, i64, String)> =
            self.database.read_in_turn(move |connection| Ok(Leased { owner }.load(connection)?)).await?;
        let slot = |(at, site, region): (i64, i64, String)| Slot::stored(from_seconds(at), site, &region);
        Ok(rows.into_iter().filter_map(slot).collect())
    }

    /// One process holds the file, so every lease that is there when it starts belongs to a dead one.
    async fn release_dead(&self) -> Result<usize, QueueError> {
        Ok(self.change(|connection| Ok(ReleaseAll {}.execute(connection)?)).await?)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let now = self.clock.now_s();
        Ok(self.database.read(move |connection| Ok(depth::count(connection, now)?)).await?)
    }
}

fn each(slots: &[Slot], mut change: impl FnMut(&Slot) -> QueryResult<usize>) -> Result<usize, DatabaseError> {
    let mut changed = 0;
    for slot in slots {
        changed += change(slot)?;
    }
    Ok(changed)
}

/// Queues what has become due.
fn tick(connection: &mut SqliteConnection, now: i64) -> Result<Tick, DatabaseError> {
    if !schedule::is_possible(now) {
        return Ok(Tick { impossible: Some(from_seconds(now)), ..Tick::default() });
    }
    let (last_tick, first_site): (Option<i64>, Option<i64>) = LastTick {}.get_result(connection)?;
    let rules = Rules::new(Intervals {}.load(connection)?, Crons {}.load(connection)?);
    match Plan::of(Progress { last_tick, first_site, now }, &rules) {
        Plan::Wait => Ok(Tick::default()),
        Plan::SetBack { by_s } => {
            set_back::sqlite(connection, now, by_s)?;
            Ok(Tick { set_back: Some(Duration::from_secs(by_s.unsigned_abs())), ..Tick::default() })
        }
        Plan::Enqueue(due) => enqueue(connection, now, &due),
    }
}

fn enqueue(connection: &mut SqliteConnection, now: i64, due: &Due) -> Result<Tick, DatabaseError> {
    if let Some(gap) = due.gap {
        RecordGap { after: gap.after.timestamp(), until: gap.until.timestamp() }.execute(connection)?;
    }
    let queued = enqueue_ranges(connection, &due.ranges)? + enqueue_crons(connection, &due.crons)?;
    if queued > 0 || due.is_news {
        SetLastTick { now }.execute(connection)?;
    }
    Ok(Tick { queued, gap: due.gap, ..Tick::default() })
}

fn enqueue_ranges(connection: &mut SqliteConnection, ranges: &[DueRange]) -> QueryResult<usize> {
    if ranges.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> =
        ranges.iter().map(|due| json!([due.every_s, due.phase_from, due.phase_to, due.base])).collect();
    EnqueueDue { ranges: json!(rows).to_string() }.execute(connection)
}

fn enqueue_crons(connection: &mut SqliteConnection, due: &[DueCron]) -> QueryResult<usize> {
    if due.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> = due.iter().map(|due| json!([due.cron, due.at, due.late_after_s])).collect();
    EnqueueCrons { due: json!(rows).to_string() }.execute(connection)
}

statement!(LastTick {} -> (Nullable<BigInt>, Nullable<BigInt>) =
    "SELECT last_tick, CASE WHEN last_tick IS NULL THEN (SELECT min(active_from) FROM site_config) END
     FROM scheduler_state WHERE id = 1");

statement!(SetLastTick { now: i64 as BigInt } -> () =
    "UPDATE scheduler_state SET last_tick = " (now: BigInt) " WHERE id = 1");

statement!(
    /// Distinct intervals, ascending, by one index seek each instead of a scan over all sites.
    Intervals {} -> (Integer,) =
    "WITH RECURSIVE interval(s) AS (
       SELECT min(every_s) FROM site_config WHERE enabled = 1 AND cron IS NULL
       UNION ALL
       SELECT (SELECT min(every_s) FROM site_config WHERE enabled = 1 AND cron IS NULL AND every_s > interval.s) FROM interval WHERE s IS NOT NULL)
     SELECT s FROM interval WHERE s IS NOT NULL"
);

statement!(
    /// `ranges` is a JSON array of `[every_s, phase_from, phase_to, base]`.
    EnqueueDue { ranges: String as Text } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT (due.value ->> 3) + site.phase_s, site.id, (due.value ->> 3) + site.phase_s, site.every_s
     FROM json_each(" (ranges: Text) ") AS due CROSS JOIN site_config AS site
     WHERE site.enabled = 1 AND site.cron IS NULL AND site.every_s = (due.value ->> 0)
       AND site.phase_s BETWEEN (due.value ->> 1) AND (due.value ->> 2)
       AND (due.value ->> 3) + site.phase_s > site.active_from
     ON CONFLICT DO NOTHING"
);

statement!(
    /// Distinct cron expressions, in the same way.
    Crons {} -> (Text,) =
    "WITH RECURSIVE rule(cron) AS (
       SELECT min(cron) FROM site_config WHERE enabled = 1 AND cron IS NOT NULL
       UNION ALL
       SELECT (SELECT min(cron) FROM site_config WHERE enabled = 1 AND cron IS NOT NULL AND cron > rule.cron)
       FROM rule WHERE cron IS NOT NULL)
     SELECT cron FROM rule WHERE cron IS NOT NULL"
);

statement!(
    /// `due` is a JSON array of `[cron, at, late_after_s]`. Jobs come in order of their key: sites of one expression lie apart in it.
    EnqueueCrons { due: String as Text } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT due.value ->> 1, site.id, due.value ->> 1, due.value ->> 2
     FROM json_each(" (due: Text) ") AS due CROSS JOIN site_config AS site
     WHERE site.enabled = 1 AND site.cron IS NOT NULL AND site.cron = (due.value ->> 0) AND site.active_from < (due.value ->> 1)
     ORDER BY 1, site.id ON CONFLICT DO NOTHING"
);

statement!(RecordGap { after: i64 as BigInt, until: i64 as BigInt } -> () =
    "INSERT INTO schedule_gap (after_s, until_s) VALUES (" (after: BigInt) ", " (until: BigInt) ")");

statement!(
    /// The condition by which a job is found.
    Key { region: String as Text, scheduled_at: i64 as BigInt, site_id: i64 as BigInt } -> () =
    "region = " (region: Text) " AND scheduled_at = " (scheduled_at: BigInt) " AND site_id = " (site_id: BigInt)
);

impl From<&Slot> for Key {
    fn from(Slot { scheduled_at, site_id, region }: &Slot) -> Self {
        Self { region: region.to_string(), scheduled_at: scheduled_at.timestamp(), site_id: site_id.0 }
    }
}

statement!(Complete { slot: Key as (), owner: String as Text } -> () =
    "DELETE FROM job_queue WHERE " (include slot) " AND lease_owner = " (owner: Text));

statement!(Release { slot: Key as (), owner: String as Text } -> () =
    "UPDATE job_queue SET visible_at = scheduled_at, lease_owner = NULL WHERE " (include slot) " AND lease_owner = " (owner: Text));

statement!(
    /// In one statement: a process that ends has little time. Jobs are found by their key only where the region has a type: otherwise
    /// SQLite looks through all of the region.
    HandBack { slots: String as Text, owner: String as Text } -> () =
    "UPDATE job_queue SET visible_at = scheduled_at, lease_owner = NULL, attempt = max(attempt - 1, 0)
     WHERE (region, scheduled_at, site_id) IN (
         SELECT CAST(value ->> 0 AS TEXT), value ->> 1, value ->> 2 FROM json_each(" (slots: Text) "))
       AND lease_owner = " (owner: Text)
);

statement!(Renew { slot: Key as (), owner: String as Text, until: i64 as BigInt } -> () =
    "UPDATE job_queue SET visible_at = max(visible_at, " (until: BigInt) ") WHERE " (include slot) " AND lease_owner = " (owner: Text));

statement!(Leased { owner: String as Text } -> (BigInt, BigInt, Text) =
    "SELECT scheduled_at, site_id, region FROM job_queue WHERE lease_owner = " (owner: Text));

statement!(ReleaseAll {} -> () =
    "UPDATE job_queue SET visible_at = scheduled_at, lease_owner = NULL WHERE lease_owner IS NOT NULL");

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use diesel::connection::SimpleConnection as _;

    use super::*;
    use crate::database::sqlite;

    #[tokio::test]
    async fn a_lease_that_had_to_wait_for_another_program_begins_when_it_is_granted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uptime.db");
        sqlite::migrate(&path).unwrap();
        let clock = Clock::system();
        let queue = SqliteJobQueue::new(Sqlite::open(&path).unwrap(), clock.clone());
        let mut other = sqlite::connect(&path).unwrap();
        let job = "INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, origin, active_from)
                     VALUES (1, 'a', 'http://a/', 86400, 0, 1000, 0, 1, 'command', 0);
                   INSERT INTO job_queue (scheduled_at, site_id, visible_at) VALUES (unixepoch(), 1, unixepoch());
                   BEGIN IMMEDIATE";
        other.batch_execute(job).unwrap();

        let meanwhile = async {
            tokio::task::yield_now().await;
            clock.jump(TimeDelta::hours(1));
            other.batch_execute("COMMIT").unwrap();
        };
        let (jobs, ()) =
            tokio::join!(queue.claim("me", Region::DEFAULT, 1, Duration::from_secs(30)), meanwhile);

        assert_eq!(jobs.unwrap().len(), 1);
        let (until,): (i64,) = Until {}.get_result(&mut other).unwrap();
        assert!(until > clock.now_s(), "the lease has not ended before it began");
    }

    statement!(Until {} -> (BigInt,) = "SELECT visible_at FROM job_queue");
}
