UPDATE sites SET last_status = freshness, since = last_updated WHERE freshness IN ('missed', 'unknown');
ALTER TABLE sites DROP COLUMN freshness;
ALTER TABLE sites DROP COLUMN differed_at;
ALTER TABLE sites DROP COLUMN verdict_at;
