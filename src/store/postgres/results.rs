//! Writing results: one row per slot, and the state of each site.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::PostgresStore;
use super::rows::storable;
use crate::clock::Timestamp;
use crate::database::{DatabaseError, statement};
use crate::model::bounds::possible;
use crate::model::{CheckResult, SiteId, Slot, Status};
use crate::store::failure::evidence_text;
use crate::store::turns::{self, AHEAD_S, AllNews, State, StateColumns, says_verdict};
use crate::store::{Persisted, Pruned, ResultStore, Retention, StoreError, Turn};

/// Deadlocks should not happen, for everybody locks in one order. PostgreSQL's own documentation says to be ready for them all
/// the same.
const DEADLOCK_TRIES: usize = 4;

/// The SQLSTATE of a deadlock.
const DEADLOCK: &str = "40P01";

#[async_trait]
impl ResultStore for PostgresStore {
    async fn persist(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        let all = || groups.iter().flat_map(|group| group.iter());
        let mut results = turns::one_per_slot(all());
        // In the order in which everybody writes them, so that no two writers wait for each other.
        results.sort_unstable_by_key(|(slot, _)| (slot.site_id, slot.scheduled_at, slot.region));
        if results.is_empty() {
            return Ok(Persisted::default());
        }
        self.partitions.prepare_for(results.iter().map(|(slot, _)| slot.scheduled_at)).await;
        let with_site = all().filter(|result| result.site_id.is_some()).count();
        let statuses = results.iter().map(|(slot, result)| (*slot, result.status)).collect();
        let (new, turns) = self.store(Insert::of(&results), Arc::new(statuses)).await?;
        Ok(Persisted { repeated: with_site - new.len(), new, turns })
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

/// The status of each slot in a batch.
type Statuses = Arc<HashMap<Slot, Status>>;

/// Slots whose rows are new, and how sites turned by them.
type Stored = (Vec<Slot>, Vec<Turn>);

impl PostgresStore {
    /// Stores them, again after a deadlock.
    async fn store(&self, rows: Insert, statuses: Statuses) -> Result<Stored, DatabaseError> {
        for _ in 1..DEADLOCK_TRIES {
            match self.store_once(rows.clone(), Arc::clone(&statuses)).await {
                Err(error) if error.sqlstate() == Some(DEADLOCK) => {
                    log::warn!("results are stored again after a deadlock");
                }
                stored => return stored,
            }
        }
        self.store_once(rows, statuses).await
    }

    async fn store_once(&self, rows: Insert, statuses: Statuses) -> Result<Stored, DatabaseError> {
        let work = async move |connection: &mut AsyncPgConnection| -> Result<Stored, DatabaseError> {
            let new = rows.load::<(i64, Timestamp, String)>(connection).await?;
            let slot = |(site, at, region): (i64, Timestamp, String)| Slot::stored(at, site, &region);
            let new: Vec<Slot> = new.into_iter().filter_map(slot).collect();
            let turns = step(connection, &new, &statuses).await?;
            Ok((new, turns))
        };
        self.database.transaction(work).await
    }
}

/// Takes the results of a batch into the states of their sites. Results outlive their site, which has no state then.
async fn step(
    connection: &mut AsyncPgConnection,
    new: &[Slot],
    statuses: &HashMap<Slot, Status>,
) -> Result<Vec<Turn>, DatabaseError> {
    let sites: BTreeSet<i64> =
        statuses.keys().filter(|slot| says_verdict(slot)).map(|slot| slot.site_id.0).collect();
    let states = StatesOf { sites: sites.into_iter().collect() }.load::<StateRow>(connection).await?;
    let [((_, now), _), ..] = states.as_slice() else { return Ok(Vec::new()) };
    let end = *now + TimeDelta::seconds(AHEAD_S);
    let new: HashSet<Slot> = new.iter().copied().collect();
    let news = statuses.iter().map(|(slot, status)| (*slot, *status, new.contains(slot)));
    let news = AllNews::of(news, end);
    let mut states: HashMap<SiteId, State> = states.into_iter().map(of_row).collect();
    let results: Vec<(SiteId, Vec<(Timestamp, Status)>)> =
        news.sites().filter_map(|(site, news)| Some((site, states.get(&site)?.results(news)))).collect();
    let after_breaks = after_breaks(connection, &states, &results).await?;
    let (mut turns, mut changed) = (Vec::new(), SetStates::default());
    for (site, results) in results.iter().filter(|(_, results)| !results.is_empty()) {
        let Some(state) = states.get_mut(site) else { continue };
        turns.extend(state.step(*site, results, after_breaks.get(&site.0).copied()));
        changed.push(*site, state);
    }
    changed.execute(connection).await?;
    Ok(turns)
}

/// The first verdicts after results that break a run in two.
async fn after_breaks(
    connection: &mut AsyncPgConnection,
    states: &HashMap<SiteId, State>,
    results: &[(SiteId, Vec<(Timestamp, Status)>)],
) -> Result<HashMap<i64, Timestamp>, DatabaseError> {
    let mut looked_for = FirstVerdicts { sites: Vec::new(), broken: Vec::new(), until: Vec::new() };
    for (site, results) in results {
        let Some(state) = states.get(site) else { continue };
        if let (Some(broken), Some(standing)) = (state.break_by(results), state.standing) {
            looked_for.sites.push(site.0);
            looked_for.broken.push(broken);
            looked_for.until.push(standing.until);
        }
    }
    match looked_for.sites.is_empty() {
        true => Ok(HashMap::new()),
        false => Ok(looked_for.load(connection).await?.into_iter().collect()),
    }
}

type StateRow = (
    (i64, Timestamp),
    (
        Option<String>,
        Option<Timestamp>,
        Option<Timestamp>,
        Option<Timestamp>,
        Option<Timestamp>,
        Option<String>,
    ),
);

fn of_row(((site, _), columns): StateRow) -> (SiteId, State) {
    let (status, updated, since, verdict_at, differed_at, freshness) = columns;
    let columns = StateColumns { status, updated, since, verdict_at, differed_at, freshness };
    (SiteId(site), columns.state())
}

impl SetStates {
    fn push(&mut self, site: SiteId, state: &State) {
        let StateColumns { status, updated, since, verdict_at, differed_at, freshness } = state.into();
        self.sites.push(site.0);
        self.updated.push(updated);
        self.freshness.push(freshness);
        self.status.push(status);
        self.since.push(since);
        self.verdict_at.push(verdict_at);
        self.differed_at.push(differed_at);
    }
}

impl Insert {
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
            regions: results.iter().map(|(slot, _)| slot.region.to_string()).collect(),
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
    /// Rows of a batch. Returns the slots of those that are new. The first result of a slot stands, but for `missed`,
    /// which gives way to a check.
    ///
    /// Rows come in order of site, slot and region, and sites are locked in order and only after all rows are in: so writers never wait
    /// for each other in a circle.
    Insert {
        sites: Vec<i64> as Array<BigInt>, ats: Vec<Timestamp> as Array<Timestamptz>, regions: Vec<String> as Array<Text>,
        started: Vec<Timestamp> as Array<Timestamptz>,
        not_after: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>, bytes: Vec<i64> as Array<BigInt>,
        total: Vec<Option<i32>> as Array<Nullable<Integer>>, dns: Vec<Option<i32>> as Array<Nullable<Integer>>,
        connect: Vec<Option<i32>> as Array<Nullable<Integer>>, tls: Vec<Option<i32>> as Array<Nullable<Integer>>,
        ttfb: Vec<Option<i32>> as Array<Nullable<Integer>>, download: Vec<Option<i32>> as Array<Nullable<Integer>>,
        http: Vec<Option<i16>> as Array<Nullable<SmallInt>>, attempt: Vec<i16> as Array<SmallInt>,
        status: Vec<&'static str> as Array<Text>, reason: Vec<Option<&'static str>> as Array<Nullable<Text>>,
        worker: Vec<String> as Array<Text>, error: Vec<Option<String>> as Array<Nullable<Text>>,
        evidence: Vec<Option<String>> as Array<Nullable<Text>>,
    } -> (BigInt, Timestamptz, Text) =
    "INSERT INTO ping_status (site_id, scheduled_at, region, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us,
       ttfb_us, download_us, http_status, attempt, status, reason, worker, error, evidence)
     SELECT site_id, scheduled_at, region, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us,
       ttfb_us, download_us, http_status, attempt, status, reason, worker, error, evidence::json
     FROM unnest(" (sites: Array<BigInt>) ", " (ats: Array<Timestamptz>) ", " (regions: Array<Text>) ", " (started: Array<Timestamptz>) ", "
         (not_after: Array<Nullable<Timestamptz>>) ", " (bytes: Array<BigInt>) ", " (total: Array<Nullable<Integer>>) ", "
         (dns: Array<Nullable<Integer>>) ", " (connect: Array<Nullable<Integer>>) ", " (tls: Array<Nullable<Integer>>) ", "
         (ttfb: Array<Nullable<Integer>>) ", " (download: Array<Nullable<Integer>>) ", " (http: Array<Nullable<SmallInt>>) ", "
         (attempt: Array<SmallInt>) ", " (status: Array<Text>) ", " (reason: Array<Nullable<Text>>) ", "
         (worker: Array<Text>) ", " (error: Array<Nullable<Text>>) ", " (evidence: Array<Nullable<Text>>) ")
     AS result (site_id, scheduled_at, region, started_at, not_after, body_bytes, total_us, dns_us, connect_us, tls_us, ttfb_us,
       download_us, http_status, attempt, status, reason, worker, error, evidence)
     ORDER BY site_id, scheduled_at, region
     ON CONFLICT (site_id, scheduled_at, region) DO UPDATE SET
       started_at = excluded.started_at, not_after = excluded.not_after, body_bytes = excluded.body_bytes,
       total_us = excluded.total_us, dns_us = excluded.dns_us, connect_us = excluded.connect_us,
       tls_us = excluded.tls_us, ttfb_us = excluded.ttfb_us, download_us = excluded.download_us,
       http_status = excluded.http_status, attempt = excluded.attempt, status = excluded.status,
       reason = excluded.reason, worker = excluded.worker, error = excluded.error, evidence = excluded.evidence
     WHERE ping_status.status = 'missed' AND excluded.status <> 'missed'
     RETURNING site_id, scheduled_at, region"
);

statement!(for Pg:
    StatesOf { sites: Vec<i64> as Array<BigInt> }
    -> ((BigInt, Timestamptz),
        (Nullable<Text>, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Text>)) =
    "SELECT site_id, uptime_now(), last_status, last_updated, since, verdict_at, differed_at, freshness
     FROM sites WHERE site_id = ANY(" (sites: Array<BigInt>) ") ORDER BY site_id FOR NO KEY UPDATE"
);

statement!(for Pg:
    #[derive(Default)]
    SetStates {
        sites: Vec<i64> as Array<BigInt>, updated: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
        freshness: Vec<Option<&'static str>> as Array<Nullable<Text>>, status: Vec<Option<&'static str>> as Array<Nullable<Text>>,
        since: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
        verdict_at: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
        differed_at: Vec<Option<Timestamp>> as Array<Nullable<Timestamptz>>,
    } -> () =
    "UPDATE sites SET last_updated = state.last_updated, freshness = state.freshness, last_status = state.last_status,
       since = state.since, verdict_at = state.verdict_at, differed_at = state.differed_at
     FROM unnest(" (sites: Array<BigInt>) ", " (updated: Array<Nullable<Timestamptz>>) ", " (freshness: Array<Nullable<Text>>) ", "
       (status: Array<Nullable<Text>>) ", " (since: Array<Nullable<Timestamptz>>) ", " (verdict_at: Array<Nullable<Timestamptz>>) ", "
       (differed_at: Array<Nullable<Timestamptz>>) ")
     AS state (site_id, last_updated, freshness, last_status, since, verdict_at, differed_at)
     WHERE sites.site_id = state.site_id"
);

statement!(for Pg:
    /// Of results that come late.
    FirstVerdicts {
        sites: Vec<i64> as Array<BigInt>, broken: Vec<Timestamp> as Array<Timestamptz>, until: Vec<Timestamp> as Array<Timestamptz>,
    } -> (BigInt, Timestamptz) =
    "SELECT late.site_id, first.scheduled_at
     FROM unnest(" (sites: Array<BigInt>) ", " (broken: Array<Timestamptz>) ", " (until: Array<Timestamptz>) ")
     AS late (site_id, scheduled_at, until)
     CROSS JOIN LATERAL (
       SELECT scheduled_at FROM ping_status AS row
       WHERE row.site_id = late.site_id AND row.scheduled_at > late.scheduled_at AND row.scheduled_at <= late.until
         AND row.region = '' AND row.status IN ('up', 'degraded', 'down')
       ORDER BY row.scheduled_at LIMIT 1) AS first"
);

statement!(for Pg:
    /// Jobs of the future are those of new sites, which are checked within a minute. Audits are of the default region.
    SettledBefore {} -> (Nullable<Timestamptz>,) =
    "SELECT CASE WHEN last_tick IS NOT NULL THEN least(last_tick, (SELECT min(scheduled_at) FROM job_queue WHERE region = '')) END
     FROM scheduler_state WHERE id = 1"
);

statement!(for Pg:
    /// Not later than the last tick: the clock may have been set back since this was found out.
    NoteRead { before: Option<Timestamp> as Nullable<Timestamptz> } -> () =
    "UPDATE result_log_state SET read_before = CASE WHEN " (before: Nullable<Timestamptz>) " IS NOT NULL
       THEN greatest(read_before, least(" (before: Nullable<Timestamptz>) ",
         (SELECT last_tick FROM scheduler_state WHERE id = 1))) END WHERE id = 1"
);
