//! Writing results: one row per slot, and the state of each site.

use std::sync::Arc;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::SqliteStore;
use crate::clock::Timestamp;
use crate::database::DatabaseError;
use crate::database::rows::from_seconds;
use crate::database::sqlite::Durability;
use crate::database::statement;
use crate::model::{CheckResult, SiteId, Slot};
use crate::schedule;
use crate::store::failure::evidence_text;
use crate::store::retention::Belief;
use crate::store::turns::{self, AHEAD_S, AllNews, News, Standing, StateColumns};
use crate::store::{Persisted, Pruned, ResultStore, Retention, StoreError, Turn};

#[async_trait]
impl ResultStore for SqliteStore {
    async fn persist(&self, groups: &[Arc<Vec<CheckResult>>]) -> Result<Persisted, StoreError> {
        let (groups, clock) = (groups.to_vec(), self.clock.clone());
        let work = move |connection: &mut SqliteConnection| {
            persist(connection, clock.now_s(), groups.iter().flat_map(|group| group.iter()))
        };
        Ok(self.database.repeated_transaction(Durability::Full, work).await?)
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        let clock = self.clock.clone();
        let work = move |connection: &mut SqliteConnection| prune(connection, clock.now_s(), &retention);
        Ok(self.database.repeated_transaction(Durability::Full, work).await?)
    }

    async fn settled_before(&self) -> Result<Option<Timestamp>, StoreError> {
        let work = |connection: &mut SqliteConnection| -> Result<(Option<i64>,), DatabaseError> {
            Ok(SettledBefore {}.get_result(connection)?)
        };
        Ok(self.database.read_in_turn(work).await?.0.map(from_seconds))
    }

    async fn note_read(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let before = before.map(|at| at.timestamp());
        let work = move |connection: &mut SqliteConnection| -> Result<usize, DatabaseError> {
            Ok(NoteRead { before }.execute(connection)?)
        };
        self.database.repeated_transaction(Durability::Derived, work).await?;
        Ok(())
    }
}

fn persist<'a>(
    connection: &mut SqliteConnection,
    now: i64,
    results: impl Iterator<Item = &'a CheckResult> + Clone,
) -> Result<Persisted, DatabaseError> {
    let all = results.clone().filter(|result| result.site_id.is_some()).count();
    let mut results = turns::one_per_slot(results);
    // In the order of the table.
    results.sort_unstable_by_key(|(slot, _)| *slot);
    let (mut new, mut news) = (Vec::new(), Vec::with_capacity(results.len()));
    for (slot, result) in results {
        let is_new = insert(connection, slot, result)? == 1;
        if is_new {
            new.push(slot);
        }
        news.push((slot, result.status, is_new));
    }
    let mut turns = Vec::new();
    for (site, news) in AllNews::of(news.into_iter(), from_seconds(now + AHEAD_S)).sites() {
        turns.extend(step(connection, site, news)?);
    }
    Ok(Persisted { repeated: all - new.len(), new, turns })
}

/// Takes a site's news into its state. Results outlive their site, which has no state then.
fn step(connection: &mut SqliteConnection, site: SiteId, news: &[News]) -> QueryResult<Vec<Turn>> {
    if let [News { at, status, .. }] = news
        && let Some(verdict) = status.verdict()
        && (GoOn { site: site.0, at: at.timestamp(), verdict: verdict.as_str() }).execute(connection)? == 1
    {
        return Ok(Vec::new());
    }
    type Row = (Option<String>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<String>);
    let row: Option<Row> = StateOf { site: site.0 }.get_result(connection).optional()?;
    let Some((status, updated, since, verdict_at, differed_at, freshness)) = row else {
        return Ok(Vec::new());
    };
    let [updated, since, verdict_at, differed_at] =
        [updated, since, verdict_at, differed_at].map(|at| at.map(from_seconds));
    let mut state = StateColumns { status, updated, since, verdict_at, differed_at, freshness }.state();
    let results = state.results(news);
    let after_break = match (state.break_by(&results), state.standing) {
        (Some(broken), Some(Standing { until, .. })) => {
            let first = FirstVerdict { site: site.0, after: broken.timestamp(), until: until.timestamp() };
            first.get_result(connection).optional()?
        }
        _ => None,
    };
    let turns = state.step(site, &results, after_break.map(|(at,): (i64,)| from_seconds(at)));
    let StateColumns { status, updated, since, verdict_at, differed_at, freshness } = (&state).into();
    let [updated, since, verdict_at, differed_at] =
        [updated, since, verdict_at, differed_at].map(|at| at.map(|at| at.timestamp()));
    SetState { site: site.0, updated, freshness, status, since, verdict_at, differed_at }
        .execute(connection)?;
    Ok(turns)
}

