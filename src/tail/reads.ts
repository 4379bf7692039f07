/**
 * The store as readers of the tail see it: they take turns.
 *
 * After a restart everybody comes back at once, each with a cursor and a few reads. The store
 * refuses what is beyond its queue, and would refuse most of them; so only some of these reads
 * are in it at a time, the rest wait here, and other queries find room.
 */
import type { Store } from '../store/store.ts';
import { Turns } from './turns.ts';

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
  const turns = new Turns(AT_A_TIME);
  return {
    heads: (taskId) => store.heads(taskId),
    readLog: (...args) => turns.take(() => store.readLog(...args)),
    // It only waits, and may wait for long.
    viewsReach: (positions) => store.viewsReach(positions),
    checkCursors: (cursors) => turns.take(() => store.checkCursors(cursors)),
    events: (queries) => turns.take(() => store.events(queries)),
    tasks: (query) => turns.take(() => store.tasks(query)),
    tasksById: (ids) => turns.take(() => store.tasksById(ids)),
    tasksChangedSince: (...args) => turns.take(() => store.tasksChangedSince(...args)),
    matrices: (taskIds) => turns.take(() => store.matrices(taskIds)),
    board: (taskId) => turns.take(() => store.board(taskId)),
  };
}
