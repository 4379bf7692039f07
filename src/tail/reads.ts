/**
 * The store as readers of the tail see it: they take turns, and share what is the same.
 *
 * After a restart everybody comes back at once, each with a cursor and a few reads. The store
 * refuses what is beyond its queue, and would refuse most of them; so only some of these reads
 * are in it at a time, the rest wait here, and other queries find room. Those who followed the same
 * come back with the same cursor: what is behind it is read once for all who wait for it.
 *
 * A shard on a machine that hangs takes seconds to fail, and its readers try again and again. Once it
 * has failed they have a few places of their own, until it is read again: the others keep theirs.
 */
import { LRUCache } from 'lru-cache';
import type { CursorCheck, LogSlice, Store } from '../store/store.ts';
import { SharedCalls } from './shared-calls.ts';
import { Turns } from './turns.ts';

const AT_A_TIME = 32;
/** Reads of shards whose last one failed. */
const FAILING_AT_A_TIME = 4;
const FAILING_MAX = 1_000;

/** What subscriptions read. */
export type Reads = Pick<
  Store,
  | 'heads'
  | 'readLog'
  | 'checkCursors'
  | 'viewsReach'
  | 'events'
  | 'tasks'
  | 'tasksById'
  | 'tasksChangedSince'
  | 'matrices'
  | 'board'
>;

/** At most as many wait as there are subscriptions, for each has one read at a time. */
export function inTurns(store: Store): Reads {
  const turns = new Turns(AT_A_TIME);
  const few = new Turns(FAILING_AT_A_TIME);
  const failing = new LRUCache<string, true>({ max: FAILING_MAX });
  const slices = new SharedCalls<LogSlice>();
  const checks = new SharedCalls<CursorCheck[]>();

  /** What is settled stays as it is, so that one answer is as good as the next. */
  function readLog(...args: Parameters<Store['readLog']>): Promise<LogSlice> {
    return slices.join(JSON.stringify(args), () => inTurn(args));
  }

  async function inTurn(args: Parameters<Store['readLog']>): Promise<LogSlice> {
    const [{ shard }] = args;
    // It may have failed for others while this one waited.
    const unlessFailing = () => (failing.has(shard) ? null : tried(args));
    const slice = failing.has(shard) ? null : await turns.take(async () => unlessFailing());
    return slice ?? few.take(() => tried(args));
  }

  async function tried(args: Parameters<Store['readLog']>): Promise<LogSlice> {
    const [{ shard }] = args;
    try {
      const slice = await store.readLog(...args);
      failing.delete(shard);
      return slice;
    } catch (error) {
      failing.set(shard, true);
      throw error;
    }
  }

  return {
    heads: (taskId) => store.heads(taskId),
    readLog,
    // It only waits, and may wait for long.
    viewsReach: (positions) => store.viewsReach(positions),
    checkCursors: (cursors) =>
      checks.next(JSON.stringify(cursors), () => turns.take(() => store.checkCursors(cursors))),
    events: (queries) => turns.take(() => store.events(queries)),
    tasks: (query) => turns.take(() => store.tasks(query)),
    tasksById: (ids) => turns.take(() => store.tasksById(ids)),
    tasksChangedSince: (...args) => turns.take(() => store.tasksChangedSince(...args)),
    matrices: (taskIds) => turns.take(() => store.matrices(taskIds)),
    board: (taskId) => turns.take(() => store.board(taskId)),
  };
}
