/**
 * A reader of the tasks that a filter selects. Changes coalesce: a slow reader sees fewer, newer
 * states, never a stale last one.
 *
 * Views lag behind the log. A reader that begins or resumes notes where the log is, reads what
 * changed from the store until views hold all of that, and only then says that it has caught up.
 * What is published from its begin on comes by the watch.
 */

import { LRUCache } from 'lru-cache';
import type { Position } from '../../domain/event/event.ts';
import type { TaskView } from '../../domain/fold/views.ts';
import { matchesTask, type TaskFilter } from '../../domain/search/filter.ts';
import type { PullSource } from '../../pull-iterator.ts';
import { Signal } from '../../signal.ts';
import type { ShardCursor } from '../../store/store.ts';
import { expired } from '../feed-start.ts';
import type { Follower } from '../follower.ts';
import { furthest, type Heads, headsOf, seqOf, withHead, within } from '../heads.ts';
import { Patience } from '../patience.ts';
import type { Reads } from '../reads.ts';
import type { TasksBatch } from '../tail.ts';
import type { TaskChange, TaskWatch } from './task-watch.ts';
import { ViewsWait } from './views-wait.ts';

const BATCH_TASKS = 100;
/** How long the first batch waits for views that are behind. */
const FIRST_MS = 1_000;
/** Where some shards' views are behind, those of others are looked at this often. */
const LOOK_AGAIN_MS = 1_000;
/** Tasks of which it is known how new the state was that was read on. */
const READ_ON_MAX = 5_000;

export interface TasksReaderOptions {
  filter: TaskFilter;
  /** Where to begin; null: now. */
  after: ShardCursor[] | null;
  store: Reads;
  follower: Follower;
  watch: TaskWatch;
  cursorOf: (heads: Heads) => string;
  heartbeatMs: number;
  /** Changed tasks that are kept for it; beyond it, it reads on from the store. */
  maxWaiting: number;
}

