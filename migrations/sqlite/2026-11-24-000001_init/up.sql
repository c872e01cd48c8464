-- Times are whole seconds since 1970 in UTC, or microseconds where the name ends in _us. The view `results` shows them as text.

CREATE TABLE site_config (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,                   -- never reused: old results keep their meaning
  name        TEXT    NOT NULL UNIQUE,
  url         TEXT    NOT NULL,
  every_s     INTEGER NOT NULL CHECK (every_s BETWEEN 1 AND 2678400),
  phase_s     INTEGER NOT NULL CHECK (phase_s >= 0 AND phase_s < every_s),
  timeout_ms  INTEGER NOT NULL CHECK (timeout_ms > 0),
  retries     INTEGER NOT NULL CHECK (retries >= 0),
  enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  tags        TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
  origin      TEXT    NOT NULL CHECK (origin IN ('file', 'command')),
  active_from INTEGER NOT NULL                                      -- only later slots are queued
) STRICT;
CREATE INDEX site_config_due ON site_config (every_s, phase_s) WHERE enabled = 1;

-- When each site was scheduled, and how: what `audit` counts slots by.
CREATE TABLE site_schedule (
  site_id    INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  valid_from INTEGER NOT NULL,                                      -- slots later than this
  valid_to   INTEGER,                                               -- and not later than this; NULL: still in force
  every_s    INTEGER NOT NULL,
  phase_s    INTEGER NOT NULL,
  first_slot INTEGER                                                -- the extra slot of a site that is checked at once
) STRICT;
CREATE INDEX site_schedule_site ON site_schedule (site_id);

CREATE TABLE job_queue (
  scheduled_at INTEGER NOT NULL,
  site_id      INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  visible_at   INTEGER NOT NULL,                                    -- claimable from then on: the slot, then the lease's end
  lease_owner  TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_queue_visible ON job_queue (visible_at);

-- Clustered by phase: sites that are due in the same second lie on the same pages, so a second's updates touch few of them.
CREATE TABLE sites (
  site_id      INTEGER NOT NULL UNIQUE REFERENCES site_config (id) ON DELETE CASCADE,
  every_s      INTEGER NOT NULL,
  phase_s      INTEGER NOT NULL,
  url          TEXT    NOT NULL,
  last_updated INTEGER,                                             -- slot of the newest result
  last_status  TEXT,
  since        INTEGER,                                             -- slot since which last_status stands
  PRIMARY KEY (every_s, phase_s, site_id)
) STRICT, WITHOUT ROWID;

-- One row per slot. In order of time, so that writing appends; one site's slots are found by computing them.
CREATE TABLE ping_status (
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
  not_after     INTEGER,                                            -- of the leaf certificate
  worker        TEXT    NOT NULL,
  attempt       INTEGER NOT NULL,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE scheduler_state (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  last_tick     INTEGER,                                            -- slots up to this second are queued; NULL before the first tick
  pruned_before INTEGER NOT NULL DEFAULT 0                          -- results of earlier slots have been removed by retention
) STRICT;
INSERT INTO scheduler_state (id) VALUES (1);

-- Outages of the scheduler: slots in (after_s, until_s] were skipped, but for the last one of each site.
CREATE TABLE schedule_gap (
  after_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL
) STRICT;

CREATE VIEW results AS
SELECT c.name,
       p.site_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.scheduled_at, 'unixepoch') AS scheduled_at,
       p.status, p.reason, p.error, p.http_status,
       p.started_at_us / 1000 - p.scheduled_at * 1000 AS lag_ms,
       p.total_us / 1000.0 AS total_ms,
       p.worker, p.attempt
FROM ping_status p LEFT JOIN site_config c ON c.id = p.site_id;
