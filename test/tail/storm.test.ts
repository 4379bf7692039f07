/** After a restart all readers come back in the same moment, each with a cursor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { MAX_QUEUE } from '../../src/store/sqlite/threads/reader-pool.ts';
import type { Store } from '../../src/store/store.ts';
import { anEvent } from '../store/events.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

const READERS = MAX_QUEUE * 3;
const EVENTS = 20;

let dataDir: string;
let real: Store;
/** How often the store was asked, and how often at a time at most. */
const asked = new Map<string, { calls: number; open: number; most: number }>();
/** The real one, counted. */
let store: Store;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-storm-'));
  real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
  store = new Proxy(real, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => counted(String(name), () => value.apply(target, args));
    },
  });
});
afterAll(async () => {
  await real.close();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => asked.clear());

function counted(name: string, call: () => unknown): unknown {
  const count = asked.get(name) ?? { calls: 0, open: 0, most: 0 };
  asked.set(name, count);
  count.calls++;
  count.most = Math.max(count.most, ++count.open);
  const result = call();
  if (result instanceof Promise) return result.finally(() => count.open--);
  count.open--;
  return result;
}

const callsOf = (name: string) => asked.get(name)?.calls ?? 0;
const mostOf = (name: string) => asked.get(name)?.most ?? 0;

/** A log that was written before the server began, and cursors from before it. */
async function written(taskIds: readonly string[]): Promise<string[]> {
  const at = await real.heads(null);
  const messages = Array.from({ length: EVENTS }, (_, i) => `line ${i}`);
  await real.append(
    taskIds.flatMap((taskId) => messages.map((message) => anEvent({ taskId, message }))),
  );
  const before = await startShiplog(real);
  const cursors = taskIds.map((taskId) => before.tail.tailCursor({ taskId }, at));
  await before.close();
  return cursors;
}

async function read(shiplog: Shiplog, taskId: string, after: string): Promise<(string | null)[]> {
  const batches = shiplog.tail.events({ filter: { taskId }, after, last: null });
  const got: (string | null)[] = [];
  while (got.length < EVENTS) {
    const { value, done } = await batches.next();
    if (done === true) break;
    got.push(...value.events.map(({ message }: { message: string | null }) => message));
  }
  await batches.return?.();
  return got;
}

const LINES = Array.from({ length: EVENTS }, (_, i) => `line ${i}`);

it('more readers than the store lets wait come back to one task at once, each goes on exactly, and what is behind them is read a few times for all', async () => {
  const [cursor = expect.fail()] = await written(['storm']);
  const shiplog = await startShiplog(store);
  const all = await Promise.all(
    Array.from({ length: READERS }, () => read(shiplog, 'storm', cursor)),
  );
  for (const got of all) expect(got).toEqual(LINES);
  expect(shiplog.tail.metrics()).toMatchObject({ tail_subscriptions: 0, tail_channels: 0 });
  for (const name of ['heads', 'checkCursors', 'readLog']) {
    expect([name, callsOf(name) < 20]).toEqual([name, true]);
  }
  await shiplog.close();
});

it('readers of many tasks take turns at the store, and each goes on exactly', async () => {
  const taskIds = Array.from({ length: 200 }, (_, i) => `storm-${i}`);
  const cursors = await written(taskIds);
  const shiplog = await startShiplog(store);
  const all = await Promise.all(
    taskIds.map((taskId, i) => read(shiplog, taskId, cursors[i] ?? expect.fail())),
  );
  for (const got of all) expect(got).toEqual(LINES);
  // The poll of the log asks for its heads beside them.
  for (const name of ['checkCursors', 'readLog', 'tasksById']) {
    expect([name, mostOf(name) <= 32]).toEqual([name, true]);
  }
  await shiplog.close();
});