export class TasksReader implements PullSource<TasksBatch> {
  #options: TasksReaderOptions;
  #unlisten: () => void;
  #changed = new Signal();
  #patience = new Patience();
  /** Tasks whose old or new state matched, or of which a state in between may have. */
  #waiting = new Map<string, TaskView>();
  #waitingHeads: Heads | null = null;
  /** How new what was read on was: what the watch read before that is not told after it. */
  readonly #newest = new LRUCache<string, Position>({
    // With `max` the room for all of them would be taken at once, by each reader.
    ...{ maxSize: READ_ON_MAX, sizeCalculation: () => 1 },
  });
  /** Everything at or below was told. */
  #told: Heads = new Map();
  /** Until views hold this the reader has not caught up; null: it follows the watch. */
  #goal: Heads | null = null;
  /** What lies between `#told` and `#goal` is to be read from the store. */
  #readsOn: boolean;
  #views: ViewsWait | null = null;
  #overflowed = false;
  #otherHistory = false;
  #begun = false;
  #spoken = false;
  #disposed = false;

  constructor(options: TasksReaderOptions) {
    this.#options = options;
    this.#readsOn = options.after !== null;
    this.#unlisten = options.watch.listen(null, {
      changed: (changes, heads) => this.#receive(changes, heads),
      skipped: (head) => this.#skip(head),
    });
  }

  async pull(): Promise<TasksBatch | null> {
    const { heartbeatMs } = this.#options;
    const due = performance.now() + (this.#spoken ? heartbeatMs : Math.min(heartbeatMs, FIRST_MS));
    while (!this.#disposed) {
      try {
        const batch = await this.#step(due);
        this.#patience.relax();
        if (batch !== null) return batch;
      } catch (error) {
        this.#views = null;
        await this.#changed.wait(this.#patience.after(error));
      }
      // Views are far behind, or the store is away: how far it came is told all the same.
      const isBehind = this.#begun && this.#goal !== null;
      if (isBehind && performance.now() >= due && !this.#disposed) return this.#batch([], false);
    }
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlisten();
    this.#changed.wake();
  }

  async #step(due: number): Promise<TasksBatch | null> {
    if (!this.#begun) await this.#begin();
    if (this.#otherHistory) throw expired();
    if (this.#overflowed) {
      this.#overflowed = false;
      this.#catchUpTo(this.#options.follower.heads);
    }
    if (this.#goal !== null) return this.#catchUp(this.#goal, due);
    if (this.#waitingHeads === null) {
      const woken = await this.#changed.wait(Math.max(0, due - performance.now()));
      return woken || this.#disposed ? null : this.#batch([], true);
    }
    return this.#tellWaiting();
  }

  async #begin(): Promise<void> {
    const { store, follower } = this.#options;
    const after = this.#options.after ?? [];
    const checks = await store.checkCursors(after);
    if (checks.some(({ state }) => state === 'unknown')) throw expired();
    const settled = await follower.catchUp(null);
    const goal = furthest(follower.heads, settled);
    // What retention removed has nothing to tell any more.
    const there = after.filter((_, i) => checks[i]?.state === 'live');
    this.#told = this.#readsOn ? headsOf(there) : goal;
    this.#goal = goal;
    this.#begun = true;
  }

  #catchUpTo(goal: Heads): void {
    this.#goal = goal;
    this.#readsOn = true;
    this.#views = null;
  }

  async #catchUp(goal: Heads, due: number): Promise<TasksBatch | null> {
    if (this.#readsOn) {
      const { tasks, more } = await this.#readOn();
      const caughtUp = !more && this.#behind(goal).length === 0;
      if (caughtUp) this.#goal = null;
      if (caughtUp || tasks.length > 0) return this.#batch(tasks, caughtUp);
      if (more) return null;
    }
    if (this.#waiting.size > 0) return this.#tellWaiting();
    const missing = this.#readsOn ? this.#behind(goal) : this.#stillThere(goal);
    this.#views ??= new ViewsWait(() => this.#options.store.viewsReach(missing), this.#changed);
    const ms = Math.min(LOOK_AGAIN_MS, Math.max(0, due - performance.now()));
    if (!(await this.#views.within(ms))) return null;
    this.#views = null;
    if (this.#readsOn) return null;
    this.#goal = null;
    return this.#batch([], true);
  }

  /** The shards of which something may not be told yet. */
  #behind(goal: Heads): ShardCursor[] {
    return this.#stillThere(goal).filter(({ shard, seq }) => seqOf(this.#told, shard) < seq);
  }

  /** Without shards that retention removed: nothing more comes of them. */
  #stillThere(goal: Heads): ShardCursor[] {
    return [...within(goal, new Set(this.#options.follower.heads.keys())).values()];
  }

  #receive(changes: TaskChange[], heads: Heads): void {
    for (const change of changes) {
      const { after } = change;
      if (this.#isPassed(after)) continue;
      if (this.#waiting.has(after.id) || this.#concerns(change)) this.#waiting.set(after.id, after);
    }
    this.#waitingHeads = heads;
    if (this.#waiting.size > this.#options.maxWaiting) this.#overflow();
    this.#changed.wake();
  }

  #isPassed({ id, position }: TaskView): boolean {
    const newest = this.#newest.get(id);
    return newest?.shard === position.shard && newest.seq > position.seq;
  }

  /** If the old state was not seen, the status does not count: it may have matched. */
  #concerns({ before, after }: TaskChange): boolean {
    const { filter } = this.#options;
    if (matchesTask(filter, after)) return true;
    if (before !== null) return matchesTask(filter, before);
    const { statuses: _any, ...others } = filter;
    return matchesTask(others, after);
  }

  #overflow(): void {
    this.#waiting.clear();
    this.#waitingHeads = null;
    this.#overflowed = true;
  }

  /** A shard was not followed up to here: what is behind the cursor is read from the store. */
  #skip(head: ShardCursor): void {
    const told = this.#told.get(head.shard);
    if (told === undefined) this.#told = withHead(this.#told, head);
    else if (told.history !== head.history) this.#otherHistory = true;
    else this.#overflow();
    this.#changed.wake();
  }

  /** The next of what waits; the cursor moves on once nothing waits any more. */
  async #tellWaiting(): Promise<TasksBatch | null> {
    const taken = [...this.#waiting.values()].slice(0, BATCH_TASKS);
    const tasks = await this.#matchingInStore(taken);
    for (const task of taken) {
      // It may have changed again while the store was asked.
      if (this.#waiting.get(task.id) === task) this.#waiting.delete(task.id);
    }
    const isAll = this.#waiting.size === 0 && this.#goal === null && !this.#overflowed;
    if (isAll && this.#waitingHeads !== null) {
      this.#told = furthest(this.#told, this.#waitingHeads.values());
      this.#waitingHeads = null;
    }
    return tasks.length === 0 ? null : this.#batch(tasks, isAll);
  }

  /** What matchesTask cannot tell: the hosts of a task and its words. */
  async #matchingInStore(tasks: TaskView[]): Promise<TaskView[]> {
    const { host, search } = this.#options.filter;
    if ((host === undefined && search === undefined) || tasks.length === 0) return tasks;
    const ids = tasks.map(({ id }) => id);
    const page = await this.#options.store.tasks({
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
   * What changed behind the cursor, as far as views are. The old states are gone by now, so a task
   * is told whatever its status: it may have matched before.
   */
  async #readOn(): Promise<{ tasks: TaskView[]; more: boolean }> {
    const { statuses: _any, ...filter } = this.#options.filter;
    const after = [...this.#told.values()];
    const { tasks, more, at } = await this.#options.store.tasksChangedSince(after, BATCH_TASKS);
    const matching = await this.#matchingInStore(tasks.filter((task) => matchesTask(filter, task)));
    for (const { id, position } of matching) {
      this.#newest.set(id, position);
      const waiting = this.#waiting.get(id);
      if (waiting !== undefined && this.#isPassed(waiting)) this.#waiting.delete(id);
    }
    // A shard that cannot be asked now stays in the cursor.
    this.#told = furthest(this.#told, at);
    return { tasks: matching, more };
  }

  #batch(tasks: TaskView[], caughtUp: boolean): TasksBatch {
    this.#spoken = true;
    return { tasks, cursor: this.#options.cursorOf(this.#told), caughtUp };
  }
}
