/**
 * One subscription to a live board. It holds no more than its place: what it is told is made once
 * for all who stand there, so a slow one simply gets fewer, larger batches.
 */

import type { PullSource } from '../../pull-iterator.ts';
import { Signal } from '../../signal.ts';
import type { ShardCursor } from '../../store/store.ts';
import { expired } from '../feed-start.ts';
import type { Follower } from '../follower.ts';
import { Patience } from '../patience.ts';
import type { Reads } from '../reads.ts';
import type { RunsBatch } from '../tail.ts';
import type { Place } from './board-batches.ts';
import type { LiveBoard } from './live-board.ts';

/** Before a cursor that is ahead of this server is looked at again. */
const AHEAD_MS = 250;

export interface BoardReaderOptions {
  taskId: string;
  board: LiveBoard;
  store: Reads;
  follower: Follower;
  heartbeatMs: number;
  /** Where to go on, and the cursor that said so; null: the whole board first. */
  after: { shards: ShardCursor[]; cursor: string } | null;
  onDispose: () => void;
}

export class BoardReader implements PullSource<RunsBatch> {
  readonly #options: BoardReaderOptions;
  readonly #patience = new Patience();
  readonly #woken = new Signal();
  readonly #unlisten: () => void;
  #checked = false;
  #place: Place | null = null;
  /** What the last heartbeat or batch said. */
  #cursor: string | null;
  #disposed = false;

  constructor(options: BoardReaderOptions) {
    this.#options = options;
    this.#cursor = options.after?.cursor ?? null;
    this.#unlisten = options.board.listen(() => this.#woken.wake());
  }

  async pull(): Promise<RunsBatch | null> {
    const due = performance.now() + this.#options.heartbeatMs;
    while (!this.#disposed) {
      const pause = await this.#prepare();
      if (this.#disposed) return null;
      const batch = pause === 0 ? this.#next() : null;
      if (batch !== null) return batch;
      const left = due - performance.now();
      const beat = left <= 0 ? this.#beat() : null;
      if (beat !== null) return beat;
      const most = left > 0 ? left : this.#options.heartbeatMs;
      await this.#woken.wait(pause > 0 ? Math.min(pause, most) : most);
    }
    return null;
  }

  dispose(): void {
    this.#disposed = true;
    this.#unlisten();
    this.#woken.wake();
    this.#options.onDispose();
  }

  /** Looks at the cursor that it came with. Milliseconds until it is to be called again; 0: done. */
  async #prepare(): Promise<number> {
    const { after, board, store, follower, taskId } = this.#options;
    if (after === null || this.#place !== null) return 0;
    const batches = board.live ? board.batches : null;
    try {
      if (!this.#checked) {
        const checks = await store.checkCursors(after.shards);
        if (checks.some(({ state }) => state !== 'live')) throw expired();
        this.#checked = true;
      }
      if (batches === null || batches.reaches(after.shards)) return 0;
      // The cursor comes from a server that is ahead of this one.
      await follower.catchUp(taskId);
      this.#patience.relax();
      return batches.reaches(after.shards) ? 0 : AHEAD_MS;
    } catch (error) {
      return this.#patience.after(error);
    }
  }

  #next(): RunsBatch | null {
    const { board, after } = this.#options;
    const { batches } = board;
    if (batches === null) return null;
    if (this.#place === null) {
      if (!board.live) return null;
      if (after !== null) this.#place = batches.resume(after.shards);
    }
    const place = this.#place;
    // If the board was loaded anew, what was told before may be different now.
    const isNew = place === null || place.batches !== batches;
    const step = isNew ? batches.whole() : batches.step(place);
    if (step === null) return null;
    this.#place = step.to;
    this.#cursor = step.batch.cursor;
    return step.batch;
  }

  /** Before the first batch only one that came with a cursor has something to say. */
  #beat(): RunsBatch | null {
    const { board } = this.#options;
    const place = this.#place;
    const isKept = place !== null && board.live && place.batches === board.batches;
    const shared = isKept ? place.batches.beat(place) : null;
    if (shared !== null) this.#cursor = shared.cursor;
    if (shared !== null || this.#cursor === null) return shared;
    return { snapshot: null, changed: [], cursor: this.#cursor, caughtUp: false };
  }
}
