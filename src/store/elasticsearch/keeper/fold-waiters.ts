/** Who waits for the views of a shard to reach a position, and the keeper's own pauses. */

interface Waiter {
  shard: string;
  seq: number;
  wake: () => void;
}

export class FoldWaits {
  readonly #waiters = new Set<Waiter>();
  readonly #pauses = new Map<string, () => void>();
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
  wait(shard: string, seq: number, ms: number): Promise<void> {
    const { over, wake } = this.#nap(ms);
    const waiter = { shard, seq, wake };
    this.#waiters.add(waiter);
    this.#pauses.get(shard)?.();
    this.#onWait(shard);
    return over.finally(() => this.#waiters.delete(waiter));
  }

  reached(shard: string, seq: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.shard !== shard || waiter.seq > seq) continue;
      // At once: whether others still wait is asked next.
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }

  isWaitedFor(shard: string): boolean {
    return [...this.#waiters].some((waiter) => waiter.shard === shard);
  }

  /** Resolves after `ms`, or as soon as somebody waits for the shard. */
  pause(shard: string, ms: number): Promise<void> {
    const { over, wake } = this.#nap(ms);
    this.#pauses.set(shard, wake);
    return over.finally(() => this.#pauses.delete(shard));
  }

  close(): void {
    this.#closed = true;
    for (const { wake } of this.#waiters) wake();
    for (const wake of this.#pauses.values()) wake();
  }

  #nap(ms: number): { over: Promise<void>; wake: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#closed ? 0 : ms);
    return { over: promise.finally(() => clearTimeout(timer)), wake: resolve };
  }
}
