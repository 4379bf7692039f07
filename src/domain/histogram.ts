/**
 * How a histogram cuts its range: the least interval that people count in (1, 2, 5, 10, 15, 30
 * seconds, minutes, …) of which at most `buckets` cover the range. Buckets begin at multiples of
 * the interval since 1970, so the same moment is in the same bucket whatever was asked; never
 * below one second, so that engines can count ahead by the second.
 */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const INTERVALS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY),
];

export interface HistogramGrid {
  intervalMs: number;
  /** When the first bucket begins: at or before the range. */
  start: number;
  count: number;
}

/** The grid over [from, to), of at least one bucket. */
export function histogramGrid(from: number, to: number, buckets: number): HistogramGrid {
  for (let at = 0; ; at++) {
    // Beyond the last one: doubled as often as it takes.
    const last = INTERVALS.at(-1) as number;
    const intervalMs = INTERVALS[at] ?? last * 2 ** (at - INTERVALS.length + 1);
    const start = Math.floor(from / intervalMs) * intervalMs;
    const count = Math.max(1, Math.ceil((to - start) / intervalMs));
    if (count <= Math.max(1, buckets)) return { intervalMs, start, count };
    // Two moments next to each other may lie in two buckets, however long the interval is.
    if (count <= 2 && intervalMs > to - from) return { intervalMs, start, count };
  }
}