fn insert(connection: &mut SqliteConnection, slot: Slot, result: &CheckResult) -> QueryResult<usize> {
    let us = |phase: Option<u64>| phase.map(|us| i64::try_from(us).unwrap_or(i64::MAX));
    let timings = &result.timings;
    Insert {
        scheduled_at: slot.scheduled_at.timestamp(),
        site_id: slot.site_id.0,
        region: slot.region.to_string(),
        status: result.status.as_str(),
        reason: result.reason.map(|reason| reason.as_str()),
        error: result.error.clone(),
        http_status: result.http_status.map(i32::from),
        started_at_us: result.started_at.timestamp_micros(),
        dns_us: us(timings.dns_us),
        connect_us: us(timings.connect_us),
        tls_us: us(timings.tls_us),
        ttfb_us: us(timings.ttfb_us),
        download_us: us(timings.download_us),
        total_us: us(timings.total_us),
        body_bytes: i64::try_from(result.body_bytes).unwrap_or(i64::MAX),
        not_after: result.certificate.as_ref().map(|certificate| certificate.not_after.timestamp()),
        worker: result.worker.clone(),
        attempt: i32::try_from(result.attempt).unwrap_or(i32::MAX),
        evidence: evidence_text(result),
    }
    .execute(connection)
}

fn prune(
    connection: &mut SqliteConnection,
    now: i64,
    retention: &Retention,
) -> Result<Pruned, DatabaseError> {
    if !schedule::is_possible(now) {
        return Ok(Pruned::default());
    }
    let belief = look(connection, now, retention)?;
    let most = i64::try_from(retention.most).unwrap_or(i64::MAX);
    if let Some(cut) = prune_until(connection, belief.cut(retention.keep), most)? {
        return Ok(Pruned { rows: prune_before(connection, cut)?, doubt: None });
    }
    let (withheld,): (i64,) = IsOlder { than: belief.cut_by_clock(retention.keep) }.get_result(connection)?;
    Ok(Pruned { rows: 0, doubt: (withheld > 0).then(|| belief.doubt()) })
}

fn look(connection: &mut SqliteConnection, now: i64, retention: &Retention) -> QueryResult<Belief> {
    type Row = (Option<i64>, Option<i64>, i64, Option<i64>);
    let (seen_at, until, proven_s, last_tick): Row = Believed {}.get_result(connection)?;
    let before = match (seen_at, until) {
        (Some(seen_at), Some(until)) => Belief { seen_at, until, proven_s },
        _ => Belief::first(now, last_tick),
    };
    let belief = before.look(now, retention);
    let Belief { seen_at, until, proven_s } = belief;
    Believe { seen_at, until, proven_s }.execute(connection)?;
    Ok(belief)
}

fn prune_before(connection: &mut SqliteConnection, cut: i64) -> QueryResult<usize> {
    MarkPruned { cut }.execute(connection)?;
    DropGaps { cut }.execute(connection)?;
    DropClockGaps { cut }.execute(connection)?;
    DropSpans { cut }.execute(connection)?;
    Prune { cut }.execute(connection)
}

/// The slot up to which to remove, so that about `most` rows go and no second is cut in two.
fn prune_until(connection: &mut SqliteConnection, before: i64, most: i64) -> QueryResult<Option<i64>> {
    let (oldest, cut): (Option<i64>, Option<i64>) = PruneCut { before, most }.get_result(connection)?;
    Ok(oldest.map(|oldest| cut.map_or(before, |cut| cut.max(oldest + 1))))
}

