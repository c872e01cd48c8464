-- Rows and tables of a `run` of the version before regions, killed in the middle of its work. Taken with sqlite3 .dump.
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations VALUES('20261124000001','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261124000002','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261127000001','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261127000002','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261127000003','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261127000004','2026-11-28 01:05:22');
INSERT INTO __diesel_schema_migrations VALUES('20261127000005','2026-11-28 01:05:22');
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
, settings TEXT CHECK (settings IS NULL OR json_valid(settings)), revision INTEGER NOT NULL DEFAULT 1, left_file_at INTEGER, cron TEXT) STRICT;
INSERT INTO site_config VALUES(1,'one-0','http://127.0.0.1:18999/',1,0,900,1,1,'[]','command',1795827922,NULL,1,NULL,NULL);
INSERT INTO site_config VALUES(2,'one-1','http://127.0.0.1:18999/',1,0,900,1,1,'[]','command',1795827922,NULL,1,NULL,NULL);
INSERT INTO site_config VALUES(3,'one-2','http://127.0.0.1:18999/',1,0,900,1,1,'[]','command',1795827922,NULL,1,NULL,NULL);
INSERT INTO site_config VALUES(4,'five','http://127.0.0.1:18999/',5,4,900,1,1,'["prod"]','command',1795827922,NULL,1,NULL,NULL);
INSERT INTO site_config VALUES(5,'broken','http://127.0.0.1:18999/bad',2,1,900,1,1,'[]','command',1795827922,NULL,1,NULL,NULL);
INSERT INTO site_config VALUES(6,'calendar','http://127.0.0.1:18999/',2678400,0,10000,1,1,'[]','command',1795827922,NULL,1,NULL,'* * * * * UTC');
INSERT INTO site_config VALUES(7,'paused','http://127.0.0.1:18999/',3600,1360,10000,1,0,'[]','command',1795827923,NULL,2,NULL,NULL);
CREATE TABLE site_schedule (
  site_id    INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  valid_from INTEGER NOT NULL,                                      -- slots later than this
  valid_to   INTEGER,                                               -- and not later than this; NULL: still in force
  every_s    INTEGER NOT NULL,
  phase_s    INTEGER NOT NULL,
  first_slot INTEGER                                                -- the extra slot of a site that is checked at once
, taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1)), cron TEXT) STRICT;
INSERT INTO site_schedule VALUES(1,1795827922,NULL,1,0,NULL,0,NULL);
INSERT INTO site_schedule VALUES(2,1795827922,NULL,1,0,NULL,0,NULL);
INSERT INTO site_schedule VALUES(3,1795827922,NULL,1,0,NULL,0,NULL);
INSERT INTO site_schedule VALUES(4,1795827922,NULL,5,4,NULL,0,NULL);
INSERT INTO site_schedule VALUES(5,1795827922,NULL,2,1,NULL,0,NULL);
INSERT INTO site_schedule VALUES(6,1795827922,NULL,2678400,0,1795827922,0,'* * * * * UTC');
INSERT INTO site_schedule VALUES(7,1795827923,1795827923,3600,1360,1795827923,0,NULL);
CREATE TABLE job_queue (
  scheduled_at INTEGER NOT NULL,
  site_id      INTEGER NOT NULL REFERENCES site_config (id) ON DELETE CASCADE,
  visible_at   INTEGER NOT NULL,                                    -- claimable from then on: the slot, then the lease's end
  lease_owner  TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0, late_after_s INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO job_queue VALUES(1795827932,1,1795827936,'old/bf964d8f',1,1);
INSERT INTO job_queue VALUES(1795827932,2,1795827936,'old/bf964d8f',1,1);
INSERT INTO job_queue VALUES(1795827932,3,1795827936,'old/bf964d8f',1,1);
CREATE TABLE sites (
  site_id      INTEGER NOT NULL UNIQUE REFERENCES site_config (id) ON DELETE CASCADE,
  every_s      INTEGER NOT NULL,
  phase_s      INTEGER NOT NULL,
  url          TEXT    NOT NULL,
  last_updated INTEGER,                                             -- slot of the newest result
  last_status  TEXT,
  since        INTEGER, verdict_at INTEGER, differed_at INTEGER, freshness TEXT,                                             -- slot since which last_status stands
  PRIMARY KEY (every_s, phase_s, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sites VALUES(1,1,0,'http://127.0.0.1:18999/',1795827931,'up',1795827923,1795827931,NULL,'fresh');
INSERT INTO sites VALUES(2,1,0,'http://127.0.0.1:18999/',1795827931,'up',1795827923,1795827931,NULL,'fresh');
INSERT INTO sites VALUES(3,1,0,'http://127.0.0.1:18999/',1795827931,'up',1795827923,1795827931,NULL,'fresh');
INSERT INTO sites VALUES(5,2,1,'http://127.0.0.1:18999/bad',1795827931,'down',1795827923,1795827931,NULL,'fresh');
INSERT INTO sites VALUES(4,5,4,'http://127.0.0.1:18999/',1795827929,'up',1795827924,1795827929,NULL,'fresh');
INSERT INTO sites VALUES(7,3600,1360,'http://127.0.0.1:18999/',1795827923,'up',1795827923,1795827923,NULL,'fresh');
INSERT INTO sites VALUES(6,2678400,0,'http://127.0.0.1:18999/',1795827922,'up',1795827922,1795827922,NULL,'fresh');
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
  attempt       INTEGER NOT NULL, evidence TEXT,
  PRIMARY KEY (scheduled_at, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO ping_status VALUES(1795827922,6,'up',NULL,NULL,200,1795827923250640,NULL,589,NULL,3170,403,4504,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827923,1,'up',NULL,NULL,200,1795827923295495,NULL,420,NULL,5955,556,7293,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827923,2,'up',NULL,NULL,200,1795827923296616,NULL,185,NULL,6314,188,6844,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827923,3,'up',NULL,NULL,200,1795827923248513,NULL,3043,NULL,6244,451,10229,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827923,5,'down','status','status 503 Service Unavailable, expected 2xx',503,1795827923287633,NULL,440,NULL,4864,831,6633,2,NULL,'old',1,'{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:23 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO ping_status VALUES(1795827923,7,'up',NULL,NULL,200,1795827923288338,NULL,480,NULL,9326,161,10127,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827924,1,'up',NULL,NULL,200,1795827924005807,NULL,1527,NULL,2017,314,4244,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827924,2,'up',NULL,NULL,200,1795827924010693,NULL,234,NULL,4008,630,5121,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827924,3,'up',NULL,NULL,200,1795827924006558,NULL,518,NULL,1528,1342,3538,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827924,4,'up',NULL,NULL,200,1795827924011261,NULL,310,NULL,4585,505,5781,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827925,1,'up',NULL,NULL,200,1795827925005408,NULL,385,NULL,2683,672,4163,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827925,2,'up',NULL,NULL,200,1795827925010155,NULL,318,NULL,1379,321,2384,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827925,3,'up',NULL,NULL,200,1795827925005474,NULL,514,NULL,4600,1830,7340,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827925,5,'down','status','status 503 Service Unavailable, expected 2xx',503,1795827925011421,NULL,454,NULL,953,394,2374,2,NULL,'old',1,'{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:25 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO ping_status VALUES(1795827926,1,'up',NULL,NULL,200,1795827926005974,NULL,402,NULL,7238,781,8575,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827926,2,'up',NULL,NULL,200,1795827926012508,NULL,293,NULL,3075,301,4071,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827926,3,'up',NULL,NULL,200,1795827926005097,NULL,1898,NULL,4218,577,7101,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827927,1,'up',NULL,NULL,200,1795827927004777,NULL,1905,NULL,1050,690,3992,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827927,2,'up',NULL,NULL,200,1795827927009304,NULL,210,NULL,5376,723,6609,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827927,3,'up',NULL,NULL,200,1795827927005582,NULL,353,NULL,4806,878,6188,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827927,5,'down','status','status 503 Service Unavailable, expected 2xx',503,1795827927011275,NULL,810,NULL,2598,474,4336,2,NULL,'old',1,'{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:27 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO ping_status VALUES(1795827928,1,'up',NULL,NULL,200,1795827928024934,NULL,561,NULL,9782,2648,13440,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827928,2,'up',NULL,NULL,200,1795827928031562,NULL,315,NULL,7278,687,8655,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827928,3,'up',NULL,NULL,200,1795827928026599,NULL,330,NULL,9803,544,10943,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827929,1,'up',NULL,NULL,200,1795827929009827,NULL,5754,NULL,5516,278,11952,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827929,2,'up',NULL,NULL,200,1795827929016400,NULL,157,NULL,6313,501,7177,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827929,3,'up',NULL,NULL,200,1795827929022146,NULL,229,NULL,4906,376,5746,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827929,4,'up',NULL,NULL,200,1795827929014959,NULL,1640,NULL,1909,674,4648,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827929,5,'down','status','status 503 Service Unavailable, expected 2xx',503,1795827929020664,NULL,475,NULL,1222,899,3126,2,NULL,'old',1,'{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:29 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO ping_status VALUES(1795827930,1,'up',NULL,NULL,200,1795827930005807,NULL,949,NULL,5763,951,9030,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827930,2,'up',NULL,NULL,200,1795827930012067,NULL,355,NULL,6794,440,8072,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827930,3,'up',NULL,NULL,200,1795827930006787,NULL,1656,NULL,2928,699,5475,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827931,1,'up',NULL,NULL,200,1795827931006581,NULL,495,NULL,1221,854,2718,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827931,2,'up',NULL,NULL,200,1795827931009972,NULL,656,NULL,958,272,2459,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827931,3,'up',NULL,NULL,200,1795827931005836,NULL,1586,NULL,1256,652,3867,2,NULL,'old',1,NULL);
INSERT INTO ping_status VALUES(1795827931,5,'down','status','status 503 Service Unavailable, expected 2xx',503,1795827931010347,NULL,530,NULL,2387,787,4249,2,NULL,'old',1,'{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:31 GMT"],["content-length","2"]],"body":"ok","tries":2}');
CREATE TABLE scheduler_state (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  last_tick     INTEGER,                                            -- slots up to this second are queued; NULL before the first tick
  pruned_before INTEGER NOT NULL DEFAULT 0                          -- results of earlier slots have been removed by retention
) STRICT;
INSERT INTO scheduler_state VALUES(1,1795827932,0);
CREATE TABLE schedule_gap (
  after_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL
) STRICT;
CREATE TABLE result_log_state (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  read_before INTEGER    -- results of earlier slots are stored, or were lost: the log was read past them. NULL: no log outlives a process
) STRICT;
INSERT INTO result_log_state VALUES(1,NULL);
CREATE TABLE clock_gap (
  after_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL
) STRICT;
CREATE TABLE retention_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  seen_at        INTEGER,                                           -- what the clock read at the last look
  believed_until INTEGER,                                           -- retention goes by this time
  proven_s       INTEGER NOT NULL DEFAULT 0                         -- seconds that have passed since the clock is in doubt
) STRICT;
INSERT INTO retention_state VALUES(1,1795827923,1795827923,0);
CREATE TABLE retired_id (
  first_id INTEGER PRIMARY KEY,
  last_id  INTEGER NOT NULL
) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('site_config',7);
CREATE INDEX site_schedule_site ON site_schedule (site_id);
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
CREATE INDEX job_queue_visible ON job_queue (late_after_s, visible_at);
CREATE INDEX job_queue_suspect ON job_queue (visible_at) WHERE attempt >= 2;
CREATE TRIGGER site_config_retire_id AFTER DELETE ON site_config BEGIN
  INSERT OR IGNORE INTO retired_id (first_id, last_id) VALUES (old.id, old.id);
END;
CREATE INDEX site_config_due ON site_config (every_s, phase_s) WHERE enabled = 1 AND cron IS NULL;
CREATE INDEX site_config_cron ON site_config (cron, active_from, enabled) WHERE enabled = 1 AND cron IS NOT NULL;
