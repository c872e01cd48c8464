//! Late jobs: ended in the database, many at a time, without a claim and without the result log. Late jobs of all regions: a region may
//! have no worker.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::json;

use super::depth::Places;
use crate::clock::Timestamp;
use crate::database::DatabaseError;
use crate::database::statement;
use crate::queue::Settled;

pub(super) fn settle(
    connection: &mut SqliteConnection,
    now: Timestamp,
    worker: &str,
    most: usize,
) -> Result<Settled, DatabaseError> {
    let (now_s, limit) = (now.timestamp(), i64::try_from(most).unwrap_or(i64::MAX));
    let adopted = Adopt { places: Places {}, now: now_s, limit }.execute(connection)?;
    let late: Vec<(String, i64, i64)> = Late { places: Places {}, now: now_s, limit }.load(connection)?;
    let more = adopted == most || late.len() == most;
    if late.is_empty() {
        return Ok(Settled { missed: 0, more });
    }
    let slots = json!(late).to_string();
    let record = Record {
        slots: slots.clone(),
        now: now_s,
        now_us: now.timestamp_micros(),
        worker: worker.to_owned(),
    };
    let missed = record.execute(connection)?;
    SetFreshness { slots: slots.clone() }.execute(connection)?;
    Remove { slots }.execute(connection)?;
    Ok(Settled { missed, more })
}

statement!(
    /// Jobs of a version that did not say how long they may wait join those that may wait equally long: the newest first, of which
    /// some may still be checked; of one region in each call.
    Adopt { places: Places as (), now: i64 as BigInt, limit: i64 as BigInt } -> () =
    "WITH RECURSIVE " (include places) "
     UPDATE job_queue SET late_after_s = (SELECT every_s FROM site_config WHERE id = site_id)
     WHERE (region, scheduled_at, site_id) IN (
       SELECT region, scheduled_at, site_id FROM job_queue INDEXED BY job_queue_visible
       WHERE late_after_s = 0 AND visible_at <= " (now: BigInt) " AND region = (
         SELECT place.region FROM place WHERE place.s = 0 AND EXISTS (
           SELECT 1 FROM job_queue AS job INDEXED BY job_queue_visible
           WHERE job.late_after_s = 0 AND job.region = place.region AND job.visible_at <= " (now: BigInt) ") LIMIT 1)
       ORDER BY visible_at DESC LIMIT " (limit: BigInt) ")"
);

statement!(
    /// The beginning of each stretch of the index.
    Late { places: Places as (), now: i64 as BigInt, limit: i64 as BigInt } -> (Text, BigInt, BigInt) =
    "WITH RECURSIVE " (include places) "
     SELECT job.region, job.scheduled_at, job.site_id
     FROM place CROSS JOIN job_queue AS job INDEXED BY job_queue_visible
       ON job.late_after_s = place.s AND job.region = place.region AND job.visible_at < " (now: BigInt) " - place.s
     WHERE place.s > 0 LIMIT " (limit: BigInt)
);

statement!(
    /// A slot that has a result keeps it: its job was not removed in time.
    Record { slots: String as Text, now: i64 as BigInt, now_us: i64 as BigInt, worker: String as Text } -> () =
    "INSERT INTO ping_status (scheduled_at, site_id, region, status, error, started_at_us, body_bytes, worker, attempt)
     SELECT job.scheduled_at, job.site_id, job.region, 'missed',
            'found ' || (" (now: BigInt) " - job.scheduled_at) || ' s after its slot, later than one interval',
            " (now_us: BigInt) ", 0, " (worker: Text) ", max(job.attempt, 1)
     FROM json_each(" (slots: Text) ") AS slot
     CROSS JOIN job_queue AS job
       ON job.region = (slot.value ->> 0) AND job.scheduled_at = (slot.value ->> 1) AND job.site_id = (slot.value ->> 2)
     WHERE true ON CONFLICT DO NOTHING"
);

statement!(
    /// Our own fault, so the verdict stands, but it is of an older slot now. What other regions miss says nothing of the verdict.
    SetFreshness { slots: String as Text } -> () =
    "UPDATE sites SET last_updated = late.newest, freshness = 'missed'
     FROM (
       SELECT site.site_id AS site_id, max(slot.value ->> 1) AS newest
       FROM json_each(" (slots: Text) ") AS slot CROSS JOIN sites AS site ON site.site_id = (slot.value ->> 2)
       WHERE (slot.value ->> 0) = '' AND (site.last_updated IS NULL OR site.last_updated < (slot.value ->> 1))
       GROUP BY site.site_id) AS late
     WHERE sites.site_id = late.site_id"
);

statement!(
    /// The region with its type, as in `HandBack`.
    Remove { slots: String as Text } -> () =
    "DELETE FROM job_queue WHERE (region, scheduled_at, site_id) IN (
       SELECT CAST(value ->> 0 AS TEXT), value ->> 1, value ->> 2 FROM json_each(" (slots: Text) "))"
);
