/** What was acknowledged is shown from memory for as long as views cannot be stored or searched. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { ElasticsearchConfig } from '../../src/store/elasticsearch/cluster/config.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet, anEvent, aStatus, aTaskEvent } from './events.ts';
import { contractSettings, fill, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

/** A keeper that cannot store is believed for as long as its lease is; here longer than a test. */
const CONFIG = { shards: 1, replicas: 0, readWaitMs: 20_000, leaseMs: 60_000 };
/** For those that wait in vain. */
const IMPATIENT = { readWaitMs: 300 };

describe('What this server acknowledged, while views stand still', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  /** What the tests share, and what one of them opened. */
  const shared: (() => Promise<void> | void)[] = [];
  let opened: (() => Promise<void> | void)[] = shared;
  let gate: Gate;
  let store: ElasticsearchStore;

  async function open(
    url: string,
    prefix: string,
    config: Partial<ElasticsearchConfig> = {},
  ): Promise<ElasticsearchStore> {
    const store = await openElasticsearchStore({
      config: { ...CONFIG, urls: [url], prefix, ...config },
      settings: contractSettings,
    });
    opened.push(() => store.close());
    return store;
  }

  /** A store that keeps the views of its one shard. */
  async function aKeeper(config: Partial<ElasticsearchConfig> = {}) {
    const prefix = elasticsearch?.prefix() ?? '';
    const gate = await openGate(elasticsearch?.url ?? '');
    opened.unshift(() => gate.close());
    const store = await open(gate.url, prefix, config);
    await fill(store, [anEvent({ taskId: 'other' })]);
    return { gate, store, prefix };
  }

  async function told(store: ElasticsearchStore, ...events: LogEvent[]): Promise<void> {
    (await store.append(events)).forEach(positionOf);
  }

  /** No view is stored from now on. */
  function hold(gate: Gate): void {
    gate.hold('-views-');
    opened.push(() => gate.release());
  }

  const runOf = async (store: ElasticsearchStore, taskId: string, host: string) =>
    (await store.runsByKey([{ taskId, host }]))[0];

  beforeAll(async () => {
    ({ gate, store } = await aKeeper());
    opened = [];
  });
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    for (const close of shared.reverse()) await close();
    await elasticsearch.cleanUp();
  });

  it('is shown of whole tasks as searches show it when it is stored, value by value', async () => {
    const fleet = aFleet({ tasks: 6, hosts: 4, seed: 7 });
    // Some of it is stored before, and the rest comes on top.
    const half = fleet.length / 2;
    await fill(store, fleet.slice(0, half));
    hold(gate);
    await told(store, ...fleet.slice(half));
    const { tasks, runs } = foldLog(fleet.map((event, i) => ({ ...event, position: at(i) })));
    const ids = tasks.map(({ id }) => id);
    const ask = async (to: 'BY_TASK' | 'BY_SEARCH') => {
      expect(await store.viewsShow(ids, to)).toBe(0);
      const found = await Promise.all([store.tasksById(ids), store.runsByKey(runs)]);
      const matrices = await store.matrices(ids);
      return {
        views: found.flat().map((view) => ({ ...view, position: null })),
        stats: await store.taskStats(ids),
        matrices: matrices.map((answer) => answer?.matrix),
      };
    };
    const held = await ask('BY_TASK');
    expect(held.views).toEqual([...tasks, ...runs].map((view) => ({ ...view, position: null })));
    gate.release();
    expect(await ask('BY_SEARCH')).toEqual(held);
  });

  it('and of a task that was stored long ago and is in nobody’s memory', async () => {
    const prefix = elasticsearch.prefix();
    const before = await open(elasticsearch.url, prefix);
    await fill(before, aFleet({ tasks: 1, hosts: 5, seed: 3 }));
    await before.close();
    const gate = await openGate(elasticsearch.url);
    opened.unshift(() => gate.close());
    const store = await open(gate.url, prefix);
    await fill(store, [anEvent({ taskId: 'other' })]);
    const taskId = 'deploy-3-0';
    const [was] = await store.taskStats([taskId]);
    hold(gate);
    await told(store, aStatus('FAILED', { taskId, host: 'new-1', step: 'download' }));
    expect(await store.viewsShow([taskId], 'BY_TASK')).toBe(0);
    const [stats] = await store.taskStats([taskId]);
    const { total = 0, failed = 0 } = was?.runCounts ?? {};
    expect(stats?.runCounts).toMatchObject({ total: total + 1, failed: failed + 1 });
  });

  it('is shown though the answer to its append, or to the storing of its views, never came', async () => {
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
    const { gate, store, prefix } = await aKeeper(IMPATIENT);
    const other = await open(elasticsearch.url, prefix);
    hold(gate);
    const theirs = aStatus('FAILED', { taskId, host: 'web-1' });
    await told(other, theirs);
    expect(await store.append([theirs])).toMatchObject([{ outcome: 'DUPLICATE' }]);
    await told(store, aStatus('RUNNING', { taskId, host: 'web-2' }));
    expect(await store.viewsShow([taskId], 'BY_ID')).toBeGreaterThan(0);
    gate.release();
    await expect.poll(() => store.viewsShow([taskId], 'BY_ID'), { timeout: 10_000 }).toBe(0);
    expect(await runOf(store, taskId, 'web-1')).toMatchObject({ status: 'FAILED' });
    expect(await runOf(store, taskId, 'web-2')).toMatchObject({ status: 'RUNNING' });
  });

  it('is waited for where more of it came than may be held in memory, and is not lost', async () => {
    const { gate, store } = await aKeeper({ ...IMPATIENT, pendingBytes: 4_000 });
    hold(gate);
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
    const { gate, store, prefix } = await aKeeper({ ...IMPATIENT, leaseMs: 1_000 });
    hold(gate);
    await told(store, aStatus('FAILED', { taskId: 't', host: 'web-1' }));
    await store.viewsShow(['t'], 'BY_ID');
    const other = await open(elasticsearch.url, prefix, { leaseMs: 1_000 });
    await told(other, aStatus('RUNNING', { taskId: 't', host: 'web-2' }));
    await expect.poll(() => other.viewsShow(['t'], 'BY_ID'), { timeout: 10_000 }).toBe(0);
    expect(await runOf(other, 't', 'web-1')).toMatchObject({ status: 'FAILED' });
    // What the first one has in memory is older now, and is not believed any more.
    expect(await store.tasksById(['t'])).toEqual(await other.tasksById(['t']));
    gate.release();
    await expect.poll(() => store.viewsShow(['t'], 'BY_SEARCH'), { timeout: 10_000 }).toBe(0);
    const [stats] = await store.taskStats(['t']);
    expect(stats?.runCounts).toMatchObject({ total: 2, failed: 1, running: 1 });
  });

  it('is shown while its views are folded anew from the beginning', async () => {
    const taskId = 'anew';
    const rebuilt = store.rebuild(() => undefined);
    for (let i = 1; i <= 5; i++) {
      await told(store, aStatus('RUNNING', { taskId, host: `web-${i}` }));
      const behind = await store.viewsShow([taskId], 'BY_TASK');
      const [stats] = await store.taskStats([taskId]);
      if (behind === 0) expect(stats?.runCounts.total).toBe(i);
    }
    await rebuilt;
    expect(await store.viewsShow([taskId], 'BY_SEARCH')).toBe(0);
    expect((await store.taskStats([taskId]))[0]?.runCounts.total).toBe(5);
  });

  it('includes a plan that takes hosts away, and counts no run twice', async () => {
    const taskId = 'plan';
    hold(gate);
    const begin = (hosts: string[], receivedAt: number) =>
      aTaskEvent({ change: 'began', hosts }, { taskId, at: receivedAt, receivedAt });
    const count = async () => {
      expect(await store.viewsShow([taskId], 'BY_TASK')).toBe(0);
      return (await store.taskStats([taskId]))[0]?.runCounts;
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
