//! Changing sites, one or very many, in steps that each handle all of them at once.
//!
//! A site that is added while a tick passes must not lose a slot, and ticks must not stand still during an import. So rows are
//! written first, which no tick sees before the end of the transaction, and only then ticks are held, for the last step: from
//! which slot on each site is due.

use std::collections::{HashMap, HashSet};

use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::clock::Timestamp;
use crate::database::rows::from_seconds;
use crate::database::{set_back, statement};
use crate::model::{Origin, SiteId, SiteSpec};
use crate::schedule::{self, Rhythm};
use crate::store::change_set::{ChangeSet, Changed, New, extra_slot, rhythm};
use crate::store::{Progress, Start, StoreError};

/// Sites in one statement: it bounds memory on both sides, and progress is told between them.
const STEP: usize = 5_000;

/// Does what `set` says. Must be inside a transaction, and no other change may be under way.
pub(super) async fn apply(
    connection: &mut AsyncPgConnection,
    set: ChangeSet,
    progress: Progress,
) -> Result<(), StoreError> {
    let (active_from,): (Timestamp,) = Now {}.get_result(connection).await?;
    let ids = insert(connection, &set, active_from, &progress).await?;
    change_settings(connection, set.origin, &set.changed).await?;
    leave(connection, &set.left, active_from).await?;
    let moved: Vec<&Changed> = set.changed.iter().chain(&set.left).filter(|change| change.moves()).collect();
    let mut beginnings: Vec<Beginning<'_>> = set
        .new
        .iter()
        .zip(ids)
        .filter(|(new, _)| new.spec.enabled)
        .map(|(new, id)| Beginning {
            id,
            spec: &new.spec,
            rhythm: rhythm(&new.spec),
            start: new.start,
            is_new: true,
        })
        .collect();
    if moved.is_empty() && beginnings.is_empty() {
        return Ok(());
    }
    let moment = hold_ticks(connection, active_from).await?;
    end(connection, moment, &moved).await?;
    move_sites(connection, moment, &moved).await?;
    beginnings.extend(moved.iter().filter(|change| change.spec.enabled).map(|change| Beginning::of(change)));
    begin(connection, moment, &beginnings).await
}

/// Removes a site with all but its results.
pub(super) async fn remove(connection: &mut AsyncPgConnection, id: SiteId) -> Result<(), StoreError> {
    HoldTicks {}.execute(connection).await?;
    Delete { id: id.0 }.execute(connection).await?;
    Ok(())
}

/// The moment of a change, seconds since the epoch. No tick passes until the end of the transaction.
#[derive(Clone, Copy)]
struct Moment {
    now: i64,
    last_tick: Option<i64>,
    /// As the rows of new sites say it.
    active_from: i64,
}

