-- One row.
CREATE TABLE result_log_state (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  read_before INTEGER    -- results of earlier slots are stored, or were lost: the log was read past them. NULL: no log outlives a process
) STRICT;
INSERT INTO result_log_state (id) VALUES (1);

-- 1: of a time that was taken back when the clock was set back. No slot is due there, and rows may lie there.
ALTER TABLE site_schedule ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1));

-- What is left of a gap after the clock was set back into it: all slots in (after_s, until_s] were skipped.
CREATE TABLE clock_gap (
  after_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL
) STRICT;

-- One row: how far retention believes the clock. All NULL before the first look.
CREATE TABLE retention_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  seen_at        INTEGER,                                           -- what the clock read at the last look
  believed_until INTEGER,                                           -- retention goes by this time
  proven_s       INTEGER NOT NULL DEFAULT 0                         -- seconds that have passed since the clock is in doubt
) STRICT;
INSERT INTO retention_state (id) VALUES (1);

-- Earlier versions believed any clock, and a date in the future here keeps `audit` from judging anything before it.
UPDATE scheduler_state SET pruned_before = min(pruned_before, last_tick) WHERE last_tick IS NOT NULL;
