/**
 * How the lines of a log lie in time: how many there are, and when the one of a given number was
 * written. A list that is read by cursors has no numbers; this gives a scroll bar something to mean.
 */
import { ask } from '../data/ask.ts';
import { type EventFilter, LogSpreadDocument, type LogSpreadQuery } from '../gen/graphql.ts';

type Histogram = LogSpreadQuery['eventHistogram'];

interface Counted {
  /** Lines up to this one, with it. */
  total: number;
  lastId: string | null;
}

export class LogSpread {
  readonly #filter: EventFilter;
  readonly #signal: AbortSignal;
  readonly #onCounted: () => void;
  #asked: Promise<void> | null = null;
  #histogram: Histogram | null = null;
  /** Null: not known. Lines that came since, or were not told yet, are beyond it. */
  counted: Counted | null = null;

  constructor(filter: EventFilter, signal: AbortSignal, onCounted: () => void) {
    this.#filter = filter;
    this.#signal = signal;
    this.#onCounted = onCounted;
  }

  /** Resolves when it is known, or cannot be: then everything is 0. The server reads all lines for it. */
  ask(): Promise<void> {
    this.#asked ??= ask(LogSpreadDocument, { filter: this.#filter }, this.#signal).then(
      ({ events, eventHistogram }) => {
        const { totalCount, totalCountIsExact, edges } = events;
        const total = totalCountIsExact ? (totalCount ?? 0) : eventHistogram.total;
        this.#histogram = eventHistogram;
        this.counted = { total, lastId: edges[0]?.node.id ?? null };
        this.#onCounted();
      },
      () => {
        this.#asked = null;
      },
    );
    return this.#asked;
  }

  get total(): number {
    return this.counted?.total ?? 0;
  }

  linesBefore(at: string | undefined): number {
    if (this.#histogram === null || at === undefined) return 0;
    const { buckets, intervalMs } = this.#histogram;
    const moment = Date.parse(at);
    let before = 0;
    for (const bucket of buckets) {
      const share = (moment - Date.parse(bucket.at)) / intervalMs;
      if (share <= 0) break;
      before += Math.floor(bucket.total * Math.min(1, share));
    }
    return before;
  }

  /** A range that begins about where this line was written; null: not known. */
  momentOf(line: number): { from: string; to: string } | null {
    const { buckets = [], intervalMs = 0 } = this.#histogram ?? {};
    let before = 0;
    for (const bucket of buckets) {
      if (before + bucket.total > line) {
        const begins = Date.parse(bucket.at);
        const ends = begins + intervalMs;
        const from = Math.floor(begins + (intervalMs * (line - before)) / bucket.total);
        return { from: iso(Math.min(from, ends - 1)), to: iso(ends) };
      }
      before += bucket.total;
    }
    return null;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
