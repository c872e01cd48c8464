//! What has to be undone when wall time was set back: all that was written about a time that has not come yet.
//!
//! Slots go on from the new time. Those that are recorded already keep their result, and results themselves stay, for
//! nobody can tell which of the two times was the wrong one. All else that lies in the future would be believed until then:
//! gaps that excuse slots, schedules that begin or end, a status that no result replaces, leases and jobs.
//!
//! Whoever notices first does it: the scheduler at its tick, or a change of a site.

use diesel::connection::SimpleConnection as _;
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};

/// In SQLite, inside a transaction: to `now`, by `by_s` seconds.
///
/// Schedules that change leave a copy with `taken_back`: rows of one site are found by its slots there, so rows of the time that
/// was taken back would be found no more.
pub(crate) fn sqlite(connection: &mut SqliteConnection, now: i64, by_s: i64) -> QueryResult<()> {
    connection.batch_execute(&at(SQLITE, &now.to_string(), by_s))
}

/// In PostgreSQL, inside a transaction that holds the row of `scheduler_state`: to `now`, by `by_s` seconds.
pub(crate) async fn postgres(connection: &mut AsyncPgConnection, now: i64, by_s: i64) -> QueryResult<()> {
    connection.batch_execute(&at(POSTGRES, &format!("to_timestamp({now})"), by_s)).await
}

/// Both are numbers, so nothing has to be bound.
fn at(statements: &str, now: &str, by_s: i64) -> String {
    statements.replace("{now}", now).replace("{by_s}", &by_s.to_string())
}

const SQLITE: &str = "
UPDATE scheduler_state SET last_tick = {now}, pruned_before = min(pruned_before, {now}) WHERE id = 1;
UPDATE result_log_state SET read_before = {now} WHERE read_before > {now};
UPDATE sites SET last_updated = min(last_updated, {now}), since = min(since, {now}), verdict_at = min(verdict_at, {now}),
    differed_at = min(differed_at, {now})
  WHERE last_updated > {now} OR since > {now};
UPDATE site_config SET active_from = {now} WHERE active_from > {now};

DELETE FROM job_queue WHERE scheduled_at > {now};
UPDATE job_queue SET visible_at = max({now}, visible_at - {by_s}) WHERE lease_owner IS NOT NULL;

INSERT INTO clock_gap (after_s, until_s) SELECT after_s, {now} FROM schedule_gap WHERE until_s > {now} AND after_s < {now};
DELETE FROM schedule_gap WHERE until_s > {now};
DELETE FROM clock_gap WHERE after_s >= {now};
UPDATE clock_gap SET until_s = {now} WHERE until_s > {now};

INSERT INTO site_schedule (site_id, valid_from, valid_to, every_s, phase_s, cron, first_slot, taken_back)
  SELECT site_id, valid_from, coalesce(valid_to, {now} + {by_s}), every_s, phase_s, cron, first_slot, 1 FROM site_schedule
  WHERE taken_back = 0 AND (valid_from > {now} OR valid_to > {now} OR first_slot > {now});
DELETE FROM site_schedule WHERE taken_back = 0 AND valid_from >= {now} AND valid_to IS NOT NULL;
UPDATE site_schedule SET valid_from = min(valid_from, {now}), valid_to = min(valid_to, {now}),
    first_slot = CASE WHEN first_slot <= {now} THEN first_slot END
  WHERE taken_back = 0 AND (valid_from > {now} OR valid_to > {now} OR first_slot > {now});";

/// Sites are locked in the order in which results lock them, and jobs that somebody is just claiming are passed over.
const POSTGRES: &str = "
UPDATE scheduler_state SET last_tick = {now}, pruned_before = least(pruned_before, {now}) WHERE id = 1;
UPDATE result_log_state SET read_before = {now} WHERE read_before > {now};
WITH future AS MATERIALIZED (
  SELECT site_id FROM sites WHERE last_updated > {now} OR since > {now} ORDER BY site_id FOR NO KEY UPDATE)
UPDATE sites SET last_updated = least(last_updated, {now}), since = CASE WHEN since > {now} THEN {now} ELSE since END,
    verdict_at = CASE WHEN verdict_at > {now} THEN {now} ELSE verdict_at END,
    differed_at = CASE WHEN differed_at > {now} THEN {now} ELSE differed_at END
  FROM future WHERE sites.site_id = future.site_id;
UPDATE site_config SET active_from = {now} WHERE active_from > {now};

DELETE FROM job_queue WHERE (region, scheduled_at, site_id) IN (
  SELECT region, scheduled_at, site_id FROM job_queue WHERE scheduled_at > {now} FOR UPDATE SKIP LOCKED);
UPDATE job_queue SET visible_at = greatest({now}, visible_at - make_interval(secs => {by_s})) WHERE lease_owner IS NOT NULL;

INSERT INTO clock_gap (after_at, until_at) SELECT after_at, {now} FROM schedule_gap WHERE until_at > {now} AND after_at < {now};
DELETE FROM schedule_gap WHERE until_at > {now};
DELETE FROM clock_gap WHERE after_at >= {now};
UPDATE clock_gap SET until_at = {now} WHERE until_at > {now};

DELETE FROM site_schedule WHERE valid_from >= {now} AND valid_to IS NOT NULL;
UPDATE site_schedule SET valid_from = least(valid_from, {now}), first_slot = CASE WHEN first_slot <= {now} THEN first_slot END,
    valid_to = CASE WHEN valid_to > {now} THEN {now} ELSE valid_to END
  WHERE valid_from > {now} OR valid_to > {now} OR first_slot > {now};";
