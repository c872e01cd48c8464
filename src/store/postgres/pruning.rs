//! Retention: what is too old is dropped by days, or removed row by row where it is kept for less than a day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::partitions::Partitions;
use super::pruned::mark;
use crate::clock::Timestamp;
use crate::database::postgres::Postgres;
use crate::database::rows::from_seconds;
use crate::database::{DatabaseError, statement};
use crate::schedule;
use crate::store::retention::Belief;
use crate::store::{Pruned, Retention};

/// Removes what is too old.
pub(super) struct Pruning {
    database: Postgres,
    partitions: Arc<Partitions>,
    /// Where rows are removed one by one: up to this site it is done.
    done: AtomicI64,
}

impl Pruning {
    pub(super) fn new(database: Postgres, partitions: Arc<Partitions>) -> Self {
        Self { database, partitions, done: AtomicI64::new(0) }
    }

    /// Drops the days that have ended before what is to be kept. Where that is less than a day, also removes older rows one
    /// by one; otherwise the rest of a day goes with its day. Of two processes that look or remove at once one has nothing to do.
    pub(super) async fn prune(&self, retention: Retention) -> Result<Pruned, DatabaseError> {
        self.partitions.make_ahead().await;
        let look = async move |connection: &mut AsyncPgConnection| look(connection, retention).await;
        let Some(belief) = self.database.transaction(look).await? else { return Ok(Pruned::default()) };
        let cut = from_seconds(belief.cut(retention.keep));
        let rows = match self.partitions.drop_days(cut).await? {
            0 => self.prune_rows(belief, cut, retention.most).await?,
            dropped => dropped,
        };
        let withheld =
            rows == 0 && self.partitions.is_older(from_seconds(belief.cut_by_clock(retention.keep))).await?;
        Ok(Pruned { rows, doubt: withheld.then(|| belief.doubt()) })
    }

    async fn prune_rows(&self, belief: Belief, cut: Timestamp, most: usize) -> Result<usize, DatabaseError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        if cut < from_seconds(belief.seen_at) - TimeDelta::days(1) {
            let stray =
                async move |connection: &mut AsyncPgConnection| prune_strays(connection, cut, most).await;
            return self.database.transaction(stray).await;
        }
        loop {
            let after = AtomicI64::load(&self.done, Ordering::Relaxed);
            let work = async move |connection: &mut AsyncPgConnection| {
                prune_sites(connection, after, cut, most).await
            };
            let (last, rows) = self.database.transaction(work).await?;
            // A step that was full may have left some behind.
            let done = if rows < most { last.unwrap_or(0) } else { after };
            AtomicI64::store(&self.done, done, Ordering::Relaxed);
            if rows > 0 || last.is_none() {
                return Ok(rows as usize);
            }
        }
    }
}

/// How far the clock is believed; `None` while another process looks, or with a clock that is wrong for certain.
async fn look(
    connection: &mut AsyncPgConnection,
    retention: Retention,
) -> Result<Option<Belief>, DatabaseError> {
    if !is_alone(connection).await? {
        return Ok(None);
    }
    type Row = (Timestamp, Option<Timestamp>, Option<Timestamp>, i64, Option<Timestamp>);
    let (now, seen_at, until, proven_s, last_tick): Row = Believed {}.get_result(connection).await?;
    let now = now.timestamp();
    if !schedule::is_possible(now) {
        return Ok(None);
    }
    let before = match (seen_at, until) {
        (Some(seen_at), Some(until)) => {
            Belief { seen_at: seen_at.timestamp(), until: until.timestamp(), proven_s }
        }
        _ => Belief::first(now, last_tick.map(|at| at.timestamp())),
    };
    let belief = before.look(now, &retention);
    let (seen_at, until) = (from_seconds(belief.seen_at), from_seconds(belief.until));
    Believe { seen_at, until, proven_s: belief.proven_s }.execute(connection).await?;
    Ok(Some(belief))
}

/// Whether no other process looks or removes: true until the end of the transaction.
async fn is_alone(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    Ok(TryAlone {}.get_result::<(bool,)>(connection).await?.0)
}

/// Rows that belong to no day. There should be none.
async fn prune_strays(
    connection: &mut AsyncPgConnection,
    cut: Timestamp,
    most: i64,
) -> Result<usize, DatabaseError> {
    if !is_alone(connection).await? {
        return Ok(0);
    }
    let pruned: Vec<(Timestamp,)> = PruneDefault { cut, most }.load(connection).await?;
    if let Some((newest,)) = pruned.iter().max() {
        // Some rows of that second may be left; it counts as pruned.
        mark(connection, *newest + TimeDelta::seconds(1)).await?;
    }
    Ok(pruned.len())
}

/// Old rows of the sites after `after`. Returns the last of these sites, and how many rows went.
async fn prune_sites(
    connection: &mut AsyncPgConnection,
    after: i64,
    cut: Timestamp,
    most: i64,
) -> Result<(Option<i64>, i64), DatabaseError> {
    if !is_alone(connection).await? {
        return Ok((None, 0));
    }
    let (last, rows): (Option<i64>, i64) = PruneSites { after, cut, most }.get_result(connection).await?;
    if rows > 0 {
        mark(connection, cut).await?;
    }
    Ok((last, rows))
}

statement!(for Pg:
    /// Until the end of the transaction.
    TryAlone {} -> (Bool,) = "SELECT pg_try_advisory_xact_lock(7075746979)"
);

statement!(for Pg: Believed {} -> (Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>, BigInt, Nullable<Timestamptz>) =
    "SELECT uptime_now(), belief.seen_at, belief.believed_until, belief.proven_s, state.last_tick
     FROM retention_state AS belief, scheduler_state AS state WHERE belief.id = 1 AND state.id = 1");

statement!(for Pg: Believe { seen_at: Timestamp as Timestamptz, until: Timestamp as Timestamptz, proven_s: i64 as BigInt } -> () =
    "UPDATE retention_state SET seen_at = " (seen_at: Timestamptz) ", believed_until = " (until: Timestamptz)
    ", proven_s = " (proven_s: BigInt) " WHERE id = 1");

statement!(for Pg: PruneDefault { cut: Timestamp as Timestamptz, most: i64 as BigInt } -> (Timestamptz,) =
    "DELETE FROM ping_status_default WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM ping_status_default WHERE scheduled_at < " (cut: Timestamptz)
    " ORDER BY scheduled_at LIMIT " (most: BigInt) ")) RETURNING scheduled_at");

statement!(for Pg:
    /// The key begins with the site, so rows are found site by site: what a step costs depends on the rows that it removes, and
    /// not on those that stay.
    PruneSites { after: i64 as BigInt, cut: Timestamp as Timestamptz, most: i64 as BigInt } -> (Nullable<BigInt>, BigInt) =
    "WITH site AS MATERIALIZED (SELECT id FROM site_config WHERE id > " (after: BigInt) " ORDER BY id LIMIT 500),
     old AS MATERIALIZED (
       SELECT row.site_id, row.scheduled_at, row.region
       FROM site CROSS JOIN LATERAL (
         SELECT site_id, scheduled_at, region FROM ping_status WHERE site_id = site.id AND scheduled_at < " (cut: Timestamptz) "
         ORDER BY scheduled_at LIMIT " (most: BigInt) ") AS row
       LIMIT " (most: BigInt) "),
     gone AS (
       DELETE FROM ping_status AS row USING old
       WHERE row.site_id = old.site_id AND row.scheduled_at = old.scheduled_at AND row.region = old.region RETURNING 1)
     SELECT (SELECT max(id) FROM site), (SELECT count(*) FROM gone)"
);
