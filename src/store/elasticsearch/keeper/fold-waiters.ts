/** Who waits for the views of a shard to reach a position, and the keeper's own pauses. */

import { Signal, type Wait } from '../../../signal.ts';

interface Waiter extends Pick<Wait, 'end'> {
  shard: string;
  seq: number;
}

export class FoldWaits {
  /** All of them; woken when it is closed. */
  readonly #signal = new Signal();
  readonly #waiters = new Set<Waiter>();
  readonly #pauses = new Map<string, Wait>();
  readonly #onWait: (shard: string) => void;
  #closed = false;

  /** @param onWait told when somebody begins to wait for a shard */
  constructor(onWait: (shard: string) => void) {
    this.#onWait = onWait;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when `reached` is told of it, and after `ms` in any case; ends a pause. */
  async wait(shard: string, seq: number, ms: number): Promise<void> {
    const { over, end } = this.#start(ms);
    const waiter = { shard, seq, end };
    this.#waiters.add(waiter);
    this.#pauses.get(shard)?.end();
    this.#onWait(shard);
    await over;
    this.#waiters.delete(waiter);
  }

  reached(shard: string, seq: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.shard !== shard || waiter.seq > seq) continue;
      // At once: whether others still wait is asked next.
      this.#waiters.delete(waiter);
      waiter.end();
    }
  }

  isWaitedFor(shard: string): boolean {
    return [...this.#waiters].some((waiter) => waiter.shard === shard);
  }

  /** Resolves after `ms`, or as soon as somebody waits for the shard. */
  async pause(shard: string, ms: number): Promise<void> {
    const pause = this.#start(ms);
    this.#pauses.set(shard, pause);
    await pause.over;
    this.#pauses.delete(shard);
  }

  close(): void {
    this.#closed = true;
    this.#signal.wake();
  }

  #start(ms: number): Wait {
    return this.#signal.start(this.#closed ? 0 : ms);
  }
}