statement!(
    /// The first result of a slot stands, but for `missed`, which gives way to a check.
    Insert {
        scheduled_at: i64 as BigInt, site_id: i64 as BigInt, region: String as Text, status: &'static str as Text,
        reason: Option<&'static str> as Nullable<Text>, error: Option<String> as Nullable<Text>,
        http_status: Option<i32> as Nullable<Integer>, started_at_us: i64 as BigInt,
        dns_us: Option<i64> as Nullable<BigInt>, connect_us: Option<i64> as Nullable<BigInt>,
        tls_us: Option<i64> as Nullable<BigInt>, ttfb_us: Option<i64> as Nullable<BigInt>,
        download_us: Option<i64> as Nullable<BigInt>, total_us: Option<i64> as Nullable<BigInt>,
        body_bytes: i64 as BigInt, not_after: Option<i64> as Nullable<BigInt>,
        worker: String as Text, attempt: i32 as Integer, evidence: Option<String> as Nullable<Text>,
    } -> () =
    "INSERT INTO ping_status (scheduled_at, site_id, region, status, reason, error, http_status, started_at_us,
       dns_us, connect_us, tls_us, ttfb_us, download_us, total_us, body_bytes, not_after, worker, attempt, evidence) VALUES ("
    (scheduled_at: BigInt) ", " (site_id: BigInt) ", " (region: Text) ", " (status: Text) ", " (reason: Nullable<Text>) ", "
    (error: Nullable<Text>) ", " (http_status: Nullable<Integer>) ", " (started_at_us: BigInt) ", "
    (dns_us: Nullable<BigInt>) ", " (connect_us: Nullable<BigInt>) ", " (tls_us: Nullable<BigInt>) ", "
    (ttfb_us: Nullable<BigInt>) ", " (download_us: Nullable<BigInt>) ", " (total_us: Nullable<BigInt>) ", "
    (body_bytes: BigInt) ", " (not_after: Nullable<BigInt>) ", " (worker: Text) ", " (attempt: Integer) ", "
    (evidence: Nullable<Text>) ") ON CONFLICT DO UPDATE SET
       status = excluded.status, reason = excluded.reason, error = excluded.error,
       http_status = excluded.http_status, started_at_us = excluded.started_at_us, dns_us = excluded.dns_us,
       connect_us = excluded.connect_us, tls_us = excluded.tls_us, ttfb_us = excluded.ttfb_us,
       download_us = excluded.download_us, total_us = excluded.total_us, body_bytes = excluded.body_bytes,
       not_after = excluded.not_after, worker = excluded.worker, attempt = excluded.attempt,
       evidence = excluded.evidence
     WHERE ping_status.status = 'missed' AND excluded.status <> 'missed'"
);

