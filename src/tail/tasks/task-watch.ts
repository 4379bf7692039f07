/**
 * Which tasks changed, and what they are now: for those who follow one task or a list of them.
 *
 * Events only say that a task changed; what it is now is read from the store's views, once for
 * all readers, a few times a second, as soon as the views hold those events. Each shard by
 * itself: one whose views are far behind keeps nobody else waiting.
 */
import type { TaskView } from '../../domain/fold/views.ts';
import { guarded } from '../../guarded.ts';
import type { Log } from '../../log.ts';
import type { ShardCursor, Store } from '../../store/store.ts';
import type { Follower } from '../follower.ts';
import type { Publication } from '../publications.ts';
import { type Heads, withHead } from '../heads.ts';
import { isPassing, Patience } from '../patience.ts';
import { Happened, KnownTasks } from './known-tasks.ts';

const FLUSH_MS = 150;
const RETRY_MS = 1_000;
const IDS_PER_READ = 500;

export interface TaskChange {
  /** null: not seen, or others were between it and `after`. */
  before: TaskView | null;
  after: TaskView;
}

export interface TaskListener {
  /** `heads`: every change up to there is in this or an earlier call. */
  changed(changes: TaskChange[], heads: Heads): void;
  /** Not all of a shard was followed up to here, or its history is another now. */
  skipped(head: ShardCursor): void;
}

/** What is to be read of one shard. */
interface Changed {
  /** For each task, what happened since it was read. */
  tasks: Map<string, Happened>;
  /** Every change up to there was told. */
  told: ShardCursor;
  timer: NodeJS.Timeout | null;
  flushing: boolean;
  patience: Patience;
}

export class TaskWatch {
  #store: Pick<Store, 'viewsReach' | 'tasksById'>;
  #follower: Follower;
  #log: Log;
  /** By task; null: of any task. */
  #listeners = new Map<string | null, Set<TaskListener>>();
  /** The shards with changes that are not told yet. */
  #shards = new Map<string, Changed>();
  /** While somebody listens to any task: then no event passes unseen. */
  #known: KnownTasks | null = null;
  #stop: (() => void) | null = null;

  constructor(store: Pick<Store, 'viewsReach' | 'tasksById'>, follower: Follower, log: Log) {
    this.#store = store;
    this.#follower = follower;
    this.#log = log;
  }

  /** Tells each change of one task, or of any (null). */
  listen(taskId: string | null, listening: TaskListener): () => void {
    const listeners = this.#listeners.get(taskId) ?? new Set();
    const listener = this.#guard(listening);
    this.#listeners.set(taskId, listeners.add(listener));
    if (taskId === null) this.#known ??= new KnownTasks(this.#follower.heads);
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
        if (taskId === null) this.#known = null;
      }
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Nobody listens any more. */
  #rest(): void {
    this.#stop?.();
    this.#stop = null;
    for (const shard of [...this.#shards.keys()]) this.#drop(shard);
  }

  /** What changed in a shard is not to be told any more. */
  #drop(shard: string): void {
    const timer = this.#shards.get(shard)?.timer ?? null;
    if (timer !== null) clearTimeout(timer);
    this.#shards.delete(shard);
  }

