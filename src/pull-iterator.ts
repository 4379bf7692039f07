/**
 * The one way in which something is followed: an iterator around a `pull` function whose `return()`
 * settles a pending `next()` at once, however long the pull would still wait, and disposes of the
 * source exactly once. (An async generator queues `return` behind the pending `next`: a subscription
 * whose socket went away would live on until its next event.)
 */
export interface PullSource<T> {
  /** The next value; null: the end. Only one call at a time. */
  pull(): Promise<T | null>;
  /** Called once, when the reader leaves, the source ends, or `pull` throws. */
  dispose(): void;
}

const OVER = { value: undefined, done: true } as const;

export class PullIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: PullSource<T>;
  #isOver = false;
  /** Calls of `next` that are not answered: they take turns. */
  #asked = 0;
  #last: Promise<unknown> = Promise.resolve();
  #leave: (() => void) | null = null;

  constructor(source: PullSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const isFirst = this.#asked++ === 0;
    const result = isFirst ? this.#step() : this.#last.then(this.#step, this.#step);
    this.#last = result;
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#end();
    return OVER;
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.#end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #step = (): Promise<IteratorResult<T, undefined>> => {
    if (this.#isOver) {
      this.#asked--;
      return Promise.resolve(OVER);
    }
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#leave = () => resolve(OVER);
    this.#source.pull().then(
      (value) => {
        this.#asked--;
        if (value === null || this.#isOver) this.#end();
        else resolve({ value, done: false });
      },
      (error: unknown) => {
        this.#asked--;
        // After the end nobody is there to be told.
        if (!this.#isOver) reject(error);
        this.#end();
      },
    );
    return promise;
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave?.();
    this.#source.dispose();
  }
}
