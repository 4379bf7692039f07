/**
 * One call for all who ask the same at the same time: after a restart a thousand readers come back
 * with the same question, and one answer serves them all. Whoever asks later is answered anew.
 */
export class SharedCalls<T> {
  readonly #running = new Map<string, Promise<T>>();
  readonly #next = new Map<string, Promise<T>>();

  /** The call under way, or a new one: for what has the same answer whenever it is asked. */
  join(key: string, call: () => Promise<T>): Promise<T> {
    return this.#running.get(key) ?? this.#start(key, call);
  }

  /** A call that begins from now on: its answer is no older than the question. */
  next(key: string, call: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key, call);
    const known = this.#next.get(key);
    if (known !== undefined) return known;
    const begin = () => {
      this.#next.delete(key);
      return this.#start(key, call);
    };
    const next = running.then(begin, begin);
    this.#next.set(key, next);
    return next;
  }

  #start(key: string, call: () => Promise<T>): Promise<T> {
    const running = call().finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    this.#running.set(key, running);
    return running;
  }
}
