//! Writing results: one row per slot, and the newest status of each site.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::PostgresStore;
use super::rows::storable;
use crate::clock::Timestamp;
use crate::database::{DatabaseError, statement};
use crate::model::bounds::possible;
use crate::model::{CheckResult, Slot, Status};
use crate::result_log::Batch;
use crate::store::failure::evidence_text;
use crate::store::{Persisted, Pruned, ResultStore, Retention, StoreError};

/// Deadlocks should not happen, for everybody locks in one order. PostgreSQL's own documentation says to be ready for them all
/// the same.
const DEADLOCK_TRIES: usize = 4;

/// The SQLSTATE of a deadlock.
const DEADLOCK: &str = "40P01";

#[async_trait]
impl ResultStore for PostgresStore {
    async fn persist(&self, batch: &Batch) -> Result<Persisted, StoreError> {
        let results = in_order(batch.results());
        if results.is_empty() {
            return Ok(Persisted::default());
        }
        self.partitions.prepare_for(results.iter().map(|(slot, _)| slot.scheduled_at)).await;
        let all = batch.results().filter(|result| result.site_id.is_some()).count();
        let new = self.store(Persist::of(&results)).await?;
        Ok(Persisted { new, repeated: all - new })
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        Ok(self.pruning.prune(retention).await?)
    }

    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError> {
        let work = async |connection: &mut AsyncPgConnection| -> Result<(Option<Timestamp>,), DatabaseError> {
            Ok(SettledBefore {}.get_result(connection).await?)
        };
        Ok(self.database.call(work).await?.0)
    }

    async fn note_read(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let work = async move |connection: &mut AsyncPgConnection| -> Result<usize, DatabaseError> {
            Ok(NoteRead { before }.execute(connection).await?)
        };
        self.database.call(work).await?;
        Ok(())
    }
}

/// One result for each slot, the one that stands, in the order in which everybody writes them, so that no two writers wait for
/// each other.
fn in_order<'a>(results: impl Iterator<Item = &'a CheckResult>) -> Vec<(Slot, &'a CheckResult)> {
    let mut standing: HashMap<Slot, &CheckResult> = HashMap::new();
    for (slot, result) in results.filter_map(|result| Some((result.slot()?, result))) {
        let first = standing.entry(slot).or_insert(result);
        if first.status == Status::Missed {
            *first = result;
        }
    }
    let mut standing: Vec<_> = standing.into_iter().collect();
    standing.sort_unstable_by_key(|(slot, _)| (slot.site_id, slot.scheduled_at));
    standing
}

impl PostgresStore {
    /// Stores them, again after a deadlock. Returns how many are new.
    async fn store(&self, statement: Persist) -> Result<usize, DatabaseError> {
        for _ in 1..DEADLOCK_TRIES {
            match self.store_once(statement.clone()).await {
                Err(error) if error.sqlstate() == Some(DEADLOCK) => {
                    log::warn!("results are stored again after a deadlock");
                }
                stored => return stored,
            }
        }
        self.store_once(statement).await
    }

    async fn store_once(&self, statement: Persist) -> Result<usize, DatabaseError> {
        let work = async move |connection: &mut AsyncPgConnection| {
            let (new,): (i64,) = statement.get_result(connection).await?;
            Ok::<_, DatabaseError>(new as usize)
        };
        self.database.call(work).await
    }
}

impl Persist {
    /// Values that do not fit are stored as the nearest that do.
    fn of(results: &[(Slot, &CheckResult)]) -> Self {
        fn column<T>(results: &[(Slot, &CheckResult)], of: impl Fn(&CheckResult) -> T) -> Vec<T> {
            results.iter().map(|(_, result)| of(result)).collect()
        }
        let us = |phase: Option<u64>| phase.map(|us| i32::try_from(us).unwrap_or(i32::MAX));
        let certificate =
            |result: &CheckResult| result.certificate.as_ref().map(|found| possible(found.not_after));
        Self {
            sites: results.iter().map(|(slot, _)| slot.site_id.0).collect(),
            ats: results.iter().map(|(slot, _)| slot.scheduled_at).collect(),
            started: column(results, |result| possible(result.started_at)),
            not_after: column(results, certificate),
            bytes: column(results, |result| i64::try_from(result.body_bytes).unwrap_or(i64::MAX)),
            total: column(results, |result| us(result.timings.total_us)),
            dns: column(results, |result| us(result.timings.dns_us)),
            connect: column(results, |result| us(result.timings.connect_us)),
            tls: column(results, |result| us(result.timings.tls_us)),
            ttfb: column(results, |result| us(result.timings.ttfb_us)),
            download: column(results, |result| us(result.timings.download_us)),
            http: column(results, |result| {
                result.http_status.map(|code| i16::try_from(code).unwrap_or(i16::MAX))
            }),
            attempt: column(results, |result| i16::try_from(result.attempt).unwrap_or(i16::MAX)),
            status: column(results, |result| result.status.as_str()),
            reason: column(results, |result| result.reason.map(|reason| reason.as_str())),
            worker: column(results, |result| storable(&result.worker)),
            error: column(results, |result| result.error.as_deref().map(storable)),
            evidence: column(results, evidence_text),
        }
    }
}

