/**
 * Load for a cluster under fault: writers that never give up on an event, and a tail on another
 * server. What was acknowledged must be what was stored, and what the tail delivered, once and in
 * order.
 */
import { ShiplogError } from '../../src/domain/errors.ts';
import type { LogEvent, StoredEvent } from '../../src/domain/event/event.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { ShardCursor, Store, ViewSettings } from '../../src/store/store.ts';
import { anEvent, aStatus } from './events.ts';

const SETTINGS: ViewSettings = {
  staleAfterMs: 300_000,
  retentionDays: 30,
  maxEventsPerTask: 1_000_000,
  queryTimeoutMs: 5_000,
  now: Date.now,
};

/** A Shiplog server's store; it gives up on hung nodes soon. */
export function openStore(urls: string[], prefix: string): Promise<ElasticsearchStore> {
  return openElasticsearchStore({
    config: {
      ...{ urls, prefix, shards: 2, replicas: 1 },
      ...{ requestTimeoutMs: 4_000, appendTimeoutMs: 10_000, leaseMs: 3_000 },
    },
    settings: SETTINGS,
  });
}

export interface Load {
  /** Ids in the order of their acknowledgements. */
  acknowledged: Set<string>;
  /** Stops and resolves when everything that was begun is acknowledged. */
  stop(): Promise<void>;
}

/** Writers of these names, each batch after batch into tasks of its own. */
export function startLoad(store: Store, writers: readonly string[]): Load {
  const acknowledged = new Set<string>();
  let stopped = false;
  const loops = writers.map(async (writer) => {
    for (let batch = 0; !stopped; batch++) {
      const events = batchOf(writer, batch);
      await untilTaken(store, events);
      for (const event of events) acknowledged.add(event.id);
      // Steady, not flat out: the nodes that come back share this machine.
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
  });
  return {
    acknowledged,
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

const PACE_MS = 50;
const STEPS = ['backup', 'download', 'unpack'];

function batchOf(writer: string, batch: number): LogEvent[] {
  const taskId = `task-${writer}-${batch % 3}`;
  return Array.from({ length: 20 }, (_, i) => {
    const eventId = `${writer}-${batch}-${i}`;
    const place = { taskId, eventId, host: `web-${i % 5}`, step: STEPS[batch % 3] as string };
    const now = Date.now();
    const fields = { ...place, at: now, receivedAt: now };
    if (i < 5) return aStatus('RUNNING', fields);
    return i < 15 ? anEvent({ ...fields, message: `line ${i}` }) : aStatus('SUCCEEDED', fields);
  });
}

/** No cluster of a test is away for so long. */
const TAKEN_WITHIN_MS = 120_000;

/** As a sender does: the same ids again until they are stored. */
export async function untilTaken(store: Store, events: readonly LogEvent[]): Promise<void> {
  const deadline = performance.now() + TAKEN_WITHIN_MS;
  for (;;) {
    try {
      const outcomes = await store.append(events);
      const bad = outcomes.find(({ outcome }) => outcome === 'REJECTED');
      if (bad !== undefined) throw new Error(`rejected: ${JSON.stringify(bad)}`);
      const open = outcomes.find(({ outcome }) => outcome === 'UNSETTLED');
      if (open?.outcome === 'UNSETTLED') throw open.error;
      return;
    } catch (error) {
      if (!(error instanceof ShiplogError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export interface Tail {
  delivered: StoredEvent[];
  /** Resolves when the tail has reached the heads that the store tells now. */
  stop(): Promise<void>;
}

/** Follows all shards from their beginning, as the follower of a server does. */
export function startTail(store: Store): Tail {
  const delivered: StoredEvent[] = [];
  const cursors = new Map<string, ShardCursor>();
  let stopped = false;

  async function round(): Promise<boolean> {
    let behind = false;
    for (const head of await store.heads(null)) {
      const cursor = cursors.get(head.shard) ?? { ...head, seq: 0 };
      if (cursor.seq >= head.seq) continue;
      const slice = await store.readLog(cursor, head.seq, null, 1_000);
      delivered.push(...slice.events);
      cursors.set(head.shard, { ...cursor, seq: slice.through });
      if (slice.through < head.seq) behind = true;
    }
    return behind;
  }

  async function run(): Promise<void> {
    for (;;) {
      const last = stopped;
      const behind = await round().catch((error: unknown) => {
        if (!(error instanceof ShiplogError)) throw error;
        return true;
      });
      if (last && !behind) return;
      if (!behind) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const running = run();
  return {
    delivered,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
