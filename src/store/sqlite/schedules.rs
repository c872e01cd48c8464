//! When a site is due: schedules that end and begin, and what ticks would miss in between.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};

use crate::database::statement;
use crate::model::SiteId;
use crate::schedule::Rhythm;

/// Ends a site's schedule. The slot that has become due since the scheduler's last tick is queued here, for the
/// next tick will no longer know of it; earlier ones lie in a gap, as after any outage.
pub(super) fn end(
    connection: &mut SqliteConnection,
    now: i64,
    id: SiteId,
    rhythm: Rhythm,
) -> QueryResult<()> {
    let latest = rhythm.latest_slot(now);
    let (queued_until,): (i64,) = QueuedUntil { id: id.0 }.get_result(connection)?;
    if latest > queued_until {
        Enqueue { id: id.0, at: latest }.execute(connection)?;
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
    rhythm: Rhythm,
    extra: Option<i64>,
) -> QueryResult<()> {
    let first_slot = match extra {
        Some(at) if Enqueue { id: id.0, at }.execute(connection)? > 0 => Some(at),
        _ => None,
    };
    BeginSchedule {
        id: id.0,
        now,
        every_s: rhythm.every_s as i32,
        phase_s: rhythm.phase_s as i32,
        first_slot,
    }
    .execute(connection)?;
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
    /// Queues a slot, unless it is queued or recorded already.
    Enqueue { id: i64 as BigInt, at: i64 as BigInt } -> () =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT " (at: BigInt) ", id, " (at: BigInt) ", every_s FROM site_config WHERE id = " (id: BigInt)
    " AND NOT EXISTS (SELECT 1 FROM ping_status WHERE scheduled_at = " (at: BigInt) " AND site_id = " (id: BigInt)
    ") ON CONFLICT DO NOTHING"
);

statement!(Activate { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_config SET active_from = " (now: BigInt) " WHERE id = " (id: BigInt));

statement!(BeginSchedule {
        id: i64 as BigInt, now: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer,
        first_slot: Option<i64> as Nullable<BigInt>,
    } -> () =
    "INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s, first_slot) VALUES ("
    (id: BigInt) ", " (now: BigInt) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (first_slot: Nullable<BigInt>) ")");

statement!(EndSchedule { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_schedule SET valid_to = " (now: BigInt) " WHERE valid_to IS NULL AND site_id = " (id: BigInt));

statement!(RecordGap { after: i64 as BigInt, until: i64 as BigInt } -> () =
    "INSERT INTO schedule_gap (after_s, until_s) VALUES (" (after: BigInt) ", " (until: BigInt) ")");
