/** What is told over several shards, each of which knows only a part. */
import { afterAll, describe, expect, it } from 'vitest';
import { withDefaults } from '../../src/store/elasticsearch/cluster/config.ts';
import { indexBody } from '../../src/store/elasticsearch/indices/mappings.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import { aPage, contractSettings, fill, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

const TASKS = 8;
const FAILURES_PER_TASK = 90;
const WORDS = ['disk', 'port', 'lock', 'user', 'path', 'time', 'host'];
const CAUSES = WORDS.flatMap((a) => WORDS.map((b) => `${a} ${b} broken`));

describe('With three shards a day', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());

  it('the most frequent causes of failure are counted exactly, also those that are rare in every shard', async () => {
    const config = { urls: [elasticsearch.url], shards: 3, replicas: 0 };
    const store = await openElasticsearchStore({
      config: { ...config, prefix: elasticsearch.prefix() },
      settings: contractSettings,
    });
    const counts = new Map<string, number>();
    const events = Array.from({ length: TASKS * FAILURES_PER_TASK }, (_, i) => {
      const task = i % TASKS;
      // Each task has causes of its own that are frequent, and all share the others.
      const turn = (i * 7919) % 97;
      const cause = CAUSES[turn < 60 ? turn % CAUSES.length : (task * 5 + (turn % 5)) % 40] ?? '';
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
      const fields = { taskId: `task-${task}`, host: `web-${i}`, step: 'download' };
      return aStatus('FAILED', { ...fields, error: { code: null, message: cause } });
    });
    try {
      await fill(store, events);
      const largest = [...counts.values()].sort((a, b) => b - a);
      for (const first of [1, 3, 10, CAUSES.length]) {
        const [groups] = await store.failureGroups([{ filter: {}, first }]);
        expect(groups?.map(({ count }) => count)).toEqual(largest.slice(0, first));
        for (const { message, count, hostCount } of groups ?? []) {
          expect([count, hostCount]).toEqual([counts.get(message), counts.get(message)]);
        }
      }
    } finally {
      await store.close();
    }
  });

  it('what is held of runs for events to come has one bound over all shards, and what was let go of is folded on', async () => {
    const stateBytes = 40_000;
    const config = { urls: [elasticsearch.url], shards: 3, replicas: 0, stateBytes };
    const store = await openElasticsearchStore({
      config: { ...config, prefix: elasticsearch.prefix() },
      settings: contractSettings,
    });
    try {
      const held = () => store.metrics().view_state_bytes as number;
      for (const step of ['download', 'unpack']) {
        const events = Array.from({ length: TASKS * 12 }, (_, i) => {
          const fields = { taskId: `held-${i % 32}`, host: `web-${i}`, step };
          return aStatus('SUCCEEDED', fields);
        });
        await fill(store, events);
        await expect.poll(held).toBeLessThanOrEqual(stateBytes);
      }
      // Not that nothing is held: one shard has as much as that.
      expect(held()).toBeGreaterThan(0);
      const { tasks, runs } = foldLog(await wholeLog(store));
      expect(await store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
      expect(await store.runsByKey(runs)).toEqual(runs);
    } finally {
      await store.close();
    }
  });

  it('the largest group of steps is found among fifty thousand, wherever its name stands', {
    timeout: 60_000,
  }, async () => {
    const prefix = elasticsearch.prefix();
    const store = await openElasticsearchStore({
      config: { urls: [elasticsearch.url], shards: 1, replicas: 0, prefix },
      settings: contractSettings,
    });
    try {
      const steps = ['download', 'unpack', 'start'];
      await fill(
        store,
        steps.map((step) => aStatus('SUCCEEDED', { host: 'z-last', step, durationMs: 7 })),
      );
      const [day] = (await store.heads(null)).map(({ shard }) => shard.slice(0, 10));
      const step = { shiplog: { view: 'step' }, event: { action: 'start', start: 1 } };
      const lines = Array.from({ length: 50_100 }, (_, i) =>
        JSON.stringify({ ...step, host: { name: `a-${i}` } }),
      );
      const taken = await fetch(
        `${elasticsearch.url}/${prefix}-views-${day}/_bulk?refresh=true&filter_path=errors`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: `{"index":{"routing":"t"}}\n${lines.join('\n{"index":{"routing":"t"}}\n')}\n`,
        },
      );
      expect(await taken.json()).toEqual({ errors: false });
      const groups = await store.stepStats({}, 'HOST');
      expect(groups).toHaveLength(1_000);
      expect(groups[0]).toMatchObject({ host: 'z-last', count: 3, p95Ms: 7 });
    } finally {
      await store.close();
    }
  });

  it('a day is shown whole that a server of another number of shards began, and did not finish to make', async () => {
    const prefix = elasticsearch.prefix();
    const config = (shards: number) => ({ urls: [elasticsearch.url], shards, replicas: 0, prefix });
    const store = await openElasticsearchStore({ config: config(1), settings: contractSettings });
    try {
      const day = new Date(contractSettings.now()).toISOString().slice(0, 10);
      // It was killed between the two.
      const made = await fetch(`${elasticsearch.url}/${prefix}-events-${day}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(indexBody('events', withDefaults(config(3)))),
      });
      expect(await made.json()).toMatchObject({ acknowledged: true });
      const ids = Array.from({ length: 6 }, (_, i) => `begun-${i}`);
      await fill(
        store,
        ids.map((taskId) => aStatus('SUCCEEDED', { taskId, step: 'download' })),
      );
      const stats = await store.taskStats(ids);
      expect(stats.map(({ runCounts }) => runCounts.total)).toEqual(ids.map(() => 1));
      const boards = await store.matrices(ids);
      expect(boards.map((board) => board?.matrix.hosts.length)).toEqual(ids.map(() => 1));
    } finally {
      await store.close();
    }
  });

  it('a task whose id holds commas is shown whole, also by the keeper that takes over', async () => {
    const prefix = elasticsearch.prefix();
    const config = { urls: [elasticsearch.url], shards: 3, replicas: 0, prefix };
    const open = (settings = contractSettings) => openElasticsearchStore({ config, settings });
    const ids = ['a,b,c', 'deploy,web', ',', 'x,', 'plain'];
    let store = await open();
    try {
      await fill(
        store,
        ids.flatMap((taskId) => [
          aTaskEvent({ change: 'began', hosts: ['web-1', 'web-9'] }, { taskId }),
          aStatus('SUCCEEDED', { taskId, host: 'web-1', step: 'download', durationMs: 1_000 }),
        ]),
      );
      // What is said of the task changes all of its runs: they are looked for.
      await store.close();
      store = await open();
      await fill(
        store,
        ids.map((taskId) => aTaskEvent({ change: 'began', service: 'shop' }, { taskId })),
      );
      const folded = foldLog(await wholeLog(store));
      for (const [i, taskId] of ids.entries()) {
        const [stats] = await store.taskStats([taskId]);
        expect([taskId, stats?.runCounts]).toMatchObject([taskId, { total: 2 }]);
        const download = stats?.stepSummaries.find(({ step }) => step === 'download');
        expect([taskId, download?.p95Ms]).toEqual([taskId, 1_000]);
        const [board] = await store.matrices([taskId]);
        expect([taskId, board?.matrix.hosts]).toEqual([taskId, ['web-1', 'web-9']]);
        expect((await store.board(taskId))?.runs.map(({ host }) => host)).toEqual(['web-1']);
        const keys = ['web-1', 'web-9'].map((host) => ({ taskId, host }));
        const runs = await store.runsByKey(keys);
        expect(runs).toMatchObject([{ service: 'shop' }, { service: 'shop' }]);
        const [named] = await store.runs([
          { filter: { taskId, services: ['shop'] }, order: 'HOST_ASC', page: aPage() },
        ]);
        expect(named?.rows.map(({ node }) => node.host)).toEqual(['web-1', 'web-9']);
        const [task] = await store.tasksById([taskId]);
        expect(task).toEqual(folded.tasks.find(({ id }) => id === ids[i]));
      }
      // How many events a task has is asked by who begins anew.
      await store.close();
      store = await open({ ...contractSettings, maxEventsPerTask: 3 });
      const outcomes = await store.append(ids.map((taskId) => anEvent({ taskId, host: 'web-1' })));
      expect(outcomes).toMatchObject(
        ids.map(() => ({ outcome: 'REJECTED', problem: { code: 'TASK_FULL' } })),
      );
    } finally {
      await store.close();
    }
  });
});
