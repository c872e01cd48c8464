-- A slot is a site, a moment and a region: '' is the default, and so far the only region that slots are queued for.
--
-- The columns cost nothing. The key of `ping_status` is made anew in each partition, for which all of its rows are read and
-- sorted: nobody reads or writes results meanwhile, and jobs wait as well. docs/OPERATIONS.md says how long that takes.
--
-- Afterwards processes of the version before go on as far as they can: they queue and claim, and those that store wait with their
-- results until they are replaced, for the key that they name in ON CONFLICT is gone.
SET LOCAL lock_timeout = '5s';
-- A process that makes or drops partitions holds this lock, and locks ping_status_default before ping_status: the other way round than
-- ALTER TABLE does.
SELECT pg_advisory_xact_lock(7075746977);

ALTER TABLE job_queue ADD COLUMN region text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN job_queue.region IS 'Workers of this region check it; empty: the default';
ALTER TABLE job_queue DROP CONSTRAINT job_queue_pkey;
ALTER TABLE job_queue ADD PRIMARY KEY (scheduled_at, site_id, region);
DROP INDEX job_queue_visible;
-- Jobs that may wait equally long and are of one region stand together, in order of time: what waits in another is in no claim's way.
CREATE INDEX job_queue_visible ON job_queue (late_after_s, region, visible_at);
DROP INDEX job_queue_suspect;
CREATE INDEX job_queue_suspect ON job_queue (region, visible_at) WHERE attempt >= 2;

CREATE OR REPLACE FUNCTION uptime_drop_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Jobs that somebody is just claiming are left to the next claim, for waiting here could end in a deadlock.
  DELETE FROM job_queue WHERE (region, scheduled_at, site_id) IN (
    SELECT region, scheduled_at, site_id FROM job_queue WHERE site_id IN (SELECT id FROM removed) FOR UPDATE SKIP LOCKED);
  RETURN NULL;
END $$;

ALTER TABLE ping_status ADD COLUMN region text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON TABLE  ping_status        IS 'What was found: one row for each slot of each site in each region';
COMMENT ON COLUMN ping_status.region IS 'Where it was checked; empty: the default, of which reports and audits are';
ALTER TABLE ping_status DROP CONSTRAINT ping_status_pkey;
ALTER TABLE ping_status ADD PRIMARY KEY (site_id, scheduled_at, region);

CREATE OR REPLACE VIEW results AS
SELECT site.name,
       result.site_id,
       result.scheduled_at,
       result.status, result.reason, result.error, result.http_status,
       (extract(epoch FROM result.started_at - result.scheduled_at) * 1000)::bigint AS lag_ms,
       result.total_us / 1000.0 AS total_ms,
       result.worker, result.attempt,
       result.evidence,
       result.region
FROM ping_status AS result LEFT JOIN site_config AS site ON site.id = result.site_id;
