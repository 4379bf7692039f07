/**
 * Which tasks changed, and what they are now: for the live lists of tasks.
 *
 * Events only say that a task changed; what it is now is read from the store's views, once for
 * all readers, a few times a second.
 */
import type { TaskView } from '../domain/views.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Follower, Publication } from './follower.ts';
import type { Heads } from './heads.ts';

const FLUSH_MS = 150;
const RETRY_MS = 1_000;
const IDS_PER_READ = 500;
/** Last known states, to tell whether an old state matched a filter. */
const REMEMBERED = 10_000;

export interface TaskChange {
  before: TaskView | null;
  after: TaskView;
}

/** `heads`: every change up to there is in this or an earlier call. */
export type TaskListener = (changes: TaskChange[], heads: Heads) => void;

export class TaskWatch {
  #store: Store;
  #follower: Follower;
  #log: Log;
  /** By task; null: of any task. */
  #listeners = new Map<string | null, Set<TaskListener>>();
  #changed = new Set<string>();
  #known = new Map<string, TaskView>();
  #timer: NodeJS.Timeout | null = null;
  #flushing = false;
  #stop: (() => void) | null = null;

  constructor(store: Store, follower: Follower, log: Log) {
    this.#store = store;
    this.#follower = follower;
    this.#log = log;
  }

  /** Calls on each change of one task, or of any (null). */
  listen(taskId: string | null, listener: TaskListener): () => void {
    const listeners = this.#listeners.get(taskId) ?? new Set();
    this.#listeners.set(taskId, listeners.add(listener));
    if (this.#stop === null) {
      const unfollow = this.#follower.follow();
      const unlisten = this.#follower.onPublish((publication) => this.#receive(publication));
      this.#stop = () => {
        unlisten();
        unfollow();
      };
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(taskId) === listeners) {
        this.#listeners.delete(taskId);
      }
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
      this.#changed.clear();
      this.#known.clear();
    };
  }

  #receive({ events }: Publication): void {
    const any = this.#listeners.has(null);
    for (const { taskId } of events) {
      if (any || this.#listeners.has(taskId)) this.#changed.add(taskId);
    }
    if (this.#changed.size > 0) this.#schedule(FLUSH_MS);
  }

  #schedule(delay: number): void {
    if (this.#timer !== null || this.#flushing || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#flush();
    }, delay);
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    const ids = [...this.#changed];
    this.#changed.clear();
    const { heads } = this.#follower;
    let delay = FLUSH_MS;
    try {
      const changes = await this.#read(ids, heads);
      for (const change of changes) {
        for (const listener of [...(this.#listeners.get(change.after.id) ?? [])]) {
          listener([change], heads);
        }
      }
      for (const listener of [...(this.#listeners.get(null) ?? [])]) listener(changes, heads);
    } catch (error) {
      this.#log.warn({ err: error }, 'changed tasks could not be read; trying again');
      for (const id of ids) this.#changed.add(id);
      delay = RETRY_MS;
    } finally {
      this.#flushing = false;
      if (this.#changed.size > 0) this.#schedule(delay);
    }
  }

  async #read(ids: string[], heads: Heads): Promise<TaskChange[]> {
    if (ids.length === 0) return [];
    await this.#store.viewsReach([...heads.values()]);
    const changes: TaskChange[] = [];
    for (let from = 0; from < ids.length; from += IDS_PER_READ) {
      for (const after of await this.#store.tasksById(ids.slice(from, from + IDS_PER_READ))) {
        if (after === null) continue;
        changes.push({ before: this.#known.get(after.id) ?? null, after });
        this.#remember(after);
      }
    }
    return changes;
  }

  #remember(task: TaskView): void {
    this.#known.delete(task.id);
    this.#known.set(task.id, task);
    if (this.#known.size > REMEMBERED)
      this.#known.delete(this.#known.keys().next().value as string);
  }
}
