/** Readers that wait for the same thing, each with a deadline. */
export interface Wait {
  /** Resolves with true when woken, with false when its time is over. */
  readonly over: Promise<boolean>;
  /** As if woken: its reader leaves. */
  end(): void;
}

export class Waiters {
  #waiting = new Set<() => void>();

  /** Until the next `wake`, at most `ms`. */
  start(ms: number): Wait {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (woken: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(end);
      resolve(woken);
    };
    const end = () => settle(true);
    const timer = setTimeout(() => settle(false), ms);
    this.#waiting.add(end);
    return { over: promise, end };
  }

  wait(ms: number): Promise<boolean> {
    return this.start(ms).over;
  }

  wake(): void {
    for (const end of [...this.#waiting]) end();
  }
}
