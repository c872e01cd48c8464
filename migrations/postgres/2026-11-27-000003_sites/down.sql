DROP TRIGGER site_config_retire_ids ON site_config;
DROP FUNCTION uptime_retire_ids();
DROP TABLE retired_id;
ALTER TABLE site_config DROP COLUMN left_file_at;
ALTER TABLE site_config DROP COLUMN revision;
