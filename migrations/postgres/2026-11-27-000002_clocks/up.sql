SET LOCAL lock_timeout = '5s';

-- Tables of their own, these two: whoever ticks holds the row of scheduler_state.
CREATE TABLE result_log_state (
  id          integer     PRIMARY KEY CHECK (id = 1),
  read_before timestamptz
);
COMMENT ON TABLE  result_log_state             IS 'One row: how far the result log was read';
COMMENT ON COLUMN result_log_state.read_before IS
  'Results of earlier slots are stored, or were lost: the log was read past them. NULL: no log outlives a process';
INSERT INTO result_log_state (id) VALUES (1);

-- `site_schedule` needs no mark as in SQLite: rows of one site are found by the key here, and not by its slots.
CREATE TABLE clock_gap (
  after_at timestamptz NOT NULL,
  until_at timestamptz NOT NULL
);
COMMENT ON TABLE clock_gap IS
  'What is left of a gap after the clock was set back into it: all slots in (after_at, until_at] were skipped';

CREATE TABLE retention_state (
  id             integer     PRIMARY KEY CHECK (id = 1),
  seen_at        timestamptz,
  believed_until timestamptz,
  proven_s       bigint      NOT NULL DEFAULT 0
);
COMMENT ON TABLE  retention_state                IS 'One row: how far retention believes the clock. All NULL before the first look';
COMMENT ON COLUMN retention_state.seen_at        IS 'What the clock read at the last look';
COMMENT ON COLUMN retention_state.believed_until IS 'Retention goes by this time';
COMMENT ON COLUMN retention_state.proven_s       IS 'Seconds that have passed since the clock is in doubt';
INSERT INTO retention_state (id) VALUES (1);

-- Earlier versions believed any clock, and a date in the future here keeps `audit` from judging anything before it.
UPDATE scheduler_state SET pruned_before = least(pruned_before, last_tick) WHERE last_tick IS NOT NULL;
