/** Whoever was told that an event is stored sees it in what they ask next. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import type { Store } from '../../src/store/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { describeOnEngines, testSettings } from '../support/engines.ts';
import { startServer, type TestServer, viewerWith } from './server.ts';

const LOG_STEP = 'mutation ($input: StepEventInput!) { logStep(input: $input) { outcome } }';
const TASK = `query ($id: ID!) {
  task(id: $id) {
    status
    runCounts { total failed }
    stepSummaries { step failed }
    runs(first: 50) { nodes { hostName } }
    run(host: "web-1") { status completeness { received } steps { name lastLines(count: 1) { message } } }
    matrix { hosts }
    events(last: 1) { nodes { hostName } }
    failureGroups { count }
  }
}`;

describeOnEngines('A report', (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(await engine.open());
  });
  afterAll(() => server.close());

  it('that was acknowledged is in everything that is asked of its task next', async () => {
    for (let i = 1; i <= 5; i++) {
      const host = `web-${i}`;
      const error = { message: 'no space left' };
      const input = { taskId: 'seen', host, step: 'download', status: 'FAILED', error };
      const line = { taskId: 'seen', host, step: 'download', message: `line of ${host}` };
      await server.data(LOG_STEP, { input: line });
      await server.data(LOG_STEP, { input });
      const { task } = await server.data(TASK, { id: 'seen' });
      expect(task.runCounts).toEqual({ total: i, failed: i });
      expect(task.stepSummaries).toContainEqual({ step: 'download', failed: i });
      expect(task.runs.nodes).toHaveLength(i);
      expect(task.run).toMatchObject({ status: 'FAILED', completeness: { received: 2 } });
      expect(task.run.steps).toContainEqual({
        name: 'download',
        lastLines: [{ message: 'line of web-1' }],
      });
      expect(task.matrix.hosts).toHaveLength(i);
      expect(task.events.nodes).toEqual([{ hostName: host }]);
      expect(task.failureGroups).toEqual([{ count: i }]);
    }
  });

  it('of its end is in the answer to it', async () => {
    const start = `mutation { startTask(input: { id: "ended", plan: ["build"] }) {
      created task { status plan } } }`;
    expect((await server.data(start)).startTask).toEqual({
      created: true,
      task: { status: 'PENDING', plan: ['build'] },
    });
    const input = { taskId: 'ended', host: 'ci-1', step: 'build', status: 'SUCCEEDED' };
    await server.data(LOG_STEP, { input });
    const finish =
      'mutation { finishTask(input: { id: "ended" }) { task { status runCounts { succeeded } } } }';
    const { finishTask } = await server.data(finish);
    expect(finishTask.task).toEqual({ status: 'SUCCEEDED', runCounts: { succeeded: 1 } });
  });
});

describe('While views stand still (Elasticsearch)', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  let gate: Gate;
  let store: Store;
  let server: TestServer;
  beforeAll(async () => {
    gate = await openGate(elasticsearch.url);
    const prefix = elasticsearch.prefix();
    store = await openElasticsearchStore({
      config: {
        ...{ urls: [gate.url], shards: 1, replicas: 0, prefix },
        ...{ readWaitMs: 2_000, leaseMs: 60_000 },
      },
      settings: testSettings,
    });
    server = await startServer(store);
  });
  afterAll(async () => {
    gate.release();
    await server.close();
    await store.close();
    gate.close();
    await elasticsearch.cleanUp();
  });

  const byId = 'query ($id: ID!) { task(id: $id) { id status run(host: "web-1") { status } } }';
  const inPages = `query ($id: ID!) { task(id: $id) {
    runs(first: 5) { nodes { status } }
    failureGroups { count }
  } }`;
  const bySearch = 'query ($id: ID!) { stepStats(filter: { taskId: $id }) { count failed } }';
  const ask = async (query: string, id: string) => {
    const { operation } = server.graphql.prepare(query);
    if (operation === null) throw new Error('not prepared');
    return server.graphql.execute(operation, {
      variables: { id },
      viewer: viewerWith('read'),
    });
  };

  it('an answer says how far behind they are, and is whole again when they go on', async () => {
    const input = { taskId: 'behind', host: 'web-1', step: 'build', status: 'RUNNING' };
    const found = (failed: number) => ({ data: { stepStats: [{ count: 1, failed }] } });
    await server.data(LOG_STEP, { input });
    expect(await ask(bySearch, 'behind')).toEqual(found(0));
    gate.hold('-views-');
    await server.data(LOG_STEP, { input: { ...input, status: 'FAILED' } });
    const finish = 'mutation { finishTask(input: { id: "behind" }) { task { id status } } }';
    expect((await server.data(finish)).finishTask).toEqual({
      task: { id: 'behind', status: 'FAILED' },
    });
    const start = 'mutation { startTask(input: { id: "begins" }) { created task { id } } }';
    expect((await server.data(start)).startTask).toEqual({ created: true, task: { id: 'begins' } });
    // What is folded and cannot be stored is looked up in memory.
    expect(await ask(byId, 'behind')).toEqual({
      data: { task: { id: 'behind', status: 'FAILED', run: { status: 'FAILED' } } },
    });
    expect(await ask(inPages, 'behind')).toEqual({
      data: { task: { runs: { nodes: [{ status: 'FAILED' }] }, failureGroups: [{ count: 1 }] } },
    });
    expect(await ask(bySearch, 'behind')).toEqual({
      ...found(0),
      extensions: { viewsBehind: { events: 3 } },
    });
    // Others of the server that nobody reports of are answered as ever.
    expect((await ask(bySearch, 'nobody')).extensions).toBeUndefined();
    gate.release();
    await expect.poll(() => ask(bySearch, 'behind'), { timeout: 5_000 }).toEqual(found(1));
    expect((await server.data(start)).startTask.created).toBe(false);
  });
});
