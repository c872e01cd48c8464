//! Changing sites: what is written of each one that comes, changes or leaves the file.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::schedules::{activate, begin, end};
use crate::database::statement;
use crate::model::{Origin, SiteId};
use crate::store::change_set::{self, ChangeSet, Changed, New};
use crate::store::rhythm::Columns;
use crate::store::{Progress, StoreError};

/// Progress is told after this many sites.
const PROGRESS_EVERY: usize = 500;

/// Does what `set` says.
pub(super) fn apply(
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
    let rhythm = spec.rhythm();
    let Columns { every_s, phase_s, cron } = (&rhythm).into();
    let (id,): (i64,) = Insert {
        id: id.map(|id| id.0),
        name: spec.name.clone(),
        url: spec.url.clone(),
        every_s,
        phase_s,
        cron,
        timeout_ms: spec.timeout_ms(),
        retries: spec.retries.into(),
        enabled: spec.enabled.into(),
        tags: spec.tags_text(),
        settings: spec.settings_text(),
        origin: origin.stored_word(),
        now,
    }
    .get_result(connection)?;
    InsertStatus { id, every_s, phase_s, url: spec.url.clone() }.execute(connection)?;
    if spec.enabled {
        let extra = change_set::extra_slot(*start, &spec.name, &rhythm, now);
        begin(connection, now, SiteId(id), &rhythm, extra)?;
    }
    Ok(())
}

pub(super) fn update(
    connection: &mut SqliteConnection,
    now: i64,
    origin: Origin,
    change: &Changed,
) -> Result<(), StoreError> {
    let Changed { was, spec, .. } = change;
    let id = was.id;
    let rhythm = change.rhythm();
    let Columns { every_s, phase_s, cron } = (&rhythm).into();
    let moved = change.moves();
    if moved && was.spec.enabled {
        end(connection, now, id, change.old_rhythm())?;
    }
    Update {
        id: id.0,
        name: spec.name.clone(),
        url: spec.url.clone(),
        every_s,
        phase_s,
        cron,
        timeout_ms: spec.timeout_ms(),
        retries: spec.retries.into(),
        enabled: spec.enabled.into(),
        tags: spec.tags_text(),
        settings: spec.settings_text(),
        origin: origin.stored_word(),
    }
    .execute(connection)?;
    UpdateStatus { id: id.0, every_s, phase_s, url: spec.url.clone() }.execute(connection)?;
    if moved && spec.enabled {
        activate(connection, now, id)?;
        let extra = change_set::extra_slot(change.start(), &spec.name, &rhythm, now);
        begin(connection, now, id, &rhythm, extra)?;
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

statement!(
    /// SQLite gives out an id of its own where none is named.
    Insert {
        id: Option<i64> as Nullable<BigInt>, name: String as Text, url: String as Text, every_s: i32 as Integer, phase_s: i32 as Integer,
        cron: Option<String> as Nullable<Text>, timeout_ms: i64 as BigInt, retries: i32 as Integer, enabled: i32 as Integer, tags: String as Text,
        settings: Option<String> as Nullable<Text>, origin: &'static str as Text, now: i64 as BigInt,
    } -> (BigInt,) =
    "INSERT INTO site_config (id, name, url, every_s, phase_s, cron, timeout_ms, retries, enabled, tags, settings, origin,
       active_from) VALUES ("
    (id: Nullable<BigInt>) ", " (name: Text) ", " (url: Text) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (cron: Nullable<Text>) ", " (timeout_ms: BigInt) ", "
    (retries: Integer) ", " (enabled: Integer) ", " (tags: Text) ", " (settings: Nullable<Text>) ", " (origin: Text) ", " (now: BigInt) ") RETURNING id"
);

statement!(Update {
        id: i64 as BigInt, name: String as Text, url: String as Text, every_s: i32 as Integer, phase_s: i32 as Integer,
        cron: Option<String> as Nullable<Text>, timeout_ms: i64 as BigInt, retries: i32 as Integer, enabled: i32 as Integer, tags: String as Text,
        settings: Option<String> as Nullable<Text>, origin: &'static str as Text,
    } -> () =
    "UPDATE site_config SET name = " (name: Text) ", url = " (url: Text) ", every_s = " (every_s: Integer)
    ", phase_s = " (phase_s: Integer) ", cron = " (cron: Nullable<Text>) ", timeout_ms = " (timeout_ms: BigInt) ", retries = " (retries: Integer)
    ", enabled = " (enabled: Integer) ", tags = " (tags: Text) ", settings = " (settings: Nullable<Text>)
    ", origin = " (origin: Text) ", left_file_at = NULL, revision = revision + 1 WHERE id = " (id: BigInt));

statement!(Leave { id: i64 as BigInt, now: i64 as BigInt } -> () =
    "UPDATE site_config SET enabled = 0, left_file_at = " (now: BigInt) ", revision = revision + 1 WHERE id = " (id: BigInt));

statement!(InsertStatus { id: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer, url: String as Text } -> () =
    "INSERT INTO sites (site_id, every_s, phase_s, url) VALUES ("
    (id: BigInt) ", " (every_s: Integer) ", " (phase_s: Integer) ", " (url: Text) ")");

statement!(UpdateStatus { id: i64 as BigInt, every_s: i32 as Integer, phase_s: i32 as Integer, url: String as Text } -> () =
    "UPDATE sites SET every_s = " (every_s: Integer) ", phase_s = " (phase_s: Integer) ", url = " (url: Text)
    " WHERE site_id = " (id: BigInt));
