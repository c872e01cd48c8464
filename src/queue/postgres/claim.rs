//! Claims: which jobs come first, and which are left out.
//!
//! Jobs that may wait equally long (`late_after_s`) and are of one region stand together in the index `job_queue_visible`, in order of
//! time. A claim reads stretches of it, and none of them holds a job whose slot is late: only a job whose lease has ended may be late and lie in one,
//! and one of a version that did not say how long it may wait.

use std::time::Duration;

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::{Complete, Keys};
use crate::clock::{Clock, Timestamp};
use crate::database::{DatabaseError, statement};
use crate::model::{Job, Region, SiteId, Slot, Target};
use crate::queue::SUSPECT;
use crate::queue::share::{First, Share};

/// Jobs that are given up in one call.
const GIVEN_UP: i64 = 500;

/// A job, and what its site says: nothing, where it is gone. The second number is how many seconds are left until the
/// site's next slot.
type ClaimedRow =
    ((Timestamp, i64, i32), (Option<f64>, Option<String>, Option<i64>, Option<i32>, Option<String>));

type ClaimedSql = (
    (Timestamptz, BigInt, Integer),
    (Nullable<Double>, Nullable<Text>, Nullable<BigInt>, Nullable<Integer>, Nullable<Text>),
);

/// What was claimed, sorted.
#[derive(Default)]
struct Claimed {
    jobs: Vec<Job>,
    /// Their sites are gone.
    orphans: Vec<Slot>,
    /// Their leases had ended, and by now they are late.
    late: Vec<Slot>,
}

impl Claimed {
    fn add(&mut self, region: Region, ((scheduled_at, site, attempt), known): ClaimedRow) {
        let slot = Slot { scheduled_at, site_id: SiteId(site), region };
        let (Some(left_s), Some(url), Some(timeout_ms), Some(retries), settings) = known else {
            return self.orphans.push(slot);
        };
        if left_s <= -1.0 {
            return self.late.push(slot);
        }
        let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
        let retries = u8::try_from(retries).unwrap_or(u8::MAX);
        self.jobs.push(Job {
            slot,
            attempt: attempt.unsigned_abs(),
            next_slot: Clock::instant() + Duration::try_from_secs_f64(left_s).unwrap_or_default(),
            target: Target { url, timeout, retries, settings: settings.map(Into::into) },
        });
    }

    /// Removes what nobody will ever check, and puts what is late to where `settle` looks.
    async fn tidy(&mut self, connection: &mut AsyncPgConnection, owner: &str) -> Result<(), DatabaseError> {
        if !self.orphans.is_empty() {
            let slots = Keys::of(&std::mem::take(&mut self.orphans));
            Complete { slots, owner: owner.to_owned() }.execute(connection).await?;
        }
        if !self.late.is_empty() {
            let slots = Keys::of(&std::mem::take(&mut self.late));
            PutAside { slots, owner: owner.to_owned() }.execute(connection).await?;
        }
        Ok(())
    }
}

/// Claims until there are `limit` jobs or no more. Jobs without a site are removed on the way: they would be found first for
/// ever, and a claim that found nothing else would look like an empty queue.
pub(super) async fn claim(
    connection: &mut AsyncPgConnection,
    region: Region,
    Share { limit, first }: Share,
    lease: Lease,
) -> Result<Vec<Job>, DatabaseError> {
    let mut claimed = Claimed::default();
    let hurry = if first == First::Hurried { -1 } else { 3 };
    loop {
        let missing = limit.saturating_sub(claimed.jobs.len() as i64);
        let claim = Claim { region: region.to_string(), limit: missing, hurry, lease: lease.clone() };
        let rows: Vec<ClaimedRow> = claim.load(connection).await?;
        rows.into_iter().for_each(|row| claimed.add(region, row));
        let again = !claimed.orphans.is_empty();
        claimed.tidy(connection, &lease.owner).await?;
        if !again {
            claimed.jobs.sort_unstable_by_key(|job| job.slot);
            return Ok(claimed.jobs);
        }
    }
}

pub(super) async fn claim_suspects(
    connection: &mut AsyncPgConnection,
    region: Region,
    lease: Lease,
    given_up: u32,
) -> Result<Vec<Job>, DatabaseError> {
    let given_up = i32::try_from(given_up.max(SUSPECT)).unwrap_or(i32::MAX);
    let owner = lease.owner.clone();
    let claim = ClaimSuspects { region: region.to_string(), given_up, limit: GIVEN_UP, lease };
    let rows: Vec<ClaimedRow> = claim.load(connection).await?;
    let mut claimed = Claimed::default();
    rows.into_iter().for_each(|row| claimed.add(region, row));
    claimed.tidy(connection, &owner).await?;
    Ok(claimed.jobs)
}

