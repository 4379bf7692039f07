-- Tasks, runs, steps and hosts as folded from the log, and what is known about the log itself.
-- Events and their words are in tables per day of their task's beginning; see days.ts.
--
-- A time that is not known is -9007199254740991 where the column is sorted by: it stands last in
-- descending order, and no filter reaches it.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- One row for each time the database was opened: a cursor carries its epoch, so that a restored
-- backup, which would number other events alike, does not mislead it.
CREATE TABLE epochs (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL UNIQUE,
  first_seq INTEGER NOT NULL
);

-- day: yyyymmdd (UTC) on which the tasks of its events began; min_at, max_at: of its events.
CREATE TABLE days (
  day INTEGER PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  events INTEGER NOT NULL,
  min_at INTEGER NOT NULL,
  max_at INTEGER NOT NULL,
  last_received INTEGER NOT NULL
);

-- Reporters' times within each 1,024 seqs of a day: a search by time reads only those it needs.
CREATE TABLE blocks (
  day INTEGER NOT NULL,
  block INTEGER NOT NULL,
  min_at INTEGER NOT NULL,
  max_at INTEGER NOT NULL,
  PRIMARY KEY (day, block)
) WITHOUT ROWID;

-- Events counted by level, for each second, minute and hour (span, in ms) of `at`.
CREATE TABLE rollups (
  span INTEGER NOT NULL,
  at INTEGER NOT NULL,
  day INTEGER NOT NULL,
  level INTEGER NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (span, at, day, level)
) WITHOUT ROWID;

CREATE TABLE tasks (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  day INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  events INTEGER NOT NULL,
  -- A TaskState without its hosts, which are in task_hosts; its RunTotals; the TaskView of both.
  state TEXT NOT NULL,
  totals TEXT NOT NULL,
  view TEXT NOT NULL,
  status INTEGER NOT NULL,
  over INTEGER NOT NULL,
  service TEXT,
  environment TEXT,
  version TEXT,
  created_by TEXT,
  labels TEXT,
  created_at INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  last_event_at INTEGER NOT NULL
);
CREATE INDEX tasks_day ON tasks (day);
CREATE INDEX tasks_seq ON tasks (seq);
CREATE INDEX tasks_created ON tasks (created_at);
CREATE INDEX tasks_duration ON tasks (duration);
CREATE INDEX tasks_open ON tasks (last_event_at) WHERE over = 0;

CREATE VIRTUAL TABLE task_words USING fts5 (
  id, title, service, version, environment, created_by,
  content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- The hosts that a task's plan names: long, and seldom changed.
CREATE TABLE task_hosts (
  task INTEGER PRIMARY KEY,
  hosts TEXT NOT NULL
);

CREATE TABLE runs (
  key INTEGER PRIMARY KEY,
  task INTEGER NOT NULL,
  host TEXT NOT NULL,
  -- A RunState; null for a host that only the plan names.
  state TEXT,
  status INTEGER NOT NULL,
  base INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  duration INTEGER NOT NULL,
  last_event_at INTEGER NOT NULL,
  out_since INTEGER,
  UNIQUE (task, host)
);
CREATE INDEX runs_host ON runs (host, started_at);
CREATE INDEX runs_started ON runs (started_at);

CREATE TABLE steps (
  task INTEGER NOT NULL,
  run INTEGER NOT NULL,
  name TEXT NOT NULL,
  idx INTEGER,
  status INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  duration INTEGER NOT NULL,
  last_event_at INTEGER,
  error_code TEXT,
  fingerprint TEXT,
  PRIMARY KEY (task, run, name)
) WITHOUT ROWID;
CREATE INDEX steps_started ON steps (started_at) WHERE started_at > -9007199254740991;
CREATE INDEX steps_duration ON steps (duration) WHERE duration > -9007199254740991;
CREATE INDEX steps_failed ON steps (started_at) WHERE fingerprint IS NOT NULL;

CREATE TABLE hosts (
  name TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  labels TEXT,
  last_seen INTEGER NOT NULL
) WITHOUT ROWID;

-- Tasks that retention removed: 16 bytes of a hash each, kept for as long again as retention.
CREATE TABLE expired (
  task BLOB PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX expired_until ON expired (until);
