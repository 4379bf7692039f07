/**
 * Tasks that retention removed, as 16 bytes of a hash each: a later event of one is refused
 * instead of beginning the task anew. They are kept for as long again as retention itself, so at
 * 10,000 tasks a day and 30 days that is 300,000 rows, about 10 MB.
 */
import { hash } from 'node:crypto';
import type { Connection } from '../file/connection.ts';

function taskHash(taskId: string): Uint8Array {
  return hash('sha256', taskId, 'buffer').subarray(0, 16);
}

export function isExpired(connection: Connection, taskId: string): boolean {
  return (
    connection.get('SELECT 1 AS found FROM expired WHERE task = ?', taskHash(taskId)) !== undefined
  );
}

export function rememberExpired(connection: Connection, taskId: string, until: number): void {
  connection.run(
    'INSERT INTO expired (task, until) VALUES (?, ?) ON CONFLICT (task) DO UPDATE SET until = excluded.until',
    taskHash(taskId),
    until,
  );
}

export function forgetExpired(connection: Connection, now: number): void {
  connection.run('DELETE FROM expired WHERE until < ?', now);
}
