-- Jobs that may wait equally long stand together in the index, in order of time: so those that are late and those that are not
-- are two ranges of it, and neither is walked through to find the other. Processes of the version before go on meanwhile: they
-- queue jobs with 0, and read the whole table for each claim until they are replaced.
SET LOCAL lock_timeout = '5s';
ALTER TABLE job_queue ADD COLUMN late_after_s integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN job_queue.late_after_s IS 'Seconds after the slot for which the job may wait; then it is late, and ends as missed. 0: its site''s interval';
DROP INDEX job_queue_visible;
CREATE INDEX job_queue_visible ON job_queue (late_after_s, visible_at);
-- Jobs that have ended twice without a result. Almost always empty.
CREATE INDEX job_queue_suspect ON job_queue (visible_at) WHERE attempt >= 2;
