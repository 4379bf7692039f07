/**
 * Subscriptions that ask the same of the same batch get the same result: it is executed once and
 * turned into JSON once. With thousands of identical readers (a release everybody watches) that
 * is most of the work. Nothing is kept longer than the batch itself, nor beyond a bound: the tail
 * keeps batches for slow readers, and each reader may ask something else of them.
 *
 * Only batches are shared, which the tail makes anew for each delivery: a view may be delivered
 * twice, and would then show how it stood the first time.
 */
import type { ExecutionResult } from 'graphql';

type Result = ExecutionResult | Promise<ExecutionResult>;

/** Results kept for readers that have not come to them yet; a forgotten one is executed again. */
const ENTRIES_MAX = 4_096;
const CHARACTERS_MAX = 8 * 1_024 * 1_024;

/** Where a result is kept. */
interface Place {
  results: Map<string, Result>;
  key: string;
  characters: number;
}

export class SharedResults {
  readonly #results = new WeakMap<object, Map<string, Result>>();
  readonly #texts = new WeakMap<ExecutionResult, string>();
  readonly #places = new WeakMap<ExecutionResult, Place>();
  /** The oldest first. */
  readonly #kept = new Set<Place>();
  #characters = 0;

  /** `key`: operation and variables. */
  of(event: unknown, key: string, execute: () => Promise<ExecutionResult>): Result {
    if (typeof event !== 'object' || event === null || !('cursor' in event)) return execute();
    let results = this.#results.get(event);
    if (results === undefined) {
      results = new Map();
      this.#results.set(event, results);
    }
    let result = results.get(key);
    if (result === undefined) {
      result = this.#keep(execute(), { results, key, characters: 0 });
      results.set(key, result);
    }
    return result;
  }

  serialize(result: ExecutionResult): string {
    let text = this.#texts.get(result);
    if (text === undefined) {
      text = JSON.stringify(result);
      this.#texts.set(result, text);
      const place = this.#places.get(result);
      if (place !== undefined && this.#kept.has(place)) {
        place.characters = text.length;
        this.#characters += text.length;
        this.#forgetOldest();
      }
    }
    return text;
  }

  async #keep(executing: Promise<ExecutionResult>, place: Place): Promise<ExecutionResult> {
    this.#kept.add(place);
    this.#forgetOldest();
    const result = await executing;
    // What failed now may succeed for those who come later.
    if (result.errors !== undefined) this.#forget(place);
    else this.#places.set(result, place);
    return result;
  }

  /** One that is larger than all that are kept is shared for as long as nothing newer is. */
  #forgetOldest(): void {
    for (const place of this.#kept) {
      const fits = this.#kept.size <= ENTRIES_MAX && this.#characters <= CHARACTERS_MAX;
      if (fits || this.#kept.size === 1) return;
      this.#forget(place);
    }
  }

  #forget(place: Place): void {
    this.#kept.delete(place);
    this.#characters -= place.characters;
    place.results.delete(place.key);
  }
}
