/** A task's board as one text: a letter for each host and step. */
import {
  hostsShown,
  MATRIX_HOSTS_MAX,
  MatrixWeight,
  stepOrder,
} from '../../../domain/fold/board-bounds.ts';
import { cellLetter, type TaskMatrix } from '../../../domain/fold/views.ts';
import type { MatrixAnswer, ShardCursor } from '../../store.ts';
import { stepStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { taskViewOrEmpty } from './task-row.ts';

export function readMatrices(
  connection: Connection,
  taskIds: readonly string[],
  staleBefore: number,
  at: ShardCursor[],
): MatrixAnswer[] {
  const weight = new MatrixWeight();
  return taskIds.map((taskId) => {
    connection.checkDeadline();
    const matrix = readMatrix(connection, taskId, staleBefore);
    if (matrix === null) return null;
    weight.add(matrix);
    return { matrix, at };
  });
}

function readMatrix(
  connection: Connection,
  taskId: string,
  staleBefore: number,
): TaskMatrix | null {
  const task = connection.get<{ key: number; view: string }>(
    'SELECT key, view FROM tasks WHERE id = ? AND seq > 0',
    taskId,
  );
  if (task === undefined) return null;
  const { plan } = taskViewOrEmpty(connection, taskId, task.view);
  const runs = connection.arrays<[key: number, host: string]>(
    'SELECT key, host FROM runs WHERE alive() AND task = ? AND base >= 0 ORDER BY host LIMIT ?',
    [task.key, MATRIX_HOSTS_MAX],
  );
  const cells = connection.arrays<
    [run: number, name: string, status: number, lastEventAt: number | null]
  >('SELECT run, name, status, last_event_at FROM steps WHERE alive() AND task = ?', [task.key]);
  const steps = stepOrder(plan, new Set(cells.map(([, name]) => name)));
  const shown = runs.slice(0, hostsShown(steps.length));
  const columns = new Map(steps.map((name, column) => [name, column]));
  const rows = new Map(shown.map(([key], row) => [key, row]));
  const letters = new Array<string>(shown.length * steps.length).fill('-');
  for (const [run, name, status, lastEventAt] of cells) {
    const row = rows.get(run);
    const column = columns.get(name);
    if (row === undefined || column === undefined) continue;
    const stale = status === RUNNING && lastEventAt !== null && lastEventAt < staleBefore;
    letters[row * steps.length + column] = cellLetter(stepStatuses.name(status), stale);
  }
  return { steps, hosts: shown.map(([, host]) => host), cells: letters.join('') };
}

const RUNNING = stepStatuses.code('RUNNING');
