/**
 * The tables of one day: events of the tasks that began on it (UTC, the receiver's clock) and the
 * index of their words. Retention drops them whole; a search skips those outside its time.
 *
 * Identity is looked up by task and 48 bits of the id, so that a day's index is touched where its
 * running tasks are and not all over; the whole id is compared on a hit.
 */
import type { Connection } from './connection.ts';

export interface Day {
  day: number;
  first_seq: number;
  last_seq: number;
  events: number;
  min_at: number;
  max_at: number;
  last_received: number;
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
    CREATE INDEX events_${day}_id ON events_${day} (task, id_hash);
    CREATE INDEX events_${day}_task ON events_${day} (task);
    CREATE INDEX events_${day}_run ON events_${day} (run, step);
    CREATE INDEX events_${day}_at ON events_${day} (at);
    CREATE INDEX events_${day}_severe ON events_${day} (at) WHERE level >= 3;
    CREATE VIRTUAL TABLE words_${day} USING fts5 (
      message, command, error,
      content = '', columnsize = 0, detail = full, tokenize = 'ascii'
    );
  `);
}

export function dropDay(connection: Connection, day: number): void {
  connection.exec(`DROP TABLE events_${day}; DROP TABLE words_${day};`);
}
