SET LOCAL lock_timeout = '5s';

ALTER TABLE site_config ADD COLUMN revision bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN site_config.revision IS
  'Counts changes: whoever changes a site says which revision he has seen, so that of two changes at once none is lost';

ALTER TABLE site_config ADD COLUMN left_file_at timestamptz;
COMMENT ON COLUMN site_config.left_file_at IS
  'When a site of the configuration file left the file; NULL: it is in the file (origin file), or never was';

CREATE TABLE retired_id (
  first_id bigint PRIMARY KEY,
  last_id  bigint NOT NULL
);
COMMENT ON TABLE retired_id IS
  'Ids that are given to no site any more, for results may still have them: those of removed sites, as ranges; of the time before this table every id up to the highest that no site has';
INSERT INTO retired_id (first_id, last_id)
SELECT previous + 1, id - 1
FROM (SELECT id, lag(id, 1, 0::bigint) OVER (ORDER BY id) AS previous
      FROM (SELECT id FROM site_config
            UNION ALL SELECT least(last_value, 9223372036854775806) + 1 FROM site_config_id_seq WHERE is_called) AS given) AS gap
WHERE id - 1 > previous;

-- A trigger, because processes of the version before remove sites, too, until they are restarted.
CREATE FUNCTION uptime_retire_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO retired_id (first_id, last_id) SELECT id, id FROM removed ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER site_config_retire_ids AFTER DELETE ON site_config
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION uptime_retire_ids();
