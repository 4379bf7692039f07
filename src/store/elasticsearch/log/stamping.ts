/**
 * Stamping events with what was said of their tasks until then, before they are sent. What the log
 * refuses stamps nothing: so of those that say something, what it has already is decided here.
 */
import type { LogEvent } from '../../../domain/event/event.ts';
import { saysMore } from '../indices/said.ts';
import type { Registry } from '../indices/task-registry.ts';
import { asStored, type CopyParts, firstCopies, outcomeOf, type Sought } from './first-copies.ts';
import type { Outcome } from './outcomes.ts';

interface Item extends Sought {
  at: number;
  /** Its task was registered for it: there is no copy of it. */
  isFirst: boolean;
}

export interface Stamped<I> {
  ready: I[];
  /** Stamped once the others are decided, for each has the id of one before it. */
  later: I[];
  decided: { at: number; outcome: Outcome }[];
}

export async function stamp<I extends Item>(
  parts: CopyParts & { registry: Registry },
  items: readonly I[],
): Promise<Stamped<I>> {
  const { now, later } = withoutRepeated(items);
  const saying = now.filter(({ isFirst, entry, event }) => !isFirst && saysMore(entry.said, event));
  const copies = await firstCopies(parts, saying);
  const found = new Map<I, { outcome: Outcome; event: LogEvent | null }>();
  for (const [i, item] of saying.entries()) {
    const copy = copies[i];
    if (copy === null) continue;
    const outcome = outcomeOf(item.event, item.entry, copy);
    // Another server may have stored it: what it says holds from when it came first.
    const isSame = copy !== undefined && outcome.outcome === 'DUPLICATE';
    found.set(item, { outcome, event: isSame ? asStored(item.event, copy) : null });
  }
  const heard = now.flatMap((item) => {
    const event = found.has(item) ? found.get(item)?.event : item.event;
    return event == null ? [] : { item, entry: item.entry, event };
  });
  const stamped = await parts.registry.stamp(heard);
  const ready = heard.flatMap(({ item }, i) =>
    found.has(item) ? [] : { ...item, event: stamped[i] as LogEvent },
  );
  const decided = [...found].map(([{ at }, { outcome }]) => ({ at, outcome }));
  return { ready, later, decided };
}

function withoutRepeated<I extends Item>(items: readonly I[]): { now: I[]; later: I[] } {
  const ids = new Set<string>();
  const now: I[] = [];
  const later: I[] = [];
  for (const item of items) {
    const { id, task } = item.event;
    if (ids.has(id) && task !== null) later.push({ ...item, isFirst: false });
    else now.push(item);
    ids.add(id);
  }
  return { now, later };
}
