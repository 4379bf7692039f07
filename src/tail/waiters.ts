/** Readers that wait for the same thing, each with a deadline. */
export class Waiters {
  #waiting = new Set<() => void>();

  /** Resolves at the next `wake`, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, ms);
      this.#waiting.add(settle);
    });
  }

  wake(): void {
    for (const settle of [...this.#waiting]) settle();
  }
}
