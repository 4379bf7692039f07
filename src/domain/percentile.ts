/**
 * The p-th percentile (0 < p ≤ 100) by nearest rank: the smallest value such that at least p per
 * cent of all are not greater. Always one of the values; null of none. `sorted` is ascending.
 */
export function percentile(sorted: ArrayLike<number>, p: number): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? null;
}
