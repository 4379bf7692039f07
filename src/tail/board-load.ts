/** What a live board starts from: the store's states, or the first event that they lack. */
import type { BoardSnapshot } from '../store/store.ts';
import { Board, type BoardSettings } from './board.ts';
import { estimatedBytes } from './board-row.ts';
import type { Reads } from './reads.ts';

const FIRST_EVENT = {
  ...{ limit: 1, backward: false, after: null, before: null, around: null, withTotal: false },
};

/** `reserve` is told about how much it will hold before it is read, and throws where that is too much. */
export async function loadBoard(
  store: Reads,
  settings: BoardSettings,
  reserve: (bytes: number) => void,
): Promise<Board> {
  const { taskId } = settings;
  const [found] = await store.matrices([taskId]);
  if (found != null) reserve(estimatedBytes(found.matrix));
  return new Board(settings, (await store.board(taskId)) ?? (await unseen(store, taskId)));
}

/** Of a task that the views do not show: it may have events all the same, not folded yet. */
async function unseen(
  store: Reads,
  taskId: string,
): Promise<Omit<BoardSnapshot, 'task'> & { task: null }> {
  const [page] = await store.events([{ filter: { taskId }, order: 'LOG', page: FIRST_EVENT }]);
  const first = page?.rows[0]?.node.position;
  const at = (page?.at ?? []).map((cursor) =>
    cursor.shard === first?.shard ? { ...cursor, seq: first.seq - 1 } : cursor,
  );
  return { task: null, runs: [], at };
}
