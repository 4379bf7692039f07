/** A reader that is far behind, or whose store is away, is told how far it came at every heartbeat. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

const EVENTS = 300;
const filter = { steps: ['never'] };

describe('a tail that is behind', () => {
  let dataDir: string;
  let real: Store;
  let shiplog: Shiplog;
  let readLog: Store['readLog'];
  /** The real store, but for what the test says of its log. */
  const store = () =>
    new Proxy(real, {
      get(target, name) {
        if (name === 'readLog') return readLog;
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-behind-'));
    real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
    readLog = real.readLog;
    // Nothing is kept in memory, so that all of it is read from the store.
    const memory = { ringEvents: 1, channelEvents: 1, pruneMs: 1_000 };
    shiplog = await startShiplog(store(), { heartbeatMs: 20, memory });
  });
  afterAll(async () => {
    await shiplog.close();
    await real.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function cursorBehind(events: number): Promise<string> {
    const first = shiplog.tail.events({ filter, after: null, last: null });
    const { value } = await first.next();
    await first.return?.();
    for (let i = 0; i < events; i++) {
      await shiplog.ingest.logSteps([{ taskId: 't', host: 'h', step: 's', message: `${i}` }]);
    }
    return value.cursor;
  }

  it('shows its progress through a long stretch in which nothing matches', async () => {
    const after = await cursorBehind(EVENTS);
    // As if each stretch were long: one event is looked at in one read.
    readLog = async (shard, to, wanted, limit) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return real.readLog(shard, Math.min(to, shard.seq + 1), wanted, limit);
    };
    const batches = shiplog.tail.events({ filter, after, last: null });
    const cursors: string[] = [];
    for (let caughtUp = false; !caughtUp; ) {
      const { value } = await batches.next();
      caughtUp = value.caughtUp;
      expect(value.events).toEqual([]);
      cursors.push(value.cursor);
    }
    expect(cursors.length).toBeGreaterThan(3);
    // The last beat may have come to the end already.
    expect(new Set(cursors).size).toBeGreaterThanOrEqual(cursors.length - 1);
    await batches.return?.();
  });

  it('beats on while the store is away, and goes on when it is back', async () => {
    const after = await cursorBehind(5);
    readLog = () =>
      Promise.reject(new ShiplogError('STORE_UNAVAILABLE', 'away', { retryAfterMs: 5 }));
    const behind = shiplog.tail.events({ filter, after, last: null });
    for (let beats = 0; beats < 3; beats++) {
      const { value } = await behind.next();
      expect(value).toMatchObject({ events: [], cursor: after, caughtUp: false, gap: null });
    }
    readLog = real.readLog;
    let caughtUp = false;
    while (!caughtUp) caughtUp = (await behind.next()).value.caughtUp;
    await behind.return?.();
  });
});