statement!(for Pg:
    /// A batch in one statement: the new rows, then the sites whose newest slot is among them. Returns the number of new rows. The
    /// first result of a slot stands, but for `missed`, which gives way to a check.
    ///
    /// Rows come in order of site and slot, and sites are locked in order and only after all rows are in: so writers never wait
    /// for each other in a circle. A site's status turns where a slot's differs from the one before; slots that are older than
    /// what is known of the site count for nothing, nor do those of a clock that was ahead, after which nothing would be newer.
    Persist {
        sites: Vec<i64> as Array<BigInt>, ats: Vec<Timestamp> as Array<Timestamptz>, started: Vec<Timestamp> as Array<Timestamptz>,
        not_after: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>, bytes: Vec<i64> as Array<BigInt>,
        total: Vec<Option<i32>> as Array<Nullable<Integer>>, dns: Vec<Option<i32>> as Array<Nullable<Integer>>,
        connect: Vec<Option<i32>> as Array<Nullable<Integer>>, tls: Vec<Option<i32>> as Array<Nullable<Integer>>,
        ttfb: Vec<Option<i32>> as Array<Nullable<Integer>>, download: Vec<Option<i32>> as Array<Nullable<Integer>>,
        http: Vec<Option<i16>> as Array<Nullable<SmallInt>>, attempt: Vec<i16> as Array<SmallInt>,
        status: Vec<&'static str> as Array<Text>, reason: Vec<Option<&'static str>> as Array<Nullable<Text>>,
        worker: Vec<String> as Array<Text>, error: Vec<Option<String>> as Array<Nullable<Text>>,
        evidence: Vec<Option<String>> as Array<Nullable<Text>>,
    } -> (BigInt,) =
    "WITH result AS MATERIALIZED (
       SELECT * FROM unnest(" (sites: Array<BigInt>) ", " (ats: Array<Timestamptz>) ", " (started: Array<Timestamptz>) ", "
         (not_after: Array<Nullable<Timestamptz>>) ", " (bytes: Array<BigInt>) ", " (total: Array<Nullable<Integer>>) ", "
         (dns: Array<Nullable<Integer>>) ", " (connect: Array<Nullable<Integer>>) ", " (tls: Array<Nullable<Integer>>) ", "
         (ttfb: Array<Nullable<Integer>>) ", " (download: Array<Nullable<Integer>>) ", " (http: Array<Nullable<SmallInt>>) ", "
         (attempt: Array<SmallInt>) ", " (status: Array<Text>) ", " (reason: Array<Nullable<Text>>) ", "
         (worker: Array<Text>) ", " (error: Array<Nullable<Text>>) ", " (evidence: Array<Nullable<Text>>) ")
       AS result (site_id, scheduled_at, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us, ttfb_us,
         download_us, http_status, attempt, status, reason, worker, error, evidence)),
     stored AS (
       INSERT INTO ping_status (site_id, scheduled_at, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us,
         ttfb_us, download_us, http_status, attempt, status, reason, worker, error, evidence)
       SELECT site_id, scheduled_at, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us,
         ttfb_us, download_us, http_status, attempt, status, reason, worker, error, evidence::json
       FROM result ORDER BY site_id, scheduled_at
       ON CONFLICT (site_id, scheduled_at) DO UPDATE SET
         started_at = excluded.started_at, not_after = excluded.not_after, body_bytes = excluded.body_bytes,
         total_us = excluded.total_us, dns_us = excluded.dns_us, connect_us = excluded.connect_us,
         tls_us = excluded.tls_us, ttfb_us = excluded.ttfb_us, download_us = excluded.download_us,
         http_status = excluded.http_status, attempt = excluded.attempt, status = excluded.status,
         reason = excluded.reason, worker = excluded.worker, error = excluded.error, evidence = excluded.evidence
       WHERE ping_status.status = 'missed' AND excluded.status <> 'missed'
       RETURNING 1),
     counted AS MATERIALIZED (SELECT count(*) AS new FROM stored),
     known AS MATERIALIZED (
       SELECT site_id, last_updated, last_status FROM sites
       WHERE (SELECT new FROM counted) >= 0 AND site_id IN (SELECT site_id FROM result)
       ORDER BY site_id FOR NO KEY UPDATE),
     fresh AS (
       SELECT result.site_id, result.scheduled_at, result.status,
         result.status IS DISTINCT FROM lag(result.status, 1, known.last_status)
           OVER (PARTITION BY result.site_id ORDER BY result.scheduled_at) AS turns
       FROM result JOIN known ON known.site_id = result.site_id
       WHERE (known.last_updated IS NULL OR result.scheduled_at > known.last_updated
           OR result.scheduled_at = known.last_updated AND known.last_status = 'missed' AND result.status <> 'missed')
         AND result.scheduled_at < uptime_now() + interval '1 minute'),
     newest AS (
       SELECT site_id, max(scheduled_at) AS scheduled_at, (array_agg(status ORDER BY scheduled_at DESC))[1] AS status,
         max(scheduled_at) FILTER (WHERE turns) AS turned_at
       FROM fresh GROUP BY site_id),
     changed AS (
       UPDATE sites SET last_updated = newest.scheduled_at, last_status = newest.status, since = coalesce(newest.turned_at, sites.since)
       FROM newest WHERE sites.site_id = newest.site_id)
     SELECT new FROM counted"
);

statement!(for Pg:
    /// Jobs of the future are those of new sites, which are checked within a minute.
    SettledBefore {} -> (Nullable<Timestamptz>,) =
    "SELECT CASE WHEN last_tick IS NOT NULL THEN least(last_tick, (SELECT min(scheduled_at) FROM job_queue)) END
     FROM scheduler_state WHERE id = 1"
);

statement!(for Pg:
    /// Not later than the last tick: the clock may have been set back since this was found out.
    NoteRead { before: Option<Timestamp> as Nullable<Timestamptz> } -> () =
    "UPDATE result_log_state SET read_before = CASE WHEN " (before: Nullable<Timestamptz>) " IS NOT NULL
       THEN greatest(read_before, least(" (before: Nullable<Timestamptz>) ",
         (SELECT last_tick FROM scheduler_state WHERE id = 1))) END WHERE id = 1"
);
