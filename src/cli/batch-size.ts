/**
 * How much goes into one request. The limit of the server, or of a proxy before it, is not known:
 * what is refused for its size is sent again in halves, and stays so small.
 */
const BATCH_BYTES = 512 * 1_024;
/** What is refused below this is not refused for its size. */
const LEAST_BYTES = 4 * 1_024;

export class BatchSize {
  #bytes = BATCH_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** A request of so many bytes was too large. */
  refused(bytes: number): void {
    this.#bytes = Math.max(LEAST_BYTES, Math.floor(Math.min(bytes, this.#bytes) / 2));
  }

  /** How many from the first fit, and their bytes; at least one. */
  fitting(sizes: Iterable<number>): { count: number; bytes: number } {
    let count = 0;
    let bytes = 0;
    for (const size of sizes) {
      if (count > 0 && bytes + size > this.#bytes) break;
      count++;
      bytes += size;
    }
    return { count, bytes };
  }
}
