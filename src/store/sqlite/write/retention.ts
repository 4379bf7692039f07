/**
 * Retention: a day goes whole, when the last event of any task that began on it is older than the
 * limit, so that each of those tasks is over or has been silent for as long. Hosts go when they
 * were silent for as long and no kept task has them.
 *
 * It is done in slices, each a short transaction, so that appends and readers have their turn
 * between them. A day is marked first: from then on its tasks take no events, and after a stop the
 * next run goes on where this one was.
 */
import type { RetentionReport } from '../../store.ts';
import type { Connection } from '../file/connection.ts';
import {
  allDays,
  type Day,
  dayName,
  dropIndexes,
  dropTable,
  ROLLUP_SPANS,
  tablesWithoutDay,
} from '../file/days.ts';
import { DROPPED_THROUGH, GIVEN_KEYS, writeMeta } from '../file/meta.ts';
import { greatestKey } from './entries.ts';
import { forgetExpired, rememberExpired } from './expired.ts';

const DAY_MS = 86_400_000;
/** Rows that one transaction removes, or a little more: some 20 ms. */
const SLICE_ROWS = 5_000;
/** Runs whose steps go in one statement. */
const RUNS_AT_ONCE = 100;

export interface RetentionParts {
  connection: Connection;
  retentionDays: number;
  /** Epoch milliseconds. */
  now: number;
  /** From now on the day's tasks take no events. */
  onLeaving: (day: number) => void;
  /** What is remembered of tasks and hosts may not be there any more. */
  onRemoved: () => void;
}

/** Each step is one transaction. */
export function* retention(parts: RetentionParts): Generator<void, RetentionReport> {
  const { connection, now, retentionDays } = parts;
  const before = now - retentionDays * DAY_MS;
  const report: RetentionReport = { removedTasks: 0, removedEvents: 0, removedDays: [] };
  for (const day of allDays(connection)) {
    if (!mark(parts, day.day, before)) continue;
    yield;
    const tasks = removeTasks(connection, day.day, now + retentionDays * DAY_MS);
    for (let done = tasks.next(); ; done = tasks.next()) {
      if (done.done === true) {
        report.removedTasks += done.value;
        break;
      }
      yield;
    }
    yield* removeRollups(connection, day);
    connection.transaction('BEGIN IMMEDIATE', () => {
      connection.run('DELETE FROM blocks WHERE day = ?', day.day);
      connection.run('DELETE FROM days WHERE day = ?', day.day);
      writeMeta(connection, DROPPED_THROUGH, day.last_seq);
    });
    parts.onRemoved();
    report.removedEvents += day.events;
    report.removedDays.push(dayName(day.day));
    yield;
  }
  // Nothing reads tables of a day that is not there any more.
  for (const table of tablesWithoutDay(connection)) {
    for (const drop of [...dropIndexes(connection, table), dropTable(table)]) {
      connection.forgetStatements();
      connection.exec(drop);
      yield;
    }
  }
  if ((yield* forgetHosts(connection, before)) > 0) parts.onRemoved();
  forgetExpired(connection, now);
  return report;
}

/** false: the day stays, for something on it is younger than the limit. */
function mark({ connection, onLeaving }: RetentionParts, day: number, before: number): boolean {
  connection.run(
    'UPDATE days SET leaving = 1 WHERE day = ? AND last_received < ? AND leaving = 0',
    day,
    before,
  );
  const isLeaving = connection.get('SELECT 1 FROM days WHERE day = ? AND leaving = 1', day);
  if (isLeaving === undefined) return false;
  onLeaving(day);
  return true;
}

/** A task's row goes last, so that what is left of it is found again. Returns how many there were. */
function* removeTasks(connection: Connection, day: number, until: number): Generator<void, number> {
  let removed = 0;
  for (;;) {
    const done = connection.transaction('BEGIN IMMEDIATE', () => {
      for (const table of ['tasks', 'runs'] as const) {
        writeMeta(connection, GIVEN_KEYS[table], greatestKey(connection, table));
      }
      for (let rows = 0; rows < SLICE_ROWS; ) {
        const task = connection.get<{ key: number; id: string }>(
          'SELECT key, id FROM tasks WHERE day = ? LIMIT 1',
          day,
        );
        if (task === undefined) return true;
        const some = removeRuns(connection, task.key);
        rows += some + 1;
        if (some > 0) continue;
        rememberExpired(connection, task.id, until);
        connection.run('DELETE FROM task_hosts WHERE task = ?', task.key);
        connection.run('DELETE FROM task_words WHERE rowid = ?', task.key);
        connection.run('DELETE FROM tasks WHERE key = ?', task.key);
        removed++;
      }
      return false;
    });
    if (done) return removed;
    yield;
  }
}

/** Some of the task's runs with their steps; how many rows that were. */
function removeRuns(connection: Connection, task: number): number {
  const runs = connection.arrays<[number]>('SELECT key FROM runs WHERE task = ? LIMIT ?', [
    task,
    RUNS_AT_ONCE,
  ]);
  let rows = runs.length;
  for (const [run] of runs) {
    rows += connection.change('DELETE FROM steps WHERE task = ? AND run = ?', task, run);
    connection.run('DELETE FROM runs WHERE key = ?', run);
  }
  return rows;
}

/** They stand by time, so those of the day are looked for from its first moment to its last. */
function* removeRollups(connection: Connection, { day, min_at, max_at }: Day): Generator<void> {
  for (const span of ROLLUP_SPANS) {
    for (let from: number | null = Math.floor(min_at / span) * span; from !== null; ) {
      const start: number = from;
      const end: number | null =
        connection.get<{ at: number }>(
          `SELECT at FROM rollups WHERE span = ? AND at >= ? AND at <= ?
           ORDER BY at LIMIT 1 OFFSET ${SLICE_ROWS}`,
          ...[span, start, max_at],
        )?.at ?? null;
      connection.run(
        'DELETE FROM rollups WHERE span = ? AND at >= ? AND at <= ? AND day = ?',
        ...[span, start, end ?? max_at, day],
      );
      // One moment has few rows: a day and a level each.
      from = end === null ? null : end + 1;
      yield;
    }
  }
}

/** Returns how many there were. */
function* forgetHosts(connection: Connection, before: number): Generator<void, number> {
  let forgotten = 0;
  for (let after: string | null = ''; after !== null; ) {
    const page: { name: string; last_seen: number }[] = connection.all(
      'SELECT name, last_seen FROM hosts WHERE name > ? ORDER BY name LIMIT ?',
      after,
      SLICE_ROWS,
    );
    connection.transaction('BEGIN IMMEDIATE', () => {
      for (const { name, last_seen } of page) {
        if (last_seen >= before) continue;
        forgotten += connection.change(
          `DELETE FROM hosts WHERE name = ? AND last_seen < ?
             AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.host = hosts.name)`,
          name,
          before,
        );
      }
    });
    after = page.length < SLICE_ROWS ? null : (page.at(-1)?.name ?? null);
    yield;
  }
  return forgotten;
}
