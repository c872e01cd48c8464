-- Rows and tables of a scheduler and a worker of the version before regions, killed in the middle of their work. Taken with pg_dump --inserts.
CREATE FUNCTION public.uptime_drop_jobs() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  -- Jobs that somebody is just claiming are left to the next claim, for waiting here could end in a deadlock.
  DELETE FROM job_queue WHERE (scheduled_at, site_id) IN (
    SELECT scheduled_at, site_id FROM job_queue WHERE site_id IN (SELECT id FROM removed) FOR UPDATE SKIP LOCKED);
  RETURN NULL;
END $$;
CREATE FUNCTION public.uptime_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT statement_timestamp()$$;
CREATE FUNCTION public.uptime_retire_ids() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO retired_id (first_id, last_id) SELECT id, id FROM removed ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.clock_gap (
    after_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL
);
CREATE TABLE public.job_queue (
    scheduled_at timestamp with time zone NOT NULL,
    site_id bigint NOT NULL,
    visible_at timestamp with time zone NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    lease_owner text,
    late_after_s integer DEFAULT 0 NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='200000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');
CREATE TABLE public.ping_status (
    site_id bigint NOT NULL,
    scheduled_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    body_bytes bigint NOT NULL,
    total_us integer,
    dns_us integer,
    connect_us integer,
    tls_us integer,
    ttfb_us integer,
    download_us integer,
    http_status smallint,
    attempt smallint NOT NULL,
    status text NOT NULL,
    reason text,
    worker text NOT NULL,
    error text,
    evidence json
)
PARTITION BY RANGE (scheduled_at);
CREATE TABLE public.ping_status_20261128 (
    site_id bigint NOT NULL,
    scheduled_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    body_bytes bigint NOT NULL,
    total_us integer,
    dns_us integer,
    connect_us integer,
    tls_us integer,
    ttfb_us integer,
    download_us integer,
    http_status smallint,
    attempt smallint NOT NULL,
    status text NOT NULL,
    reason text,
    worker text NOT NULL,
    error text,
    evidence json
);
CREATE TABLE public.ping_status_default (
    site_id bigint NOT NULL,
    scheduled_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    body_bytes bigint NOT NULL,
    total_us integer,
    dns_us integer,
    connect_us integer,
    tls_us integer,
    ttfb_us integer,
    download_us integer,
    http_status smallint,
    attempt smallint NOT NULL,
    status text NOT NULL,
    reason text,
    worker text NOT NULL,
    error text,
    evidence json
);
CREATE TABLE public.result_log_state (
    id integer NOT NULL,
    read_before timestamp with time zone,
    CONSTRAINT result_log_state_id_check CHECK ((id = 1))
);
CREATE TABLE public.site_config (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL,
    every_s integer NOT NULL,
    phase_s integer NOT NULL,
    timeout_ms bigint NOT NULL,
    retries integer NOT NULL,
    enabled boolean NOT NULL,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    origin text NOT NULL,
    active_from timestamp with time zone NOT NULL,
    settings json,
    revision bigint DEFAULT 1 NOT NULL,
    left_file_at timestamp with time zone,
    cron text COLLATE pg_catalog."C",
    CONSTRAINT site_config_check CHECK (((phase_s >= 0) AND (phase_s < every_s))),
    CONSTRAINT site_config_every_s_check CHECK (((every_s >= 1) AND (every_s <= 2678400))),
    CONSTRAINT site_config_origin_check CHECK ((origin = ANY (ARRAY['file'::text, 'command'::text]))),
    CONSTRAINT site_config_retries_check CHECK ((retries >= 0)),
    CONSTRAINT site_config_timeout_ms_check CHECK ((timeout_ms > 0))
);
CREATE VIEW public.results AS
 SELECT site.name,
    result.site_id,
    result.scheduled_at,
    result.status,
    result.reason,
    result.error,
    result.http_status,
    ((EXTRACT(epoch FROM (result.started_at - result.scheduled_at)) * (1000)::numeric))::bigint AS lag_ms,
    ((result.total_us)::numeric / 1000.0) AS total_ms,
    result.worker,
    result.attempt,
    result.evidence
   FROM (public.ping_status result
     LEFT JOIN public.site_config site ON ((site.id = result.site_id)));
