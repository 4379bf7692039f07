/** Numbers that the database keeps about itself. */
import type { Connection } from './connection.ts';

/** The greatest seq that retention has removed. */
export const DROPPED_THROUGH = 'dropped_through';
/** Everything at or below is in the stored views. */
export const VIEWS_THROUGH = 'views_through';
/** The greatest keys of tasks and runs that retention removed: none is given again. */
export const GIVEN_KEYS = { tasks: 'task_keys', runs: 'run_keys' } as const;
/** The `FOLD_VERSION` that the stored views are of. */
export const VIEWS_VERSION = 'views_version';

export function readMeta(connection: Connection, key: string): number {
  const row = connection.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', key);
  return row?.value ?? 0;
}

/** Never less than before. */
export function writeMeta(connection: Connection, key: string, value: number): void {
  connection.run(
    `INSERT INTO meta (key, value) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET value = max(value, excluded.value)`,
    key,
    value,
  );
}
