/** What several wait for, each as long as it will: the one way in which somebody here is woken. */
export interface Wait {
  /** Resolves with true when woken, with false when its time is over. */
  readonly over: Promise<boolean>;
  /** As if woken: its reader leaves. */
  end(): void;
}

export class Signal {
  readonly #waiting = new Set<() => void>();

  /** Until the next `wake`, at most `ms`. */
  start(ms = Number.POSITIVE_INFINITY): Wait {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (woken: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(end);
      resolve(woken);
    };
    const end = () => settle(true);
    const timer = Number.isFinite(ms) ? setTimeout(() => settle(false), ms) : undefined;
    this.#waiting.add(end);
    return { over: promise, end };
  }

  wait(ms?: number): Promise<boolean> {
    return this.start(ms).over;
  }

  wake(): void {
    for (const end of [...this.#waiting]) end();
  }
}
