DROP INDEX site_config_cron;
DROP INDEX site_config_interval;
ALTER TABLE site_schedule DROP COLUMN cron;
ALTER TABLE site_config DROP CONSTRAINT site_config_cron_alone;
ALTER TABLE site_config DROP COLUMN cron;