/// The time is asked for after the lock is there, which may have taken a while. A clock that was set back, and that no tick has
/// seen yet, is followed here: a tick that came later would pass over the slots since the change.
async fn hold_ticks(
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

/// The ids of the new sites, in their order.
async fn insert(
    connection: &mut AsyncPgConnection,
    set: &ChangeSet,
    active_from: Timestamp,
    progress: &Progress,
) -> Result<Vec<i64>, StoreError> {
    if let Some(highest) = set.new.iter().filter_map(|new| new.id).max() {
        PassIds { highest: highest.0 }.execute(connection).await?;
    }
    let mut ids = Vec::with_capacity(set.new.len());
    for step in set.new.chunks(STEP) {
        let rows: Vec<(i64, String)> = Insert::of(step, set.origin, active_from).load(connection).await?;
        let by_name: HashMap<String, i64> = rows.into_iter().map(|(id, name)| (name, id)).collect();
        ids.extend(step.iter().filter_map(|new| by_name.get(&new.spec.name)));
        progress(ids.len());
    }
    Ok(ids)
}

/// All but when it is due.
async fn change_settings(
    connection: &mut AsyncPgConnection,
    origin: Origin,
    changed: &[Changed],
) -> QueryResult<()> {
    for step in changed.chunks(STEP) {
        let mut step: Vec<&Changed> = step.iter().collect();
        step.sort_unstable_by_key(|change| change.was.id);
        let specs = || step.iter().map(|change| &change.spec);
        let ids: Vec<i64> = step.iter().map(|change| change.was.id.0).collect();
        let urls: Vec<String> = specs().map(|spec| spec.url.clone()).collect();
        let settings = Settings {
            ids: ids.clone(),
            names: specs().map(|spec| spec.name.clone()).collect(),
            urls: urls.clone(),
            timeouts: specs().map(timeout_ms).collect(),
            retries: specs().map(|spec| spec.retries.into()).collect(),
            tags: specs().map(tags).collect(),
            settings: specs().map(SiteSpec::settings_text).collect(),
            origin: origin.stored_word(),
        };
        settings.execute(connection).await?;
        StatusUrls { ids, urls }.execute(connection).await?;
    }
    Ok(())
}

/// Sites that have left the file keep all but their schedules, also what this version cannot read.
async fn leave(connection: &mut AsyncPgConnection, left: &[Changed], now: Timestamp) -> QueryResult<()> {
    if !left.is_empty() {
        Leave { ids: left.iter().map(|change| change.was.id.0).collect(), now }.execute(connection).await?;
    }
    Ok(())
}

/// Ends schedules. The slot that has become due since the scheduler's last tick is queued here, for the next tick will no longer
/// know of it; earlier ones lie in a gap, as after any outage.
async fn end(
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

async fn move_sites(
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
struct Beginning<'a> {
    id: i64,
    spec: &'a SiteSpec,
    rhythm: Rhythm,
    start: Start,
    is_new: bool,
}

impl<'a> Beginning<'a> {
    fn of(change: &'a Changed) -> Self {
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
async fn begin(
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

fn timeout_ms(spec: &SiteSpec) -> i64 {
    i64::try_from(spec.timeout.as_millis()).unwrap_or(i64::MAX)
}

fn tags(spec: &SiteSpec) -> String {
    serde_json::json!(spec.tags).to_string()
}

impl Insert {
    fn of(new: &[New], origin: Origin, active_from: Timestamp) -> Self {
        let specs = || new.iter().map(|new| &new.spec);
        Self {
            ids: new.iter().map(|new| new.id.map(|id| id.0)).collect(),
            names: specs().map(|spec| spec.name.clone()).collect(),
            urls: specs().map(|spec| spec.url.clone()).collect(),
            every_s: specs().map(|spec| spec.every_s as i32).collect(),
            phase_s: specs().map(|spec| rhythm(spec).phase_s as i32).collect(),
            timeouts: specs().map(timeout_ms).collect(),
            retries: specs().map(|spec| spec.retries.into()).collect(),
            enabled: specs().map(|spec| spec.enabled).collect(),
            tags: specs().map(tags).collect(),
            settings: specs().map(SiteSpec::settings_text).collect(),
            origin: origin.stored_word(),
            active_from,
        }
    }
}

statement!(for Pg: Now {} -> (Timestamptz,) = "SELECT date_trunc('second', uptime_now())");

statement!(for Pg: HoldTicks {} -> (Integer,) = "SELECT id FROM scheduler_state WHERE id = 1 FOR UPDATE");

statement!(for Pg: Progressed {} -> (Nullable<Timestamptz>, Timestamptz) =
    "SELECT last_tick, date_trunc('second', uptime_now()) FROM scheduler_state WHERE id = 1");

statement!(for Pg: Delete { id: i64 as BigInt } -> () = "DELETE FROM site_config WHERE id = " (id: BigInt));

statement!(for Pg:
    /// Ids that are named are never given out.
    PassIds { highest: i64 as BigInt } -> (BigInt,) =
    "SELECT setval('site_config_id_seq', greatest(last_value, " (highest: BigInt) ")) FROM site_config_id_seq"
);

statement!(for Pg: Insert {
        ids: Vec<Option<i64>> as Array<Nullable<BigInt>>, names: Vec<String> as Array<Text>, urls: Vec<String> as Array<Text>,
        every_s: Vec<i32> as Array<Integer>, phase_s: Vec<i32> as Array<Integer>, timeouts: Vec<i64> as Array<BigInt>,
        retries: Vec<i32> as Array<Integer>, enabled: Vec<bool> as Array<Bool>, tags: Vec<String> as Array<Text>,
        settings: Vec<Option<String>> as Array<Nullable<Text>>, origin: &'static str as Text, active_from: Timestamp as Timestamptz,
    } -> (BigInt, Text) =
    "WITH site AS (
       INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, tags, settings, origin,
         active_from)
       SELECT coalesce(new.id, nextval('site_config_id_seq')), new.name, new.url, new.every_s, new.phase_s, new.timeout_ms,
         new.retries, new.enabled, new.tags::jsonb, new.settings::json, " (origin: Text) ", " (active_from: Timestamptz) "
       FROM unnest(" (ids: Array<Nullable<BigInt>>) ", " (names: Array<Text>) ", " (urls: Array<Text>) ", "
         (every_s: Array<Integer>) ", " (phase_s: Array<Integer>) ", " (timeouts: Array<BigInt>) ", "
         (retries: Array<Integer>) ", " (enabled: Array<Bool>) ", " (tags: Array<Text>) ", " (settings: Array<Nullable<Text>>) ")
         AS new (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, tags, settings)
       RETURNING id, name, url),
     status AS (INSERT INTO sites (site_id, url) SELECT id, url FROM site)
     SELECT id, name FROM site");

statement!(for Pg: Settings {
        ids: Vec<i64> as Array<BigInt>, names: Vec<String> as Array<Text>, urls: Vec<String> as Array<Text>,
        timeouts: Vec<i64> as Array<BigInt>, retries: Vec<i32> as Array<Integer>, tags: Vec<String> as Array<Text>,
        settings: Vec<Option<String>> as Array<Nullable<Text>>, origin: &'static str as Text,
    } -> () =
    "UPDATE site_config AS site SET name = new.name, url = new.url, timeout_ms = new.timeout_ms, retries = new.retries,
       tags = new.tags::jsonb, settings = new.settings::json, origin = " (origin: Text) ", left_file_at = NULL,
       revision = revision + 1
     FROM unnest(" (ids: Array<BigInt>) ", " (names: Array<Text>) ", " (urls: Array<Text>) ", " (timeouts: Array<BigInt>) ", "
       (retries: Array<Integer>) ", " (tags: Array<Text>) ", " (settings: Array<Nullable<Text>>) ")
       AS new (id, name, url, timeout_ms, retries, tags, settings)
     WHERE site.id = new.id");

statement!(for Pg: Leave { ids: Vec<i64> as Array<BigInt>, now: Timestamp as Timestamptz } -> () =
    "UPDATE site_config SET enabled = false, left_file_at = " (now: Timestamptz)
    ", revision = revision + 1 WHERE id = ANY(" (ids: Array<BigInt>) ")");

statement!(for Pg:
    /// In the order in which results lock sites.
    StatusUrls { ids: Vec<i64> as Array<BigInt>, urls: Vec<String> as Array<Text> } -> () =
    "WITH new AS MATERIALIZED (
       SELECT now.site_id, new.url FROM unnest(" (ids: Array<BigInt>) ", " (urls: Array<Text>) ") AS new (site_id, url)
       JOIN sites AS now ON now.site_id = new.site_id WHERE now.url <> new.url
       ORDER BY now.site_id FOR NO KEY UPDATE OF now)
     UPDATE sites SET url = new.url FROM new WHERE sites.site_id = new.site_id"
);

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
