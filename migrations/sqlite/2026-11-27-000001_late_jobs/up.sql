-- A job may wait for so many seconds after its slot; then it is late, and ends as missed. 0: it was queued by a version that did
-- not say, and may wait for its site's interval. Jobs that may wait equally long stand together in the index, in order of time:
-- so those that are late and those that are not are two ranges of it, and neither is walked through to find the other.
ALTER TABLE job_queue ADD COLUMN late_after_s INTEGER NOT NULL DEFAULT 0;
DROP INDEX job_queue_visible;
CREATE INDEX job_queue_visible ON job_queue (late_after_s, visible_at);
-- Jobs that have ended twice without a result. Almost always empty.
CREATE INDEX job_queue_suspect ON job_queue (visible_at) WHERE attempt >= 2;
