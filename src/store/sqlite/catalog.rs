//! The sites: reading and changing what is watched.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use super::SqliteStore;
use super::rows::{AllSites, SiteById, SiteByName, SiteRow, into_site};
use crate::database::sqlite::Durability;
use crate::database::{set_back, statement};
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec};
use crate::schedule::{self, Rhythm};
use crate::store::change_set::{self, ChangeSet, Changed, New, rhythm};
use crate::store::{Catalog, Changes, Listed, Progress, SiteCount, Start, StoreError, refuse_file_site};

/// Progress is told after this many sites.
const PROGRESS_EVERY: usize = 500;

#[async_trait]
impl Catalog for SqliteStore {
    async fn count(&self) -> Result<SiteCount, StoreError> {
        let (all, enabled): (i64, i64) =
            self.database.read(|connection| Ok(CountSites {}.get_result(connection)?)).await?;
        Ok(SiteCount { enabled: enabled as usize, paused: (all - enabled) as usize })
    }

    async fn sites(&self) -> Result<Vec<Listed>, StoreError> {
        self.read(all).await
    }

    async fn site(&self, name: &str) -> Result<Site, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| find(connection, &name)?.complete()).await
    }

    async fn add(&self, spec: SiteSpec, start: Start) -> Result<Site, StoreError> {
        self.write(move |connection, now| {
            let name = spec.name.clone();
            let set = ChangeSet::add(by_name(connection, &name)?, spec, start)?;
            apply(connection, now, &set, &silently())?;
            find(connection, &name)?.complete()
        })
        .await
    }

    async fn import(
        &self,
        sites: Vec<Declared>,
        update: bool,
        progress: Progress,
    ) -> Result<Changes, StoreError> {
        self.write(move |connection, now| import(connection, now, sites, update, &progress)).await
    }

    async fn replace(&self, seen: &Site, spec: SiteSpec) -> Result<Site, StoreError> {
        let seen = seen.clone();
        self.write(move |connection, now| replace(connection, now, &seen, spec)).await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection, _| {
            let site = find(connection, &name)?;
            refuse_file_site(site.known())?;
            Delete { id: site.known().id.0 }.execute(connection)?;
            Ok(())
        })
        .await
    }

    async fn reconcile(&self, declared: Vec<SiteSpec>) -> Result<Changes, StoreError> {
        self.write(move |connection, now| reconcile(connection, now, declared)).await
    }
}

impl SqliteStore {
    /// A read in one consistent state. The outer error is the database's, the inner one the work's.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.database.read(move |connection| Ok(work(connection))).await?
    }

    /// A change in one transaction, at a moment in seconds. An error of the work undoes it all.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection, i64) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = self.clock.clone();
        let work = move |connection: &mut SqliteConnection| {
            let now = moment(connection, clock.now_s())?;
            work(connection, now)
        };
        self.database.transaction(Durability::Full, work).await
    }
}

/// The moment of a change when the clock reads `now`. A clock that was set back, and that no tick has seen yet, is followed here:
/// a tick that came later would pass over the slots since the change.
fn moment(connection: &mut SqliteConnection, now: i64) -> Result<i64, StoreError> {
    let (last_tick,): (Option<i64>,) = LastTick {}.get_result(connection)?;
    let moment = schedule::moment(now, last_tick);
    if let Some(by_s) = last_tick.map(|last| last - moment).filter(|by_s| *by_s > 0) {
        set_back::sqlite(connection, moment, by_s)?;
        log::warn!(by_s; "the clock was set back; slots go on from the new time");
    }
    Ok(moment)
}

fn all(connection: &mut SqliteConnection) -> Result<Vec<Listed>, StoreError> {
    Ok(AllSites {}.load::<SiteRow>(connection)?.into_iter().map(into_site).collect())
}

fn by_name(connection: &mut SqliteConnection, name: &str) -> Result<Option<Listed>, StoreError> {
    Ok(SiteByName::new(name).get_result::<SiteRow>(connection).optional()?.map(into_site))
}

fn by_id(connection: &mut SqliteConnection, SiteId(id): SiteId) -> Result<Option<Listed>, StoreError> {
    Ok(SiteById { id }.get_result::<SiteRow>(connection).optional()?.map(into_site))
}

fn find(connection: &mut SqliteConnection, name: &str) -> Result<Listed, StoreError> {
    match by_name(connection, name)? {
        Some(site) => Ok(site),
        None => Err(unknown(connection, name)?),
    }
}

fn unknown(connection: &mut SqliteConnection, name: &str) -> QueryResult<StoreError> {
    let names: Vec<(String,)> = Names {}.load(connection)?;
    let nearest = change_set::nearest(name, names.into_iter().map(|row| row.0));
    Ok(StoreError::UnknownSite { name: name.to_owned(), nearest })
}

