/**
 * What all live boards together may hold in memory, and how many are loaded at a time. A board
 * takes its share before it is loaded, so that many that are opened at once cannot pass the bound.
 */
import { ShiplogError } from '../../domain/errors.ts';
import { Turns } from '../turns.ts';

/** Memory of all live boards: some 50,000 runs of seven steps that have ended, or 20,000 that are running. */
export const BOARDS_BYTES = 256 * 1024 * 1024;
const AT_A_TIME = 4;
const RETRY_AFTER_MS = 10_000;

export class BoardBudget {
  readonly #most: number;
  #held = 0;
  readonly #loads = new Turns(AT_A_TIME);

  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws OVERLOADED where so much more is too much. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#most) {
      const most = `${Math.round(this.#most / 1024 / 1024)} MiB`;
      throw new ShiplogError(
        'OVERLOADED',
        bytes > this.#most
          ? `the board is too large to be followed live: it would take more than ${most}`
          : `the boards that are followed live take ${most} already, the most that they may`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }

  /** Loads wait for one another: while a board is read it is in memory several times. */
  inTurn<T>(load: () => Promise<T>): Promise<T> {
    return this.#loads.take(load);
  }
}

/** What one board has of it. */
export class BoardShare {
  readonly #budget: BoardBudget;
  #bytes = 0;

  constructor(budget: BoardBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws OVERLOADED where all boards would hold too much; then it has what it had. */
  hold(bytes: number): void {
    const more = bytes - this.#bytes;
    if (more > 0) this.#budget.take(more);
    else this.#budget.give(-more);
    this.#bytes = bytes;
  }
}
