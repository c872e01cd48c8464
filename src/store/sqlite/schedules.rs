//! When a site is due: schedules that end and begin, and what ticks would miss in between.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::database::statement;
use crate::model::SiteId;
use crate::schedule::Rhythm;
use crate::store::rhythm::Columns;

/// Ends a site's schedule. The slot that has become due since the scheduler's last tick is queued here, for the
/// next tick will no longer know of it; earlier ones lie in a gap, as after any outage.
pub(super) fn end(
    connection: &mut SqliteConnection,
    now: i64,
    id: SiteId,
    rhythm: &Rhythm,
) -> QueryResult<()> {
    let (queued_until,): (i64,) = QueuedUntil { id: id.0 }.get_result(connection)?;
    if let Some(latest) = rhythm.latest(now).filter(|latest| *latest > queued_until) {
        Enqueue::new(id, rhythm, latest).execute(connection)?;
    }
    if rhythm.count(queued_until, now) > 1 {
        RecordGap { after: queued_until, until: now }.execute(connection)?;
    }
    EndSchedule { id: id.0, now }.execute(connection)?;
    Ok(())
}

/// Begins the schedule of a site that is active from `now` on, with an extra slot where one is wanted.
pub(super) fn begin(
    connection: &mut SqliteConnection,
    now: i64,
    id: SiteId,
    rhythm: &Rhythm,
    extra: Option<i64>,
) -> QueryResult<()> {
    let first_slot = match extra {
        Some(at) if Enqueue::new(id, rhythm, at).execute(connection)? > 0 => Some(at),
        _ => None,
    };
    let Columns { every_s, phase_s, cron } = rhythm.into();
    BeginSchedule { id: id.0, now, every_s, phase_s, cron, first_slot }.execute(connection)?;
    Ok(())
}

/// Slots up to `now` are none of a site that begins now.
pub(super) fn activate(connection: &mut SqliteConnection, now: i64, id: SiteId) -> QueryResult<usize> {
    Activate { id: id.0, now }.execute(connection)
}

statement!(
    /// Up to where this site's slots are queued: the last tick, but not before the site became active.
    QueuedUntil { id: i64 as BigInt } -> (BigInt,) =
    "SELECT max(site.active_from, coalesce(state.last_tick, site.active_from))
     FROM site_config AS site, scheduler_state AS state WHERE site.id = " (id: BigInt) " AND state.id = 1"
);

statement!(
    /// Queues a slot of the default region, unless it is queued or recorded already.
    Enqueue { id: i64 as BigInt, at: i64 as BigInt, late_after_s: i64 as BigInt } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT " (at: BigInt) ", id, " (at: BigInt) ", " (late_after_s: BigInt) " FROM site_config WHERE id = " (id: BigInt)
    " AND NOT EXISTS (SELECT 1 FROM ping_status WHERE scheduled_at = " (at: BigInt) " AND site_id = " (id: BigInt)
    " AND region = '') ON CONFLICT DO NOTHING"
);

impl Enqueue {
    fn new(id: SiteId, rhythm: &Rhythm, at: i64) -> Self {
        Self { id: id.0, at, late_after_s: rhythm.patience_s(at).into() }
    }
}

statement!(Activate { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_config SET active_from = " (now: BigInt) " WHERE id = " (id: BigInt));

statement!(BeginSchedule {
        id: i64 as BigInt, now: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer, cron: Option<String> as Nullable<Text>,
        first_slot: Option<i64> as Nullable<BigInt>,
    } -> () =
    "INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s, cron, first_slot) VALUES ("
    (id: BigInt) ", " (now: BigInt) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (cron: Nullable<Text>) ", " (first_slot: Nullable<BigInt>) ")");

statement!(EndSchedule { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_schedule SET valid_to = " (now: BigInt) " WHERE valid_to IS NULL AND site_id = " (id: BigInt));

statement!(RecordGap { after: i64 as BigInt, until: i64 as BigInt } -> () =
    "INSERT INTO schedule_gap (after_s, until_s) VALUES (" (after: BigInt) ", " (until: BigInt) ")");
