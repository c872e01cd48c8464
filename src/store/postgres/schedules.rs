//! When sites are due: schedules that end and begin while no tick passes, and what ticks would miss in between.

use std::collections::{HashMap, HashSet};

use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::clock::Timestamp;
use crate::database::rows::from_seconds;
use crate::database::{set_back, statement};
use crate::model::SiteSpec;
use crate::schedule::{self, Rhythm};
use crate::store::change_set::{Changed, extra_slot};
use crate::store::{Start, StoreError};

/// The moment of a change, seconds since the epoch. No tick passes until the end of the transaction.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    now: i64,
    last_tick: Option<i64>,
    /// As the rows of new sites say it.
    active_from: i64,
}

/// The time is asked for after the lock is there, which may have taken a while. A clock that was set back, and that no tick has
/// seen yet, is followed here: a tick that came later would pass over the slots since the change.
pub(super) async fn hold_ticks(
    connection: &mut AsyncPgConnection,
    active_from: Timestamp,
) -> Result<Moment, StoreError> {
    HoldTicks {}.execute(connection).await?;
    let (last_tick, now): (Option<Timestamp>, Timestamp) = Progressed {}.get_result(connection).await?;
    let last_tick = last_tick.map(|at| at.timestamp());
    let now = schedule::moment(now.timestamp(), last_tick);
    let active_from = active_from.timestamp();
    let Some(by_s) = last_tick.map(|last| last - now).filter(|by_s| *by_s > 0) else {
        return Ok(Moment { now, last_tick, active_from });
    };
    set_back::postgres(connection, now, by_s).await?;
    log::warn!(by_s; "the clock was set back; slots go on from the new time");
    Ok(Moment { now, last_tick: Some(now), active_from: active_from.min(now) })
}

/// Ends schedules. The slot that has become due since the scheduler's last tick is queued here, for the next tick will no longer
/// know of it; earlier ones lie in a gap, as after any outage.
pub(super) async fn end(
    connection: &mut AsyncPgConnection,
    moment: Moment,
    moved: &[&Changed],
) -> Result<(), StoreError> {
    let ended: HashMap<i64, Rhythm> = moved
        .iter()
        .filter(|change| change.was.spec.enabled)
        .map(|change| (change.was.id.0, change.old_rhythm()))
        .collect();
    if ended.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = ended.keys().copied().collect();
    let active: Vec<(i64, Timestamp)> = ActiveFrom { ids: ids.clone() }.load(connection).await?;
    let (mut due, mut gaps) = (Vec::new(), HashSet::new());
    for (id, active_from) in active {
        let queued_until = active_from.timestamp().max(moment.last_tick.unwrap_or(i64::MIN));
        let latest = ended[&id].latest_slot(moment.now);
        if latest > queued_until {
            due.push((id, latest));
        }
        if ended[&id].count(queued_until, moment.now) > 1 {
            gaps.insert(queued_until);
        }
    }
    enqueue(connection, due.into_iter()).await?;
    for after in gaps {
        RecordGap { after: from_seconds(after), until: from_seconds(moment.now) }.execute(connection).await?;
    }
    EndSchedules { ids, now: from_seconds(moment.now) }.execute(connection).await?;
    Ok(())
}

pub(super) async fn move_sites(
    connection: &mut AsyncPgConnection,
    moment: Moment,
    moved: &[&Changed],
) -> QueryResult<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let rhythms: Vec<Rhythm> = moved.iter().map(|change| change.rhythm()).collect();
    let rows = Move {
        ids: moved.iter().map(|change| change.was.id.0).collect(),
        every_s: rhythms.iter().map(|rhythm| rhythm.every_s as i32).collect(),
        phase_s: rhythms.iter().map(|rhythm| rhythm.phase_s as i32).collect(),
        enabled: moved.iter().map(|change| change.spec.enabled).collect(),
        now: from_seconds(moment.now),
    };
    rows.execute(connection).await?;
    Ok(())
}

/// A schedule that begins.
pub(super) struct Beginning<'a> {
    pub(super) id: i64,
    pub(super) spec: &'a SiteSpec,
    pub(super) rhythm: Rhythm,
    pub(super) start: Start,
    pub(super) is_new: bool,
}

impl<'a> Beginning<'a> {
    pub(super) fn of(change: &'a Changed) -> Self {
        let (id, rhythm) = (change.was.id.0, change.rhythm());
        Self { id, spec: &change.spec, rhythm, start: change.start(), is_new: false }
    }

    fn extra_slot(&self, now: i64) -> Option<i64> {
        extra_slot(self.start, &self.spec.name, self.rhythm, now)
    }

    /// The next tick queues what has become due since the last one, of sites that were active by then. A new site that follows
    /// its phase is left so: to note the present moment in the rows of a whole import would hold the ticks for as long.
    fn valid_from(&self, moment: Moment) -> i64 {
        match (self.is_new, self.start) {
            (true, Start::InPhase | Start::InFirstMinute) => {
                moment.active_from.max(moment.last_tick.unwrap_or(i64::MIN))
            }
            _ => moment.now,
        }
    }
}

