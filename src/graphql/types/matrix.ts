/** TaskMatrix: the board of a task. */
import { ShiplogError } from '../../domain/errors.ts';
import { matrixLength } from '../../domain/fold/board-bounds.ts';
import type { Context } from '../context.ts';
import { MatrixRef, type MatrixShape } from '../refs.ts';

/** A whole board is one answer, but a large one. */
export const MATRIX_COST = 500;

export async function loadMatrix(context: Context, taskId: string): Promise<MatrixShape> {
  const found = await context.loaders.matrix.load(taskId);
  if (found === null) throw new ShiplogError('NOT_FOUND', `task "${taskId}" was removed`);
  const { matrix, at } = found;
  // A board of a hundred thousand hosts is megabytes.
  context.countCharacters(matrixLength(matrix));
  return { matrix, cursor: context.tail.matrixCursor(taskId, at) };
}

MatrixRef.implement({
  description: 'The board of a task: every host × step in one compact answer.',
  fields: (t) => ({
    steps: t.stringList({
      description:
        'The columns: planned steps in order, then others by name. At most 1,000; any further steps are in the runs.',
      resolve: ({ matrix }) => matrix.steps,
    }),
    hosts: t.stringList({
      description:
        'The rows: host names in order. At most 100,000, and fewer where that would be more than 10,000,000 cells; runCounts.total is all of them.',
      resolve: ({ matrix }) => matrix.hosts,
    }),
    cells: t.string({
      description:
        'One letter per host × step, row by row: P R S F K T C N (pending running succeeded failed skipped timed-out cancelled not-run), lower case where stale, `-` where a host has no such step. The cell of host h and step s is at h × steps + s. At most 10,000,000.',
      resolve: ({ matrix }) => matrix.cells,
    }),
    cursor: t.exposeString('cursor', {
      description:
        'For `runsChanged(after:)`, which then goes on exactly from this board. Opaque, at most 256 characters.',
    }),
  }),
});
