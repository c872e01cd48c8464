-- Slots of other regions than the default are lost: without it they are no slots of their own.
SET LOCAL lock_timeout = '5s';
SELECT pg_advisory_xact_lock(7075746977);

DROP VIEW results;
CREATE VIEW results AS
SELECT site.name,
       result.site_id,
       result.scheduled_at,
       result.status, result.reason, result.error, result.http_status,
       (extract(epoch FROM result.started_at - result.scheduled_at) * 1000)::bigint AS lag_ms,
       result.total_us / 1000.0 AS total_ms,
       result.worker, result.attempt,
       result.evidence
FROM ping_status AS result LEFT JOIN site_config AS site ON site.id = result.site_id;
COMMENT ON VIEW results IS 'Results with the names of their sites; give a range of scheduled_at';

DELETE FROM job_queue WHERE region <> '';
ALTER TABLE job_queue DROP COLUMN region;
ALTER TABLE job_queue ADD PRIMARY KEY (scheduled_at, site_id);
CREATE INDEX job_queue_visible ON job_queue (late_after_s, visible_at);
CREATE INDEX job_queue_suspect ON job_queue (visible_at) WHERE attempt >= 2;

CREATE OR REPLACE FUNCTION uptime_drop_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Jobs that somebody is just claiming are left to the next claim, for waiting here could end in a deadlock.
  DELETE FROM job_queue WHERE (scheduled_at, site_id) IN (
    SELECT scheduled_at, site_id FROM job_queue WHERE site_id IN (SELECT id FROM removed) FOR UPDATE SKIP LOCKED);
  RETURN NULL;
END $$;

DELETE FROM ping_status WHERE region <> '';
ALTER TABLE ping_status DROP COLUMN region;
ALTER TABLE ping_status ADD PRIMARY KEY (site_id, scheduled_at);
COMMENT ON TABLE ping_status IS 'What was found: one row for each slot of each site';