/// Begins schedules, with an extra slot for sites that are to be checked before their phase comes.
pub(super) async fn begin(
    connection: &mut AsyncPgConnection,
    moment: Moment,
    beginnings: &[Beginning<'_>],
) -> Result<(), StoreError> {
    let at_once = beginnings.iter().filter(|beginning| beginning.start == Start::AtOnce);
    let at_once: Vec<i64> = at_once.map(|beginning| beginning.id).collect();
    if !at_once.is_empty() {
        Activate { ids: at_once, now: from_seconds(moment.now) }.execute(connection).await?;
    }
    let extra: HashMap<i64, i64> = beginnings
        .iter()
        .filter_map(|beginning| Some((beginning.id, beginning.extra_slot(moment.now)?)))
        .collect();
    let queued: HashSet<i64> = enqueue(connection, extra.clone().into_iter()).await?;
    let first_slot = |id| extra.get(&id).filter(|_| queued.contains(&id)).copied();
    let rhythms = || beginnings.iter().map(|beginning| beginning.rhythm);
    let schedules = BeginSchedules {
        ids: beginnings.iter().map(|beginning| beginning.id).collect(),
        valid_from: beginnings.iter().map(|beginning| from_seconds(beginning.valid_from(moment))).collect(),
        every_s: rhythms().map(|rhythm| rhythm.every_s as i32).collect(),
        phase_s: rhythms().map(|rhythm| rhythm.phase_s as i32).collect(),
        first_slot: beginnings.iter().map(|beginning| first_slot(beginning.id).map(from_seconds)).collect(),
    };
    schedules.execute(connection).await?;
    Ok(())
}

/// Queues slots that are neither queued nor recorded. Returns the sites that got one.
async fn enqueue(
    connection: &mut AsyncPgConnection,
    slots: impl ExactSizeIterator<Item = (i64, i64)>,
) -> QueryResult<HashSet<i64>> {
    if slots.len() == 0 {
        return Ok(HashSet::new());
    }
    let (ids, ats) = slots.map(|(id, at)| (id, from_seconds(at))).unzip();
    let queued: Vec<(i64,)> = Enqueue { ids, ats }.load(connection).await?;
    Ok(queued.into_iter().map(|row| row.0).collect())
}

statement!(for Pg: HoldTicks {} -> (Integer,) = "SELECT id FROM scheduler_state WHERE id = 1 FOR UPDATE");

statement!(for Pg: Progressed {} -> (Nullable<Timestamptz>, Timestamptz) =
    "SELECT last_tick, date_trunc('second', uptime_now()) FROM scheduler_state WHERE id = 1");

statement!(for Pg: ActiveFrom { ids: Vec<i64> as Array<BigInt> } -> (BigInt, Timestamptz) =
    "SELECT id, active_from FROM site_config WHERE id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: Enqueue { ids: Vec<i64> as Array<BigInt>, ats: Vec<Timestamp> as Array<Timestamptz> } -> (BigInt,) =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT slot.at, slot.site_id, slot.at, site.every_s
     FROM unnest(" (ids: Array<BigInt>) ", " (ats: Array<Timestamptz>) ") AS slot (site_id, at)
     JOIN site_config AS site ON site.id = slot.site_id
     WHERE NOT EXISTS (SELECT 1 FROM ping_status AS row WHERE row.scheduled_at = slot.at AND row.site_id = slot.site_id)
     ON CONFLICT DO NOTHING RETURNING site_id");

statement!(for Pg: RecordGap { after: Timestamp as Timestamptz, until: Timestamp as Timestamptz } -> () =
    "INSERT INTO schedule_gap (after_at, until_at) VALUES (" (after: Timestamptz) ", " (until: Timestamptz) ")");

statement!(for Pg: EndSchedules { ids: Vec<i64> as Array<BigInt>, now: Timestamp as Timestamptz } -> () =
    "UPDATE site_schedule SET valid_to = " (now: Timestamptz)
    " WHERE valid_to IS NULL AND site_id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: Move {
        ids: Vec<i64> as Array<BigInt>, every_s: Vec<i32> as Array<Integer>, phase_s: Vec<i32> as Array<Integer>,
        enabled: Vec<bool> as Array<Bool>, now: Timestamp as Timestamptz,
    } -> () =
    "UPDATE site_config AS site
     SET every_s = new.every_s, phase_s = new.phase_s, enabled = new.enabled, active_from = " (now: Timestamptz)
    " FROM unnest(" (ids: Array<BigInt>) ", " (every_s: Array<Integer>) ", " (phase_s: Array<Integer>) ", "
      (enabled: Array<Bool>) ") AS new (id, every_s, phase_s, enabled)
     WHERE site.id = new.id");

statement!(for Pg: Activate { ids: Vec<i64> as Array<BigInt>, now: Timestamp as Timestamptz } -> () =
    "UPDATE site_config SET active_from = " (now: Timestamptz) " WHERE id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: BeginSchedules {
        ids: Vec<i64> as Array<BigInt>, valid_from: Vec<Timestamp> as Array<Timestamptz>, every_s: Vec<i32> as Array<Integer>,
        phase_s: Vec<i32> as Array<Integer>, first_slot: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
    } -> () =
    "INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s, first_slot)
     SELECT * FROM unnest(" (ids: Array<BigInt>) ", " (valid_from: Array<Timestamptz>) ", " (every_s: Array<Integer>) ", "
       (phase_s: Array<Integer>) ", " (first_slot: Array<Nullable<Timestamptz>>) ")");
