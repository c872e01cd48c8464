DROP INDEX job_queue_suspect;
DROP INDEX job_queue_visible;
ALTER TABLE job_queue DROP COLUMN late_after_s;
CREATE INDEX job_queue_visible ON job_queue (visible_at);
