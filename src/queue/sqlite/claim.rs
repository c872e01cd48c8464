//! Claims: which jobs come first, and which are left out.
//!
//! Jobs that may wait equally long (`late_after_s`) and are of one region stand together in the index `job_queue_visible`, in order of
//! time. A claim reads stretches of it, and none of them holds a job whose slot is late: only a job whose lease has ended may be late and lie in one,
//! and one of a version that did not say how long it may wait.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::Key;
use crate::clock::{Clock, Timestamp};
use crate::database::DatabaseError;
use crate::database::rows::from_seconds;
use crate::database::statement;
use crate::model::{Job, Region, SiteId, Slot, Target};
use crate::queue::SUSPECT;
use crate::queue::share::{First, Share};

/// Jobs that are given up in one call.
const GIVEN_UP: i64 = 500;

/// Suspects are few, and those that turn out to be late are put aside: so one that is not is among so many.
const SUSPECTS: i64 = 100;

/// A job, how long it may wait, and what its site says.
type FoundRow = (i64, i64, i32, i64, String, i64, i32, Option<String>);

struct Found {
    slot: Slot,
    /// Leases so far.
    attempt: u32,
    /// The site's next slot.
    next_slot: Timestamp,
    target: Target,
}

impl Found {
    fn in_region(region: Region, row: FoundRow) -> Self {
        let (at, site_id, attempt, late_after_s, url, timeout_ms, retries, settings) = row;
        Self {
            slot: Slot { scheduled_at: from_seconds(at), site_id: SiteId(site_id), region },
            attempt: attempt.unsigned_abs(),
            next_slot: from_seconds(at.saturating_add(late_after_s)),
            target: Target {
                url,
                timeout: Duration::from_millis(timeout_ms.unsigned_abs()),
                retries: u8::try_from(retries).unwrap_or(u8::MAX),
                settings: settings.map(Into::into),
            },
        }
    }
}

/// The worker that leases, its region, and the time.
pub(super) struct Claimer<'a> {
    pub(super) owner: &'a str,
    pub(super) region: Region,
    pub(super) lease: Duration,
    pub(super) now: Timestamp,
}

impl Claimer<'_> {
    /// Leases a job, or puts it aside when it is late.
    fn take(&self, connection: &mut SqliteConnection, row: FoundRow) -> QueryResult<Option<Job>> {
        let found = Found::in_region(self.region, row);
        let slot = Key::from(&found.slot);
        let left = found.next_slot - self.now;
        if left <= -TimeDelta::seconds(1) {
            PutAside { slot }.execute(connection)?;
            return Ok(None);
        }
        let tries = found.target.timeout * (u32::from(found.target.retries) + 1);
        let lease_s = (self.lease + tries).as_millis().div_ceil(1_000);
        let until = self.now.timestamp().saturating_add(i64::try_from(lease_s).unwrap_or(i64::MAX));
        Lease { slot, owner: self.owner.to_owned(), until }.execute(connection)?;
        Ok(Some(Job {
            slot: found.slot,
            attempt: found.attempt + 1,
            next_slot: Clock::instant() + left.to_std().unwrap_or_default(),
            target: found.target,
        }))
    }
}

pub(super) fn claim(
    connection: &mut SqliteConnection,
    claimer: &Claimer<'_>,
    Share { limit, first }: Share,
) -> Result<Vec<Job>, DatabaseError> {
    let (now, region) = (claimer.now.timestamp(), claimer.region.to_string());
    let hurry = if first == First::Hurried { -1 } else { 3 };
    let rows: Vec<FoundRow> = DueJobs { region, now, limit, hurry }.load(connection)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        jobs.extend(claimer.take(connection, row)?);
    }
    jobs.sort_unstable_by_key(|job| job.slot);
    Ok(jobs)
}

pub(super) fn claim_suspects(
    connection: &mut SqliteConnection,
    claimer: &Claimer<'_>,
    given_up: u32,
) -> Result<Vec<Job>, DatabaseError> {
    let (now, region) = (claimer.now.timestamp(), claimer.region.to_string());
    let given_up = i64::from(given_up.max(SUSPECT));
    let lost = Suspects { region: region.clone(), now, from: given_up, below: i64::MAX, limit: GIVEN_UP };
    let suspects = Suspects { region, now, from: SUSPECT.into(), below: given_up, limit: SUSPECTS };
    let lost: Vec<FoundRow> = lost.load(connection)?;
    let suspects: Vec<FoundRow> = suspects.load(connection)?;
    let mut jobs = Vec::with_capacity(lost.len() + 1);
    for row in lost {
        jobs.extend(claimer.take(connection, row)?);
    }
    for row in suspects {
        if let Some(job) = claimer.take(connection, row)? {
            jobs.push(job);
            break;
        }
    }
    Ok(jobs)
}

