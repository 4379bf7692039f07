/**
 * A reader of one task. Its states coalesce: a slow reader sees fewer, newer ones, never a stale
 * last one.
 *
 * Views lag behind the log. So the state that it begins with may be old, and no event comes that
 * would tell: it is read once more as soon as views hold all that was acknowledged at its begin.
 */
import { isDeepStrictEqual } from 'node:util';
import { isStale, type TaskView } from '../../domain/fold/views.ts';
import type { PullSource } from '../../pull-iterator.ts';
import { Signal } from '../../signal.ts';
import type { Follower } from '../follower.ts';
import { isPassing, Patience, taskAway } from '../patience.ts';
import type { Reads } from '../reads.ts';
import type { TaskWatch } from './task-watch.ts';
import { ViewsWait } from './views-wait.ts';

/** How long the first state waits for views that are behind; then it is what they hold. */
const FIRST_MS = 250;

export interface TaskReaderOptions {
  id: string;
  store: Reads;
  follower: Follower;
  watch: TaskWatch;
  heartbeatMs: number;
  staleAfterMs: number;
  now: () => number;
}

export class TaskReader implements PullSource<TaskView> {
  #options: TaskReaderOptions;
  #unlisten: () => void;
  #changed = new Signal();
  #patience = new Patience();
  /** For views that hold everything acknowledged so far; null: what is known is the truth. */
  #views: ViewsWait | null;
  #next: TaskView | null = null;
  #shown: { task: TaskView; stale: boolean } | null = null;
  /** How often a change was told. */
  #told = 0;
  /** The first state was told before views had caught up. */
  #early = false;
  #disposed = false;

  constructor(options: TaskReaderOptions) {
    this.#options = options;
    this.#views = this.#allViews();
    this.#unlisten = options.watch.listen(options.id, {
      changed: (changes) => {
        this.#told++;
        for (const { after } of changes) this.#learn(after, true);
      },
      skipped: () => {
        // The numbers may mean something else now: whatever is read is new.
        this.#next = null;
        this.#shown = null;
        this.#views = this.#allViews();
        this.#changed.wake();
      },
    });
  }

  async pull(): Promise<TaskView | null> {
    while (!this.#disposed) {
      const next = this.#next ?? this.#fellSilent();
      if (next !== null) {
        this.#next = null;
        return this.#show(next);
      }
      if (this.#views === null) await this.#changed.wait(this.#options.heartbeatMs);
      else await this.#look(this.#views);
    }
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlisten();
    this.#changed.wake();
  }

  #allViews(): ViewsWait {
    const { id, store, follower } = this.#options;
    return new ViewsWait(async () => {
      const settled = await follower.catchUp(id);
      if (settled.length === 0) throw taskAway();
      await store.viewsReach(settled);
    }, this.#changed);
  }

  /** Reads the task where views have caught up, and at first in any case. */
  async #look(views: ViewsWait): Promise<void> {
    const { id, store, heartbeatMs } = this.#options;
    let failure: unknown = null;
    let reached = false;
    try {
      reached = await views.within(this.#shown === null ? FIRST_MS : heartbeatMs);
    } catch (error) {
      if (!isPassing(error)) throw error;
      failure = error;
    }
    if ((reached || this.#shown === null) && this.#next === null && !this.#disposed) {
      try {
        const told = this.#told;
        const [task] = await store.tasksById([id]);
        // What was told meanwhile may be newer, at the same position too, for a state may be ahead of
        // events before it: then it is read once more.
        if (this.#told === told) {
          if (task) this.#learn(task, reached && this.#early);
          this.#early = !reached;
          if (reached && this.#views === views) this.#views = null;
        }
      } catch (error) {
        failure = error;
      }
    }
    if (failure === null) this.#patience.relax();
    else {
      const ms = this.#patience.after(failure);
      if (this.#next === null) await this.#changed.wait(ms);
    }
  }

  /**
   * A state that was read; it is told unless a newer one was told already. The same one is told once
   * more where views have come on since: what clients select within it (its counts, say) is searched
   * for when it is told, and searches may be behind the task itself.
   */
  #learn(task: TaskView, viewsCameOn: boolean): void {
    const known = this.#next ?? this.#shown?.task;
    if (known?.position.shard === task.position.shard) {
      if (known.position.seq > task.position.seq) return;
      if (!viewsCameOn && isDeepStrictEqual(known, task)) return;
    }
    this.#next = task;
    this.#changed.wake();
  }

  #isStale(task: TaskView): boolean {
    return isStale(task, this.#options.now(), this.#options.staleAfterMs);
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
