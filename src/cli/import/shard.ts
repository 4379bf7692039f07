/**
 * One shard of an index, read in the order of its sequence numbers. Each document has one, which stays
 * the same over restarts, merges and moves of the shard, so where a reader stood is one number that
 * still means the same next week; and a page is a range of them, so it costs the same at the end of
 * fifty million documents as at the beginning. See decision 35.
 */
import type { Cluster, Hit } from './cluster.ts';

/** What is asked for at a time: about so many bytes of documents. */
const PAGE_BYTES = 4 * 1_024 * 1_024;
const SIZE_MAX = 2_000;
const FIRST_SIZE = 200;
/** Numbers that one page looks at, at most: most may be of documents that were changed since. */
const RANGE_MAX = 100_000_000;
/** What is read again: of documents that were written at one moment the later number may be seen first. */
const OVERLAP = 10_000;

export class Shard {
  readonly index: string;
  readonly number: number;
  readonly #cluster: Cluster;
  /** The greatest number when the import began: where it ends. */
  readonly top: number;
  /** Everything up to there was read before; -1: nothing. */
  readonly begin: number;
  #after: number;
  #size = FIRST_SIZE;
  #range = FIRST_SIZE;

  private constructor(cluster: Cluster, index: string, number: number, top: number, begin: number) {
    this.#cluster = cluster;
    this.index = index;
    this.number = number;
    this.top = top;
    this.begin = begin;
    this.#after = Math.max(-1, begin - OVERLAP);
  }

  /**
   * `after`: everything up to that number was read; where there is no such number, the index is another
   * one of that name, and is read from its beginning. Throws ClusterError 400 where there are no numbers.
   */
  static async open(
    cluster: Cluster,
    index: string,
    number: number,
    after: number,
  ): Promise<Shard> {
    const { answer } = await cluster.post(pathOf(index, number), {
      size: 1,
      sort: [{ _seq_no: 'desc' }],
      _source: false,
      track_total_hits: false,
    });
    const top = answer.hits.hits[0]?.sort?.[0] ?? -1;
    return new Shard(cluster, index, number, top, after > top ? -1 : after);
  }

  /** The next documents, at least one; null: that was all. */
  async page(): Promise<Hit[] | null> {
    while (this.#after < this.top) {
      const to = Math.min(this.top, this.#after + this.#range);
      const size = this.#size;
      const { answer, bytes } = await this.#cluster.post(pathOf(this.index, this.number), {
        size,
        query: { range: { _seq_no: { gt: this.#after, lte: to } } },
        sort: [{ _seq_no: 'asc' }],
        track_total_hits: false,
      });
      const { hits } = answer.hits;
      const last = hits.at(-1)?.sort?.[0];
      // A full page may have been cut off before the end of the range.
      const isCut = hits.length === size && last !== undefined;
      this.#after = isCut ? last : to;
      if (hits.length > 0) this.#size = sizeFor(bytes / hits.length);
      const range = isCut ? this.#range / 2 : this.#range * 2;
      this.#range = Math.ceil(Math.min(RANGE_MAX, Math.max(this.#size, range)));
      if (hits.length > 0) return hits;
    }
    return null;
  }
}

function sizeFor(bytesEach: number): number {
  return Math.max(1, Math.min(SIZE_MAX, Math.floor(PAGE_BYTES / bytesEach)));
}

function pathOf(index: string, shard: number): string {
  // What fails in part would be missing without a sign.
  return `${encodeURIComponent(index)}/_search?preference=_shards:${shard}&allow_partial_search_results=false`;
}
