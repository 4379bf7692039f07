/** kill -9 under load, again and again: what was acknowledged is there once, and tails resume. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { follow, storedEvents, writeUntil } from '../support/ledger.ts';
import { startServer } from '../support/server.ts';

const KILLS = 3;
const ACKNOWLEDGED_BETWEEN = 1_500;

it('kill -9 under load loses nothing acknowledged, repeats nothing, and cut tails resume exactly', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-crash-'));
  let server = await startServer({ dataDir });
  const { port } = server;
  const url = () => server.url;
  const acknowledged = new Set<string>();
  let stopped = false;
  const tails = [follow(url, 'crash'), follow(url, 'crash')];
  const writers = Promise.all(
    ['a', 'b', 'c', 'd'].map((host) => writeUntil(url, 'crash', host, acknowledged, () => stopped)),
  );
  const acknowledges = async (count: number) => {
    while (acknowledged.size < count) await new Promise((resolve) => setImmediate(resolve));
  };

  for (let kill = 1; kill <= KILLS; kill++) {
    await acknowledges(kill * ACKNOWLEDGED_BETWEEN);
    await server.kill();
    server = await startServer({ dataDir, port });
  }
  await acknowledges((KILLS + 1) * ACKNOWLEDGED_BETWEEN);
  stopped = true;
  await writers;

  const stored = await storedEvents(server.url, 'crash');
  expect(new Set(stored).size).toBe(stored.length);
  expect([...acknowledged].filter((id) => !stored.includes(id))).toEqual([]);
  for (const tail of tails) {
    // A tail begins when it connects; from there on it has everything, in order.
    const last = stored.length - stored.indexOf(tail.delivered[0] as string);
    await tail.reached(last);
    tail.stop();
    expect(tail.delivered).toEqual(stored.slice(-last));
  }
  await server.stop();
  const database = new DatabaseSync(join(dataDir, 'shiplog.db'));
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
  await rm(dataDir, { recursive: true, force: true });
}, 90_000);
