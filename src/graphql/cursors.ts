/**
 * Cursors of rows, and of what else is taken for one.
 *
 * A row's holds the values that its engine sorts by, and a checksum over them: an engine need not
 * ask itself what a number that somebody wrote, or that another engine gave, could mean.
 *
 * Where rows are of tasks, it says of which: a row's place in one task's list means nothing in
 * another's, whose rows would be skipped or repeated in silence. It says nothing of the filter, which
 * may be another from page to page: one of "the last hour" always is, and a line that was found by a
 * search is shown among all others.
 *
 * Pages and streams have cursors of different kinds. Who gives the one for the other is told so,
 * and not that it is damaged: `endCursor` and `tailCursor` stand side by side in an answer.
 */
import { hash } from 'node:crypto';
import { decodeCursor } from '../domain/cursor/cursor.ts';
import {
  decodePageCursor,
  encodePageCursor,
  type PageKey,
  type PageRow,
} from '../domain/cursor/page.ts';
import { ShiplogError } from '../domain/errors.ts';

const CHECK_LENGTH = 6;
const TASK_LENGTH = 6;

function checkOf(engine: string, list: string, key: PageKey): string {
  return hash('sha256', JSON.stringify([engine, list, ...key]), 'base64url').slice(0, CHECK_LENGTH);
}

/** `list` names the list and its order. */
export function encodeRowCursor(engine: string, list: string, key: PageKey): string {
  return encodePageCursor(list, [...key, checkOf(engine, list, key)]);
}

/** Throws CURSOR_INVALID, or CURSOR_MISMATCH for a cursor of something else. */
export function decodeRowCursor(
  engine: string,
  list: string,
  cursor: string,
  field: string,
): PageKey {
  refuseStreamCursor(cursor, field);
  const key = decodePageCursor(list, cursor, field);
  if (key.pop() === checkOf(engine, list, key)) return key;
  throw new ShiplogError('CURSOR_INVALID', `${field} is not a cursor of this server`, { field });
}

function taskMark(taskId: string): string {
  return hash('sha256', taskId, 'base64url').slice(0, TASK_LENGTH);
}

/** The rows with their task behind their keys, as `decodeTaskRowCursor` looks for it. */
export function withTask<T extends { taskId: string }>(rows: readonly PageRow<T>[]): PageRow<T>[] {
  const marks = new Map<string, string>();
  return rows.map(({ key, node }) => {
    const mark = marks.get(node.taskId) ?? taskMark(node.taskId);
    marks.set(node.taskId, mark);
    return { key: [...key, mark], node };
  });
}

/**
 * Of a list whose rows are of tasks; `taskId`: all of this one. Throws CURSOR_MISMATCH for a row of
 * another task, too.
 */
export function decodeTaskRowCursor(
  taskId: string | undefined,
  decode: typeof decodeRowCursor = decodeRowCursor,
): typeof decodeRowCursor {
  return (engine, list, cursor, field) => {
    const key = decode(engine, list, cursor, field);
    if (taskId !== undefined && key.at(-1) !== taskMark(taskId)) {
      throw new ShiplogError(
        'CURSOR_MISMATCH',
        `${field} is a cursor of another task: this list takes those of its own rows`,
        { field },
      );
    }
    return key.slice(0, -1);
  };
}

/** Throws CURSOR_MISMATCH where the cursor is a stream's. */
function refuseStreamCursor(cursor: string, field: string): void {
  if (!isOfAnother(() => decodeCursor(cursor, { kind: 'tail', filterHash: '' }))) return;
  throw new ShiplogError(
    'CURSOR_MISMATCH',
    `${field} is a cursor of a subscription: this list takes those of its own rows (endCursor, startCursor)`,
    { field },
  );
}

/** Throws CURSOR_MISMATCH where the cursor is a page's. */
export function refusePageCursor(cursor: string | null, field: string): void {
  if (cursor === null || !isOfAnother(() => decodePageCursor('', cursor, field))) return;
  throw new ShiplogError(
    'CURSOR_MISMATCH',
    `${field} is a cursor of a page: a subscription goes on from its own cursors, or from tailCursor of a page of events`,
    { field },
  );
}

/** Read as one of a filter that cannot be: what is sound is refused for that alone. */
function isOfAnother(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    return error instanceof ShiplogError && error.code === 'CURSOR_MISMATCH';
  }
}
