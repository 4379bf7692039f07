/** What was acknowledged is shown from memory for as long as views cannot be stored or searched. */
import { describe, expect, it } from 'vitest';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet, anEvent, aStatus, aTaskEvent } from './events.ts';
import { fill, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';
import {
  causes,
  IMPATIENT,
  listOf,
  runOf,
  runPages,
  StandingViews,
  stepPages,
  told,
} from './standing-views.ts';

describe('What this server acknowledged, while views stand still', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const standing = new StandingViews(elasticsearch);

  it('is shown of whole tasks as searches show it when it is stored, value by value', async () => {
    const { gate, store } = standing;
    const fleet = aFleet({ tasks: 6, hosts: 4, seed: 7 });
    // Some of it is stored before, and the rest comes on top.
    const half = fleet.length / 2;
    await fill(store, fleet.slice(0, half));
    standing.hold(gate);
    await told(store, ...fleet.slice(half));
    const { tasks, runs } = foldLog(fleet.map((event, i) => ({ ...event, position: at(i) })));
    const ids = tasks.map(({ id }) => id);
    const ask = async (to: 'BY_TASK' | 'BY_SEARCH') => {
      expect(await store.viewsShow(ids, to)).toBe(0);
      const found = await Promise.all([store.tasksById(ids), store.runsByKey(runs)]);
      const matrices = await store.matrices(ids);
      return {
        runs: await runPages(store, ids.slice(0, 3)),
        steps: await stepPages(store, ids.slice(-3)),
        causes: await causes(store, ids),
        views: found.flat().map((view) => ({ ...view, position: null })),
        stats: await store.taskStats(ids),
        matrices: matrices.map((answer) => answer?.matrix),
      };
    };
    const held = await ask('BY_TASK');
    expect(held.views).toEqual([...tasks, ...runs].map((view) => ({ ...view, position: null })));
    gate.release();
    expect(await ask('BY_SEARCH')).toEqual(held);
  }, 90_000);

  it('and of a task that was stored long ago and is in nobody’s memory', async () => {
    const prefix = elasticsearch.prefix();
    const before = await standing.open(elasticsearch.url, prefix);
    await fill(before, aFleet({ tasks: 1, hosts: 5, seed: 3 }));
    await before.close();
    const gate = await standing.openGate();
    const store = await standing.open(gate.url, prefix);
    await fill(store, [anEvent({ taskId: 'other' })]);
    const taskId = 'deploy-3-0';
    const [was] = await store.taskStats([taskId]);
    standing.hold(gate);
    await told(store, aStatus('FAILED', { taskId, host: 'new-1', step: 'download' }));
    expect(await store.viewsShow([taskId], 'BY_TASK')).toBe(0);
    const [stats] = await store.taskStats([taskId]);
    const { total = 0, failed = 0 } = was?.runCounts ?? {};
    expect(stats?.runCounts).toMatchObject({ total: total + 1, failed: failed + 1 });
  });

  it('is shown though the answer to its append, or to the storing of its views, never came', async () => {
    const { gate, store } = standing;
    const taskId = 'answers';
    gate.lose('-events-', 'cut');
    await told(store, aStatus('RUNNING', { taskId, host: 'web-1' }));
    expect(gate.lost()).toBe(1);
    expect(await store.viewsShow([taskId], 'BY_ID')).toBe(0);
    expect(await runOf(store, taskId, 'web-1')).toMatchObject({ status: 'RUNNING' });
    await store.viewsReach((await wholeLog(store)).map(({ position }) => position));
    gate.lose('-views-', 'cut');
    await told(store, aStatus('FAILED', { taskId, host: 'web-1' }));
    for (const way of ['BY_ID', 'BY_TASK', 'BY_SEARCH'] as const) {
      expect(await store.viewsShow([taskId], way)).toBe(0);
      expect(await runOf(store, taskId, 'web-1')).toMatchObject({ status: 'FAILED' });
      const [stats] = await store.taskStats([taskId]);
      expect(stats?.runCounts).toMatchObject(way === 'BY_ID' ? {} : { total: 1, failed: 1 });
    }
    expect(gate.lost()).toBe(2);
  });

  it('is never claimed to be shown where another server stored it and this one was only told so', async () => {
    const taskId = 'theirs';
    const { gate, store, prefix } = await standing.aKeeper(IMPATIENT);
    const other = await standing.open(elasticsearch.url, prefix);
    standing.hold(gate);
    const theirs = aStatus('FAILED', { taskId, host: 'web-1' });
    await told(other, theirs);
    expect(await store.append([theirs])).toMatchObject([{ outcome: 'DUPLICATE' }]);
    await told(store, aStatus('RUNNING', { taskId, host: 'web-2' }));
    expect(await store.viewsShow([taskId], 'BY_ID')).toBeGreaterThan(0);
    expect(await store.viewsShow([taskId], 'BY_TASK')).toBeGreaterThan(0);
    gate.release();
    await expect.poll(() => store.viewsShow([taskId], 'BY_TASK'), { timeout: 10_000 }).toBe(0);
    expect(await runOf(store, taskId, 'web-1')).toMatchObject({ status: 'FAILED' });
    expect(await runOf(store, taskId, 'web-2')).toMatchObject({ status: 'RUNNING' });
    expect(await store.runs([listOf({ taskId, statuses: ['FAILED'] })])).toMatchObject([
      { rows: [{ node: { host: 'web-1' } }], total: 1 },
    ]);
  });

  it('is waited for where more of it came than may be held in memory, and is not lost', async () => {
    const { gate, store } = await standing.aKeeper({ ...IMPATIENT, pendingBytes: 4_000 });
    standing.hold(gate);
    const message = 'x'.repeat(1_000);
    const lines = Array.from({ length: 8 }, () => anEvent({ taskId: 'other', message }));
    await told(store, ...lines);
    await told(store, aStatus('FAILED', { taskId: 't', host: 'web-1' }));
    expect(await store.viewsShow(['t'], 'BY_ID')).toBeGreaterThan(0);
    gate.release();
    await expect.poll(() => store.viewsShow(['t'], 'BY_ID'), { timeout: 10_000 }).toBe(0);
    expect(await runOf(store, 't', 'web-1')).toMatchObject({ status: 'FAILED' });
  });

  it('is shown by whoever keeps the shard next, when another takes it over in the middle', async () => {
    const { gate, store, prefix } = await standing.aKeeper({ ...IMPATIENT, leaseMs: 1_000 });
    standing.hold(gate);
    await told(store, aStatus('FAILED', { taskId: 't', host: 'web-1' }));
    await store.viewsShow(['t'], 'BY_ID');
    // It cannot say that it is alive.
    gate.before(async (path) => (path.includes('shard%3A') ? 'cut' : 'pass'));
    const other = await standing.open(elasticsearch.url, prefix, { leaseMs: 1_000 });
    await told(other, aStatus('RUNNING', { taskId: 't', host: 'web-2' }));
    await expect.poll(() => other.viewsShow(['t'], 'BY_ID'), { timeout: 10_000 }).toBe(0);
    expect(await runOf(other, 't', 'web-1')).toMatchObject({ status: 'FAILED' });
    // What the first one has in memory is older now, and is not believed any more.
    expect(await store.tasksById(['t'])).toEqual(await other.tasksById(['t']));
    gate.before(async () => 'pass');
    gate.release();
    await expect.poll(() => store.viewsShow(['t'], 'BY_TASK'), { timeout: 10_000 }).toBe(0);
    const [runs] = await store.runs([listOf({ taskId: 't' })]);
    expect(runs?.rows.map(({ node }) => node.status)).toEqual(['FAILED', 'RUNNING']);
    const [stats] = await store.taskStats(['t']);
    expect(stats?.runCounts).toMatchObject({ total: 2, failed: 1, running: 1 });
  });

  it('is shown while its views are folded anew from the beginning', async () => {
    const { store } = standing;
    const taskId = 'anew';
    const rebuilt = store.rebuild(() => undefined);
    for (let i = 1; i <= 5; i++) {
      await told(store, aStatus('RUNNING', { taskId, host: `web-${i}` }));
      const behind = await store.viewsShow([taskId], 'BY_TASK');
      const [stats] = await store.taskStats([taskId]);
      const [runs] = await store.runs([listOf({ taskId })]);
      if (behind === 0) expect([stats?.runCounts.total, runs?.total]).toEqual([i, i]);
    }
    await rebuilt;
    expect(await store.viewsShow([taskId], 'BY_SEARCH')).toBe(0);
    expect((await store.taskStats([taskId]))[0]?.runCounts.total).toBe(5);
  });

  it('includes a plan that takes hosts away, and counts no run twice', async () => {
    const { gate, store } = standing;
    const taskId = 'plan';
    standing.hold(gate);
    const begin = (hosts: string[], receivedAt: number) =>
      aTaskEvent({ change: 'began', hosts }, { taskId, at: receivedAt, receivedAt });
    const count = async () => {
      expect(await store.viewsShow([taskId], 'BY_TASK')).toBe(0);
      const [stats] = await store.taskStats([taskId]);
      const [runs] = await store.runs([listOf({ taskId })]);
      expect(runs?.total).toBe(stats?.runCounts.total);
      return stats?.runCounts;
    };
    await told(store, begin(['a', 'b', 'c'], 1_760_000_000_000));
    expect(await count()).toMatchObject({ total: 3, pending: 3 });
    await told(store, aStatus('RUNNING', { taskId, host: 'a' }));
    await told(store, begin(['b'], 1_760_000_001_000));
    expect(await count()).toMatchObject({ total: 2, pending: 1, running: 1 });
    expect(await runOf(store, taskId, 'c')).toBeNull();
    gate.release();
    expect(await store.viewsShow([taskId], 'BY_SEARCH')).toBe(0);
    expect(await count()).toMatchObject({ total: 2, pending: 1, running: 1 });
    expect(await runOf(store, taskId, 'c')).toBeNull();
  });
});

const at = (i: number) => ({ shard: '', seq: i });
