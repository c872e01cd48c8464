//! When sites are due: schedules that end and begin while no tick passes, and what ticks would miss in between.

use std::collections::{HashMap, HashSet};

use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::clock::Timestamp;
use crate::database::rows::from_seconds;
use crate::database::{set_back, statement};
use crate::model::SiteSpec;
use crate::schedule::{self, Rhythm};
use crate::store::change_set::{Changed, extra_slot};
use crate::store::rhythm::Columns;
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
    let ended: HashMap<i64, &Rhythm> = moved
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
        let latest = ended[&id].latest(moment.now);
        if let Some(latest) = latest.filter(|latest| *latest > queued_until) {
            due.push(Extra { id, at: latest, late_after_s: ended[&id].patience_s(latest) as i32 });
        }
        if ended[&id].count(queued_until, moment.now) > 1 {
            gaps.insert(queued_until);
        }
    }
    enqueue(connection, due).await?;
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
    let rhythms: Vec<Columns> = moved.iter().map(|change| (&change.rhythm()).into()).collect();
    let rows = Move {
        ids: moved.iter().map(|change| change.was.id.0).collect(),
        every_s: rhythms.iter().map(|rhythm| rhythm.every_s).collect(),
        phase_s: rhythms.iter().map(|rhythm| rhythm.phase_s).collect(),
        crons: rhythms.into_iter().map(|rhythm| rhythm.cron).collect(),
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

    fn extra_slot(&self, now: i64) -> Option<Extra> {
        let at = extra_slot(self.start, &self.spec.name, &self.rhythm, now)?;
        Some(Extra { id: self.id, at, late_after_s: self.rhythm.patience_s(at) as i32 })
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
    let extra: Vec<Extra> =
        beginnings.iter().filter_map(|beginning| beginning.extra_slot(moment.now)).collect();
    let at: HashMap<i64, i64> = extra.iter().map(|extra| (extra.id, extra.at)).collect();
    let queued: HashSet<i64> = enqueue(connection, extra).await?;
    let first_slot = |id| at.get(&id).filter(|_| queued.contains(&id)).copied();
    let rhythms: Vec<Columns> = beginnings.iter().map(|beginning| (&beginning.rhythm).into()).collect();
    let schedules = BeginSchedules {
        ids: beginnings.iter().map(|beginning| beginning.id).collect(),
        valid_from: beginnings.iter().map(|beginning| from_seconds(beginning.valid_from(moment))).collect(),
        every_s: rhythms.iter().map(|rhythm| rhythm.every_s).collect(),
        phase_s: rhythms.iter().map(|rhythm| rhythm.phase_s).collect(),
        crons: rhythms.into_iter().map(|rhythm| rhythm.cron).collect(),
        first_slot: beginnings.iter().map(|beginning| first_slot(beginning.id).map(from_seconds)).collect(),
    };
    schedules.execute(connection).await?;
    Ok(())
}

/// A slot that no tick queues.
struct Extra {
    id: i64,
    at: i64,
    late_after_s: i32,
}

/// Queues slots of the default region that are neither queued nor recorded. Returns the sites that got one.
async fn enqueue(connection: &mut AsyncPgConnection, slots: Vec<Extra>) -> QueryResult<HashSet<i64>> {
    if slots.is_empty() {
        return Ok(HashSet::new());
    }
    let enqueue = Enqueue {
        ids: slots.iter().map(|slot| slot.id).collect(),
        ats: slots.iter().map(|slot| from_seconds(slot.at)).collect(),
        late_after_s: slots.iter().map(|slot| slot.late_after_s).collect(),
    };
    let queued: Vec<(i64,)> = enqueue.load(connection).await?;
    Ok(queued.into_iter().map(|row| row.0).collect())
}

statement!(for Pg: HoldTicks {} -> (Integer,) = "SELECT id FROM scheduler_state WHERE id = 1 FOR UPDATE");

statement!(for Pg: Progressed {} -> (Nullable<Timestamptz>, Timestamptz) =
    "SELECT last_tick, date_trunc('second', uptime_now()) FROM scheduler_state WHERE id = 1");

statement!(for Pg: ActiveFrom { ids: Vec<i64> as Array<BigInt> } -> (BigInt, Timestamptz) =
    "SELECT id, active_from FROM site_config WHERE id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: Enqueue {
        ids: Vec<i64> as Array<BigInt>, ats: Vec<Timestamp> as Array<Timestamptz>, late_after_s: Vec<i32> as Array<Integer>,
    } -> (BigInt,) =
    "INSERT INTO job_queue (scheduled_at, site_id, visible_at, late_after_s)
     SELECT slot.at, slot.site_id, slot.at, slot.late_after_s
     FROM unnest(" (ids: Array<BigInt>) ", " (ats: Array<Timestamptz>) ", " (late_after_s: Array<Integer>) ")
       AS slot (site_id, at, late_after_s)
     JOIN site_config AS site ON site.id = slot.site_id
     WHERE NOT EXISTS (SELECT 1 FROM ping_status AS row WHERE row.scheduled_at = slot.at AND row.site_id = slot.site_id AND row.region = '')
     ON CONFLICT DO NOTHING RETURNING site_id");

statement!(for Pg: RecordGap { after: Timestamp as Timestamptz, until: Timestamp as Timestamptz } -> () =
    "INSERT INTO schedule_gap (after_at, until_at) VALUES (" (after: Timestamptz) ", " (until: Timestamptz) ")");

statement!(for Pg: EndSchedules { ids: Vec<i64> as Array<BigInt>, now: Timestamp as Timestamptz } -> () =
    "UPDATE site_schedule SET valid_to = " (now: Timestamptz)
    " WHERE valid_to IS NULL AND site_id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: Move {
        ids: Vec<i64> as Array<BigInt>, every_s: Vec<i32> as Array<Integer>, phase_s: Vec<i32> as Array<Integer>,
        crons: Vec<Option<String>> as Array<Nullable<Text>>, enabled: Vec<bool> as Array<Bool>, now: Timestamp as Timestamptz,
    } -> () =
    "UPDATE site_config AS site
     SET every_s = new.every_s, phase_s = new.phase_s, cron = new.cron, enabled = new.enabled, active_from = " (now: Timestamptz)
    " FROM unnest(" (ids: Array<BigInt>) ", " (every_s: Array<Integer>) ", " (phase_s: Array<Integer>) ", "
      (crons: Array<Nullable<Text>>) ", " (enabled: Array<Bool>) ") AS new (id, every_s, phase_s, cron, enabled)
     WHERE site.id = new.id");

statement!(for Pg: Activate { ids: Vec<i64> as Array<BigInt>, now: Timestamp as Timestamptz } -> () =
    "UPDATE site_config SET active_from = " (now: Timestamptz) " WHERE id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg: BeginSchedules {
        ids: Vec<i64> as Array<BigInt>, valid_from: Vec<Timestamp> as Array<Timestamptz>, every_s: Vec<i32> as Array<Integer>,
        phase_s: Vec<i32> as Array<Integer>, crons: Vec<Option<String>> as Array<Nullable<Text>>,
        first_slot: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
    } -> () =
    "INSERT INTO site_schedule (site_id, valid_from, every_s, phase_s, cron, first_slot)
     SELECT * FROM unnest(" (ids: Array<BigInt>) ", " (valid_from: Array<Timestamptz>) ", " (every_s: Array<Integer>) ", "
       (phase_s: Array<Integer>) ", " (crons: Array<Nullable<Text>>) ", " (first_slot: Array<Nullable<Timestamptz>>) ")");
