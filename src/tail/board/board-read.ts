/** One step of a board that is behind: what the rings or the log have behind its positions. */
import type { Follower } from '../follower.ts';
import type { Reads } from '../reads.ts';
import type { Board } from './board.ts';

const READ_LIMIT = 1_000;

/**
 * `whole`: it has everything that was published; `moved` and `stuck`: it has not, and came further
 * or not. `elsewhere`: a shard is away for a while, or is gone for good, and the task's shards are
 * to be looked for again. `other`: a shard has another history, so the board is of no use.
 */
export type ReadOn = 'whole' | 'moved' | 'stuck' | 'elsewhere' | 'other';

export interface BoardReadOptions {
  taskId: string;
  store: Reads;
  follower: Follower;
  /** Nobody wants it any more. */
  isOver: () => boolean;
}

/** One read in each shard: one that is stuck keeps no other waiting. */
export async function readOn(
  board: Board,
  scope: ReadonlySet<string>,
  { taskId, store, follower, isOver }: BoardReadOptions,
): Promise<ReadOn> {
  let came: ReadOn = 'whole';
  for (const shard of scope) {
    const head = follower.heads.get(shard);
    if (head === undefined) return 'elsewhere';
    const known = board.heads.get(shard);
    if (known !== undefined && known.history !== head.history) return 'other';
    const from = known?.seq ?? 0;
    if (from >= head.seq) continue;
    if (came === 'whole') came = 'stuck';
    const at = { shard, history: head.history, seq: from };
    const filter = { taskId };
    const ring = follower.ringBehind(at);
    const slice =
      ring === null
        ? await store.readLog(at, head.seq, filter, READ_LIMIT)
        : ring.read(from, head.seq, filter, READ_LIMIT);
    if (isOver()) break;
    if (slice.through <= from) continue;
    board.fold(slice.events, { ...at, seq: slice.through });
    came = 'moved';
  }
  return came;
}
