/**
 * A hundred clients of all four kinds of subscription. Each begins, leaves and comes back at
 * moments of its own while the load runs, with its cursor where it has one. When the load ends
 * they stay: every one of them must come to what the events say, though nothing happens any more.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TaskMatrix } from '../../src/domain/fold/views.ts';
import type { BoardFold } from '../board-fold.ts';
import { BoardWatcher, EventsWatcher, TasksWatcher, TaskWatcher, type Watcher } from './watcher.ts';

const COUNT = 100;
const LEAST_MS = 100;
const MOST_MS = 8_000;

export interface Truth {
  /** Ids of the log, in its order, as far as they are delivered to who follows from the begin on. */
  stored: readonly string[];
  counts: ReturnType<BoardFold['counts']>;
  differences: (matrix: TaskMatrix) => number;
}

export class Watchers {
  readonly count = COUNT;
  readonly #taskId: string;
  readonly #fold: BoardFold;
  readonly #watchers: Watcher[] = [];
  readonly #lives: Promise<void>[] = [];
  readonly #over = new AbortController();

  constructor(taskId: string, fold: BoardFold) {
    this.#taskId = taskId;
    this.#fold = fold;
  }

  start(urls: readonly string[]): void {
    const kinds = [EventsWatcher, TaskWatcher, TasksWatcher, BoardWatcher];
    for (let i = 0; i < COUNT; i++) {
      const Kind = kinds[i % kinds.length] as (typeof kinds)[number];
      const url = urls[Math.floor(i / kinds.length) % urls.length] as string;
      const watcher = new Kind(url, this.#taskId, i);
      this.#watchers.push(watcher);
      this.#lives.push(this.#live(watcher));
    }
  }

  /** From now on everybody stays. */
  async stopLeaving(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#lives);
  }

  /** Waits until all have the truth; in words who has not. */
  async verdict(stored: readonly string[], withinMs: number): Promise<string[]> {
    const truth: Truth = {
      stored,
      counts: this.#fold.counts(),
      differences: (matrix) => this.#fold.differences(matrix, false),
    };
    const deadline = performance.now() + withinMs;
    let wrong: string[];
    do {
      await pause(250);
      wrong = this.#watchers.flatMap((watcher) => watcher.wrong(truth) ?? []);
    } while (wrong.length > 0 && performance.now() < deadline);
    await Promise.all(this.#watchers.map((watcher) => watcher.leave()));
    return wrong;
  }

  async #live(watcher: Watcher): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await sleep(signal);
      watcher.connect();
      await sleep(signal);
      if (signal.aborted) break;
      await watcher.leave();
      // Every other time it is back at once.
      if (Math.random() < 0.5) watcher.connect();
    }
    watcher.connect();
  }
}

async function sleep(signal: AbortSignal): Promise<void> {
  const ms = LEAST_MS + Math.random() * (MOST_MS - LEAST_MS);
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
