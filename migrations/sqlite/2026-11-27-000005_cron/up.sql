-- A site that follows the calendar, and not an interval: a cron expression and its zone, `*/5 8-18 * * mon-fri Europe/Berlin`.
-- NULL: every_s and phase_s hold. Otherwise these are those of the longest interval, and say nothing.
ALTER TABLE site_config ADD COLUMN cron TEXT;
ALTER TABLE site_schedule ADD COLUMN cron TEXT;

DROP INDEX site_config_due;
CREATE INDEX site_config_due ON site_config (every_s, phase_s) WHERE enabled = 1 AND cron IS NULL;
-- All that a tick looks at.
CREATE INDEX site_config_cron ON site_config (cron, active_from, enabled) WHERE enabled = 1 AND cron IS NOT NULL;
