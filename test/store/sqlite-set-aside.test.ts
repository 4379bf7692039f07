/** One run whose state cannot be read or derived stops neither the log nor the views of others. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { rebuildDataDir } from '../../src/store/sqlite/write/rebuild.ts';
import { aStatus, aTaskEvent } from './events.ts';
import { contractSettings, fill } from './harness.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-aside-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const taskId = 'mixed';
const report = (host: string, step: string) =>
  aStatus('SUCCEEDED', { taskId, host, step, eventId: `${host}-${step}` });

function damage(state: string): void {
  const db = new DatabaseSync(join(dataDir, 'shiplog.db'));
  db.prepare("UPDATE runs SET state = ? WHERE host = 'bad'").run(state);
  db.close();
}

describe.each([
  ['is not what a fold leaves', '{"steps":7}'],
  ['cannot be derived', '{"taskId":"mixed","host":"bad","sources":[],"steps":[["x",7]]}'],
  ['is no JSON', '{"steps":['],
])('a run whose stored state %s', (_what, state) => {
  it('is named once and set aside: events of it are taken, and all other views go on', async () => {
    const settings = contractSettings;
    const log = { info: vi.fn(), error: vi.fn() };
    const first = await openSqliteStore({ dataDir, settings });
    await fill(first, [report('bad', 'backup'), report('good', 'backup')]);
    await first.close();
    damage(state);
    const store = await openSqliteStore({ dataDir, settings, log });
    for (const step of ['download', 'unpack']) {
      await fill(store, [report('bad', step), report('good', step)]);
    }
    // The whole task is written anew.
    await fill(store, [aTaskEvent({ change: 'ended', plan: ['unpack'] }, { taskId })]);
    const [good] = await store.runsByKey([{ taskId, host: 'good' }]);
    expect(good).toMatchObject({ status: 'SUCCEEDED' });
    expect(good?.steps).toHaveLength(3);
    expect((await store.tasksById([taskId]))[0]).toMatchObject({ over: true, plan: ['unpack'] });
    expect(await store.runsByKey([{ taskId, host: 'bad' }])).toMatchObject([{ host: 'bad' }]);
    expect(log.error).toHaveBeenCalledTimes(1);
    expect(log.error.mock.calls[0]?.[0]).toMatchObject({ taskId, host: 'bad' });
    await store.close();

    await rebuildDataDir(dataDir, () => undefined);
    const again = await openSqliteStore({ dataDir, settings });
    const [mended] = await again.runsByKey([{ taskId, host: 'bad' }]);
    expect(mended?.steps.map(({ status }) => status)).toEqual(Array(3).fill('SUCCEEDED'));
    await again.close();
  });
});
