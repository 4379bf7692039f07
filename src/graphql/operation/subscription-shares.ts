/** How many subscriptions one token has open: a page that forgets to end its own must not take all. */
import { ShiplogError } from '../../domain/errors.ts';

const RETRY_AFTER_MS = 10_000;

export class SubscriptionShares {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts one more; what it returns takes it back, once. Throws OVERLOADED where it is one too
   * many. `tokenId` null: nobody knows who it is, and only the bound over all holds.
   */
  take(tokenId: string | null): () => void {
    if (tokenId === null) return () => {};
    const open = this.#open.get(tokenId) ?? 0;
    if (open >= this.#max) {
      throw new ShiplogError(
        'OVERLOADED',
        `this token has ${open} subscriptions already, the most that one may have`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#open.set(tokenId, open + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#open.get(tokenId) ?? 1) - 1;
      if (left === 0) this.#open.delete(tokenId);
      else this.#open.set(tokenId, left);
    };
  }
}
