/**
 * Which task a sender's id went to, for the newest ids: two generations of a plain map, the older of
 * which is let go whole. A map that keeps the order of use costs as much as the mapping of a document.
 */

/** Of one generation; so many of the newest are always known, twice as many at most. */
const GENERATION = 100_000;

export class RememberedTasks {
  #newer = new Map<string, string>();
  #older = new Map<string, string>();

  /** The task that the id went to first; `taskId` from now on, where it is not known. */
  of(eventId: string, taskId: string): string {
    const known = this.#newer.get(eventId);
    if (known !== undefined) return known;
    const first = this.#older.get(eventId) ?? taskId;
    if (this.#newer.size >= GENERATION) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(eventId, first);
    return first;
  }
}