  #receive({ events, heads, skipped }: Publication): void {
    const head = skipped === null ? undefined : heads.get(skipped);
    if (head !== undefined) {
      // Listeners read on from what they were told; positions may be those of a history that is over.
      this.#drop(head.shard);
      if (this.#known !== null) this.#known = new KnownTasks(heads);
      for (const listeners of [...this.#listeners.values()]) {
        for (const listener of [...listeners]) listener.skipped(head);
      }
      return;
    }
    const first = events[0]?.position;
    if (first === undefined) return;
    const any = this.#listeners.has(null);
    const changed = this.#shards.get(first.shard) ?? {
      ...{ tasks: new Map(), timer: null, flushing: false, patience: new Patience() },
      told: { ...(heads.get(first.shard) as ShardCursor), seq: first.seq - 1 },
    };
    for (const event of events) {
      const { taskId } = event;
      if (!any && !this.#listeners.has(taskId)) continue;
      const happened = changed.tasks.get(taskId);
      if (happened === undefined) changed.tasks.set(taskId, new Happened(event));
      else happened.add(event);
    }
    if (changed.tasks.size === 0) return;
    this.#shards.set(first.shard, changed);
    this.#schedule(first.shard, changed, FLUSH_MS);
  }

  #schedule(shard: string, changed: Changed, delay: number): void {
    if (changed.timer !== null || changed.flushing) return;
    changed.timer = setTimeout(
      guarded(this.#log, 'reading changed tasks', () => {
        changed.timer = null;
        return this.#flush(shard, changed);
      }),
      delay,
    );
  }

  async #flush(shard: string, changed: Changed): Promise<void> {
    const { tasks, patience } = changed;
    const head = this.#follower.heads.get(shard);
    // Retention removed it.
    if (head === undefined) return this.#drop(shard);
    changed.tasks = new Map();
    changed.flushing = true;
    let delay = FLUSH_MS;
    try {
      await this.#store.viewsReach([{ shard, seq: lastOf(tasks.values()) }]);
      const changes = await this.#read(shard, tasks);
      if (patience.failing) this.#log.info({ shard }, 'changed tasks are read again');
      patience.relax();
      if (this.#shards.get(shard) !== changed) return;
      changed.told = head;
      if (changed.tasks.size === 0) this.#shards.delete(shard);
      this.#tellAll(changes);
    } catch (error) {
      // Once for an outage, not at every try of it.
      if (!patience.failing) {
        this.#log.warn(
          { err: error, shard },
          'changed tasks cannot be read; trying until they can',
        );
      }
      for (const [id, later] of changed.tasks) {
        const happened = tasks.get(id);
        if (happened === undefined) tasks.set(id, later);
        else happened.append(later);
      }
      changed.tasks = tasks;
      delay = isPassing(error) ? patience.after(error) : RETRY_MS;
    } finally {
      changed.flushing = false;
      const isCurrent = this.#shards.get(shard) === changed;
      if (isCurrent && changed.tasks.size > 0) this.#schedule(shard, changed, delay);
    }
  }

  async #read(shard: string, tasks: ReadonlyMap<string, Happened>): Promise<TaskChange[]> {
    // One that is forgotten meanwhile misses what comes from then on.
    const known = this.#known;
    const ids = [...tasks.keys()];
    const changes: TaskChange[] = [];
    for (let from = 0; from < ids.length; from += IDS_PER_READ) {
      for (const after of await this.#store.tasksById(ids.slice(from, from + IDS_PER_READ))) {
        if (after === null) continue;
        const happened = tasks.get(after.id);
        const before = happened && known?.replace(after, shard, happened);
        changes.push({ before: before ?? null, after });
      }
    }
    return changes;
  }

  #tellAll(changes: TaskChange[]): void {
    let heads = this.#follower.heads;
    for (const { told } of this.#shards.values()) heads = withHead(heads, told);
    for (const change of changes) {
      for (const listener of [...(this.#listeners.get(change.after.id) ?? [])]) {
        listener.changed([change], heads);
      }
    }
    for (const listener of [...(this.#listeners.get(null) ?? [])]) {
      listener.changed(changes, heads);
    }
  }

  /** One that throws does not keep the others from hearing of it. */
  #guard(listener: TaskListener): TaskListener {
    let tell = () => {};
    const run = guarded(this.#log, 'telling a reader that a task changed', () => tell());
    return {
      changed(changes, heads) {
        tell = () => listener.changed(changes, heads);
        run();
      },
      skipped(head) {
        tell = () => listener.skipped(head);
        run();
      },
    };
  }
}

function lastOf(tasks: Iterable<Happened>): number {
  let last = 0;
  for (const happened of tasks) last = Math.max(last, happened.last);
  return last;
}
