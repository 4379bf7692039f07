/** After a restart all readers come back in the same moment, each with a cursor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { MAX_QUEUE } from '../../src/store/sqlite/threads/reader-pool.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { startShiplog } from '../support/shiplog.ts';

const READERS = MAX_QUEUE * 3;
const EVENTS = 20;

it('more readers than the store lets wait come back at once, and each goes on exactly', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-storm-'));
  const store = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
  const shiplog = await startShiplog(store);
  const filter = { taskId: 'storm' };
  const cursor = shiplog.tail.tailCursor(filter, await store.heads(null));
  const names = Array.from({ length: EVENTS }, (_, at) => `line ${at}`);
  await shiplog.ingest.logSteps(
    names.map((message) => ({ taskId: 'storm', host: 'web-1', step: 'download', message })),
  );
  const read = async (): Promise<(string | null)[]> => {
    const batches = shiplog.tail.events({ filter, after: cursor, last: null });
    const got: (string | null)[] = [];
    while (got.length < EVENTS) {
      const { value, done } = await batches.next();
      if (done === true) break;
      got.push(...value.events.map(({ message }: { message: string | null }) => message));
    }
    await batches.return?.();
    return got;
  };
  const all = await Promise.all(Array.from({ length: READERS }, read));
  for (const got of all) expect(got).toEqual(names);
  expect(shiplog.tail.metrics()).toMatchObject({ tail_subscriptions: 0, tail_channels: 0 });
  await shiplog.close();
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});
