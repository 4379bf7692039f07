/**
 * Retention: a day goes whole, when the last event of any task that began on it is older than the
 * limit, so that each of those tasks is over or has been silent for as long. Hosts stay.
 */
import type { RetentionReport } from '../store.ts';
import type { Connection } from './connection.ts';
import { allDays, type Day, dayName, dropDay } from './days.ts';
import { forgetExpired, rememberExpired } from './expired.ts';
import { DROPPED_THROUGH, writeMeta } from './meta.ts';

const DAY_MS = 86_400_000;

/** `now`: epoch milliseconds. One transaction per day. */
export function applyRetention(
  connection: Connection,
  retentionDays: number,
  now: number,
): RetentionReport {
  const before = now - retentionDays * DAY_MS;
  const report: RetentionReport = { removedTasks: 0, removedEvents: 0, removedDays: [] };
  for (const day of allDays(connection)) {
    if (day.last_received >= before) continue;
    connection.forgetStatements();
    connection.transaction('BEGIN IMMEDIATE', () => {
      report.removedTasks += removeDay(connection, day, now + retentionDays * DAY_MS);
    });
    report.removedEvents += day.events;
    report.removedDays.push(dayName(day.day));
  }
  forgetExpired(connection, now);
  return report;
}

function removeDay(connection: Connection, { day, last_seq }: Day, until: number): number {
  const tasks = connection.all<{ key: number; id: string }>(
    'SELECT key, id FROM tasks WHERE day = ?',
    day,
  );
  for (const { key, id } of tasks) {
    rememberExpired(connection, id, until);
    connection.run('DELETE FROM steps WHERE task = ?', key);
    connection.run('DELETE FROM runs WHERE task = ?', key);
    connection.run('DELETE FROM task_hosts WHERE task = ?', key);
    connection.run('DELETE FROM task_words WHERE rowid = ?', key);
  }
  connection.run('DELETE FROM tasks WHERE day = ?', day);
  connection.run('DELETE FROM rollups WHERE day = ?', day);
  connection.run('DELETE FROM blocks WHERE day = ?', day);
  connection.run('DELETE FROM days WHERE day = ?', day);
  writeMeta(connection, DROPPED_THROUGH, last_seq);
  dropDay(connection, day);
  return tasks.length;
}
