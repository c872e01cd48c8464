-- From now on `last_status` is the verdict on the site: up, degraded or down. What we fail at (missed, unknown) leaves it as it is.
ALTER TABLE sites ADD COLUMN verdict_at INTEGER;                    -- slot of the newest result with a verdict
ALTER TABLE sites ADD COLUMN differed_at INTEGER;                   -- slot of the newest result with another verdict; before `since`
ALTER TABLE sites ADD COLUMN freshness TEXT;                        -- of the slot in last_updated: fresh, missed or unknown

-- What lies before `since` is not looked into: the newest other verdict counts as the second before.
UPDATE sites SET verdict_at = last_updated, differed_at = since - 1, freshness = 'fresh'
WHERE last_status IN ('up', 'degraded', 'down');
-- The verdict before it is not known any more; the next check makes one.
UPDATE sites SET freshness = last_status, last_status = NULL, since = NULL WHERE last_status IN ('missed', 'unknown');
