//! Late jobs: ended in the database, many at a time, without a claim and without the result log.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::json;

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
    let adopted = Adopt { now: now_s, limit }.execute(connection)?;
    let late: Vec<(i64, i64)> = Late { now: now_s, limit }.load(connection)?;
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
    /// some may still be checked.
    Adopt { now: i64 as BigInt, limit: i64 as BigInt } -> () =
    "UPDATE job_queue SET late_after_s = (SELECT every_s FROM site_config WHERE id = site_id)
     WHERE (scheduled_at, site_id) IN (
       SELECT scheduled_at, site_id FROM job_queue INDEXED BY job_queue_visible
       WHERE late_after_s = 0 AND visible_at <= " (now: BigInt) " ORDER BY visible_at DESC LIMIT " (limit: BigInt) ")"
);

statement!(
    /// The beginning of each stretch of the index.
    Late { now: i64 as BigInt, limit: i64 as BigInt } -> (BigInt, BigInt) =
    "WITH RECURSIVE patience (s) AS (
       SELECT max(late_after_s) FROM job_queue
       UNION ALL SELECT (SELECT max(late_after_s) FROM job_queue WHERE late_after_s < patience.s) FROM patience WHERE s > 0)
     SELECT job.scheduled_at, job.site_id
     FROM patience CROSS JOIN job_queue AS job INDEXED BY job_queue_visible
       ON job.late_after_s = patience.s AND job.visible_at < " (now: BigInt) " - patience.s
     WHERE patience.s > 0 LIMIT " (limit: BigInt)
);

statement!(
    /// A slot that has a result keeps it: its job was not removed in time.
    Record { slots: String as Text, now: i64 as BigInt, now_us: i64 as BigInt, worker: String as Text } -> () =
    "INSERT INTO ping_status (scheduled_at, site_id, status, error, started_at_us, body_bytes, worker, attempt)
     SELECT job.scheduled_at, job.site_id, 'missed',
            'found ' || (" (now: BigInt) " - job.scheduled_at) || ' s after its slot, later than one interval',
            " (now_us: BigInt) ", 0, " (worker: Text) ", max(job.attempt, 1)
     FROM json_each(" (slots: Text) ") AS slot
     CROSS JOIN job_queue AS job ON job.scheduled_at = (slot.value ->> 0) AND job.site_id = (slot.value ->> 1)
     WHERE true ON CONFLICT DO NOTHING"
);

statement!(
    /// Our own fault, so the verdict stands, but it is of an older slot now.
    SetFreshness { slots: String as Text } -> () =
    "UPDATE sites SET last_updated = late.newest, freshness = 'missed'
     FROM (
       SELECT site.site_id AS site_id, max(slot.value ->> 0) AS newest
       FROM json_each(" (slots: Text) ") AS slot CROSS JOIN sites AS site ON site.site_id = (slot.value ->> 1)
       WHERE site.last_updated IS NULL OR site.last_updated < (slot.value ->> 0)
       GROUP BY site.site_id) AS late
     WHERE sites.site_id = late.site_id"
);

statement!(Remove { slots: String as Text } -> () =
    "DELETE FROM job_queue WHERE (scheduled_at, site_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(" (slots: Text) "))");
