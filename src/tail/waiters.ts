/** Readers that wait for the same thing, each with a deadline. */
export class Waiters {
  #waiting = new Set<() => void>();

  /** Resolves with true at the next `wake`, with false after `ms`. */
  wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (woken: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(wake);
      resolve(woken);
    };
    const wake = () => settle(true);
    const timer = setTimeout(() => settle(false), ms);
    this.#waiting.add(wake);
    return promise;
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
