-- How a site is requested and what is expected of it, in JSON with the keys of the configuration file, secrets in clear. NULL:
-- all is at its default.
ALTER TABLE site_config ADD COLUMN settings TEXT CHECK (settings IS NULL OR json_valid(settings));

-- What a check saw that was not good, in JSON: failed, addresses, headers, body, and hops and tries where there were several.
-- NULL: nothing, as always with up. The last column, so that reading the others does not touch the pages that it flows over to.
ALTER TABLE ping_status ADD COLUMN evidence TEXT;

DROP VIEW results;
CREATE VIEW results AS
SELECT c.name,
       p.site_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.scheduled_at, 'unixepoch') AS scheduled_at,
       p.status, p.reason, p.error, p.http_status,
       p.started_at_us / 1000 - p.scheduled_at * 1000 AS lag_ms,
       p.total_us / 1000.0 AS total_ms,
       p.worker, p.attempt,
       p.evidence
FROM ping_status p LEFT JOIN site_config c ON c.id = p.site_id;
