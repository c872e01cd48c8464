//! The queue in PostgreSQL, for any number of schedulers and workers. Every time in it is the database's.

mod claim;
mod depth;
mod late;

use std::time::Duration;

use async_trait::async_trait;
use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text, Timestamptz};
use diesel_async::methods::ExecuteDsl;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use self::claim::{Lease, claim, claim_suspects};
use super::share::Turns;
use super::tick::{Due, DueCron, Plan, Progress, Rules};
use super::{Depth, JobQueue, QueueError, Settled, Tick};
use crate::clock::Timestamp;
use crate::database::postgres::Postgres;
use crate::database::rows::from_seconds;
use crate::database::{DatabaseError, set_back, statement};
use crate::model::{Job, Region, Slot};
use crate::schedule::{self, DueRange};

/// [`JobQueue`] on PostgreSQL.
#[derive(Clone)]
pub struct PostgresJobQueue {
    database: Postgres,
    turns: Turns,
}

impl PostgresJobQueue {
    /// A queue in `database`.
    pub fn new(database: Postgres) -> Self {
        Self { database, turns: Turns::default() }
    }

    /// Runs one statement, and returns how many jobs it has changed.
    async fn change(
        &self,
        statement: impl ExecuteDsl<AsyncPgConnection> + Send + 'static,
    ) -> Result<usize, QueueError> {
        let work = async move |connection: &mut AsyncPgConnection| -> Result<usize, DatabaseError> {
            Ok(statement.execute(connection).await?)
        };
        Ok(self.database.call(work).await?)
    }
}

#[async_trait]
impl JobQueue for PostgresJobQueue {
    async fn enqueue_due(&self) -> Result<Tick, QueueError> {
        Ok(self.database.transaction(async |connection| tick(connection).await).await?)
    }

    async fn claim(
        &self,
        owner: &str,
        region: Region,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Job>, QueueError> {
        let share = self.turns.next(limit);
        let lease = Lease::new(owner, region, lease);
        Ok(self.database.call(async move |connection| claim(connection, region, share, lease).await).await?)
    }

    async fn claim_suspects(
        &self,
        owner: &str,
        region: Region,
        lease: Duration,
        given_up: u32,
    ) -> Result<Vec<Job>, QueueError> {
        let lease = Lease::new(owner, region, lease);
        let work = async move |connection: &mut AsyncPgConnection| {
            claim_suspects(connection, region, lease, given_up).await
        };
        Ok(self.database.call(work).await?)
    }

    async fn settle_late(&self, worker: &str, most: usize) -> Result<Settled, QueueError> {
        let worker = worker.to_owned();
        Ok(self.database.call(async move |connection| late::settle(connection, &worker, most).await).await?)
    }

    async fn complete(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), Keys::of(slots));
        self.change(Complete { slots, owner }).await
    }

    async fn release(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), Keys::of(slots));
        self.change(Release { slots, owner }).await
    }

    async fn hand_back(&self, owner: &str, slots: &[Slot]) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), Keys::of(slots));
        self.change(HandBack { slots, owner }).await
    }

    async fn renew(&self, owner: &str, slots: &[Slot], lease: Duration) -> Result<usize, QueueError> {
        let (owner, slots) = (owner.to_owned(), Keys::of(slots));
        self.change(Renew { slots, owner, lease_s: lease.as_secs_f64() }).await
    }

    async fn leased(&self, owner: &str) -> Result<Vec<Slot>, QueueError> {
        let owner = owner.to_owned();
        let work = async move |connection: &mut AsyncPgConnection| -> Result<_, DatabaseError> {
            Ok(Leased { owner }.load::<(Timestamp, i64, String)>(connection).await?)
        };
        let rows = self.database.call(work).await?;
        Ok(rows.into_iter().filter_map(|(at, site, region)| Slot::stored(at, site, &region)).collect())
    }

    /// Others may work with any of these leases; those of the dead end by themselves.
    async fn release_dead(&self) -> Result<usize, QueueError> {
        Ok(0)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        Ok(self.database.call(async |connection| depth::count(connection).await).await?)
    }
}

statement!(for Pg:
    /// Slots as the rows of `slot`, in the order in which every statement locks them, so that no two wait for each other.
    Keys { regions: Vec<String> as Array<Text>, ats: Vec<Timestamp> as Array<Timestamptz>, sites: Vec<i64> as Array<BigInt> } -> () =
    "unnest(" (regions: Array<Text>) ", " (ats: Array<Timestamptz>) ", " (sites: Array<BigInt>) ") AS slot (region, scheduled_at, site_id)"
);

