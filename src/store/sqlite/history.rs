//! Reading results: statistics per site, and the rows for an audit. All of it is about the default region.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use serde_json::json;

use super::SqliteStore;
use super::rows::{AllSites, SiteById, SiteRow, into_site};
use crate::clock::Timestamp;
use crate::database::rows::from_seconds;
use crate::database::statement;
use crate::model::{Site, SiteId, Status};
use crate::schedule::Cron;
use crate::store::accounting::{Audit, Auditor, SiteSchedule, Span, Window};
use crate::store::failure::{self, FailureTexts};
use crate::store::history::RECENT;
use crate::store::rhythm::{Columns, known_rhythm};
use crate::store::{Failure, History, Range, SiteStatistics, StoreError};

/// Slots of a cron expression that are looked up for the newest results: some have none.
const MOMENTS: usize = 10 * RECENT as usize;

#[async_trait]
impl History for SqliteStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    async fn statistics(
        &self,
        range: Range,
        only: Option<SiteId>,
    ) -> Result<Vec<SiteStatistics>, StoreError> {
        self.database.read_at_length(move |connection| Ok(statistics(connection, range, only))).await?
    }

    async fn last_failure(&self, site: SiteId) -> Result<Option<Failure>, StoreError> {
        let now = self.clock.now_s();
        let row = self.database.read(move |connection| Ok(last_failure(connection, site, now)?)).await?;
        Ok(row.map(|(at, texts)| failure::failure(from_seconds(at), texts)))
    }

    async fn audit(&self, range: Range, margin_s: i64) -> Result<Audit, StoreError> {
        let now = self.clock.now_s();
        self.database.read_at_length(move |connection| Ok(audit(connection, range, now, margin_s))).await?
    }
}

fn statistics(
    connection: &mut SqliteConnection,
    range: Range,
    only: Option<SiteId>,
) -> Result<Vec<SiteStatistics>, StoreError> {
    let sites = match only {
        Some(id) => SiteById { id: id.0 }.load::<SiteRow>(connection)?,
        None => AllSites {}.load::<SiteRow>(connection)?,
    };
    let sites: Vec<Site> = sites.into_iter().map(|row| into_site(row).into_known()).collect();
    let mut tallies: HashMap<i64, Tally> = sites.iter().map(|site| (site.id.0, Tally::default())).collect();
    let (from, to) = (range.from.timestamp(), range.to.timestamp());
    match only {
        // One site's slots are computed and looked up; a scan would read everybody's.
        Some(id) => {
            let moments = moments(connection, id, (from - 1, to - 1), usize::MAX)?;
            tally(SlotsOfSite { id: id.0, from, to, moments }.load_iter(connection)?, &mut tallies)?;
        }
        None => tally(AllSlots { from, to }.load_iter(connection)?, &mut tallies)?,
    }
    Ok(sites
        .into_iter()
        .filter_map(|site| tallies.remove(&site.id.0).map(|tally| tally.finish(site)))
        .collect())
}

type Measured = (i64, String, Option<i64>);

