/**
 * Boards that someone looks at: each is loaded once however many look, kept up to date from the
 * follower, and let go with its last reader.
 */
import type { Log } from '../../log.ts';
import type { PullSource } from '../../pull-iterator.ts';
import type { ShardCursor } from '../../store/store.ts';
import type { Follower } from '../follower.ts';
import type { Heads } from '../heads.ts';
import type { Reads } from '../reads.ts';
import type { RunsBatch } from '../tail.ts';
import { BoardBudget } from './board-budget.ts';
import { BoardReader } from './board-reader.ts';
import { LiveBoard } from './live-board.ts';

export interface BoardsOptions {
  store: Reads;
  follower: Follower;
  log: Log;
  heartbeatMs: number;
  staleAfterMs: number;
  now: () => number;
  /** What all of them may hold in memory. */
  maxBytes: number;
}

interface Opened {
  board: LiveBoard;
  readers: number;
}

export class Boards {
  readonly #options: BoardsOptions;
  readonly #budget: BoardBudget;
  readonly #open = new Map<string, Opened>();

  constructor(options: BoardsOptions) {
    this.#options = options;
    this.#budget = new BoardBudget(options.maxBytes);
  }

  get size(): number {
    return this.#open.size;
  }
  /** About what they hold in memory. */
  get bytes(): number {
    return this.#budget.held;
  }

  reader(
    taskId: string,
    after: { shards: ShardCursor[]; cursor: string } | null,
    cursorOf: (heads: Heads) => string,
  ): PullSource<RunsBatch> {
    const { store, follower, heartbeatMs } = this.#options;
    const opened = this.#open.get(taskId) ?? this.#load(taskId, cursorOf);
    opened.readers++;
    return new BoardReader({
      taskId,
      board: opened.board,
      store,
      follower,
      heartbeatMs,
      after,
      onDispose: () => {
        opened.readers--;
        if (opened.readers === 0) this.#close(taskId, opened);
      },
    });
  }

  #load(taskId: string, cursorOf: (heads: Heads) => string): Opened {
    const board = new LiveBoard({
      ...this.#options,
      taskId,
      budget: this.#budget,
      cursorOf,
      onFailed: () => this.#close(taskId, opened),
    });
    const opened: Opened = { board, readers: 0 };
    this.#open.set(taskId, opened);
    return opened;
  }

  #close(taskId: string, opened: Opened): void {
    if (this.#open.get(taskId) === opened) this.#open.delete(taskId);
    opened.board.stop();
  }
}
