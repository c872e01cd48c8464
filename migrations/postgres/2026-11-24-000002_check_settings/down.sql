DROP VIEW results;
ALTER TABLE ping_status DROP COLUMN evidence;
ALTER TABLE site_config DROP COLUMN settings;
CREATE VIEW results AS
SELECT site.name,
       result.site_id,
       result.scheduled_at,
       result.status, result.reason, result.error, result.http_status,
       (extract(epoch FROM result.started_at - result.scheduled_at) * 1000)::bigint AS lag_ms,
       result.total_us / 1000.0 AS total_ms,
       result.worker, result.attempt
FROM ping_status AS result LEFT JOIN site_config AS site ON site.id = result.site_id;
COMMENT ON VIEW results IS 'Results with the names of their sites; give a range of scheduled_at';
