DROP TRIGGER site_config_retire_id;
DROP TABLE retired_id;
ALTER TABLE site_config DROP COLUMN left_file_at;
ALTER TABLE site_config DROP COLUMN revision;
