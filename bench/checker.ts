/** The promise of the log, as a check: acknowledged ⊆ stored once, and delivered = stored exactly. */

export interface Ledger {
  /** Event ids that a sender was told are stored. */
  acknowledged: ReadonlySet<string>;
  /** Event ids of the log, in its order. */
  stored: readonly string[];
  /** What each tail delivered since the log's first event here, in the order of its arrival. */
  delivered: readonly (readonly string[])[];
}

/** In words, one for each kind of violation; empty: the promise was kept. */
export function violations({ acknowledged, stored, delivered }: Ledger): string[] {
  const found: string[] = [];
  const once = new Set(stored);
  if (once.size < stored.length) found.push(`${stored.length - once.size} events stored twice`);
  const lost = [...acknowledged].filter((id) => !once.has(id));
  if (lost.length > 0) {
    found.push(`${lost.length} acknowledged events are not stored, for example ${lost[0]}`);
  }
  for (const [index, ids] of delivered.entries()) {
    const tail = `tail ${index + 1}`;
    const different = new Set(ids);
    if (different.size < ids.length) {
      found.push(`${tail}: ${ids.length - different.size} events delivered twice`);
    }
    const missing = stored.filter((id) => !different.has(id));
    if (missing.length > 0) {
      found.push(`${tail}: ${missing.length} events not delivered, for example ${missing[0]}`);
    }
    const unknown = ids.filter((id) => !once.has(id));
    if (unknown.length > 0) {
      found.push(`${tail}: ${unknown.length} events delivered that are not stored`);
    }
    const inOrder = ids.length === stored.length && ids.every((id, at) => id === stored[at]);
    if (different.size === once.size && missing.length === 0 && !inOrder) {
      found.push(`${tail}: another order than the log's`);
    }
  }
  return found;
}
