/** What a live board starts from: the store's states, or the first event that they lack. */
import type { BoardSnapshot } from '../../store/store.ts';
import { type Heads, headsOf, withHead } from '../heads.ts';
import type { Reads } from '../reads.ts';
import { Board, type BoardSettings } from './board.ts';
import { estimatedBytes } from './board-row.ts';

const FIRST_EVENT = {
  ...{ limit: 1, backward: false, after: null, before: null, around: null, withTotal: false },
};

/**
 * `heads`: of the task's shards, as they were before. `reserve` is told about how much the board
 * will hold before it is read, and throws where that is too much.
 */
export async function loadBoard(
  store: Reads,
  settings: BoardSettings,
  heads: Heads,
  reserve: (bytes: number) => void,
): Promise<Board> {
  const { taskId } = settings;
  const [found] = await store.matrices([taskId]);
  if (found != null) reserve(estimatedBytes(found.matrix));
  return new Board(settings, (await store.board(taskId)) ?? (await unseen(store, taskId, heads)));
}

/** A task that the views do not show may have events all the same, not folded yet. */
async function unseen(
  store: Reads,
  taskId: string,
  heads: Heads,
): Promise<Omit<BoardSnapshot, 'task'> & { task: null }> {
  const [page] = await store.events([{ filter: { taskId }, order: 'LOG', page: FIRST_EVENT }]);
  const at = headsOf([...heads.values(), ...(page?.at ?? [])]);
  const first = page?.rows[0]?.node.position;
  const own = at.get(first?.shard ?? '');
  if (first === undefined || own === undefined)
    return { task: null, runs: [], at: [...at.values()] };
  return { task: null, runs: [], at: [...withHead(at, { ...own, seq: first.seq - 1 }).values()] };
}
