/**
 * Readers of changing tasks: one task (`TaskReader`) or those that a filter selects
 * (`TasksReader`). Both coalesce: a slow reader sees fewer, newer states, never a stale last one.
 */
import type { TaskFilter } from '../domain/filter.ts';
import { matchesTask } from '../domain/filter.ts';
import { isStale, type TaskView } from '../domain/views.ts';
import type { ShardCursor } from '../store/store.ts';
import { expired } from './feed.ts';
import type { Follower } from './follower.ts';
import { type Heads, headsOf } from './heads.ts';
import type { PullSource } from './pull.ts';
import type { Reads } from './reads.ts';
import type { TasksBatch } from './tail.ts';
import type { TaskChange, TaskWatch } from './task-watch.ts';
import { Waiters } from './waiters.ts';

const BATCH_TASKS = 100;
/** Changed tasks waiting for one reader; beyond it the reader reads on from the store. */
const MAX_WAITING = 5_000;

export interface TaskFeedSettings {
  heartbeatMs: number;
  staleAfterMs: number;
  now: () => number;
}

export class TaskReader implements PullSource<TaskView> {
  #id: string;
  #store: Reads;
  #settings: TaskFeedSettings;
  #unlisten: () => void;
  #onDispose: () => void;
  #changed = new Waiters();
  #next: TaskView | null = null;
  #shown: { task: TaskView; stale: boolean } | null = null;
  #begun = false;
  #disposed = false;

  constructor(
    id: string,
    store: Reads,
    watch: TaskWatch,
    settings: TaskFeedSettings,
    onDispose: () => void,
  ) {
    this.#id = id;
    this.#store = store;
    this.#settings = settings;
    this.#onDispose = onDispose;
    this.#unlisten = watch.listen(id, (changes) => {
      const last = changes.at(-1);
      if (last === undefined) return;
      this.#next = last.after;
      this.#changed.wake();
    });
  }

  async pull(): Promise<TaskView | null> {
    if (!this.#begun) {
      this.#begun = true;
      const [task] = await this.#store.tasksById([this.#id]);
      if (task && this.#next === null) return this.#show(task);
    }
    while (!this.#disposed) {
      const next = this.#next ?? this.#fellSilent();
      if (next !== null) {
        this.#next = null;
        return this.#show(next);
      }
      await this.#changed.wait(this.#settings.heartbeatMs);
    }
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlisten();
    this.#changed.wake();
    this.#onDispose();
  }

  #isStale(task: TaskView): boolean {
    return isStale(task, this.#settings.now(), this.#settings.staleAfterMs);
  }

  /** The same task again, once it has become stale: no event tells. */
  #fellSilent(): TaskView | null {
    const shown = this.#shown;
    return shown !== null && !shown.stale && this.#isStale(shown.task) ? { ...shown.task } : null;
  }

  #show(task: TaskView): TaskView {
    this.#shown = { task, stale: this.#isStale(task) };
    return task;
  }
}

export class TasksReader implements PullSource<TasksBatch> {
  #filter: TaskFilter;
  #store: Reads;
  #follower: Follower;
  #heartbeatMs: number;
  #cursorOf: (heads: Heads) => string;
  #after: ShardCursor[] | null;
  #unlisten: () => void;
  #onDispose: () => void;
  #changed = new Waiters();
  #waiting = new Map<string, TaskChange>();
  #waitingHeads: Heads | null = null;
  #told: Heads = new Map();
  #overflowed = false;
  #begun = false;
  #disposed = false;

  constructor(
    filter: TaskFilter,
    after: ShardCursor[] | null,
    store: Reads,
    follower: Follower,
    watch: TaskWatch,
    cursorOf: (heads: Heads) => string,
    heartbeatMs: number,
    onDispose: () => void,
  ) {
    this.#filter = filter;
    this.#after = after;
    this.#store = store;
    this.#follower = follower;
    this.#cursorOf = cursorOf;
    this.#heartbeatMs = heartbeatMs;
    this.#onDispose = onDispose;
    this.#unlisten = watch.listen(null, (changes, heads) => this.#receive(changes, heads));
  }

