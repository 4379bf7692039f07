/** All tasks folded anew from the log: for a rebuild, and after a fold that has changed. */
import { emptyTask, FOLD_VERSION, NO_RUNS } from '../../../domain/fold/fold.ts';
import { NEVER } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { allDays } from '../file/days.ts';
import { readMeta, VIEWS_THROUGH, VIEWS_VERSION, writeMeta } from '../file/meta.ts';
import { headSeq } from '../read/events.ts';
import { Views } from './views.ts';

interface TaskRow {
  key: number;
  id: string;
  day: number;
}

export interface Refolded {
  /** Events. */
  done: number;
  total: number;
}

/** Whether the stored views are not what this Shiplog makes of the log. */
export function areViewsOld(connection: Connection): boolean {
  return readMeta(connection, VIEWS_VERSION) < FOLD_VERSION;
}

/** Each step is a task in a transaction of its own; stopped half-way, it begins again. */
export function* refoldTasks(connection: Connection): Generator<Refolded> {
  // Nothing may be folded into old views: what they do not have yet is folded with the rest.
  if (areViewsOld(connection)) writeMeta(connection, VIEWS_THROUGH, headSeq(connection));
  const views = new Views(connection);
  const days = allDays(connection);
  const total = days.reduce((sum, { events }) => sum + events, 0);
  let done = 0;
  yield { done, total };
  for (const { day } of days) {
    for (const task of tasksOf(connection, day)) {
      done += views.refold(task.id, () => reset(connection, task));
      yield { done, total };
    }
  }
  writeMeta(connection, VIEWS_VERSION, FOLD_VERSION);
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