fn tally(
    rows: impl Iterator<Item = QueryResult<Measured>>,
    tallies: &mut HashMap<i64, Tally>,
) -> Result<(), StoreError> {
    for row in rows {
        let (site, status, total_us) = row?;
        if let Some(tally) = tallies.get_mut(&site) {
            tally.add(Status::of_word(&status), total_us);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    counts: [u64; Status::ALL.len()],
    total_us: Vec<u32>,
}

impl Tally {
    fn add(&mut self, status: Status, total_us: Option<i64>) {
        self.counts[status as usize] += 1;
        // A down has no meaningful time: a refused connection is quick.
        if let (Status::Up | Status::Degraded, Some(us)) = (status, total_us) {
            self.total_us.push(u32::try_from(us).unwrap_or(u32::MAX));
        }
    }

    fn finish(mut self, site: Site) -> SiteStatistics {
        let count = |status: Status| self.counts[status as usize];
        let (up, degraded, down) = (count(Status::Up), count(Status::Degraded), count(Status::Down));
        let (missed, unknown) = (count(Status::Missed), count(Status::Unknown));
        self.total_us.sort_unstable();
        let percentiles_us = percentiles(&self.total_us, [50, 95, 99]);
        SiteStatistics { site, up, degraded, down, missed, unknown, percentiles_us }
    }
}

/// By nearest rank: the smallest value that at least this share of all does not exceed.
fn percentiles<const N: usize>(sorted: &[u32], percent: [usize; N]) -> Option<[u32; N]> {
    let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).max(1) - 1;
    (!sorted.is_empty()).then(|| percent.map(|percent| sorted[rank(percent)]))
}

fn last_failure(
    connection: &mut SqliteConnection,
    SiteId(id): SiteId,
    now: i64,
) -> QueryResult<Option<(i64, FailureTexts)>> {
    let recent = newest_failure(connection, id, now)?;
    if recent.is_some() {
        return Ok(recent);
    }
    let since: Option<(Option<i64>,)> = Since { id }.get_result(connection).optional()?;
    let Some((Some(since),)) = since else { return Ok(None) };
    newest_failure(connection, id, since - 1)
}

/// Among the newest results up to `until`.
fn newest_failure(
    connection: &mut SqliteConnection,
    id: i64,
    until: i64,
) -> QueryResult<Option<(i64, FailureTexts)>> {
    let moments = moments(connection, SiteId(id), (i64::MIN, until), MOMENTS)?;
    NewestFailure { id, until, most: RECENT, moments }.get_result(connection).optional()
}

/// The slots that cron expressions have given to a site in `(after, until]`, up to `most` of each, as a JSON array: SQL cannot compute
/// them.
fn moments(
    connection: &mut SqliteConnection,
    SiteId(id): SiteId,
    (after, until): (i64, i64),
    most: usize,
) -> QueryResult<String> {
    let spans: Vec<(i64, Option<i64>, String)> = CronSpans { id }.load(connection)?;
    let mut moments = Vec::new();
    for (valid_from, valid_to, text) in spans {
        let Ok(cron) = Cron::from_text(&text) else { continue };
        let (after, until) = (after.max(valid_from), until.min(valid_to.unwrap_or(i64::MAX)));
        let newest_first = std::iter::successors(cron.latest(until), |at| cron.latest(at - 1));
        moments.extend(newest_first.take_while(|at| *at > after).take(most));
    }
    Ok(json!(moments).to_string())
}

fn audit(
    connection: &mut SqliteConnection,
    range: Range,
    now: i64,
    margin_s: i64,
) -> Result<Audit, StoreError> {
    type StateRow = (Option<i64>, i64, Option<i64>);
    let (last_tick, pruned_before, read_before): StateRow = State {}.get_result(connection)?;
    let range = Range { from: range.from.max(from_seconds(pruned_before)), ..range };
    let (from, to) = (range.from.timestamp(), range.to.timestamp());
    let gaps = Gaps { from, to }.load::<(i64, i64, i64)>(connection)?;
    let mut gaps: Vec<Window> =
        gaps.into_iter().map(|(after, until, open)| Window { after, until, open: open != 0 }).collect();
    // What the scheduler has not reached yet, because it is not running, is a gap that is still open.
    let queued_until = last_tick.unwrap_or(from - 1);
    if queued_until < now {
        gaps.push(Window { after: queued_until, until: now, open: true });
    }
    let schedules = schedules(connection, from, now - margin_s)?;
    let mut auditor = Auditor::new(range, schedules, gaps, read_before);
    for row in (Rows { from, to }).load_iter::<(i64, i64, String, i64), _>(connection)? {
        let (at, site, status, started_at_us) = row?;
        auditor.row(SiteId(site), at, Status::of_word(&status), started_at_us);
    }
    for row in (Waiting { from, to }).load_iter::<(i64, i64), _>(connection)? {
        let (at, site) = row?;
        auditor.waiting(SiteId(site), at);
    }
    Ok(auditor.finish())
}

fn schedules(
    connection: &mut SqliteConnection,
    from: i64,
    judged_until: i64,
) -> QueryResult<HashMap<SiteId, SiteSchedule>> {
    let mut schedules: HashMap<SiteId, SiteSchedule> = HashMap::new();
    type SpanRow = (i64, String, i64, i64, Option<i64>, i32, i32, Option<String>, Option<i64>);
    for row in (Spans { from }).load_iter::<SpanRow, _>(connection)? {
        let (site, name, timeout_ms, valid_from, valid_to, every_s, phase_s, cron, first_slot) = row?;
        let Some(rhythm) = known_rhythm(&name, Columns { every_s, phase_s, cron }) else { continue };
        let schedule = schedules.entry(SiteId(site)).or_insert_with(|| SiteSchedule {
            name,
            spans: Vec::with_capacity(1),
            judged_until: judged_until - (timeout_ms + 999) / 1000,
        });
        schedule.spans.push(Span { valid_from, valid_to, rhythm, first_slot });
    }
    Ok(schedules)
}

statement!(State {} -> (Nullable<BigInt>, BigInt, Nullable<BigInt>) =
    "SELECT state.last_tick, state.pruned_before, log.read_before
     FROM scheduler_state AS state, result_log_state AS log WHERE state.id = 1 AND log.id = 1");

statement!(AllSlots { from: i64 as BigInt, to: i64 as BigInt } -> (BigInt, Text, Nullable<BigInt>) =
    "SELECT site_id, status, total_us FROM ping_status
     WHERE scheduled_at >= " (from: BigInt) " AND scheduled_at < " (to: BigInt) " AND region = ''");

statement!(
    /// Also in time that was taken back: rows may lie there.
    SlotsOfSite { id: i64 as BigInt, from: i64 as BigInt, to: i64 as BigInt, moments: String as Text } -> (BigInt, Text, Nullable<BigInt>) =
    "WITH RECURSIVE
       span(first, every, last) AS (
         SELECT max(valid_from + 1, " (from: BigInt) ") + (phase_s - max(valid_from + 1, " (from: BigInt) ") % every_s + every_s) % every_s,
                every_s, min(coalesce(valid_to, " (to: BigInt) " - 1), " (to: BigInt) " - 1)
         FROM site_schedule WHERE site_id = " (id: BigInt) " AND cron IS NULL),
       slot(at, every, last) AS (
         SELECT first, every, last FROM span WHERE first <= last
         UNION ALL SELECT at + every, every, last FROM slot WHERE at + every <= last),
       due(at) AS (
         SELECT at FROM slot
         UNION SELECT value FROM json_each(" (moments: Text) ")
         UNION SELECT first_slot FROM site_schedule
         WHERE site_id = " (id: BigInt) " AND first_slot >= " (from: BigInt) " AND first_slot < " (to: BigInt) ")
     SELECT row.site_id, row.status, row.total_us
     FROM due CROSS JOIN ping_status AS row ON row.scheduled_at = due.at AND row.site_id = " (id: BigInt) " AND row.region = ''"
);

statement!(CronSpans { id: i64 as BigInt } -> (BigInt, Nullable<BigInt>, Text) =
    "SELECT valid_from, valid_to, cron FROM site_schedule WHERE site_id = " (id: BigInt) " AND cron IS NOT NULL");

statement!(Since { id: i64 as BigInt } -> (Nullable<BigInt>,) = "SELECT since FROM sites WHERE site_id = " (id: BigInt));

statement!(
    /// The site's slots are computed, newest first, and looked up until there are enough rows.
    NewestFailure { id: i64 as BigInt, until: i64 as BigInt, most: i64 as BigInt, moments: String as Text }
    -> (BigInt, (Text, Nullable<Text>, Nullable<Text>, Nullable<Text>)) =
    "WITH RECURSIVE
       span(first, until, every, phase) AS (
         SELECT max(valid_from + 1, (SELECT pruned_before FROM scheduler_state WHERE id = 1)),
                min(coalesce(valid_to, " (until: BigInt) "), " (until: BigInt) "), every_s, phase_s
         FROM site_schedule WHERE site_id = " (id: BigInt) " AND cron IS NULL),
       slot(at, every, first) AS (
         SELECT until - (until % every - phase + every) % every, every, first FROM span
         UNION ALL SELECT value, value, value FROM json_each(" (moments: Text) ")
         UNION ALL SELECT first_slot, every_s, first_slot FROM site_schedule
         WHERE site_id = " (id: BigInt) " AND first_slot <= " (until: BigInt) "
         UNION ALL SELECT at - every, every, first FROM slot WHERE at - every >= first
         ORDER BY 1 DESC),
       recent(at, status) AS (
         SELECT slot.at, row.status
         FROM slot CROSS JOIN ping_status AS row ON row.scheduled_at = slot.at AND row.site_id = " (id: BigInt) " AND row.region = ''
         WHERE slot.at >= slot.first LIMIT " (most: BigInt) ")
     SELECT scheduled_at, status, reason, error, evidence FROM ping_status
     WHERE scheduled_at = (SELECT max(at) FROM recent WHERE status <> 'up') AND site_id = " (id: BigInt) " AND region = ''"
);

statement!(Gaps { from: i64 as BigInt, to: i64 as BigInt } -> (BigInt, BigInt, BigInt) =
    "SELECT after_s, until_s, 0 FROM schedule_gap WHERE until_s >= " (from: BigInt) " AND after_s < " (to: BigInt)
    " UNION ALL SELECT after_s, until_s, 1 FROM clock_gap WHERE until_s >= " (from: BigInt) " AND after_s < " (to: BigInt));

statement!(Spans { from: i64 as BigInt } -> (BigInt, Text, BigInt, BigInt, Nullable<BigInt>, Integer, Integer, Nullable<Text>, Nullable<BigInt>) =
    "SELECT site.id, site.name, site.timeout_ms, span.valid_from, span.valid_to, span.every_s, span.phase_s, span.cron, span.first_slot
     FROM site_schedule AS span JOIN site_config AS site ON site.id = span.site_id
     WHERE span.taken_back = 0
       AND (span.valid_to IS NULL OR span.valid_to >= " (from: BigInt) " OR span.first_slot >= " (from: BigInt) ")");

statement!(Rows { from: i64 as BigInt, to: i64 as BigInt } -> (BigInt, BigInt, Text, BigInt) =
    "SELECT scheduled_at, site_id, status, started_at_us FROM ping_status
     WHERE scheduled_at >= " (from: BigInt) " AND scheduled_at < " (to: BigInt) " AND region = ''");

statement!(Waiting { from: i64 as BigInt, to: i64 as BigInt } -> (BigInt, BigInt) =
    "SELECT job.scheduled_at, job.site_id FROM job_queue AS job
     WHERE job.region = '' AND job.scheduled_at >= " (from: BigInt) " AND job.scheduled_at < " (to: BigInt)
    " AND NOT EXISTS (
       SELECT 1 FROM ping_status AS row
       WHERE row.scheduled_at = job.scheduled_at AND row.site_id = job.site_id AND row.region = '')");