  async pull(): Promise<TasksBatch | null> {
    if (!this.#begun) {
      await this.#begin();
      this.#begun = true;
      if (this.#after === null) return this.#batch([], true);
    }
    while (!this.#disposed) {
      if (this.#after !== null) return this.#readOn(this.#after);
      if (this.#waitingHeads === null) {
        await this.#changed.wait(this.#heartbeatMs);
        if (this.#waitingHeads === null && !this.#overflowed) {
          return this.#disposed ? null : this.#batch([], true);
        }
      }
      if (this.#overflowed) {
        this.#overflowed = false;
        this.#after = [...this.#told.values()];
        continue;
      }
      const tasks = await this.#takeWaiting();
      if (tasks.length > 0) return this.#batch(tasks, this.#waiting.size === 0);
    }
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlisten();
    this.#changed.wake();
    this.#onDispose();
  }

  async #begin(): Promise<void> {
    if (this.#after !== null) {
      const checks = await this.#store.checkCursors(this.#after);
      if (checks.some(({ state }) => state === 'unknown')) throw expired();
    }
    await this.#follower.catchUp(null);
    this.#told = this.#after === null ? this.#follower.heads : headsOf(this.#after);
  }

  #receive(changes: TaskChange[], heads: Heads): void {
    for (const change of changes) {
      const before = this.#waiting.get(change.after.id)?.before ?? change.before;
      this.#waiting.set(change.after.id, { before, after: change.after });
    }
    this.#waitingHeads = heads;
    if (this.#waiting.size > MAX_WAITING) {
      this.#waiting.clear();
      this.#waitingHeads = null;
      this.#overflowed = true;
    }
    this.#changed.wake();
  }

  /** The next of what waits and matches; the cursor moves on once nothing waits any more. */
  async #takeWaiting(): Promise<TaskView[]> {
    const taken = [...this.#waiting.values()].slice(0, BATCH_TASKS);
    for (const { after } of taken) this.#waiting.delete(after.id);
    if (this.#waiting.size === 0) {
      this.#told = this.#waitingHeads ?? this.#told;
      this.#waitingHeads = null;
    }
    // Where the old state was not seen, the task is told whatever its status: it may have matched.
    const { statuses: _any, ...filter } = this.#filter;
    const matching = taken.filter(
      ({ before, after }) =>
        matchesTask(this.#filter, after) ||
        (before === null ? matchesTask(filter, after) : matchesTask(this.#filter, before)),
    );
    return this.#matchingInStore(matching.map(({ after }) => after));
  }

  /** What matchesTask cannot tell: the hosts of a task and its words. */
  async #matchingInStore(tasks: TaskView[]): Promise<TaskView[]> {
    const { host, search } = this.#filter;
    if ((host === undefined && search === undefined) || tasks.length === 0) return tasks;
    const ids = tasks.map(({ id }) => id);
    const page = await this.#store.tasks({
      filter: {
        ids,
        ...(host === undefined ? {} : { host }),
        ...(search === undefined ? {} : { search }),
      },
      order: 'CREATED_DESC',
      page: {
        limit: ids.length,
        backward: false,
        after: null,
        before: null,
        around: null,
        withTotal: false,
      },
    });
    const found = new Set(page.rows.map(({ node }) => node.id));
    return tasks.filter(({ id }) => found.has(id));
  }

  /**
   * What changed behind a cursor. The old states are gone by now, so a task is told whatever its
   * status: it may have matched before.
   */
  async #readOn(after: ShardCursor[]): Promise<TasksBatch> {
    const { statuses: _any, ...filter } = this.#filter;
    const { tasks, more, at } = await this.#store.tasksChangedSince(after, BATCH_TASKS);
    this.#told = headsOf(at);
    this.#after = more ? at : null;
    const matching = await this.#matchingInStore(tasks.filter((task) => matchesTask(filter, task)));
    return this.#batch(matching, !more);
  }

  #batch(tasks: TaskView[], caughtUp: boolean): TasksBatch {
    return { tasks, cursor: this.#cursorOf(this.#told), caughtUp };
  }
}
