SET LOCAL lock_timeout = '5s';
-- Whoever makes or drops partitions holds this one, and locks ping_status_default before ping_status: the other way round than
-- ALTER TABLE does.
SELECT pg_advisory_xact_lock(7075746977);

-- json and not jsonb: jobs carry the text as it was written, and jsonb would refuse a \u0000 in it.
ALTER TABLE site_config ADD COLUMN settings json;
COMMENT ON COLUMN site_config.settings IS
  'How it is requested and what is expected, with the keys of the configuration file, secrets in clear; NULL: all is at its default';

ALTER TABLE ping_status ADD COLUMN evidence json;
COMMENT ON COLUMN ping_status.evidence IS
  'What a check saw that was not good: failed, addresses, headers, body, and hops and tries where there were several; NULL: nothing, as always with up';

CREATE OR REPLACE VIEW results AS
SELECT site.name,
       result.site_id,
       result.scheduled_at,
       result.status, result.reason, result.error, result.http_status,
       (extract(epoch FROM result.started_at - result.scheduled_at) * 1000)::bigint AS lag_ms,
       result.total_us / 1000.0 AS total_ms,
       result.worker, result.attempt,
       result.evidence
FROM ping_status AS result LEFT JOIN site_config AS site ON site.id = result.site_id;
