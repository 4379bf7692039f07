/**
 * Folds the views of the embedded store anew from its log, task by task: each in one transaction,
 * so whoever interrupts it finds every task as it was or as it is now. The log is not touched.
 *
 * A server holds in memory what it folded, so none may have the directory meanwhile. Hosts are
 * only added to: what retention removed was the last trace of when some were first seen.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { badInput } from '../../domain/errors.ts';
import { emptyTask, NO_RUNS } from '../../domain/fold.ts';
import { NEVER } from './codes.ts';
import { Connection } from './connection.ts';
import { allDays } from './days.ts';
import { storeError } from './errors.ts';
import { checkSqliteVersion, lockDirectory } from './lock.ts';
import { migrate } from './migrate.ts';
import { Views } from './views.ts';

interface TaskRow {
  key: number;
  id: string;
  day: number;
}

/**
 * Resolves to the number of events that were folded. Throws BAD_INPUT where there is no database,
 * STORE_UNAVAILABLE where a server has it.
 */
export async function rebuildDataDir(
  dataDir: string,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  checkSqliteVersion(process.versions.sqlite ?? '0');
  const directory = resolve(dataDir);
  const file = join(directory, 'shiplog.db');
  if (!existsSync(file)) throw badInput(`there is no ${file} to rebuild`, 'dataDir');
  const lock = lockDirectory(directory);
  try {
    return await rebuild(file, onProgress);
  } catch (error) {
    throw storeError(error);
  } finally {
    lock.release();
  }
}

async function rebuild(
  file: string,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  const connection = new Connection(file, { readOnly: false });
  try {
    // The log is durable and has it all, so no commit here need wait for the disk.
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    migrate(connection, file);
    const views = new Views(connection);
    views.flush();
    const days = allDays(connection);
    const total = days.reduce((sum, { events }) => sum + events, 0);
    let done = 0;
    onProgress(done, total);
    for (const { day } of days) {
      for (const task of tasksOf(connection, day)) {
        done += views.refold(task.id, () => reset(connection, task));
        onProgress(done, total);
        // Signals and the terminal have their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return done;
  } finally {
    connection.close();
  }
}

function tasksOf(connection: Connection, day: number): TaskRow[] {
  return connection.all<TaskRow>('SELECT key, id, day FROM tasks WHERE day = ? ORDER BY key', day);
}

/** As it was when its events had keys and nothing was folded yet. */
function reset(connection: Connection, { key, id, day }: TaskRow): void {
  connection.run('DELETE FROM steps WHERE task = ?', key);
  connection.run('DELETE FROM task_hosts WHERE task = ?', key);
  // Events name their run by its key, so only runs that were merely planned may go.
  connection.run(
    `DELETE FROM runs WHERE task = ?
       AND NOT EXISTS (SELECT 1 FROM events_${day} e WHERE e.run = runs.key)`,
    key,
  );
  connection.run(
    `UPDATE runs SET state = NULL, status = 0, base = -1, started_at = ?, finished_at = NULL,
       duration = ?, last_event_at = ?, out_since = NULL WHERE task = ?`,
    NEVER,
    NEVER,
    NEVER,
    key,
  );
  connection.run(
    `UPDATE tasks SET seq = 0, events = 0, state = ?, totals = ?, view = '{}', status = 0, over = 0,
       service = NULL, environment = NULL, version = NULL, created_by = NULL, labels = NULL,
       created_at = 0, duration = 0, last_event_at = 0 WHERE key = ?`,
    JSON.stringify(emptyTask(id)),
    JSON.stringify(NO_RUNS),
    key,
  );
}
