/**
 * An AsyncIterator around one `pull` function, in the only shape that is safe under a websocket:
 * `return()` settles a pending `next()` at once, however long the pull would still wait, and
 * runs the disposal exactly once. (An async generator queues `return` behind the pending `next`,
 * so a subscription whose socket went away would live on until its next event.)
 */
export interface PullSource<T> {
  /** The next value; null: the end. Only one call at a time. */
  pull(): Promise<T | null>;
  /** Called once, when the reader leaves, the source ends, or `pull` throws. */
  dispose(): void;
}

export function pullIterator<T>(source: PullSource<T>): AsyncIterableIterator<T> {
  const END: IteratorResult<T> = { value: undefined, done: true };
  let done = false;
  let leave: (() => void) | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  function finish(): void {
    if (done) return;
    done = true;
    leave?.();
    source.dispose();
  }

  async function step(): Promise<IteratorResult<T>> {
    if (done) return END;
    const left = new Promise<null>((resolve) => {
      leave = () => resolve(null);
    });
    try {
      const value = await Promise.race([source.pull(), left]);
      if (done) return END;
      if (value === null) {
        finish();
        return END;
      }
      return { value, done: false };
    } catch (error) {
      if (done) return END;
      finish();
      throw error;
    } finally {
      leave = null;
    }
  }

  return {
    next() {
      const result = turn.then(step, step);
      turn = result.catch(() => undefined);
      return result;
    },
    return() {
      finish();
      return Promise.resolve(END);
    },
    throw(error: unknown) {
      finish();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
