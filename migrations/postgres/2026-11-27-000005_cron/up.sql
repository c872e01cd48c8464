SET LOCAL lock_timeout = '5s';

ALTER TABLE site_config ADD COLUMN cron text COLLATE "C";
COMMENT ON COLUMN site_config.cron IS
  'Of a site that follows the calendar: a cron expression and its zone, `*/5 8-18 * * mon-fri Europe/Berlin`; NULL: every_s and phase_s hold, which otherwise are those of the longest interval, and say nothing';
-- Commands of the version before know no cron, and would write half of such a site.
ALTER TABLE site_config ADD CONSTRAINT site_config_cron_alone
  CHECK (cron IS NULL OR (every_s = 2678400 AND phase_s = 0)) NOT VALID;
ALTER TABLE site_schedule ADD COLUMN cron text COLLATE "C";
COMMENT ON COLUMN site_schedule.cron IS 'As in site_config';

-- Schedulers of the version before look for site_config_due, which goes with the next version.
CREATE INDEX site_config_interval ON site_config (every_s, phase_s) INCLUDE (id, active_from) WHERE enabled AND cron IS NULL;
CREATE INDEX site_config_cron ON site_config (cron) INCLUDE (id, active_from) WHERE enabled AND cron IS NOT NULL;
