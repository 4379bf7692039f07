/**
 * The store as readers of the tail see it: they take turns.
 *
 * After a restart everybody comes back at once, each with a cursor and a few reads. The store
 * refuses what is beyond its queue, and would refuse most of them; so only some of these reads
 * are in it at a time, the rest wait here, and other queries find room.
 */
import type { Store } from '../store/store.ts';

const AT_A_TIME = 32;

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

/** As many wait as there are subscriptions, each with one read at a time. */
export function inTurns(store: Store): Reads {
  const waiting: (() => void)[] = [];
  let running = 0;
  async function turn<T>(read: () => Promise<T>): Promise<T> {
    if (running >= AT_A_TIME) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await read();
    } finally {
      // Whoever waits takes over the place.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }
  return {
    heads: (taskId) => store.heads(taskId),
    readLog: (...args) => turn(() => store.readLog(...args)),
    // It only waits, and may wait for long.
    viewsReach: (positions) => store.viewsReach(positions),
    checkCursors: (cursors) => turn(() => store.checkCursors(cursors)),
    events: (queries) => turn(() => store.events(queries)),
    tasks: (query) => turn(() => store.tasks(query)),
    tasksById: (ids) => turn(() => store.tasksById(ids)),
    tasksChangedSince: (...args) => turn(() => store.tasksChangedSince(...args)),
    matrices: (taskIds) => turn(() => store.matrices(taskIds)),
    board: (taskId) => turn(() => store.board(taskId)),
  };
}