fn silently() -> Progress {
    Arc::new(|_| {})
}

fn replace(
    connection: &mut SqliteConnection,
    now: i64,
    seen: &Site,
    spec: SiteSpec,
) -> Result<Site, StoreError> {
    let gone = || StoreError::ChangedMeanwhile(seen.spec.name.clone());
    let was = by_id(connection, seen.id)?.ok_or_else(gone)?;
    let name = spec.name.clone();
    if name != was.known().spec.name && by_name(connection, &name)?.is_some() {
        return Err(StoreError::Exists(vec![name]));
    }
    update(connection, now, Origin::Command, &Changed::replacing(was, seen, spec)?)?;
    find(connection, &name)?.complete()
}

fn import(
    connection: &mut SqliteConnection,
    now: i64,
    sites: Vec<Declared>,
    may_update: bool,
    progress: &Progress,
) -> Result<Changes, StoreError> {
    let (mut known, mut taken) = (Vec::new(), HashSet::new());
    for Declared { id, spec } in &sites {
        known.extend(by_name(connection, &spec.name)?);
        if let Some(id) = id
            && is_taken(connection, *id)?
        {
            taken.insert(*id);
        }
    }
    let (set, changes) = ChangeSet::import(sites, known, taken, may_update)?;
    apply(connection, now, &set, progress)?;
    Ok(changes)
}

fn is_taken(connection: &mut SqliteConnection, id: SiteId) -> Result<bool, StoreError> {
    let (is_taken,): (bool,) = IsTaken { id: id.0 }.get_result(connection)?;
    Ok(is_taken)
}

fn reconcile(
    connection: &mut SqliteConnection,
    now: i64,
    declared: Vec<SiteSpec>,
) -> Result<Changes, StoreError> {
    let (set, changes) = ChangeSet::reconcile(declared, all(connection)?);
    apply(connection, now, &set, &silently())?;
    Ok(changes)
}

fn apply(
    connection: &mut SqliteConnection,
    now: i64,
    set: &ChangeSet,
    progress: &Progress,
) -> Result<(), StoreError> {
    for (done, new) in set.new.iter().enumerate() {
        insert(connection, now, set.origin, new)?;
        if done % PROGRESS_EVERY == 0 {
            progress(done);
        }
    }
    for change in &set.changed {
        update(connection, now, set.origin, change)?;
    }
    for change in &set.left {
        leave(connection, now, change)?;
    }
    Ok(())
}

fn insert(
    connection: &mut SqliteConnection,
    now: i64,
    origin: Origin,
    New { id, spec, start }: &New,
) -> Result<(), StoreError> {
    let rhythm = rhythm(spec);
    let (id,): (i64,) = Insert {
        id: id.map(|id| id.0),
        name: spec.name.clone(),
        url: spec.url.clone(),
        every_s: rhythm.every_s as i32,
        phase_s: rhythm.phase_s as i32,
        timeout_ms: timeout_ms(spec),
        retries: spec.retries.into(),
        enabled: spec.enabled.into(),
        tags: tags(spec),
        settings: spec.settings_text(),
        origin: origin.stored_word(),
        now,
    }
    .get_result(connection)?;
    InsertStatus {
        id,
        every_s: rhythm.every_s as i32,
        phase_s: rhythm.phase_s as i32,
        url: spec.url.clone(),
    }
    .execute(connection)?;
    if spec.enabled {
        let extra = change_set::extra_slot(*start, &spec.name, rhythm, now);
        begin(connection, now, SiteId(id), rhythm, extra)?;
    }
    Ok(())
}

fn update(
    connection: &mut SqliteConnection,
    now: i64,
    origin: Origin,
    change: &Changed,
) -> Result<(), StoreError> {
    let Changed { was, spec, .. } = change;
    let id = was.id;
    let rhythm = change.rhythm();
    let moved = change.moves();
    if moved && was.spec.enabled {
        end(connection, now, id, change.old_rhythm())?;
    }
    Update {
        id: id.0,
        name: spec.name.clone(),
        url: spec.url.clone(),
        every_s: rhythm.every_s as i32,
        phase_s: rhythm.phase_s as i32,
        timeout_ms: timeout_ms(spec),
        retries: spec.retries.into(),
        enabled: spec.enabled.into(),
        tags: tags(spec),
        settings: spec.settings_text(),
        origin: origin.stored_word(),
    }
    .execute(connection)?;
    UpdateStatus {
        id: id.0,
        every_s: rhythm.every_s as i32,
        phase_s: rhythm.phase_s as i32,
        url: spec.url.clone(),
    }
    .execute(connection)?;
    if moved && spec.enabled {
        Activate { id: id.0, now }.execute(connection)?;
        let extra = change_set::extra_slot(change.start(), &spec.name, rhythm, now);
        begin(connection, now, id, rhythm, extra)?;
    }
    Ok(())
}

