/** Tasks from their rows: the fold's state, and the view as it was last written. */
import {
  deriveTask,
  emptyTask,
  NO_RUNS,
  type RunTotals,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import type { TaskView } from '../../../domain/fold/views.ts';
import type { Connection } from '../file/connection.ts';

export interface StateRow {
  state: string;
  totals: string;
  hosts: string | null;
}

/** From the columns that hold it. Throws where it is not what a fold leaves. */
export function storedTaskOf({ state, totals, hosts }: StateRow) {
  const task = taskStateOf(state, hosts);
  const runs = JSON.parse(totals) as RunTotals;
  deriveTask(task, runs);
  return { state: task, totals: runs };
}

/** As `storedTaskOf`. */
export function taskStateOf(state: string, hosts: string | null): TaskState {
  const parsed = JSON.parse(state) as TaskState;
  deriveTask(parsed, NO_RUNS);
  return hosts === null ? parsed : { ...parsed, hosts: JSON.parse(hosts) };
}

/** null: it cannot be understood, and is set aside. */
export function taskViewOf(connection: Connection, id: string, view: string): TaskView | null {
  return connection.aside.try({ taskId: id }, () => {
    const parsed = JSON.parse(view) as TaskView;
    if (parsed.id !== id || !Array.isArray(parsed.plan)) throw new Error('it is no view of a task');
    return parsed;
  });
}

/** The same where it is asked for by itself: from its state, or as one of which nothing is known. */
export function taskViewOrEmpty(connection: Connection, id: string, view: string): TaskView {
  const written = taskViewOf(connection, id, view);
  if (written !== null) return written;
  const row = connection.get<StateRow>(
    `SELECT t.state, t.totals, h.hosts FROM tasks t LEFT JOIN task_hosts h ON h.task = t.key
     WHERE t.id = ?`,
    id,
  );
  const stored =
    row === undefined ? null : connection.aside.try({ taskId: id }, () => storedTaskOf(row));
  return deriveTask(stored?.state ?? emptyTask(id), stored?.totals ?? NO_RUNS);
}
