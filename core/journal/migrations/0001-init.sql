-- Jobs as they were asked for. Never changed, but for giving the name back once the job was removed.
CREATE TABLE jobs (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- Null once the job was removed.
  taken_name TEXT UNIQUE,
  spec TEXT NOT NULL
) STRICT;

CREATE TRIGGER jobs_never_change BEFORE UPDATE OF ordinal, id, spec ON jobs
BEGIN SELECT RAISE(ABORT, 'a submitted job never changes'); END;

CREATE TRIGGER jobs_never_go BEFORE DELETE ON jobs
BEGIN SELECT RAISE(ABORT, 'a submitted job is never deleted'); END;

-- The only truth. Sequences have no gaps; `hash` chains each event to the one before it (see chain.ts).
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  job TEXT,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;

CREATE INDEX events_of_job ON events (job, sequence);

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- End of the chain, so that cut-off events are noticed.
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sequence INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;

INSERT INTO head (id, sequence, hash) VALUES (1, 0, '');

-- Processes that work on this repository.
CREATE TABLE orchestrators (
  id TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL,
  heartbeat_at INTEGER NOT NULL
) STRICT;

-- Side effects that were begun and not undone yet. Ids are never used twice.
CREATE TABLE receipts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  orchestrator TEXT NOT NULL,
  job TEXT NOT NULL,
  receipt TEXT NOT NULL
) STRICT;

-- Named exclusive locks. `holder` is unique per acquisition.
CREATE TABLE locks (
  name TEXT PRIMARY KEY,
  orchestrator TEXT NOT NULL,
  holder TEXT NOT NULL
) STRICT;
