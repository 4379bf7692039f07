/**
 * Pages and streams have cursors of different kinds. Who gives the one for the other is told so,
 * and not that it is damaged: `endCursor` and `tailCursor` stand side by side in an answer.
 */
import { decodeCursor } from '../domain/cursor.ts';
import { ShiplogError } from '../domain/errors.ts';
import { decodePageCursor } from '../domain/page.ts';

/** Throws CURSOR_MISMATCH where the cursor is a stream's. */
export function refuseStreamCursor(cursor: string, field: string): void {
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
