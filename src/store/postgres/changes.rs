//! Changing sites, one or very many, in steps that each handle all of them at once.
//!
//! A site that is added while a tick passes must not lose a slot, and ticks must not stand still during an import. So rows are
//! written first, which no tick sees before the end of the transaction, and only then ticks are held, for the last step: from
//! which slot on each site is due.

use std::collections::HashMap;

use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::schedules::{Beginning, HoldTicks, begin, end, hold_ticks, move_sites};
use crate::clock::Timestamp;
use crate::database::statement;
use crate::model::{Origin, SiteId, SiteSpec};
use crate::store::change_set::{ChangeSet, Changed, New};
use crate::store::rhythm::Columns;
use crate::store::{Progress, StoreError};

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
            rhythm: new.spec.rhythm(),
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
            timeouts: specs().map(SiteSpec::timeout_ms).collect(),
            retries: specs().map(|spec| spec.retries.into()).collect(),
            tags: specs().map(SiteSpec::tags_text).collect(),
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

impl Insert {
    fn of(new: &[New], origin: Origin, active_from: Timestamp) -> Self {
        let specs = || new.iter().map(|new| &new.spec);
        let rhythms: Vec<Columns> = specs().map(|spec| (&spec.rhythm()).into()).collect();
        Self {
            ids: new.iter().map(|new| new.id.map(|id| id.0)).collect(),
            names: specs().map(|spec| spec.name.clone()).collect(),
            urls: specs().map(|spec| spec.url.clone()).collect(),
            every_s: rhythms.iter().map(|rhythm| rhythm.every_s).collect(),
            phase_s: rhythms.iter().map(|rhythm| rhythm.phase_s).collect(),
            crons: rhythms.into_iter().map(|rhythm| rhythm.cron).collect(),
            timeouts: specs().map(SiteSpec::timeout_ms).collect(),
            retries: specs().map(|spec| spec.retries.into()).collect(),
            enabled: specs().map(|spec| spec.enabled).collect(),
            tags: specs().map(SiteSpec::tags_text).collect(),
            settings: specs().map(SiteSpec::settings_text).collect(),
            origin: origin.stored_word(),
            active_from,
        }
    }
}

statement!(for Pg: Now {} -> (Timestamptz,) = "SELECT date_trunc('second', uptime_now())");

statement!(for Pg: Delete { id: i64 as BigInt } -> () = "DELETE FROM site_config WHERE id = " (id: BigInt));

statement!(for Pg:
    /// Ids that are named are never given out.
    PassIds { highest: i64 as BigInt } -> (BigInt,) =
    "SELECT setval('site_config_id_seq', greatest(last_value, " (highest: BigInt) ")) FROM site_config_id_seq"
);

statement!(for Pg: Insert {
        ids: Vec<Option<i64>> as Array<Nullable<BigInt>>, names: Vec<String> as Array<Text>, urls: Vec<String> as Array<Text>,
        every_s: Vec<i32> as Array<Integer>, phase_s: Vec<i32> as Array<Integer>, crons: Vec<Option<String>> as Array<Nullable<Text>>, timeouts: Vec<i64> as Array<BigInt>,
        retries: Vec<i32> as Array<Integer>, enabled: Vec<bool> as Array<Bool>, tags: Vec<String> as Array<Text>,
        settings: Vec<Option<String>> as Array<Nullable<Text>>, origin: &'static str as Text, active_from: Timestamp as Timestamptz,
    } -> (BigInt, Text) =
    "WITH site AS (
       INSERT INTO site_config (id, name, url, every_s, phase_s, cron, timeout_ms, retries, enabled, tags, settings, origin,
         active_from)
       SELECT coalesce(new.id, nextval('site_config_id_seq')), new.name, new.url, new.every_s, new.phase_s, new.cron, new.timeout_ms,
         new.retries, new.enabled, new.tags::jsonb, new.settings::json, " (origin: Text) ", " (active_from: Timestamptz) "
       FROM unnest(" (ids: Array<Nullable<BigInt>>) ", " (names: Array<Text>) ", " (urls: Array<Text>) ", "
         (every_s: Array<Integer>) ", " (phase_s: Array<Integer>) ", " (crons: Array<Nullable<Text>>) ", " (timeouts: Array<BigInt>) ", "
         (retries: Array<Integer>) ", " (enabled: Array<Bool>) ", " (tags: Array<Text>) ", " (settings: Array<Nullable<Text>>) ")
         AS new (id, name, url, every_s, phase_s, cron, timeout_ms, retries, enabled, tags, settings)
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
