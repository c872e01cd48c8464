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

-- In the order in which results lock them. Where we had failed, the verdict before it is not known any more; the next check makes one.
WITH known AS MATERIALIZED (
  SELECT site_id, last_status IN ('up', 'degraded', 'down') AS has_verdict FROM sites
  WHERE last_status IN ('up', 'degraded', 'down', 'missed', 'unknown') ORDER BY site_id FOR NO KEY UPDATE)
UPDATE sites SET
  verdict_at  = CASE WHEN has_verdict THEN last_updated END,
  freshness   = CASE WHEN has_verdict THEN 'fresh' ELSE last_status END,
  last_status = CASE WHEN has_verdict THEN last_status END,
  since       = CASE WHEN has_verdict THEN since END
FROM known WHERE sites.site_id = known.site_id;