impl Keys {
    fn of(slots: &[Slot]) -> Self {
        let mut slots = slots.to_vec();
        slots.sort_unstable();
        Self {
            regions: slots.iter().map(|slot| slot.region.to_string()).collect(),
            ats: slots.iter().map(|slot| slot.scheduled_at).collect(),
            sites: slots.iter().map(|slot| slot.site_id.0).collect(),
        }
    }
}

/// Queues what has become due, unless another scheduler is just doing so.
async fn tick(connection: &mut AsyncPgConnection) -> Result<Tick, DatabaseError> {
    type Row = (Option<Timestamp>, Option<Timestamp>, Timestamp);
    let state = HoldTicks {}.get_result::<Row>(connection).await.optional()?;
    let Some((last_tick, first_site, now)) = state else { return Ok(Tick::default()) };
    if !schedule::is_possible(now.timestamp()) {
        return Ok(Tick { impossible: Some(now), ..Tick::default() });
    }
    let rules = Rules::new(Intervals {}.load(connection).await?, Crons {}.load(connection).await?);
    let seconds = |at: Timestamp| at.timestamp();
    let progress = Progress {
        last_tick: last_tick.map(seconds),
        first_site: first_site.map(seconds),
        now: seconds(now),
    };
    match Plan::of(progress, &rules) {
        Plan::Wait => Ok(Tick::default()),
        Plan::SetBack { by_s } => {
            set_back::postgres(connection, progress.now, by_s).await?;
            Ok(Tick { set_back: Some(Duration::from_secs(by_s.unsigned_abs())), ..Tick::default() })
        }
        Plan::Enqueue(due) => enqueue(connection, progress.now, &due).await,
    }
}

async fn enqueue(connection: &mut AsyncPgConnection, now: i64, due: &Due) -> Result<Tick, DatabaseError> {
    if let Some(gap) = due.gap {
        RecordGap { after: gap.after, until: gap.until }.execute(connection).await?;
    }
    let of_intervals = enqueue_ranges(connection, &due.ranges).await?;
    let queued = of_intervals + enqueue_crons(connection, &due.crons).await?;
    if queued > 0 || due.is_news {
        SetLastTick { now: from_seconds(now) }.execute(connection).await?;
    }
    Ok(Tick { queued, gap: due.gap, ..Tick::default() })
}

async fn enqueue_ranges(connection: &mut AsyncPgConnection, ranges: &[DueRange]) -> QueryResult<usize> {
    if ranges.is_empty() {
        return Ok(0);
    }
    let column = |of: fn(&DueRange) -> u32| ranges.iter().map(|range| of(range) as i32).collect();
    let due = EnqueueDue {
        every_s: column(|range| range.every_s),
        phase_from: column(|range| range.phase_from),
        phase_to: column(|range| range.phase_to),
        bases: ranges.iter().map(|range| from_seconds(range.base)).collect(),
    };
    due.execute(connection).await
}

async fn enqueue_crons(connection: &mut AsyncPgConnection, due: &[DueCron]) -> QueryResult<usize> {
    if due.is_empty() {
        return Ok(0);
    }
    let due = EnqueueCrons {
        crons: due.iter().map(|due| due.cron.clone()).collect(),
        ats: due.iter().map(|due| from_seconds(due.at)).collect(),
        late_after_s: due.iter().map(|due| due.late_after_s as i32).collect(),
    };
    due.execute(connection).await
}

statement!(for Pg:
    /// The right to tick; no row while another has it. Nothing is waited for, so the time is that of the lock.
    HoldTicks {} -> (Nullable<Timestamptz>, Nullable<Timestamptz>, Timestamptz) =
    "SELECT last_tick, CASE WHEN last_tick IS NULL THEN (SELECT min(active_from) FROM site_config) END,
            date_trunc('second', uptime_now())
     FROM scheduler_state WHERE id = 1 FOR UPDATE SKIP LOCKED"
);

statement!(for Pg: SetLastTick { now: Timestamp as Timestamptz } -> () =
    "UPDATE scheduler_state SET last_tick = " (now: Timestamptz) " WHERE id = 1");

statement!(for Pg:
    /// Distinct intervals, ascending, by one index seek each instead of a scan over all sites.
    Intervals {} -> (Integer,) =
    "WITH RECURSIVE interval(s) AS (
       SELECT min(every_s) FROM site_config WHERE enabled AND cron IS NULL
       UNION ALL
       SELECT (SELECT min(every_s) FROM site_config WHERE enabled AND cron IS NULL AND every_s > interval.s) FROM interval WHERE s IS NOT NULL)
     SELECT s FROM interval WHERE s IS NOT NULL"
);

