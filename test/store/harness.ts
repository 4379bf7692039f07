/** What the parts of the contract suite share: opening, filling, reading whole lists. */

import type { PageRequest, PageRow } from '../../src/domain/cursor/page.ts';
import type { LogEvent, Position, StoredEvent } from '../../src/domain/event/event.ts';
import type {
  AppendOutcome,
  ShardCursor,
  ShardHead,
  Store,
  Unsettled,
  ViewSettings,
} from '../../src/store/store.ts';

export { contractSettings } from './settings.ts';

export interface OpenedStore {
  store: Store;
  /** Closes the store and opens the same data again, where the test's harness can. */
  reopen?: () => Promise<Store>;
  /** Closes it and removes its data. */
  close: () => Promise<void>;
}
/** Opens an empty store. */
export type OpenStore = (settings: ViewSettings) => Promise<OpenedStore>;

/** Appends in batches and waits until the views hold them; all must be STORED. */
export async function fill(store: Store, events: readonly LogEvent[], batch = 400): Promise<void> {
  const positions: Position[] = [];
  for (let at = 0; at < events.length; at += batch) {
    const outcomes = await store.append(events.slice(at, at + batch));
    positions.push(...outcomes.map(positionOf));
  }
  await store.viewsReach(positions);
}

export function positionOf(outcome: AppendOutcome | Unsettled): Position {
  if (outcome.outcome !== 'STORED') throw new Error(`not stored: ${JSON.stringify(outcome)}`);
  return outcome.position;
}

/** The whole log, shard by shard in order, or what came behind earlier heads. */
export async function wholeLog(
  store: Store,
  behind: readonly ShardCursor[] = [],
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (const head of await store.heads(null)) {
    const from = behind.find(({ shard }) => shard === head.shard)?.seq ?? 0;
    events.push(...(await wholeShard(store, head, 1_000, from)));
  }
  return events;
}

export async function wholeShard(
  store: Store,
  head: ShardHead,
  limit = 1_000,
  from = 0,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  let seq = from;
  while (seq < head.seq) {
    const cursor = { shard: head.shard, history: head.history, seq };
    const slice = await store.readLog(cursor, head.seq, null, limit);
    events.push(...slice.events);
    if (slice.through <= seq) throw new Error(`readLog does not advance beyond ${seq}`);
    seq = slice.through;
  }
  return events;
}

export function aPage(request: Partial<PageRequest> = {}): PageRequest {
  return {
    limit: 50,
    backward: false,
    after: null,
    before: null,
    around: null,
    withTotal: false,
    ...request,
  };
}

/** Every row of a list, read page by page in one direction; rows in the order of the list. */
export async function allRows<T>(
  read: (
    page: PageRequest,
  ) => Promise<{ rows: PageRow<T>[]; hasNextPage: boolean; hasPreviousPage: boolean }>,
  backward: boolean,
  limit: number,
): Promise<PageRow<T>[]> {
  let rows: PageRow<T>[] = [];
  for (;;) {
    const edge = backward ? rows[0] : rows.at(-1);
    const key = edge?.key ?? null;
    const page = await read(
      aPage({ limit, backward, ...(backward ? { before: key } : { after: key }) }),
    );
    rows = backward ? [...page.rows, ...rows] : [...rows, ...page.rows];
    if (!(backward ? page.hasPreviousPage : page.hasNextPage)) return rows;
    if (page.rows.length === 0) throw new Error('a page says that there is more, but is empty');
  }
}