statement!(
    /// In each stretch all jobs that may wait equally long: first the last second, then this one, then what has waited for longer,
    /// but for what has used four fifths of its time, which is last, or first where `hurry` is below 0.
    /// Without its own LIMIT, SQLite would not keep the order of `stretch`.
    /// Settings are passed on as the text that they are: who cannot read it is the check.
    DueJobs { region: String as Text, now: i64 as BigInt, limit: i64 as BigInt, hurry: i64 as BigInt }
    -> (BigInt, BigInt, Integer, BigInt, Text, BigInt, Integer, Nullable<Text>) =
    "WITH RECURSIVE
       patience (s) AS (
         SELECT max(late_after_s) FROM job_queue
         UNION ALL SELECT (SELECT max(late_after_s) FROM job_queue WHERE late_after_s < patience.s) FROM patience WHERE s IS NOT NULL),
       holding (s, most) AS (SELECT s, iif(s < 2, s, s * 4 / 5) FROM patience WHERE s IS NOT NULL),
       stretch (nth, s, first, last) AS MATERIALIZED (
         SELECT " (hurry: BigInt) ", s, " (now: BigInt) " - s, " (now: BigInt) " - most - 1 FROM holding
         UNION ALL SELECT 0, s, " (now: BigInt) " - 1, " (now: BigInt) " - 1 FROM holding
         UNION ALL SELECT 1, s, " (now: BigInt) ", " (now: BigInt) " FROM holding
         UNION ALL SELECT 2, s, " (now: BigInt) " - iif(s = 0, 2678400, most), " (now: BigInt) " - 2 FROM holding
         ORDER BY 1, 2 LIMIT 1000000)
     SELECT job.scheduled_at, job.site_id, job.attempt, iif(job.late_after_s = 0, site.every_s, job.late_after_s),
            site.url, site.timeout_ms, site.retries, site.settings
     FROM stretch
     CROSS JOIN job_queue AS job INDEXED BY job_queue_visible
       ON job.late_after_s = stretch.s AND job.region = " (region: Text) " AND job.visible_at BETWEEN stretch.first AND stretch.last AND job.attempt < 2
     CROSS JOIN site_config AS site ON site.id = job.site_id
     LIMIT " (limit: BigInt)
);

statement!(
    /// Those that are late and wait for `settle` are passed over.
    Suspects { region: String as Text, now: i64 as BigInt, from: i64 as BigInt, below: i64 as BigInt, limit: i64 as BigInt }
    -> (BigInt, BigInt, Integer, BigInt, Text, BigInt, Integer, Nullable<Text>) =
    "SELECT job.scheduled_at, job.site_id, job.attempt, iif(job.late_after_s = 0, site.every_s, job.late_after_s),
            site.url, site.timeout_ms, site.retries, site.settings
     FROM job_queue AS job INDEXED BY job_queue_suspect CROSS JOIN site_config AS site ON site.id = job.site_id
     WHERE job.region = " (region: Text) " AND job.attempt >= 2 AND job.attempt >= " (from: BigInt) " AND job.attempt < " (below: BigInt)
    " AND job.visible_at <= " (now: BigInt)
    " AND job.visible_at >= " (now: BigInt) " - iif(job.late_after_s = 0, site.every_s, job.late_after_s)
     ORDER BY job.visible_at LIMIT " (limit: BigInt)
);

statement!(Lease { slot: Key as (), owner: String as Text, until: i64 as BigInt } -> () =
    "UPDATE job_queue SET visible_at = " (until: BigInt) ", lease_owner = " (owner: Text) ", attempt = attempt + 1 WHERE " (include slot));

statement!(
    /// A job whose lease has ended, and which is late by now, goes to where `settle` looks.
    PutAside { slot: Key as () } -> () =
    "UPDATE job_queue SET visible_at = scheduled_at, lease_owner = NULL,
       late_after_s = iif(late_after_s = 0, (SELECT every_s FROM site_config WHERE id = site_id), late_after_s)
     WHERE " (include slot)
);
