DROP INDEX site_config_cron;
DROP INDEX site_config_due;
CREATE INDEX site_config_due ON site_config (every_s, phase_s) WHERE enabled = 1;
ALTER TABLE site_schedule DROP COLUMN cron;
ALTER TABLE site_config DROP COLUMN cron;
