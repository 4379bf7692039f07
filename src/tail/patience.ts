/** A store that is away for a while is waited for: a reader has lost nothing by it. */
import { ShiplogError } from '../domain/errors.ts';

const PASSING: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'OVERLOADED', 'QUERY_TIMEOUT']);
const FIRST_MS = 500;
const MOST_MS = 5_000;

export function isPassing(error: unknown): error is ShiplogError {
  return error instanceof ShiplogError && PASSING.has(error.code);
}

/** The store leaves out the shard of a task: it mostly is back in a moment. */
export function taskAway(): ShiplogError {
  return new ShiplogError('STORE_UNAVAILABLE', 'the log of this task cannot be asked now', {
    retryAfterMs: 100,
  });
}

/** How long one reader waits after each failure in a row. */
export class Patience {
  #failures = 0;

  /** Milliseconds until the next try: longer each time. Throws what would fail again. */
  after(error: unknown): number {
    if (!isPassing(error)) throw error;
    const ms = (error.retryAfterMs ?? FIRST_MS) * 2 ** this.#failures;
    this.#failures = Math.min(this.#failures + 1, 10);
    // Readers that failed together do not come back together.
    return Math.min(ms, MOST_MS) * (0.75 + Math.random() / 2);
  }

  get failing(): boolean {
    return this.#failures > 0;
  }

  relax(): void {
    this.#failures = 0;
  }
}
