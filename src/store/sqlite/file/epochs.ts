/**
 * Epochs: each opening of the database begins a new one, with a random number. A cursor carries
 * the epoch in which it was made, and means the same log as long as that epoch is known here and
 * had come as far as the cursor. In a restored backup (or a copied file) the epoch ends where the
 * backup was taken, so a cursor from behind that is refused, though its number is in use again.
 */
import { randomInt } from 'node:crypto';
import type { CursorCheck, ShardCursor } from '../../store.ts';
import type { Connection } from './connection.ts';

/** The one shard of this engine. */
export const SHARD = '0';
/** Openings remembered; cursors from before are refused. */
const MAX_EPOCHS = 10_000;

export function beginEpoch(connection: Connection, lastSeq: number): number {
  const epoch = randomInt(1, 2 ** 32);
  connection.transaction('BEGIN IMMEDIATE', () => {
    connection.run('INSERT INTO epochs (epoch, first_seq) VALUES (?, ?)', epoch, lastSeq + 1);
    connection.run('DELETE FROM epochs WHERE id <= (SELECT max(id) FROM epochs) - ?', MAX_EPOCHS);
  });
  return epoch;
}

/** `head`: the greatest seq now. */
export function checkCursor(
  connection: Connection,
  cursor: ShardCursor,
  head: number,
): CursorCheck {
  if (cursor.shard !== SHARD) return { state: 'unknown' };
  const row = connection.get<{ next: number | null }>(
    `SELECT (SELECT first_seq FROM epochs n WHERE n.id > e.id ORDER BY n.id LIMIT 1) AS next
     FROM epochs e WHERE epoch = ?`,
    cursor.history,
  );
  if (row === undefined) return { state: 'unknown' };
  const end = row.next === null ? head : row.next - 1;
  return cursor.seq >= 0 && cursor.seq <= end ? { state: 'live' } : { state: 'unknown' };
}
