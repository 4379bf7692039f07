/**
 * Durations in statistics: percentiles and the greatest are durations that occurred, in whole
 * milliseconds (what is below one is cut off), the mean is that of a sum in whole microseconds. The
 * same numbers on every engine.
 */
export function wholeMs(duration: number | null): number | null {
  return duration === null ? null : Math.floor(duration);
}

/**
 * Engines add in different orders, so the last bits of their sums differ: they are rounded away
 * before the sum is divided. A mean may lie exactly between two roundings (eighths and sixteenths
 * often do), the sum of durations in microseconds does not.
 */
export function meanMs(sum: number, count: number): number | null {
  return count === 0 ? null : Number((Math.round(sum * 1_000) / 1_000 / count).toPrecision(12));
}

/** Adds as Elasticsearch does: what each addition loses is kept beside the sum (Neumaier). */
export function sumOf(durations: Iterable<number>): number {
  let sum = 0;
  let lost = 0;
  for (const duration of durations) {
    const next = sum + duration;
    lost += sum >= duration ? sum - next + duration : duration - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** `sorted`: the durations in ascending order. */
export function percentileMs(sorted: ArrayLike<number>, p: number): number | null {
  return wholeMs(percentile(sorted, p));
}

/**
 * The p-th percentile (0 < p ≤ 100) by nearest rank: the smallest value such that at least p per
 * cent of all are not greater. Always one of the values; null of none. `sorted` is ascending.
 */
export function percentile(sorted: ArrayLike<number>, p: number): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? null;
}
