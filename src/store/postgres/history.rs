//! Reading results: statistics per site, and the rows for an audit. Each is one consistent state of the database. All of it is about the
//! default region.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::OptionalExtension as _;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use futures_util::TryStreamExt as _;

use super::PostgresStore;
use super::rows::{AllSites, SiteById, SiteRow, into_sites};
use crate::clock::Timestamp;
use crate::database::statement;
use crate::model::{Site, SiteId, Status};
use crate::store::accounting::{Audit, Auditor, SiteSchedule, Span, Window};
use crate::store::failure::{self, FailureTexts};
use crate::store::history::RECENT;
use crate::store::rhythm::{Columns, known_rhythm};
use crate::store::{Failure, History, Listed, Range, SiteStatistics, StoreError};

#[async_trait]
impl History for PostgresStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        let ask = async |connection: &mut AsyncPgConnection| -> Result<(Timestamp,), StoreError> {
            Ok(Now {}.get_result(connection).await?)
        };
        Ok(self.database.call(ask).await?.0)
    }

    async fn statistics(
        &self,
        range: Range,
        only: Option<SiteId>,
    ) -> Result<Vec<SiteStatistics>, StoreError> {
        self.database.snapshot(async move |connection| statistics(connection, range, only).await).await
    }

    async fn last_failure(&self, site: SiteId) -> Result<Option<Failure>, StoreError> {
        let row =
            self.database.snapshot(async move |connection| last_failure(connection, site).await).await?;
        Ok(row.map(|(at, texts)| failure::failure(at, texts)))
    }

    async fn audit(&self, range: Range, margin_s: i64) -> Result<Audit, StoreError> {
        self.database.snapshot(async move |connection| audit(connection, range, margin_s).await).await
    }
}

/// Site, rows per status, and percentiles.
type Measured = (i64, (i64, i64, i64, i64, i64), Option<Vec<i32>>);

type MeasuredSql = (BigInt, (BigInt, BigInt, BigInt, BigInt, BigInt), Nullable<Array<Integer>>);

async fn statistics(
    connection: &mut AsyncPgConnection,
    range: Range,
    only: Option<SiteId>,
) -> Result<Vec<SiteStatistics>, StoreError> {
    let Range { from, to } = range;
    let (sites, rows) = match only {
        Some(SiteId(id)) => (
            SiteById { id }.load::<SiteRow>(connection).await?,
            MeasuredOfSite { from, to, id }.load::<Measured>(connection).await?,
        ),
        None => (
            AllSites {}.load::<SiteRow>(connection).await?,
            MeasuredOfAll { from, to }.load::<Measured>(connection).await?,
        ),
    };
    let mut measured: HashMap<i64, Measured> = rows.into_iter().map(|row| (row.0, row)).collect();
    let sites = into_sites(sites).into_iter().map(Listed::into_known);
    Ok(sites.map(|site| of_site(measured.remove(&site.id.0), site)).collect())
}

fn of_site(measured: Option<Measured>, site: Site) -> SiteStatistics {
    let (_, (up, degraded, down, missed, unknown), percentiles) = measured.unwrap_or_default();
    let count = i64::unsigned_abs;
    let percentiles_us = percentiles
        .and_then(|values| <[i32; 3]>::try_from(values).ok())
        .map(|values| values.map(i32::unsigned_abs));
    SiteStatistics {
        site,
        up: count(up),
        degraded: count(degraded),
        down: count(down),
        missed: count(missed),
        unknown: count(unknown),
        percentiles_us,
    }
}

async fn last_failure(
    connection: &mut AsyncPgConnection,
    SiteId(id): SiteId,
) -> Result<Option<(Timestamp, FailureTexts)>, StoreError> {
    let recent = NewestFailure { id, before: None, most: RECENT }.get_result(connection).await.optional()?;
    if recent.is_some() {
        return Ok(recent);
    }
    let since: Option<(Option<Timestamp>,)> = Since { id }.get_result(connection).await.optional()?;
    let Some((Some(since),)) = since else { return Ok(None) };
    Ok(NewestFailure { id, before: Some(since), most: RECENT }.get_result(connection).await.optional()?)
}

