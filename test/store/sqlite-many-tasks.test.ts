/** More tasks and runs at a time than the writer keeps in memory: views are whole all the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { aStatus, aTaskEvent } from './events.ts';
import { contractSettings, fill, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

/** Above the tasks, below the runs that the writer remembers. */
const TASKS = 2_300;

describe('More tasks under way than the writer remembers', () => {
  let dataDir: string;
  let store: Store;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-many-'));
    store = await openSqliteStore({ dataDir, settings: contractSettings });
  });
  afterAll(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('each show their latest status, run, step and totals', async () => {
    const ids = Array.from({ length: TASKS }, (_, at) => `t-${at}`);
    await fill(
      store,
      ids.map((taskId) =>
        aTaskEvent({ change: 'began', plan: ['backup'], hosts: ['web-1'] }, { taskId }),
      ),
      1_000,
    );
    for (const status of ['RUNNING', 'SUCCEEDED'] as const) {
      await fill(
        store,
        ids.map((taskId) => aStatus(status, { taskId })),
        1_000,
      );
    }
    const { tasks, runs } = foldLog(await wholeLog(store));
    expect(await store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
    expect(await store.runsByKey(runs)).toEqual(runs);
    const stats = await store.taskStats(ids);
    expect(stats.filter(({ runCounts }) => runCounts.succeeded !== 1)).toEqual([]);
  });
});