statement!(
    /// The usual step, in one statement: the verdict goes on. Reading each site's state first would make storing a third dearer.
    GoOn { site: i64 as BigInt, at: i64 as BigInt, verdict: &'static str as Text } -> () =
    "UPDATE sites SET last_updated = " (at: BigInt) ", verdict_at = " (at: BigInt) " WHERE site_id = " (site: BigInt)
    " AND last_status = " (verdict: Text) " AND freshness = 'fresh' AND last_updated < " (at: BigInt)
);

statement!(StateOf { site: i64 as BigInt }
    -> (Nullable<Text>, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Nullable<Text>) =
    "SELECT last_status, last_updated, since, verdict_at, differed_at, freshness FROM sites WHERE site_id = " (site: BigInt));

statement!(SetState {
        site: i64 as BigInt, updated: Option<i64> as Nullable<BigInt>, freshness: Option<&'static str> as Nullable<Text>,
        status: Option<&'static str> as Nullable<Text>, since: Option<i64> as Nullable<BigInt>,
        verdict_at: Option<i64> as Nullable<BigInt>, differed_at: Option<i64> as Nullable<BigInt>,
    } -> () =
    "UPDATE sites SET last_updated = " (updated: Nullable<BigInt>) ", freshness = " (freshness: Nullable<Text>)
    ", last_status = " (status: Nullable<Text>) ", since = " (since: Nullable<BigInt>) ", verdict_at = " (verdict_at: Nullable<BigInt>)
    ", differed_at = " (differed_at: Nullable<BigInt>) " WHERE site_id = " (site: BigInt));

statement!(
    /// Of a result that comes late: mostly the site's next slot, so the rows of one interval are passed over.
    FirstVerdict { site: i64 as BigInt, after: i64 as BigInt, until: i64 as BigInt } -> (BigInt,) =
    "SELECT scheduled_at FROM ping_status
     WHERE scheduled_at > " (after: BigInt) " AND scheduled_at <= " (until: BigInt)
    " AND site_id = " (site: BigInt) " AND region = '' AND status IN ('up', 'degraded', 'down') ORDER BY scheduled_at LIMIT 1"
);

statement!(PruneCut { before: i64 as BigInt, most: i64 as BigInt } -> (Nullable<BigInt>, Nullable<BigInt>) =
    "SELECT (SELECT scheduled_at FROM ping_status WHERE scheduled_at < " (before: BigInt) " ORDER BY scheduled_at LIMIT 1),
            (SELECT scheduled_at FROM ping_status WHERE scheduled_at < " (before: BigInt) " ORDER BY scheduled_at LIMIT 1 OFFSET " (most: BigInt) ")");

statement!(Prune { cut: i64 as BigInt } -> () = "DELETE FROM ping_status WHERE scheduled_at < " (cut: BigInt));

statement!(MarkPruned { cut: i64 as BigInt } -> () =
    "UPDATE scheduler_state SET pruned_before = max(pruned_before, " (cut: BigInt) ") WHERE id = 1");

statement!(DropGaps { cut: i64 as BigInt } -> () = "DELETE FROM schedule_gap WHERE until_s < " (cut: BigInt));

statement!(DropClockGaps { cut: i64 as BigInt } -> () = "DELETE FROM clock_gap WHERE until_s < " (cut: BigInt));

statement!(DropSpans { cut: i64 as BigInt } -> () =
    "DELETE FROM site_schedule WHERE valid_to < " (cut: BigInt) " AND (first_slot IS NULL OR first_slot < " (cut: BigInt) ")");

statement!(IsOlder { than: i64 as BigInt } -> (BigInt,) =
    "SELECT EXISTS (SELECT 1 FROM ping_status WHERE scheduled_at < " (than: BigInt) ")");

statement!(Believed {} -> (Nullable<BigInt>, Nullable<BigInt>, BigInt, Nullable<BigInt>) =
    "SELECT belief.seen_at, belief.believed_until, belief.proven_s, state.last_tick
     FROM retention_state AS belief, scheduler_state AS state WHERE belief.id = 1 AND state.id = 1");

statement!(Believe { seen_at: i64 as BigInt, until: i64 as BigInt, proven_s: i64 as BigInt } -> () =
    "UPDATE retention_state SET seen_at = " (seen_at: BigInt) ", believed_until = " (until: BigInt) ", proven_s = " (proven_s: BigInt)
    " WHERE id = 1");

statement!(
    /// Jobs of the future are those of new sites, which are checked within a minute. Audits are of the default region.
    SettledBefore {} -> (Nullable<BigInt>,) =
    "SELECT min(last_tick, coalesce((SELECT min(scheduled_at) FROM job_queue WHERE region = ''), last_tick)) FROM scheduler_state WHERE id = 1"
);

statement!(
    /// Not later than the last tick: the clock may have been set back since this was found out.
    NoteRead { before: Option<i64> as Nullable<BigInt> } -> () =
    "UPDATE result_log_state SET read_before = max(coalesce(read_before, 0),
       min(" (before: Nullable<BigInt>) ", coalesce((SELECT last_tick FROM scheduler_state WHERE id = 1), 0))) WHERE id = 1"
);
