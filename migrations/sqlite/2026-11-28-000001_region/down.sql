-- Slots of other regions than the default are lost: without it they are no slots of their own.
DROP VIEW results;

CREATE TABLE job_queue_old (
  scheduled_at INTEGER NOT NULL,
  site_id      INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  visible_at   INTEGER NOT NULL,
  lease_owner  TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0,
  late_after_s INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO job_queue_old (scheduled_at, site_id, visible_at, lease_owner, attempt, late_after_s)
  SELECT scheduled_at, site_id, visible_at, lease_owner, attempt, late_after_s FROM job_queue WHERE region = ''
  ORDER BY scheduled_at, site_id;
DROP TABLE job_queue;
ALTER TABLE job_queue_old RENAME TO job_queue;
CREATE INDEX job_queue_visible ON job_queue (late_after_s, visible_at);
CREATE INDEX job_queue_suspect ON job_queue (visible_at) WHERE attempt >= 2;

CREATE TABLE ping_status_old (
  scheduled_at  INTEGER NOT NULL,
  site_id       INTEGER NOT NULL,
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
  not_after     INTEGER,
  worker        TEXT    NOT NULL,
  attempt       INTEGER NOT NULL,
  evidence      TEXT,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO ping_status_old (scheduled_at, site_id, status, reason, error, http_status, started_at_us, dns_us, connect_us, tls_us,
    ttfb_us, download_us, total_us, body_bytes, not_after, worker, attempt, evidence)
  SELECT scheduled_at, site_id, status, reason, error, http_status, started_at_us, dns_us, connect_us, tls_us,
    ttfb_us, download_us, total_us, body_bytes, not_after, worker, attempt, evidence
  FROM ping_status WHERE region = '' ORDER BY scheduled_at, site_id;
DROP TABLE ping_status;
ALTER TABLE ping_status_old RENAME TO ping_status;

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