CREATE TABLE public.retention_state (
    id integer NOT NULL,
    seen_at timestamp with time zone,
    believed_until timestamp with time zone,
    proven_s bigint DEFAULT 0 NOT NULL,
    CONSTRAINT retention_state_id_check CHECK ((id = 1))
);
CREATE TABLE public.retired_id (
    first_id bigint NOT NULL,
    last_id bigint NOT NULL
);
CREATE TABLE public.schedule_gap (
    after_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL
);
CREATE TABLE public.scheduler_state (
    id integer NOT NULL,
    last_tick timestamp with time zone,
    pruned_before timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    CONSTRAINT scheduler_state_id_check CHECK ((id = 1))
);
ALTER TABLE public.site_config ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.site_config_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.site_schedule (
    site_id bigint NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    every_s integer NOT NULL,
    phase_s integer NOT NULL,
    first_slot timestamp with time zone,
    cron text COLLATE pg_catalog."C"
);
CREATE TABLE public.sites (
    site_id bigint NOT NULL,
    url text NOT NULL,
    last_updated timestamp with time zone,
    since timestamp with time zone,
    last_status text,
    verdict_at timestamp with time zone,
    differed_at timestamp with time zone,
    freshness text
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.1', autovacuum_vacuum_cost_delay='0');
ALTER TABLE ONLY public.ping_status ATTACH PARTITION public.ping_status_20261128 FOR VALUES FROM ('2026-11-28 00:00:00+00') TO ('2026-11-29 00:00:00+00');
ALTER TABLE ONLY public.ping_status ATTACH PARTITION public.ping_status_default DEFAULT;
INSERT INTO public.__diesel_schema_migrations VALUES ('20261124000001', '2026-11-28 01:05:33.126306');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261124000002', '2026-11-28 01:05:33.229323');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261127000001', '2026-11-28 01:05:33.239131');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261127000002', '2026-11-28 01:05:33.256687');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261127000003', '2026-11-28 01:05:33.722218');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261127000004', '2026-11-28 01:05:33.735141');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261127000005', '2026-11-28 01:05:33.739772');
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:44+00', 1, '2026-11-28 01:05:48+00', 1, 'old/8420f25d', 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:44+00', 2, '2026-11-28 01:05:48+00', 1, 'old/8420f25d', 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:44+00', 3, '2026-11-28 01:05:48+00', 1, 'old/8420f25d', 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:44+00', 4, '2026-11-28 01:05:48+00', 1, 'old/8420f25d', 5);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:45+00', 1, '2026-11-28 01:05:45+00', 0, NULL, 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:45+00', 2, '2026-11-28 01:05:45+00', 0, NULL, 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:45+00', 3, '2026-11-28 01:05:45+00', 0, NULL, 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:45+00', 5, '2026-11-28 01:05:45+00', 0, NULL, 2);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:46+00', 1, '2026-11-28 01:05:46+00', 0, NULL, 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:46+00', 2, '2026-11-28 01:05:46+00', 0, NULL, 1);
INSERT INTO public.job_queue VALUES ('2026-11-28 01:05:46+00', 3, '2026-11-28 01:05:46+00', 0, NULL, 1);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:35+00', '2026-11-28 01:05:37.086755+00', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'missed', NULL, 'old', 'found 2 s after its slot, later than one interval', NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:35+00', '2026-11-28 01:05:37.086755+00', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'missed', NULL, 'old', 'found 2 s after its slot, later than one interval', NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:35+00', '2026-11-28 01:05:37.086755+00', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'missed', NULL, 'old', 'found 2 s after its slot, later than one interval', NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:36+00', '2026-11-28 01:05:37.296494+00', NULL, 2, 13254, NULL, 10658, NULL, 1982, 329, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:37+00', '2026-11-28 01:05:37.277841+00', NULL, 2, 17489, NULL, 14200, NULL, 2798, 164, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:36+00', '2026-11-28 01:05:37.306637+00', NULL, 2, 3913, NULL, 640, NULL, 2703, 164, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:37+00', '2026-11-28 01:05:37.292823+00', NULL, 2, 1987, NULL, 521, NULL, 902, 272, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:36+00', '2026-11-28 01:05:37.171523+00', NULL, 2, 4819, NULL, 679, NULL, 2812, 713, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:37+00', '2026-11-28 01:05:37.295604+00', NULL, 2, 12591, NULL, 6859, NULL, 4434, 1127, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (5, '2026-11-28 01:05:35+00', '2026-11-28 01:05:37.279804+00', NULL, 2, 15434, NULL, 655, NULL, 13813, 595, 503, 1, 'down', 'status', 'old', 'status 503 Service Unavailable, expected 2xx', '{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:37 GMT"],["content-length","2"]],"body":"ok"}');
INSERT INTO public.ping_status_20261128 VALUES (5, '2026-11-28 01:05:37+00', '2026-11-28 01:05:37.297839+00', NULL, 2, 2414, NULL, 853, NULL, 816, 306, 503, 1, 'down', 'status', 'old', 'status 503 Service Unavailable, expected 2xx', '{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:37 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO public.ping_status_20261128 VALUES (6, '2026-11-28 01:05:34+00', '2026-11-28 01:05:37.163369+00', NULL, 2, 24202, NULL, 836, NULL, 20864, 1710, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (7, '2026-11-28 01:05:35+00', '2026-11-28 01:05:37.280458+00', NULL, 2, 15666, NULL, 472, NULL, 14862, 186, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:38+00', '2026-11-28 01:05:38.185329+00', NULL, 2, 3983, NULL, 401, NULL, 2354, 825, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:38+00', '2026-11-28 01:05:38.18996+00', NULL, 2, 2107, NULL, 251, NULL, 1275, 226, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:38+00', '2026-11-28 01:05:38.18643+00', NULL, 2, 2083, NULL, 205, NULL, 1241, 488, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:39+00', '2026-11-28 01:05:39.182027+00', NULL, 2, 6112, NULL, 202, NULL, 4351, 231, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:39+00', '2026-11-28 01:05:39.188786+00', NULL, 2, 7340, NULL, 1771, NULL, 4714, 579, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:39+00', '2026-11-28 01:05:39.190551+00', NULL, 2, 7927, NULL, 270, NULL, 7166, 361, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (4, '2026-11-28 01:05:39+00', '2026-11-28 01:05:39.18249+00', NULL, 2, 6892, NULL, 347, NULL, 4519, 1816, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (5, '2026-11-28 01:05:39+00', '2026-11-28 01:05:39.189645+00', NULL, 2, 6293, NULL, 432, NULL, 4707, 557, 503, 1, 'down', 'status', 'old', 'status 503 Service Unavailable, expected 2xx', '{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:39 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:40+00', '2026-11-28 01:05:40.182102+00', NULL, 2, 9958, NULL, 1161, NULL, 7218, 634, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:40+00', '2026-11-28 01:05:40.188373+00', NULL, 2, 7141, NULL, 251, NULL, 6230, 325, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:40+00', '2026-11-28 01:05:40.182485+00', NULL, 2, 6878, NULL, 1147, NULL, 3623, 1822, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:41+00', '2026-11-28 01:05:41.183245+00', NULL, 2, 6484, NULL, 731, NULL, 5344, 276, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:41+00', '2026-11-28 01:05:41.187623+00', NULL, 2, 3987, NULL, 231, NULL, 2328, 1139, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:41+00', '2026-11-28 01:05:41.182562+00', NULL, 2, 6664, NULL, 1596, NULL, 2967, 1740, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (5, '2026-11-28 01:05:41+00', '2026-11-28 01:05:41.18801+00', NULL, 2, 2578, NULL, 958, NULL, 744, 357, 503, 1, 'down', 'status', 'old', 'status 503 Service Unavailable, expected 2xx', '{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:41 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:42+00', '2026-11-28 01:05:42.181411+00', NULL, 2, 4411, NULL, 630, NULL, 3007, 421, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:42+00', '2026-11-28 01:05:42.186783+00', NULL, 2, 5536, NULL, 582, NULL, 4166, 477, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:42+00', '2026-11-28 01:05:42.181418+00', NULL, 2, 4070, NULL, 346, NULL, 2505, 888, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:43+00', '2026-11-28 01:05:43.184368+00', NULL, 2, 3997, NULL, 1789, NULL, 1012, 801, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:43+00', '2026-11-28 01:05:43.188954+00', NULL, 2, 7676, NULL, 220, NULL, 6090, 1078, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:43+00', '2026-11-28 01:05:43.185269+00', NULL, 2, 6988, NULL, 966, NULL, 5564, 317, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (5, '2026-11-28 01:05:43+00', '2026-11-28 01:05:43.191439+00', NULL, 2, 2819, NULL, 398, NULL, 1652, 312, 503, 1, 'down', 'status', 'old', 'status 503 Service Unavailable, expected 2xx', '{"failed":["status 503 Service Unavailable, expected 2xx"],"addresses":["127.0.0.1"],"headers":[["Server","BaseHTTP/0.6 Python/3.11.7"],["Date","Sat, 28 Nov 2026 01:05:43 GMT"],["content-length","2"]],"body":"ok","tries":2}');
INSERT INTO public.ping_status_20261128 VALUES (1, '2026-11-28 01:05:44+00', '2026-11-28 01:05:44.188244+00', NULL, 2, 3405, NULL, 2015, NULL, 696, 314, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (2, '2026-11-28 01:05:44+00', '2026-11-28 01:05:44.192147+00', NULL, 2, 7609, NULL, 204, NULL, 6234, 464, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (3, '2026-11-28 01:05:44+00', '2026-11-28 01:05:44.189726+00', NULL, 2, 6181, NULL, 1059, NULL, 4074, 810, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.ping_status_20261128 VALUES (4, '2026-11-28 01:05:44+00', '2026-11-28 01:05:44.196505+00', NULL, 2, 4214, NULL, 249, NULL, 2926, 752, 200, 1, 'up', NULL, 'old', NULL, NULL);
INSERT INTO public.result_log_state VALUES (1, NULL);
INSERT INTO public.retention_state VALUES (1, '2026-11-28 01:05:37+00', '2026-11-28 01:05:37+00', 0);
INSERT INTO public.scheduler_state VALUES (1, '2026-11-28 01:05:46+00', '1970-01-01 00:00:00+00');
INSERT INTO public.site_config VALUES (1, 'one-0', 'http://127.0.0.1:18999/', 1, 0, 900, 1, true, '[]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, NULL);
INSERT INTO public.site_config VALUES (2, 'one-1', 'http://127.0.0.1:18999/', 1, 0, 900, 1, true, '[]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, NULL);
INSERT INTO public.site_config VALUES (3, 'one-2', 'http://127.0.0.1:18999/', 1, 0, 900, 1, true, '[]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, NULL);
INSERT INTO public.site_config VALUES (4, 'five', 'http://127.0.0.1:18999/', 5, 4, 900, 1, true, '["prod"]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, NULL);
INSERT INTO public.site_config VALUES (5, 'broken', 'http://127.0.0.1:18999/bad', 2, 1, 900, 1, true, '[]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, NULL);
INSERT INTO public.site_config VALUES (6, 'calendar', 'http://127.0.0.1:18999/', 2678400, 0, 10000, 1, true, '[]', 'command', '2026-11-28 01:05:34+00', NULL, 1, NULL, '* * * * * UTC');
INSERT INTO public.site_config VALUES (7, 'paused', 'http://127.0.0.1:18999/', 3600, 1360, 10000, 1, false, '[]', 'command', '2026-11-28 01:05:35+00', NULL, 2, NULL, NULL);
INSERT INTO public.site_schedule VALUES (1, '2026-11-28 01:05:34+00', NULL, 1, 0, NULL, NULL);
INSERT INTO public.site_schedule VALUES (2, '2026-11-28 01:05:34+00', NULL, 1, 0, NULL, NULL);
INSERT INTO public.site_schedule VALUES (3, '2026-11-28 01:05:34+00', NULL, 1, 0, NULL, NULL);
INSERT INTO public.site_schedule VALUES (4, '2026-11-28 01:05:34+00', NULL, 5, 4, NULL, NULL);
INSERT INTO public.site_schedule VALUES (5, '2026-11-28 01:05:34+00', NULL, 2, 1, NULL, NULL);
INSERT INTO public.site_schedule VALUES (6, '2026-11-28 01:05:34+00', NULL, 2678400, 0, '2026-11-28 01:05:34+00', '* * * * * UTC');
INSERT INTO public.site_schedule VALUES (7, '2026-11-28 01:05:35+00', '2026-11-28 01:05:35+00', 3600, 1360, '2026-11-28 01:05:35+00', NULL);
INSERT INTO public.sites VALUES (6, 'http://127.0.0.1:18999/', '2026-11-28 01:05:34+00', '2026-11-28 01:05:34+00', 'up', '2026-11-28 01:05:34+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (7, 'http://127.0.0.1:18999/', '2026-11-28 01:05:35+00', '2026-11-28 01:05:35+00', 'up', '2026-11-28 01:05:35+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (5, 'http://127.0.0.1:18999/bad', '2026-11-28 01:05:43+00', '2026-11-28 01:05:35+00', 'down', '2026-11-28 01:05:43+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (4, 'http://127.0.0.1:18999/', '2026-11-28 01:05:44+00', '2026-11-28 01:05:39+00', 'up', '2026-11-28 01:05:44+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (1, 'http://127.0.0.1:18999/', '2026-11-28 01:05:44+00', '2026-11-28 01:05:36+00', 'up', '2026-11-28 01:05:44+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (2, 'http://127.0.0.1:18999/', '2026-11-28 01:05:44+00', '2026-11-28 01:05:36+00', 'up', '2026-11-28 01:05:44+00', NULL, 'fresh');
INSERT INTO public.sites VALUES (3, 'http://127.0.0.1:18999/', '2026-11-28 01:05:44+00', '2026-11-28 01:05:36+00', 'up', '2026-11-28 01:05:44+00', NULL, 'fresh');
SELECT pg_catalog.setval('public.site_config_id_seq', 7, true);
ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.job_queue
    ADD CONSTRAINT job_queue_pkey PRIMARY KEY (scheduled_at, site_id);
ALTER TABLE ONLY public.ping_status
    ADD CONSTRAINT ping_status_pkey PRIMARY KEY (site_id, scheduled_at);
ALTER TABLE ONLY public.ping_status_20261128
    ADD CONSTRAINT ping_status_20261128_pkey PRIMARY KEY (site_id, scheduled_at);
ALTER TABLE ONLY public.ping_status_default
    ADD CONSTRAINT ping_status_default_pkey PRIMARY KEY (site_id, scheduled_at);
ALTER TABLE ONLY public.result_log_state
    ADD CONSTRAINT result_log_state_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.retention_state
    ADD CONSTRAINT retention_state_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.retired_id
    ADD CONSTRAINT retired_id_pkey PRIMARY KEY (first_id);
ALTER TABLE ONLY public.scheduler_state
    ADD CONSTRAINT scheduler_state_pkey PRIMARY KEY (id);
ALTER TABLE public.site_config
    ADD CONSTRAINT site_config_cron_alone CHECK (((cron IS NULL) OR ((every_s = 2678400) AND (phase_s = 0)))) NOT VALID;
ALTER TABLE ONLY public.site_config
    ADD CONSTRAINT site_config_name_key UNIQUE (name);
ALTER TABLE ONLY public.site_config
    ADD CONSTRAINT site_config_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sites
    ADD CONSTRAINT sites_pkey PRIMARY KEY (site_id);
CREATE INDEX job_queue_suspect ON public.job_queue USING btree (visible_at) WHERE (attempt >= 2);
CREATE INDEX job_queue_visible ON public.job_queue USING btree (late_after_s, visible_at);
CREATE INDEX site_config_cron ON public.site_config USING btree (cron) INCLUDE (id, active_from) WHERE (enabled AND (cron IS NOT NULL));
CREATE INDEX site_config_due ON public.site_config USING btree (every_s, phase_s) INCLUDE (id, active_from) WHERE enabled;
CREATE INDEX site_config_interval ON public.site_config USING btree (every_s, phase_s) INCLUDE (id, active_from) WHERE (enabled AND (cron IS NULL));
CREATE INDEX site_schedule_site ON public.site_schedule USING btree (site_id);
ALTER INDEX public.ping_status_pkey ATTACH PARTITION public.ping_status_20261128_pkey;
ALTER INDEX public.ping_status_pkey ATTACH PARTITION public.ping_status_default_pkey;
CREATE TRIGGER site_config_drop_jobs AFTER DELETE ON public.site_config REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.uptime_drop_jobs();
CREATE TRIGGER site_config_retire_ids AFTER DELETE ON public.site_config REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.uptime_retire_ids();
ALTER TABLE ONLY public.site_schedule
    ADD CONSTRAINT site_schedule_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site_config(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sites
    ADD CONSTRAINT sites_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site_config(id) ON DELETE CASCADE;
