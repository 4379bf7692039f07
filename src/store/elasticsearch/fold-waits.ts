/** Who waits for the views of a shard to reach a position, and the keeper's own pauses. */

interface Waiter {
  shard: string;
  seq: number;
  resolve: () => void;
}

export class FoldWaits {
  readonly #waiters = new Set<Waiter>();
  readonly #pauses = new Map<string, () => void>();
  #closed = false;

  /** Resolves when `reached` is told of it, and after `ms` in any case; ends a pause. */
  wait(shard: string, seq: number, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters;
      const waiter: Waiter = { shard, seq, resolve: done };
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve();
      }
      waiters.add(waiter);
      this.#pauses.get(shard)?.();
      if (this.#closed) done();
    });
  }

  reached(shard: string, seq: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.shard === shard && waiter.seq <= seq) waiter.resolve();
    }
  }

  isWaitedFor(shard: string): boolean {
    return [...this.#waiters].some((waiter) => waiter.shard === shard);
  }

  /** Resolves after `ms`, or as soon as somebody waits for the shard. */
  pause(shard: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#pauses.delete(shard);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#pauses.set(shard, done);
      if (this.#closed) done();
    });
  }

  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) waiter.resolve();
    for (const resume of [...this.#pauses.values()]) resume();
  }
}
