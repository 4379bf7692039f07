/** A run, task or host whose state cannot be understood stops neither the log nor the views of others. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PageRequest } from '../../src/domain/cursor/page.ts';
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
  expect(db.prepare("UPDATE runs SET state = ? WHERE host = 'bad'").run(state).changes).toBe(1);
  db.close();
}

const PAGE: PageRequest = {
  ...{ limit: 99, backward: false, after: null, before: null, around: null, withTotal: false },
};

describe.each([
  ['is not what a fold leaves', '{"steps":7}'],
  ['cannot be derived', '{"taskId":"mixed","host":"bad","sources":[],"steps":[["x",7]]}'],
  ['is no JSON', '{"steps":['],
])('a run whose stored state %s', (_what, state) => {
  it('is named and set aside: events of it are taken, and all other views go on', async () => {
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
    // Each thread that meets it, once.
    expect(log.error).toHaveBeenCalled();
    for (const [fields] of log.error.mock.calls)
      expect(fields).toMatchObject({ taskId, host: 'bad' });
    // Whoever follows it folds it from the log, or leaves the run aside.
    if (!state.includes('sources')) expect(await store.board(taskId)).toBeNull();
    await store.close();

    await rebuildDataDir(dataDir, () => undefined);
    const again = await openSqliteStore({ dataDir, settings });
    const [mended] = await again.runsByKey([{ taskId, host: 'bad' }]);
    expect(mended?.steps.map(({ status }) => status)).toEqual(Array(3).fill('SUCCEEDED'));
    await again.close();
  });
});

/** Where, of whom, and what stands there. */
const DAMAGES = [
  ...['{', '{}', 'null'].flatMap((text, i) => [
    ['UPDATE hosts SET state = ? WHERE name = ?', `bad-${i}`, text],
    ['UPDATE tasks SET state = ? WHERE id = ?', `state-${i}`, text],
    ['UPDATE tasks SET view = ? WHERE id = ?', `view-${i}`, text],
  ]),
  ['UPDATE tasks SET totals = ? WHERE id = ?', 'totals', '{'],
] as [sql: string, of: string, text: string][];

/** Of the standard plan, with the second step left out. */
const DONE = ['SUCCEEDED', 'PENDING', 'SUCCEEDED'];

describe('hosts and tasks that cannot be understood', () => {
  it('are named and set aside: they cost no event, and nothing of what is beside them', async () => {
    const settings = contractSettings;
    const log = { info: vi.fn(), error: vi.fn() };
    const names = DAMAGES.map(([, name]) => name);
    const reports = (step: string) =>
      [...names, 'good'].map((name) =>
        aStatus('SUCCEEDED', { taskId: name, host: name, step, eventId: step }),
      );
    const first = await openSqliteStore({ dataDir, settings });
    await fill(first, reports('backup'));
    await first.close();
    const db = new DatabaseSync(join(dataDir, 'shiplog.db'));
    for (const [sql, of, text] of DAMAGES) db.prepare(sql).run(text, of);
    db.close();

    const store = await openSqliteStore({ dataDir, settings, log });
    const look = async () => {
      expect(await store.tasksById(names)).toMatchObject(names.map((id) => ({ id })));
      const hosts = await store.hosts({ filter: {}, page: PAGE });
      expect(hosts.rows.map(({ node }) => node.name)).toContain('good');
      const tasks = await store.tasks({ filter: {}, order: 'CREATED_DESC', page: PAGE });
      expect(tasks.rows.map(({ node }) => node.id)).toContain('good');
      const [runs] = await store.runs([{ filter: {}, order: 'HOST_ASC', page: PAGE }]);
      expect(runs?.rows).toHaveLength(names.length + 1);
      await store.steps([{ filter: {}, order: 'DURATION_DESC', page: PAGE }]);
      const matrices = await store.matrices(names);
      expect(matrices.every((matrix) => matrix !== null)).toBe(true);
      await store.taskStats(names);
      const changed = await store.tasksChangedSince([], 99);
      expect(changed.tasks.map(({ id }) => id)).toContain('good');
    };
    await look();
    // One batch, as of many senders; and then from what was written of it.
    await fill(store, reports('unpack'));
    const [good] = await store.runsByKey([{ taskId: 'good', host: 'good' }]);
    expect(good?.steps.slice(0, 3).map(({ status }) => status)).toEqual(DONE);
    await look();
    // A host begins anew.
    expect(await store.hostsByName(['bad-0'])).toMatchObject([{ name: 'bad-0' }]);
    // Whoever follows them folds them from the log.
    for (const id of ['state-0', 'state-1', 'totals']) expect(await store.board(id)).toBeNull();
    const told = new Set(log.error.mock.calls.map(([{ taskId, host }]) => taskId ?? host));
    expect([...told].sort()).toEqual([...names].sort());
    await store.close();

    await rebuildDataDir(dataDir, () => undefined);
    const again = await openSqliteStore({ dataDir, settings });
    expect(await again.hostsByName(names)).toMatchObject(names.map((name) => ({ name })));
    const runs = await again.runsByKey(names.map((name) => ({ taskId: name, host: name })));
    for (const run of runs) {
      expect(run?.steps.slice(0, 3).map(({ status }) => status)).toEqual(DONE);
    }
    expect(log.error.mock.calls.length).toBeLessThanOrEqual(3 * names.length);
    await again.close();
  });
});