/// A site that has left the file keeps all but its schedule, also what this version cannot read.
fn leave(connection: &mut SqliteConnection, now: i64, change: &Changed) -> Result<(), StoreError> {
    if change.was.spec.enabled {
        end(connection, now, change.was.id, change.old_rhythm())?;
    }
    Leave { id: change.was.id.0, now }.execute(connection)?;
    Ok(())
}

/// Ends a site's schedule. The slot that has become due since the scheduler's last tick is queued here, for the
/// next tick will no longer know of it; earlier ones lie in a gap, as after any outage.
fn end(connection: &mut SqliteConnection, now: i64, id: SiteId, rhythm: Rhythm) -> QueryResult<()> {
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
fn begin(
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

fn timeout_ms(spec: &SiteSpec) -> i64 {
    i64::try_from(spec.timeout.as_millis()).unwrap_or(i64::MAX)
}

fn tags(spec: &SiteSpec) -> String {
    serde_json::json!(spec.tags).to_string()
}

statement!(CountSites {} -> (BigInt, BigInt) = "SELECT count(*), coalesce(sum(enabled), 0) FROM site_config");

statement!(LastTick {} -> (Nullable<BigInt>,) = "SELECT last_tick FROM scheduler_state WHERE id = 1");

statement!(Names {} -> (Text,) = "SELECT name FROM site_config");

statement!(
    /// By a site, or by one that was removed. Ranges of retired ids do not overlap.
    IsTaken { id: i64 as BigInt } -> (Bool,) =
    "SELECT EXISTS (SELECT 1 FROM site_config WHERE id = " (id: BigInt) ")
       OR coalesce((SELECT last_id FROM retired_id WHERE first_id <= " (id: BigInt) " ORDER BY first_id DESC LIMIT 1) >= " (id: BigInt) ", 0)"
);

statement!(
    /// SQLite gives out an id of its own where none is named.
    Insert {
        id: Option<i64> as Nullable<BigInt>, name: String as Text, url: String as Text, every_s: i32 as Integer, phase_s: i32 as Integer,
        timeout_ms: i64 as BigInt, retries: i32 as Integer, enabled: i32 as Integer, tags: String as Text,
        settings: Option<String> as Nullable<Text>, origin: &'static str as Text, now: i64 as BigInt,
    } -> (BigInt,) =
    "INSERT INTO site_config (id, name, url, every_s, phase_s, timeout_ms, retries, enabled, tags, settings, origin,
       active_from) VALUES ("
    (id: Nullable<BigInt>) ", " (name: Text) ", " (url: Text) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (timeout_ms: BigInt) ", "
    (retries: Integer) ", " (enabled: Integer) ", " (tags: Text) ", " (settings: Nullable<Text>) ", " (origin: Text) ", " (now: BigInt) ") RETURNING id"
);

statement!(Update {
        id: i64 as BigInt, name: String as Text, url: String as Text, every_s: i32 as Integer, phase_s: i32 as Integer,
        timeout_ms: i64 as BigInt, retries: i32 as Integer, enabled: i32 as Integer, tags: String as Text,
        settings: Option<String> as Nullable<Text>, origin: &'static str as Text,
    } -> () =
    "UPDATE site_config SET name = " (name: Text) ", url = " (url: Text) ", every_s = " (every_s: Integer)
    ", phase_s = " (phase_s: Integer) ", timeout_ms = " (timeout_ms: BigInt) ", retries = " (retries: Integer)
    ", enabled = " (enabled: Integer) ", tags = " (tags: Text) ", settings = " (settings: Nullable<Text>)
    ", origin = " (origin: Text) ", left_file_at = NULL, revision = revision + 1 WHERE id = " (id: BigInt));

statement!(Leave { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_config SET enabled = 0, left_file_at = " (now: BigInt) ", revision = revision + 1 WHERE id = " (id: BigInt));

statement!(Delete { id: i64 as BigInt } -> () = "DELETE FROM site_config WHERE id = " (id: BigInt));

statement!(InsertStatus { id: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer, url: String as Text } -> () =
    "INSERT INTO sites (site_id, every_s, phase_s, url) VALUES ("
    (id: BigInt) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (url: Text) ")");

statement!(UpdateStatus { id: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer, url: String as Text } -> () =
    "UPDATE sites SET every_s = " (every_s: Integer) ", phase_s = " (phase_s: Integer) ", url = " (url: Text)
    " WHERE site_id = " (id: BigInt));

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