statement!(for Pg:
    /// OFFSET 0 keeps the planner from hashing all sites: one range of the index for each range that is due.
    EnqueueDue {
        every_s: Vec<i32> as Array<Integer>, phase_from: Vec<i32> as Array<Integer>, phase_to: Vec<i32> as Array<Integer>,
        bases: Vec<Timestamp> as Array<Timestamptz>,
    } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT due.at, due.site_id, due.at, range.every_s
     FROM unnest(" (every_s: Array<Integer>) ", " (phase_from: Array<Integer>) ", " (phase_to: Array<Integer>) ", "
     (bases: Array<Timestamptz>) ") AS range (every_s, phase_from, phase_to, base)
     CROSS JOIN LATERAL (
       SELECT site.id AS site_id, range.base + site.phase_s * interval '1 second' AS at
       FROM site_config AS site
       WHERE site.enabled AND site.cron IS NULL AND site.every_s = range.every_s AND site.phase_s BETWEEN range.phase_from AND range.phase_to
         AND site.active_from < range.base + site.phase_s * interval '1 second'
       OFFSET 0) AS due
     ON CONFLICT DO NOTHING"
);

statement!(for Pg:
    /// Distinct cron expressions, in the same way.
    Crons {} -> (Text,) =
    "WITH RECURSIVE rule(cron) AS (
       SELECT min(cron) FROM site_config WHERE enabled AND cron IS NOT NULL
       UNION ALL
       SELECT (SELECT min(cron) FROM site_config WHERE enabled AND cron IS NOT NULL AND cron > rule.cron)
       FROM rule WHERE cron IS NOT NULL)
     SELECT cron FROM rule WHERE cron IS NOT NULL"
);

statement!(for Pg:
    /// Jobs come in order of their key: sites of one expression lie apart in it.
    EnqueueCrons {
        crons: Vec<String> as Array<Text>, ats: Vec<Timestamp> as Array<Timestamptz>, late_after_s: Vec<i32> as Array<Integer>,
    } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT due.at, site.id, due.at, due.late_after_s
     FROM unnest(" (crons: Array<Text>) ", " (ats: Array<Timestamptz>) ", " (late_after_s: Array<Integer>) ") AS due (cron, at, late_after_s)
     CROSS JOIN LATERAL (
       SELECT id FROM site_config WHERE enabled AND cron IS NOT NULL AND cron = due.cron AND active_from < due.at
       OFFSET 0) AS site
     ORDER BY due.at, site.id ON CONFLICT DO NOTHING"
);

statement!(for Pg: RecordGap { after: Timestamp as Timestamptz, until: Timestamp as Timestamptz } -> () =
    "INSERT INTO schedule_gap (after_at, until_at) VALUES (" (after: Timestamptz) ", " (until: Timestamptz) ")");

statement!(for Pg: Complete { slots: Keys as (), owner: String as Text } -> () =
    "DELETE FROM job_queue AS job USING " (include slots) " WHERE job.region = slot.region AND job.scheduled_at = slot.scheduled_at AND job.site_id = slot.site_id AND job.lease_owner = " (owner: Text));

statement!(for Pg: Release { slots: Keys as (), owner: String as Text } -> () =
    "UPDATE job_queue AS job SET visible_at = job.scheduled_at, lease_owner = NULL
     FROM " (include slots) " WHERE job.region = slot.region AND job.scheduled_at = slot.scheduled_at AND job.site_id = slot.site_id AND job.lease_owner = " (owner: Text));

statement!(for Pg: HandBack { slots: Keys as (), owner: String as Text } -> () =
    "UPDATE job_queue AS job SET visible_at = job.scheduled_at, lease_owner = NULL, attempt = greatest(job.attempt - 1, 0)
     FROM " (include slots) " WHERE job.region = slot.region AND job.scheduled_at = slot.scheduled_at AND job.site_id = slot.site_id AND job.lease_owner = " (owner: Text));

statement!(for Pg: Renew { slots: Keys as (), owner: String as Text, lease_s: f64 as Double } -> () =
    "UPDATE job_queue AS job
     SET visible_at = greatest(job.visible_at, uptime_now() + make_interval(secs => " (lease_s: Double) "))
     FROM " (include slots) " WHERE job.region = slot.region AND job.scheduled_at = slot.scheduled_at AND job.site_id = slot.site_id AND job.lease_owner = " (owner: Text));

statement!(for Pg: Leased { owner: String as Text } -> (Timestamptz, BigInt, Text) =
    "SELECT scheduled_at, site_id, region FROM job_queue WHERE lease_owner = " (owner: Text));
