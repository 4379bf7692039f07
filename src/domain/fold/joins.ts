/**
 * The small order-free pieces that folds are built of. Each is a join: commutative, associative,
 * idempotent, so events may come in any order, more than once, and in any grouping.
 *
 * Lists of pairs instead of objects keep user-chosen keys (`__proto__`) harmless, and a bounded
 * list keeps its k smallest keys: that too is a join.
 */

/** The value of the latest event by (time, id): an id that is unique among all that are joined. */
export interface Register<T> {
  value: T;
  t: number;
  by: string;
}

export function isLater(t: number, by: string, than: { t: number; by: string } | null): boolean {
  return than === null || t > than.t || (t === than.t && by > than.by);
}

export function latest<T>(
  current: Register<T> | null,
  value: T | null,
  t: number,
  by: string,
): Register<T> | null {
  return value !== null && isLater(t, by, current) ? { value, t, by } : current;
}

export function least(current: number | null, value: number): number {
  return current === null || value < current ? value : current;
}

export function greatest(current: number | null, value: number): number {
  return current === null || value > current ? value : current;
}

export type Entry<V> = [key: string, value: V];

export function lookUp<V>(entries: readonly Entry<V>[], key: string): V | null {
  for (const entry of entries) if (entry[0] === key) return entry[1];
  return null;
}

/** The entries with one replaced or added, by key, at most `cap`; the same array if unchanged. */
export function withEntry<V>(
  entries: readonly Entry<V>[],
  key: string,
  value: V,
  cap: number,
): Entry<V>[] {
  let at = 0;
  while (at < entries.length && (entries[at] as Entry<V>)[0] < key) at++;
  const present = entries[at]?.[0] === key;
  if (present && Object.is(entries[at]?.[1], value)) return entries as Entry<V>[];
  if (!present && at >= cap) return entries as Entry<V>[];
  const next = entries.slice() as Entry<V>[];
  next.splice(at, present ? 1 : 0, [key, value]);
  if (next.length > cap) next.length = cap;
  return next;
}
