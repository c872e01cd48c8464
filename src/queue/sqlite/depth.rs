//! What waits in the queue, and in which groups.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::database::rows::from_seconds;
use crate::database::statement;
use crate::queue::Depth;

pub(super) fn count(connection: &mut SqliteConnection, now: i64) -> QueryResult<Depth> {
    let count = CountJobs { places: Places {}, now };
    let (jobs, leased, oldest): (i64, i64, Option<i64>) = count.get_result(connection)?;
    Ok(Depth { jobs: jobs as usize, leased: leased as usize, oldest: oldest.map(from_seconds) })
}

statement!(
    /// Counting takes time, so a longer queue counts as half a million, and only leases are looked at one by one.
    CountJobs { places: Places as (), now: i64 as BigInt } -> (BigInt, BigInt, Nullable<BigInt>) =
    "WITH RECURSIVE " (include places) "
     SELECT (SELECT count(*) FROM (SELECT 1 FROM job_queue LIMIT 500000)),
            (SELECT count(job.lease_owner) FROM place CROSS JOIN job_queue AS job INDEXED BY job_queue_visible
             ON job.late_after_s = place.s AND job.region = place.region AND job.visible_at > " (now: BigInt) "),
            (SELECT min(scheduled_at) FROM job_queue)"
);

statement!(
    /// Jobs that may wait equally long and are of one region stand together in the index `job_queue_visible`: all such groups, in
    /// `place`, by searches of the index instead of a scan.
    Places {} -> () =
    "patience (s) AS (
       SELECT max(late_after_s) FROM job_queue
       UNION ALL SELECT (SELECT max(late_after_s) FROM job_queue WHERE late_after_s < patience.s) FROM patience WHERE s IS NOT NULL),
     place (s, region) AS (
       SELECT s, (SELECT min(region) FROM job_queue INDEXED BY job_queue_visible WHERE late_after_s = patience.s)
       FROM patience WHERE s IS NOT NULL
       UNION ALL SELECT s, (
         SELECT min(region) FROM job_queue INDEXED BY job_queue_visible WHERE late_after_s = place.s AND region > place.region)
       FROM place WHERE region IS NOT NULL)"
);
