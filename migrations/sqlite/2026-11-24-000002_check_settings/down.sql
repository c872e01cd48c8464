DROP VIEW results;
ALTER TABLE ping_status DROP COLUMN evidence;
ALTER TABLE site_config DROP COLUMN settings;
CREATE VIEW results AS
SELECT c.name,
       p.site_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.scheduled_at, 'unixepoch') AS scheduled_at,
       p.status, p.reason, p.error, p.http_status,
       p.started_at_us / 1000 - p.scheduled_at * 1000 AS lag_ms,
       p.total_us / 1000.0 AS total_ms,
       p.worker, p.attempt
FROM ping_status p LEFT JOIN site_config c ON c.id = p.site_id;
