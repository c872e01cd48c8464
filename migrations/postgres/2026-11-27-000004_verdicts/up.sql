SET LOCAL lock_timeout = '5s';

-- From now on `last_status` is the verdict on the site, and what we fail at leaves it as it is. Older processes write missed and
-- unknown there until they are restarted; that counts as no verdict.
ALTER TABLE sites ADD COLUMN verdict_at timestamptz;
ALTER TABLE sites ADD COLUMN differed_at timestamptz;
ALTER TABLE sites ADD COLUMN freshness text;
COMMENT ON COLUMN sites.last_status IS 'The verdict: up, degraded or down; NULL before the first';
COMMENT ON COLUMN sites.verdict_at  IS 'Slot of the newest result with a verdict';
COMMENT ON COLUMN sites.differed_at IS 'Slot of the newest result with another verdict; before since';
COMMENT ON COLUMN sites.freshness   IS 'Of the slot in last_updated: fresh, missed or unknown; NULL before the first result';

-- While this runs nobody else reads or writes the table: some seconds for a million sites. What lies before `since` is not looked
-- into: the newest other verdict counts as the second before.
UPDATE sites SET verdict_at = last_updated, differed_at = since - interval '1 second', freshness = 'fresh'
WHERE last_status IN ('up', 'degraded', 'down');
-- The verdict before it is not known any more; the next check makes one.
UPDATE sites SET freshness = last_status, last_status = NULL, since = NULL WHERE last_status IN ('missed', 'unknown');
