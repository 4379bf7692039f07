/**
 * The tables of one day: events of the tasks that began on it (UTC, the receiver's clock) and the
 * index of their words. Retention drops them whole; a search skips those outside its time.
 *
 * Identity is looked up by task and 48 bits of the id; the whole id is compared on a hit. `ids_…`
 * has those of events up to `days.ids_through`, and may have more; see write/identities.ts.
 */
import { SEVERE } from './codes.ts';
import type { Connection } from './connection.ts';

/** Seqs of one block of `blocks`: 2^10. */
export const BLOCK_BITS = 10;
/** Spans of `rollups`, in ms, the finest first; each is a multiple of the one before. */
export const ROLLUP_SPANS = [1_000, 60_000, 3_600_000] as const;

export interface Day {
  day: number;
  first_seq: number;
  last_seq: number;
  events: number;
  min_at: number;
  max_at: number;
  last_received: number;
  ids_through: number;
  /** 1: retention is removing it. */
  leaving: number;
}

/** yyyymmdd of a moment. */
export function dayOf(at: number): number {
  const date = new Date(at);
  return (date.getUTCFullYear() * 100 + date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}

/** YYYY-MM-DD. */
export function dayName(day: number): string {
  const text = String(day).padStart(8, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}

export function allDays(connection: Connection): Day[] {
  return connection.all<Day>('SELECT * FROM days ORDER BY day');
}

export function createDay(connection: Connection, day: number): void {
  connection.exec(`
    ${createIds(day)}
    CREATE TABLE events_${day} (
      seq INTEGER PRIMARY KEY,
      task INTEGER NOT NULL,
      run INTEGER,
      id_hash INTEGER NOT NULL,
      at INTEGER NOT NULL,
      received_at INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      level INTEGER NOT NULL,
      status INTEGER,
      stream INTEGER,
      attempt INTEGER,
      sequence INTEGER,
      host TEXT,
      step TEXT,
      writer TEXT,
      source TEXT,
      service TEXT,
      environment TEXT,
      message TEXT,
      labels TEXT,
      rest TEXT NOT NULL
    );
    CREATE INDEX events_${day}_task ON events_${day} (task);
    CREATE INDEX events_${day}_run ON events_${day} (run);
    CREATE INDEX events_${day}_at ON events_${day} (at);
    CREATE INDEX events_${day}_severe ON events_${day} (at) WHERE level >= ${SEVERE};
    CREATE VIRTUAL TABLE words_${day} USING fts5 (
      message, command, error,
      content = '', columnsize = 0, detail = full, tokenize = 'ascii'
    );
  `);
}

function createIds(day: number): string {
  return `
    CREATE TABLE ids_${day} (
      task INTEGER NOT NULL,
      id_hash INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (task, id_hash, seq)
    ) WITHOUT ROWID;`;
}

/** A day of before version 4 of the schema had an index of its events in place of `ids_…`. */
export function makeIds(connection: Connection, { day, last_seq }: Day): void {
  connection.exec(`
    ${createIds(day)}
    INSERT INTO ids_${day} SELECT task, id_hash, seq FROM events_${day} ORDER BY task, id_hash, seq;
    DROP INDEX events_${day}_id;
    UPDATE days SET ids_through = ${last_seq} WHERE day = ${day};
  `);
}

/** Tables of days that are gone, of which a stop may have left some. */
export function tablesWithoutDay(connection: Connection): string[] {
  const tables = connection.all<{ name: string }>(
    `SELECT name FROM sqlite_master WHERE type = 'table'
       AND (name GLOB 'events_[0-9]*' OR name GLOB 'ids_[0-9]*'
         OR (name GLOB 'words_[0-9]*' AND sql LIKE 'CREATE VIRTUAL%'))`,
  );
  const days = new Set(allDays(connection).map(({ day }) => String(day)));
  return tables.map(({ name }) => name).filter((name) => !days.has(name.split('_')[1] ?? ''));
}

/** Each on its own: a table with all its indexes is a long transaction. */
export function dropIndexes(connection: Connection, table: string): string[] {
  const indexes = connection.all<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
    table,
  );
  return indexes.map(({ name }) => `DROP INDEX ${name}`);
}

export function dropTable(table: string): string {
  return `DROP TABLE ${table}`;
}