async fn audit(connection: &mut AsyncPgConnection, range: Range, margin_s: i64) -> Result<Audit, StoreError> {
    type StateRow = (Option<Timestamp>, Timestamp, Option<Timestamp>, Timestamp);
    let (last_tick, pruned_before, read_before, now): StateRow = State {}.get_result(connection).await?;
    let range = Range { from: range.from.max(pruned_before), ..range }.in_whole_seconds();
    let gaps = gaps(connection, range, last_tick, now.timestamp()).await?;
    let schedules = schedules(connection, range.from, now.timestamp() - margin_s).await?;
    let read_before = read_before.map(|at| at.timestamp());
    let mut auditor = Auditor::new(range, schedules, gaps, read_before);
    count_rows(connection, range, &mut auditor).await?;
    let waiting = Waiting { from: range.from, to: range.to }.load::<(Timestamp, i64)>(connection).await?;
    for (at, site) in waiting {
        auditor.waiting(SiteId(site), at.timestamp());
    }
    Ok(auditor.finish())
}

async fn gaps(
    connection: &mut AsyncPgConnection,
    Range { from, to }: Range,
    last_tick: Option<Timestamp>,
    now: i64,
) -> Result<Vec<Window>, StoreError> {
    let rows = Gaps { from, to }.load::<(Timestamp, Timestamp, bool)>(connection).await?;
    let window = |(after, until, open): (Timestamp, Timestamp, bool)| Window {
        after: after.timestamp(),
        until: until.timestamp(),
        open,
    };
    let mut gaps: Vec<Window> = rows.into_iter().map(window).collect();
    // What the scheduler has not reached yet, because it is not running, is a gap that is still open.
    let queued_until = last_tick.map_or(from.timestamp() - 1, |at| at.timestamp());
    if queued_until < now {
        gaps.push(Window { after: queued_until, until: now, open: true });
    }
    Ok(gaps)
}

async fn schedules(
    connection: &mut AsyncPgConnection,
    from: Timestamp,
    judged_until: i64,
) -> Result<HashMap<SiteId, SiteSchedule>, StoreError> {
    type SpanRow =
        (i64, String, i64, Timestamp, Option<Timestamp>, i32, i32, Option<String>, Option<Timestamp>);
    let mut schedules: HashMap<SiteId, SiteSchedule> = HashMap::new();
    let mut rows = Spans { from }.load_stream::<SpanRow>(connection).await?;
    while let Some(row) = rows.try_next().await? {
        let (site, name, timeout_ms, valid_from, valid_to, every_s, phase_s, cron, first_slot) = row;
        let Some(rhythm) = known_rhythm(&name, Columns { every_s, phase_s, cron }) else { continue };
        let schedule = schedules.entry(SiteId(site)).or_insert_with(|| SiteSchedule {
            name,
            spans: Vec::with_capacity(1),
            judged_until: judged_until - (timeout_ms + 999) / 1000,
        });
        schedule.spans.push(Span {
            valid_from: valid_from.timestamp(),
            valid_to: valid_to.map(|at| at.timestamp()),
            rhythm,
            first_slot: first_slot.map(|at| at.timestamp()),
        });
    }
    Ok(schedules)
}

/// Row by row: they may be many millions.
async fn count_rows(
    connection: &mut AsyncPgConnection,
    Range { from, to }: Range,
    auditor: &mut Auditor,
) -> Result<(), StoreError> {
    type Row = (Timestamp, i64, String, Timestamp);
    let mut rows = Rows { from, to }.load_stream::<Row>(connection).await?;
    while let Some((at, site, status, started_at)) = rows.try_next().await? {
        if at.timestamp_subsec_nanos() != 0 {
            // Stored by a version that took such a time for a slot's: it would count for another row of that second.
            continue;
        }
        let status = Status::of_word(&status);
        auditor.row(SiteId(site), at.timestamp(), status, started_at.timestamp_micros());
    }
    Ok(())
}

statement!(for Pg: Now {} -> (Timestamptz,) = "SELECT uptime_now()");

statement!(for Pg: State {} -> (Nullable<Timestamptz>, Timestamptz, Nullable<Timestamptz>, Timestamptz) =
    "SELECT state.last_tick, state.pruned_before, log.read_before, uptime_now()
     FROM scheduler_state AS state, result_log_state AS log WHERE state.id = 1 AND log.id = 1");

statement!(for Pg:
    /// A down has no meaningful time: a refused connection is quick. percentile_disc is the nearest rank.
    MeasuredOfAll { from: Timestamp as Timestamptz, to: Timestamp as Timestamptz } -> MeasuredSql =
    "SELECT site_id, count(*) FILTER (WHERE status = 'up'), count(*) FILTER (WHERE status = 'degraded'),
            count(*) FILTER (WHERE status = 'down'), count(*) FILTER (WHERE status = 'missed'),
            count(*) FILTER (WHERE status NOT IN ('up', 'degraded', 'down', 'missed')),
            percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_us) FILTER (WHERE status IN ('up', 'degraded'))
     FROM ping_status WHERE scheduled_at >= " (from: Timestamptz) " AND scheduled_at < " (to: Timestamptz) " AND region = '' GROUP BY site_id"
);

