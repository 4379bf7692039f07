/**
 * Durations in statistics: percentiles and the greatest are durations that occurred, in whole
 * milliseconds (what is below one is cut off), the mean has twelve digits. The same numbers
 * on every engine.
 */
export function wholeMs(duration: number | null): number | null {
  return duration === null ? null : Math.floor(duration);
}

/** Engines sum in different orders, so further digits are not the same. */
export function meanMs(mean: number | null): number | null {
  return mean === null ? null : Number(mean.toPrecision(12));
}

/** Of these durations, ascending. */
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
