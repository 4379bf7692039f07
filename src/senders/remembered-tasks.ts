/**
 * Which task a sender's id went to, for the newest ids: two generations, the older of which is let go
 * whole. Ids are numbers in typed arrays: a map of texts costs a third of what the mapping of a
 * document does, and the garbage collector has to carry each of them along.
 */

/** Entries of one generation: so many of the newest are always known, twice as many at most. */
const GENERATION = 100_000;
/** A power of two, far enough above it that free places are near. */
const PLACES = 2 ** 18;

export class RememberedTasks {
  #newer: Generation | null = null;
  #older: Generation | null = null;

  /**
   * The task that the id went to first; `taskId` from now on, where it is not known. `eventId`: as
   * `identity.ts` makes them.
   */
  of(eventId: string, taskId: string): string {
    const high = bitsOf(eventId, 2);
    const low = bitsOf(eventId, 7);
    let newer = this.#newer;
    if (newer === null || newer.size >= GENERATION) {
      const known = newer?.find(high, low) ?? null;
      if (known !== null) return known;
      this.#older = newer;
      newer = new Generation();
      this.#newer = newer;
    }
    return newer.findOrAdd(high, low, () => this.#older?.find(high, low) ?? taskId);
  }
}

/** 30 bits of five characters in base64url: ids are hashes already. */
function bitsOf(eventId: string, from: number): number {
  let bits = 0;
  for (let at = from; at < from + 5; at++)
    bits = (bits << 6) | (SIX_BITS[eventId.charCodeAt(at) & 127] ?? 0);
  return bits;
}
const SIX_BITS = new Uint8Array(128);
for (const [value, char] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  SIX_BITS[char.charCodeAt(0)] = value;
}

/** A table of open places: 60 bits of each id, and the number of its task. */
class Generation {
  readonly #high = new Int32Array(PLACES);
  readonly #low = new Int32Array(PLACES);
  /** From 1; 0: the place is free. */
  readonly #task = new Int32Array(PLACES);
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  size = 0;

  find(high: number, low: number): string | null {
    const number = this.#task[this.#placeOf(high, low)] as number;
    return number === 0 ? null : (this.#names[number - 1] as string);
  }

  findOrAdd(high: number, low: number, task: () => string): string {
    const place = this.#placeOf(high, low);
    const number = this.#task[place] as number;
    if (number !== 0) return this.#names[number - 1] as string;
    const added = task();
    this.#high[place] = high;
    this.#low[place] = low;
    this.#task[place] = this.#numberOf(added);
    this.size++;
    return added;
  }

  /** Where it is, or the free place where it would be. */
  #placeOf(high: number, low: number): number {
    let place = low & (PLACES - 1);
    while (this.#task[place] !== 0 && (this.#low[place] !== low || this.#high[place] !== high)) {
      place = (place + 1) & (PLACES - 1);
    }
    return place;
  }

  #numberOf(task: string): number {
    let number = this.#numbers.get(task);
    if (number === undefined) {
      number = this.#names.push(task);
      this.#numbers.set(task, number);
    }
    return number;
  }
}
