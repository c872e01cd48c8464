DROP TABLE retention_state;
DROP TABLE clock_gap;
DROP TABLE result_log_state;
DELETE FROM site_schedule WHERE taken_back = 1;
CREATE TABLE site_schedule_old (
  site_id    INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  valid_from INTEGER NOT NULL,
  valid_to   INTEGER,
  every_s    INTEGER NOT NULL,
  phase_s    INTEGER NOT NULL,
  first_slot INTEGER
) STRICT;
INSERT INTO site_schedule_old SELECT site_id, valid_from, valid_to, every_s, phase_s, first_slot FROM site_schedule;
DROP TABLE site_schedule;
ALTER TABLE site_schedule_old RENAME TO site_schedule;
CREATE INDEX site_schedule_site ON site_schedule (site_id);
