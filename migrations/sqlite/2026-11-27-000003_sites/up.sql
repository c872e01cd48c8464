-- Whoever changes a site says which revision he has seen, so that of two changes at once none is lost.
ALTER TABLE site_config ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

-- When a site of the configuration file left the file. NULL: it is in the file (origin 'file'), or never was.
ALTER TABLE site_config ADD COLUMN left_file_at INTEGER;

-- Ids that are given to no site any more, for results may still have them: those of removed sites, as ranges. Of the time before
-- this table every id up to the highest that no site has.
CREATE TABLE retired_id (
  first_id INTEGER PRIMARY KEY,
  last_id  INTEGER NOT NULL
) STRICT;
INSERT INTO retired_id (first_id, last_id)
SELECT previous + 1, id - 1
FROM (SELECT id, lag(id, 1, 0) OVER (ORDER BY id) AS previous
      FROM (SELECT id FROM site_config
            UNION ALL SELECT min(seq, 9223372036854775806) + 1 FROM sqlite_sequence WHERE name = 'site_config'))
WHERE id - 1 > previous;

CREATE TRIGGER site_config_retire_id AFTER DELETE ON site_config BEGIN
  INSERT OR IGNORE INTO retired_id (first_id, last_id) VALUES (old.id, old.id);
END;
