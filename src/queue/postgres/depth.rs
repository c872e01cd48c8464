//! What waits in the queue, and in which groups.

use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::clock::Timestamp;
use crate::database::{DatabaseError, statement};
use crate::queue::Depth;

pub(super) async fn count(connection: &mut AsyncPgConnection) -> Result<Depth, DatabaseError> {
    let count = CountJobs { places: Places {} };
    let (jobs, leased, oldest): (i64, i64, Option<Timestamp>) = count.get_result(connection).await?;
    Ok(Depth { jobs: jobs as usize, leased: leased as usize, oldest })
}

statement!(for Pg:
    /// A longer queue counts as half a million, and only leases are looked at one by one: counting must not take the time of workers.
    CountJobs { places: Places as () } -> (BigInt, BigInt, Nullable<Timestamptz>) =
    "WITH RECURSIVE " (include places) "
     SELECT (SELECT count(*) FROM (SELECT 1 FROM job_queue LIMIT 500000) AS counted),
            (SELECT count(job.lease_owner) FROM place JOIN job_queue AS job
             ON job.late_after_s = place.s AND job.region = place.region AND job.visible_at > uptime_now()),
            (SELECT min(scheduled_at) FROM job_queue)"
);

statement!(for Pg:
    /// Jobs that may wait equally long and are of one region stand together in the index `job_queue_visible`: all such groups, in
    /// `place`, by searches of the index instead of a scan.
    Places {} -> () =
    "patience (s) AS (
       SELECT max(late_after_s) FROM job_queue
       UNION ALL SELECT (SELECT max(late_after_s) FROM job_queue WHERE late_after_s < patience.s) FROM patience WHERE s IS NOT NULL),
     place (s, region) AS (
       SELECT s, (SELECT min(job.region) FROM job_queue AS job WHERE job.late_after_s = patience.s)
       FROM patience WHERE s IS NOT NULL
       UNION ALL SELECT s, (
         SELECT min(job.region) FROM job_queue AS job WHERE job.late_after_s = place.s AND job.region > place.region)
       FROM place WHERE region IS NOT NULL)"
);
