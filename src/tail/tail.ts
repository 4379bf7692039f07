/**
 * Everything that is followed live: events, tasks, and a task's board.
 *
 * The iterators are hand-written: `return()` settles a pending `next()` at once, so a socket that
 * goes away leaves nothing behind. A batch is one object for all identical subscriptions, so its
 * execution and its JSON can be shared. A slow reader is never dropped and never harms others: it
 * reads on from the store.
 */
import type { StoredEvent } from '../domain/event/event.ts';
import type { RunView, TaskMatrix, TaskView } from '../domain/fold/views.ts';
import type { EventFilter, TaskFilter } from '../domain/search/filter.ts';
import type { ShardCursor } from '../store/store.ts';

export interface TailGap {
  reason: string;
  from: string | null;
  to: string | null;
}

export interface TailBatch {
  events: StoredEvent[];
  /** Everything up to here is delivered, this batch included. */
  cursor: string;
  /** false: more is waiting in the store. */
  caughtUp: boolean;
  gap: TailGap | null;
}

export interface TasksBatch {
  tasks: TaskView[];
  cursor: string;
  caughtUp: boolean;
}

export interface RunsBatch {
  /** The whole board, in place of what was told before: first of all, and when it is another now. */
  snapshot: TaskMatrix | null;
  changed: RunView[];
  cursor: string;
  caughtUp: boolean;
}

export interface Tail {
  /** `after`: a cursor of the same filter. `last`: begin with the newest N stored. Not both. */
  events(options: {
    filter: EventFilter;
    after: string | null;
    last: number | null;
  }): AsyncIterableIterator<TailBatch>;
  /** The current state first, then each change. Waits where the task has not begun. */
  taskChanged(id: string): AsyncIterableIterator<TaskView>;
  tasksChanged(options: {
    filter: TaskFilter;
    after: string | null;
  }): AsyncIterableIterator<TasksBatch>;
  runsChanged(options: { taskId: string; after: string | null }): AsyncIterableIterator<RunsBatch>;
  /** The cursor of a page of events: a tail of that filter goes on exactly behind it. */
  tailCursor(filter: EventFilter, at: ShardCursor[]): string;
  /** The cursor of a board: `runsChanged` goes on exactly behind it. */
  matrixCursor(taskId: string, at: ShardCursor[]): string;
  /** Called by ingest with what became durable, in the order of each append. */
  publish(events: StoredEvent[]): void;
  /** The log has been followed once: cursors can be taken. */
  ready(): boolean;
  metrics(): Record<string, number>;
  /** Ends every iterator. */
  close(): Promise<void>;
}
