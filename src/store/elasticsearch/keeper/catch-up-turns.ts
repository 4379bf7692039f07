/**
 * Which shards catch up with what was there before this server kept them: a few at a time, for each
 * holds some tens of megabytes meanwhile, and an upgrade leaves every day that there is behind. The
 * newest day goes first, and one place is only for it: what runs now does not wait for what is old.
 * A shard that just failed comes after all others, or a broken one would keep its place for ever.
 */
const AT_A_TIME = 3;
/** How many shards of days that are not the newest catch up at a time. */
const OLD_AT_A_TIME = 2;

interface Place {
  shard: string;
  day: string;
  /** Among shards of one day, the first that asked goes on first. */
  ticket: number;
}

export class CatchUpTurns {
  readonly #isFailing: (shard: string) => boolean;
  readonly #holding = new Map<string, Place>();
  readonly #waiting = new Map<string, { place: Place; begin: () => void }>();
  #newest = '';
  #tickets = 0;
  #closed = false;

  constructor(isFailing: (shard: string) => boolean) {
    this.#isFailing = isFailing;
  }

  /**
   * Resolves when the shard may go on: at once where it holds a place, unless one that goes before it
   * waits for that.
   */
  take(shard: string, day: string): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (day > this.#newest) this.#newest = day;
    const place = this.#holding.get(shard) ?? { shard, day, ticket: ++this.#tickets };
    this.#holding.delete(shard);
    return new Promise((begin) => {
      this.#waiting.set(shard, { place, begin });
      this.#fill();
    });
  }

  /** It pauses, or has caught up. */
  give(shard: string): void {
    if (this.#holding.delete(shard)) this.#fill();
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
    for (const { begin } of this.#waiting.values()) begin();
    this.#waiting.clear();
  }

  #fill(): void {
    const waiting = [...this.#waiting.values()].sort((a, b) => this.#order(a.place, b.place));
    for (const { place, begin } of waiting) {
      if (!this.#hasRoom(place)) continue;
      this.#waiting.delete(place.shard);
      this.#holding.set(place.shard, place);
      begin();
    }
  }

  #order(a: Place, b: Place): number {
    const failing = Number(this.#isFailing(a.shard)) - Number(this.#isFailing(b.shard));
    if (failing !== 0) return failing;
    return a.day === b.day ? a.ticket - b.ticket : a.day < b.day ? 1 : -1;
  }

  #hasRoom({ day }: Place): boolean {
    if (this.#holding.size >= AT_A_TIME) return false;
    if (day === this.#newest) return true;
    const old = [...this.#holding.values()].filter((place) => place.day !== this.#newest);
    return old.length < OLD_AT_A_TIME;
  }
}

/** In the order in which they are to ask for their turn. */
export function newestFirst<S extends { day: string }>(shards: readonly S[]): S[] {
  return shards.toSorted((a, b) => (a.day === b.day ? 0 : a.day < b.day ? 1 : -1));
}
