-- A slot is a site, a moment and a region: '' is the default, and so far the only region that slots are queued for.
--
-- A key cannot be changed in place, so both tables are written anew, in the order of their keys. That takes as much free disk again
-- as `ping_status` has, and in the log as well.
DROP VIEW results;

CREATE TABLE job_queue_new (
  scheduled_at INTEGER NOT NULL,
  site_id      INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  region       TEXT    NOT NULL DEFAULT '',
  visible_at   INTEGER NOT NULL,                                    -- claimable from then on: the slot, then the lease's end
  lease_owner  TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0,
  late_after_s INTEGER NOT NULL DEFAULT 0,                          -- may wait for so long after its slot; 0: for its site's interval
  PRIMARY KEY (scheduled_at, site_id, region)
) STRICT, WITHOUT ROWID;
INSERT INTO job_queue_new (scheduled_at, site_id, visible_at, lease_owner, attempt, late_after_s)
  SELECT scheduled_at, site_id, visible_at, lease_owner, attempt, late_after_s FROM job_queue ORDER BY scheduled_at, site_id;
DROP TABLE job_queue;
ALTER TABLE job_queue_new RENAME TO job_queue;
-- Jobs that may wait equally long and are of one region stand together, in order of time: what waits in another is in no claim's way.
CREATE INDEX job_queue_visible ON job_queue (late_after_s, region, visible_at);
-- Jobs that have ended twice without a result. Almost always empty.
CREATE INDEX job_queue_suspect ON job_queue (region, visible_at) WHERE attempt >= 2;

-- One row per slot. In order of time, so that writing appends; one site's slots are found by computing them.
CREATE TABLE ping_status_new (
  scheduled_at  INTEGER NOT NULL,
  site_id       INTEGER NOT NULL,
  region        TEXT    NOT NULL DEFAULT '',
  status        TEXT    NOT NULL,
  reason        TEXT,
  error         TEXT,
  http_status   INTEGER,
  started_at_us INTEGER NOT NULL,
  dns_us        INTEGER,
  connect_us    INTEGER,
  tls_us        INTEGER,
  ttfb_us       INTEGER,
  download_us   INTEGER,
  total_us      INTEGER,
  body_bytes    INTEGER NOT NULL,
  not_after     INTEGER,                                            -- of the leaf certificate
  worker        TEXT    NOT NULL,
  attempt       INTEGER NOT NULL,
  evidence      TEXT,                                               -- last, as it may lie on pages of its own
  PRIMARY KEY (scheduled_at, site_id, region)
) STRICT, WITHOUT ROWID;
INSERT INTO ping_status_new (scheduled_at, site_id, status, reason, error, http_status, started_at_us, dns_us, connect_us, tls_us,
    ttfb_us, download_us, total_us, body_bytes, not_after, worker, attempt, evidence)
  SELECT scheduled_at, site_id, status, reason, error, http_status, started_at_us, dns_us, connect_us, tls_us,
    ttfb_us, download_us, total_us, body_bytes, not_after, worker, attempt, evidence
  FROM ping_status ORDER BY scheduled_at, site_id;
DROP TABLE ping_status;
ALTER TABLE ping_status_new RENAME TO ping_status;

CREATE VIEW results AS
SELECT c.name,
       p.site_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.scheduled_at, 'unixepoch') AS scheduled_at,
       p.status, p.reason, p.error, p.http_status,
       p.started_at_us / 1000 - p.scheduled_at * 1000 AS lag_ms,
       p.total_us / 1000.0 AS total_ms,
       p.worker, p.attempt,
       p.evidence,
       p.region
FROM ping_status p LEFT JOIN site_config c ON c.id = p.site_id;