statement!(for Pg: MeasuredOfSite { from: Timestamp as Timestamptz, to: Timestamp as Timestamptz, id: i64 as BigInt } -> MeasuredSql =
    "SELECT site_id, count(*) FILTER (WHERE status = 'up'), count(*) FILTER (WHERE status = 'degraded'),
            count(*) FILTER (WHERE status = 'down'), count(*) FILTER (WHERE status = 'missed'),
            count(*) FILTER (WHERE status NOT IN ('up', 'degraded', 'down', 'missed')),
            percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_us) FILTER (WHERE status IN ('up', 'degraded'))
     FROM ping_status WHERE site_id = " (id: BigInt) " AND scheduled_at >= " (from: Timestamptz)
    " AND scheduled_at < " (to: Timestamptz) " AND region = '' GROUP BY site_id");

statement!(for Pg: Since { id: i64 as BigInt } -> (Nullable<Timestamptz>,) = "SELECT since FROM sites WHERE site_id = " (id: BigInt));

statement!(for Pg:
    /// None of the future, where a clock that was wrong may have left some. The limit inside keeps the condition on the status out of the partitions: each would look through all of its rows.
    NewestFailure { id: i64 as BigInt, before: Option<Timestamp> as Nullable<Timestamptz>, most: i64 as BigInt }
    -> (Timestamptz, (Text, Nullable<Text>, Nullable<Text>, Nullable<Text>)) =
    "SELECT scheduled_at, status, reason, error, evidence::text
     FROM (SELECT scheduled_at, status, reason, error, evidence FROM ping_status
           WHERE site_id = " (id: BigInt) " AND region = '' AND scheduled_at < coalesce(" (before: Nullable<Timestamptz>) ", uptime_now() + interval '1 second')
           ORDER BY scheduled_at DESC LIMIT " (most: BigInt) ") AS recent
     WHERE status <> 'up' ORDER BY scheduled_at DESC LIMIT 1"
);

statement!(for Pg: Gaps { from: Timestamp as Timestamptz, to: Timestamp as Timestamptz } -> (Timestamptz, Timestamptz, Bool) =
    "SELECT after_at, until_at, false FROM schedule_gap WHERE until_at >= " (from: Timestamptz) " AND after_at < " (to: Timestamptz)
    " UNION ALL
      SELECT after_at, until_at, true FROM clock_gap WHERE until_at >= " (from: Timestamptz) " AND after_at < " (to: Timestamptz));

statement!(for Pg: Spans { from: Timestamp as Timestamptz }
    -> (BigInt, Text, BigInt, Timestamptz, Nullable<Timestamptz>, Integer, Integer, Nullable<Text>, Nullable<Timestamptz>) =
    "SELECT site.id, site.name, site.timeout_ms, span.valid_from, span.valid_to, span.every_s, span.phase_s, span.cron, span.first_slot
     FROM site_schedule AS span JOIN site_config AS site ON site.id = span.site_id
     WHERE span.valid_to IS NULL OR span.valid_to >= " (from: Timestamptz) " OR span.first_slot >= " (from: Timestamptz));

statement!(for Pg: Rows { from: Timestamp as Timestamptz, to: Timestamp as Timestamptz } -> (Timestamptz, BigInt, Text, Timestamptz) =
    "SELECT scheduled_at, site_id, status, started_at FROM ping_status
     WHERE scheduled_at >= " (from: Timestamptz) " AND scheduled_at < " (to: Timestamptz) " AND region = ''");

statement!(for Pg: Waiting { from: Timestamp as Timestamptz, to: Timestamp as Timestamptz } -> (Timestamptz, BigInt) =
    "SELECT job.scheduled_at, job.site_id FROM job_queue AS job
     WHERE job.region = '' AND job.scheduled_at >= " (from: Timestamptz) " AND job.scheduled_at < " (to: Timestamptz)
    " AND NOT EXISTS (
       SELECT 1 FROM ping_status AS row
       WHERE row.scheduled_at = job.scheduled_at AND row.site_id = job.site_id AND row.region = '')");
