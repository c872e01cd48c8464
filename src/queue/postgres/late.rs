//! Late jobs: ended in the database, many at a time, without a claim and without the result log. Late jobs of all regions: a region may
//! have no worker.

use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::depth::Places;
use crate::database::{DatabaseError, statement};
use crate::queue::Settled;

pub(super) async fn settle(
    connection: &mut AsyncPgConnection,
    worker: &str,
    most: usize,
) -> Result<Settled, DatabaseError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let (adopted,): (i64,) = Adopt { places: Places {}, limit }.get_result(connection).await?;
    let settle = Settle { places: Places {}, limit, worker: worker.to_owned() };
    let (removed, missed): (i64, i64) = settle.get_result(connection).await?;
    let all = |count: i64| usize::try_from(count).unwrap_or_default() >= most;
    Ok(Settled { missed: usize::try_from(missed).unwrap_or_default(), more: all(adopted) || all(removed) })
}

statement!(for Pg:
    /// Jobs of a version that did not say how long they may wait join those that may wait equally long: the newest first, of which
    /// some may still be checked; of one region in each call. Jobs without a site go. Returns how many were looked at.
    Adopt { places: Places as (), limit: i64 as BigInt } -> (BigInt,) =
    "WITH RECURSIVE
     " (include places) ",
     unknown AS MATERIALIZED (
       SELECT region, scheduled_at, site_id FROM job_queue
       WHERE late_after_s = 0 AND visible_at <= uptime_now() AND region = (
         SELECT place.region FROM place WHERE place.s = 0 AND EXISTS (
           SELECT 1 FROM job_queue AS job
           WHERE job.late_after_s = 0 AND job.region = place.region AND job.visible_at <= uptime_now()) LIMIT 1)
       ORDER BY visible_at DESC LIMIT " (limit: BigInt) " FOR UPDATE SKIP LOCKED),
     known AS MATERIALIZED (
       SELECT unknown.region, unknown.scheduled_at, unknown.site_id, site.every_s
       FROM unknown LEFT JOIN site_config AS site ON site.id = unknown.site_id),
     orphaned AS (
       DELETE FROM job_queue AS job USING known
       WHERE job.region = known.region AND job.scheduled_at = known.scheduled_at AND job.site_id = known.site_id AND known.every_s IS NULL),
     adopted AS (
       UPDATE job_queue AS job SET late_after_s = known.every_s FROM known
       WHERE job.region = known.region AND job.scheduled_at = known.scheduled_at AND job.site_id = known.site_id
         AND known.every_s IS NOT NULL)
     SELECT count(*) FROM known"
);

statement!(for Pg:
    /// The beginning of each stretch of the index, as far as nobody else is just at it. The inner limit has it read in the order
    /// of the index, where otherwise all late jobs would be sorted. Locks as storing results does: rows in
    /// order of site and slot, and then sites in order. A slot that has a result keeps it, because its job was only not removed
    /// in time. That nobody checked is our own fault, so a site's verdict stands, but it is of an older slot now; what other regions
    /// miss says nothing of it. Returns how many jobs were removed, and how many slots were recorded.
    Settle { places: Places as (), limit: i64 as BigInt, worker: String as Text } -> (BigInt, BigInt) =
    "WITH RECURSIVE
       " (include places) ",
       late AS MATERIALIZED (
         SELECT job.region, job.scheduled_at, job.site_id, job.attempt
         FROM place CROSS JOIN LATERAL (
           SELECT region, scheduled_at, site_id, attempt FROM job_queue
           WHERE late_after_s = place.s AND region = place.region
             AND visible_at < date_trunc('second', uptime_now()) - interval '1 second' * place.s
           ORDER BY visible_at LIMIT " (limit: BigInt) " FOR UPDATE SKIP LOCKED) AS job
         WHERE place.s > 0 LIMIT " (limit: BigInt) "),
       removed AS (
         DELETE FROM job_queue AS job USING late
         WHERE job.region = late.region AND job.scheduled_at = late.scheduled_at AND job.site_id = late.site_id),
       stored AS (
         INSERT INTO ping_status (site_id, scheduled_at, region, started_at, body_bytes, attempt, status, worker, error)
         SELECT late.site_id, late.scheduled_at, late.region, uptime_now(), 0, least(greatest(late.attempt, 1), 32767), 'missed', " (worker: Text) ",
           format('found %s s after its slot, later than one interval',
             extract(epoch FROM date_trunc('second', uptime_now()) - late.scheduled_at)::bigint)
         FROM late JOIN site_config AS site ON site.id = late.site_id
         ORDER BY late.site_id, late.scheduled_at, late.region
         ON CONFLICT DO NOTHING RETURNING 1),
       counted AS MATERIALIZED (SELECT count(*) AS new FROM stored),
       known AS MATERIALIZED (
         SELECT site_id, last_updated FROM sites
         WHERE (SELECT new FROM counted) >= 0 AND site_id IN (SELECT site_id FROM late WHERE region = '')
         ORDER BY site_id FOR NO KEY UPDATE),
       newer AS (
         SELECT late.site_id, max(late.scheduled_at) AS newest
         FROM late JOIN known ON known.site_id = late.site_id
         WHERE late.region = '' AND (known.last_updated IS NULL OR late.scheduled_at > known.last_updated)
         GROUP BY late.site_id),
       changed AS (
         UPDATE sites SET last_updated = newer.newest, freshness = 'missed' FROM newer WHERE sites.site_id = newer.site_id)
     SELECT (SELECT count(*) FROM late), new FROM counted"
);