statement!(for Pg:
    /// Leases what is due, and passes over what others are just claiming. In each stretch are all jobs that may wait equally long:
    /// first the last second, then this one, then what has waited for longer, but for what has used four fifths of its time,
    /// which is last, or first where `hurry` is below 0. OFFSET 0 keeps the stretches in order, and the inner limit
    /// has each read in the order of the index: without it all of a long one would be sorted.
    Claim { region: String as Text, limit: i64 as BigInt, hurry: i32 as Integer, lease: Lease as () } -> ClaimedSql =
    "WITH RECURSIVE
       patience (s) AS (
         SELECT max(late_after_s) FROM job_queue
         UNION ALL SELECT (SELECT max(late_after_s) FROM job_queue WHERE late_after_s < patience.s) FROM patience WHERE s IS NOT NULL),
       stretch AS MATERIALIZED (
         SELECT s, this_second - interval '1 second' * from_s AS first, this_second - interval '1 second' * to_s AS last
         FROM (SELECT date_trunc('second', uptime_now()) AS this_second) AS clock
         CROSS JOIN patience
         CROSS JOIN LATERAL (SELECT CASE WHEN s < 2 THEN s ELSE s * 4 / 5 END AS most) AS holding
         CROSS JOIN LATERAL (VALUES
           (" (hurry: Integer) ", s, most), (0, 1, 0), (1, 0, -1),
           (2, CASE s WHEN 0 THEN 2678400 ELSE most END, 1)) AS part (nth, from_s, to_s)
         WHERE s IS NOT NULL ORDER BY nth, s),
       due AS MATERIALIZED (
         SELECT job.scheduled_at, job.site_id
         FROM (SELECT s, first, last FROM stretch OFFSET 0) AS stretch
         CROSS JOIN LATERAL (
           SELECT scheduled_at, site_id FROM job_queue
           WHERE late_after_s = stretch.s AND region = " (region: Text) " AND visible_at >= stretch.first AND visible_at < stretch.last
             AND visible_at <= uptime_now() AND attempt < 2
           ORDER BY visible_at LIMIT " (limit: BigInt) " FOR UPDATE SKIP LOCKED) AS job
         LIMIT " (limit: BigInt) "),
       " (include lease)
);

statement!(for Pg:
    /// A late suspect is passed over, for `settle` ends it; one that is lost may be late, and is put aside with what is late.
    ClaimSuspects { region: String as Text, given_up: i32 as Integer, limit: i64 as BigInt, lease: Lease as () } -> ClaimedSql =
    "WITH lost AS MATERIALIZED (
       SELECT scheduled_at, site_id FROM job_queue
       WHERE region = " (region: Text) " AND attempt >= 2 AND attempt >= " (given_up: Integer) " AND visible_at <= uptime_now()
         AND (late_after_s = 0 OR visible_at >= date_trunc('second', uptime_now()) - interval '1 second' * late_after_s)
       ORDER BY visible_at LIMIT " (limit: BigInt) " FOR UPDATE SKIP LOCKED),
     suspect AS MATERIALIZED (
       SELECT scheduled_at, site_id FROM job_queue
       WHERE region = " (region: Text) " AND attempt >= 2 AND attempt < " (given_up: Integer) " AND visible_at <= uptime_now()
         AND (late_after_s = 0 OR scheduled_at >= date_trunc('second', uptime_now()) - interval '1 second' * late_after_s)
       ORDER BY visible_at LIMIT 1 FOR UPDATE SKIP LOCKED),
     due AS (SELECT scheduled_at, site_id FROM lost UNION ALL SELECT scheduled_at, site_id FROM suspect),
     " (include lease)
);

statement!(for Pg:
    /// The last part of a claim: leases the jobs in `due`. Jobs without a site come along. Settings are passed on as the
    /// text that they are: who cannot read it is the check.
    Lease { region: String as Text, lease_s: f64 as Double, owner: String as Text } -> () =
    "known AS MATERIALIZED (
       SELECT due.scheduled_at, due.site_id, site.every_s, site.url, site.timeout_ms, site.retries, site.settings::text
       FROM due LEFT JOIN site_config AS site ON site.id = due.site_id)
     UPDATE job_queue AS job
     SET lease_owner = " (owner: Text) ", attempt = job.attempt + 1,
         visible_at = date_trunc('second', uptime_now()) + interval '1 second' * ceil("
         (lease_s: Double) " + coalesce(known.timeout_ms / 1000.0 * (known.retries + 1), 0)::float8)
     FROM known
     WHERE job.region = " (region: Text) " AND job.scheduled_at = known.scheduled_at AND job.site_id = known.site_id
     RETURNING job.scheduled_at, job.site_id, job.attempt,
       extract(epoch FROM job.scheduled_at - uptime_now())::float8
         + CASE job.late_after_s WHEN 0 THEN known.every_s ELSE job.late_after_s END,
       known.url, known.timeout_ms, known.retries, known.settings"
);

impl Lease {
    /// `lease` on top of what a site's tries may take.
    pub(super) fn new(owner: &str, region: Region, lease: Duration) -> Self {
        Self { region: region.to_string(), lease_s: lease.as_secs_f64(), owner: owner.to_owned() }
    }
}

statement!(for Pg: PutAside { slots: Keys as (), owner: String as Text } -> () =
    "UPDATE job_queue AS job SET visible_at = job.scheduled_at, lease_owner = NULL, attempt = greatest(job.attempt - 1, 0),
       late_after_s = CASE job.late_after_s WHEN 0 THEN site.every_s ELSE job.late_after_s END
     FROM " (include slots) "
     JOIN site_config AS site ON site.id = slot.site_id
     WHERE job.region = slot.region AND job.scheduled_at = slot.scheduled_at AND job.site_id = slot.site_id AND job.lease_owner = " (owner: Text));
