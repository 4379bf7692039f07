import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet, anEvent, aTaskEvent } from './events.ts';
import { aPage, contractSettings, fill, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

describe('Several Shiplog servers on one Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const { url } = elasticsearch;
  const stores: ElasticsearchStore[] = [];
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await elasticsearch.cleanUp();
  });

  async function open(prefix: string, now = contractSettings.now): Promise<ElasticsearchStore> {
    const store = await openElasticsearchStore({
      config: { urls: [url], shards: 1, replicas: 0, prefix, leaseMs: 1_500 },
      settings: { ...contractSettings, now },
    });
    stores.push(store);
    return store;
  }

  it('see within a second what another of them took in, in its log and in its views', async () => {
    const prefix = elasticsearch.prefix();
    const [one, other] = [await open(prefix), await open(prefix)];
    await fill(one, [anEvent({ taskId: 'shared' })]);
    const [outcome] = await one.append([anEvent({ taskId: 'shared', host: 'web-9' })]);
    const position = positionOf(outcome as NonNullable<typeof outcome>);
    await vi.waitFor(async () => expect(await wholeLog(other)).toHaveLength(2), 1_000);
    await other.viewsReach([position]);
    const [run] = await other.runsByKey([{ taskId: 'shared', host: 'web-9' }]);
    expect(run).toMatchObject({ host: 'web-9', status: 'RUNNING' });
  });

  it('each show what they acknowledged themselves, also where another of them keeps the views', async () => {
    const prefix = elasticsearch.prefix();
    const [keeper, other] = [await open(prefix), await open(prefix)];
    await fill(keeper, [anEvent({ taskId: 'kept' })]);
    for (let i = 1; i <= 4; i++) {
      await other.append([anEvent({ taskId: 'kept', host: `db-${i}` })]);
      expect(await other.viewsShow(['kept'], 'BY_TASK')).toBe(0);
      const [run] = await other.runsByKey([{ taskId: 'kept', host: `db-${i}` }]);
      expect(run).toMatchObject({ host: `db-${i}`, status: 'RUNNING' });
      const [stats] = await other.taskStats(['kept']);
      expect(stats?.runCounts.total).toBe(i + 1);
      const list = { filter: { taskId: 'kept', hosts: ['db-*'] }, page: aPage() };
      const [runs] = await other.runs([{ ...list, order: 'LAST_EVENT_DESC' }]);
      expect(runs?.rows).toHaveLength(i);
    }
  });

  it('know a task as soon as its first event is acknowledged by any of them [T2 S13]', async () => {
    const prefix = elasticsearch.prefix();
    const [one, other] = [await open(prefix), await open(prefix)];
    for (let i = 0; i < 10; i++) {
      const began = aTaskEvent({ change: 'began', title: `Release ${i}` }, { taskId: `new-${i}` });
      await one.append([began]);
      const [here, there] = [
        await one.tasksById([`new-${i}`]),
        await other.tasksById([`new-${i}`]),
      ];
      expect(here[0]).toMatchObject({ id: `new-${i}`, title: `Release ${i}` });
      expect(there[0]).toMatchObject({ id: `new-${i}`, title: `Release ${i}` });
    }
    expect(await other.tasksById(['never'])).toEqual([null]);
  });

  it('read heavy events in answers of bearable size', async () => {
    const store = await open(elasticsearch.prefix());
    // As heavy as it may be, of one word: what words cost is not asked here.
    const message = 'x'.repeat(60_000);
    const heavy = Array.from({ length: 400 }, () => anEvent({ taskId: 'heavy', message }));
    for (let at = 0; at < heavy.length; at += 50) await fill(store, heavy.slice(at, at + 50));
    expect((await wholeLog(store)).map(({ id }) => id)).toEqual(heavy.map(({ id }) => id));
  });

  it('agree on the day of a task that begins on all of them at once', async () => {
    const prefix = elasticsearch.prefix();
    const servers = await Promise.all([open(prefix), open(prefix), open(prefix)]);
    const received = 1_760_000_000_000;
    const outcomes = await Promise.all(
      servers.map((server, i) =>
        server.append([
          // Each receives it at a moment of its own: so none that has to send it again, on a busy
          // machine, takes the copy of another for its own.
          anEvent({ taskId: 'race', eventId: 'same', digest: 'same', receivedAt: received + i }),
        ]),
      ),
    );
    const kinds = outcomes.flat().map(({ outcome }) => outcome);
    expect(kinds.toSorted()).toEqual(['DUPLICATE', 'DUPLICATE', 'STORED']);
  });

  it('stamp events with a service that another of them heard of', async () => {
    const prefix = elasticsearch.prefix();
    const [one, other] = [await open(prefix), await open(prefix)];
    await one.append([aTaskEvent({ change: 'began', service: 'checkout' }, { taskId: 'stamp' })]);
    const [outcome] = await other.append([anEvent({ taskId: 'stamp' })]);
    expect(outcome).toMatchObject({ outcome: 'STORED', service: 'checkout' });
  });

  it('take over the views of one that is killed with kill -9', async () => {
    const prefix = elasticsearch.prefix();
    const other = await open(prefix);
    const script = join(import.meta.dirname, 'keeper-process.ts');
    const server = spawn(process.execPath, [script, url, prefix, '300'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(server.stdout, 'data');
    server.kill('SIGKILL');
    await once(server, 'exit');
    await fill(other, [anEvent({ taskId: 'kept', host: 'web-99' })]);
    const log = await wholeLog(other);
    expect(log).toHaveLength(301);
    const { tasks, runs } = foldLog(log);
    expect(await other.tasksById(['kept'])).toEqual(tasks);
    expect(await other.runsByKey(runs)).toEqual(runs);
  });

  it('fold the views anew from the log while they serve', async () => {
    const prefix = elasticsearch.prefix();
    const store = await open(prefix);
    await fill(store, aFleet({ seed: 5 }));
    const folded = foldLog(await wholeLog(store));
    const day = new Date(contractSettings.now()).toISOString().slice(0, 10);
    // Somebody's mistake: every view is gone.
    const search = await fetch(`${url}/${prefix}-views-${day}/_search?size=5000&_source=false`);
    const { hits } = (await search.json()) as {
      hits: { hits: { _id: string; _routing: string }[] };
    };
    const lines = hits.hits.map(({ _id, _routing }) =>
      JSON.stringify({ delete: { _index: `${prefix}-views-${day}`, _id, routing: _routing } }),
    );
    await fetch(`${url}/_bulk?refresh=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${lines.join('\n')}\n`,
    });
    expect(await store.runsByKey(folded.runs)).toContain(null);
    let seen = 0;
    await store.rebuild((done) => {
      seen = done;
    });
    expect(seen).toBe((await wholeLog(store)).length);
    expect(await store.tasksById(folded.tasks.map(({ id }) => id))).toEqual(folded.tasks);
    expect(await store.runsByKey(folded.runs)).toEqual(folded.runs);
    await store.viewsReach((await wholeLog(store)).map(({ position }) => position));
    const [steps] = await store.steps([
      { filter: {}, order: 'STARTED_DESC', page: aPage({ limit: 500, withTotal: true }) },
    ]);
    expect(steps?.total).toBe(folded.steps.length);
  });

  it.each([
    ['show on a page over all tasks nothing', { limit: 1, backward: true }],
    ['count on a page over all tasks nothing', { limit: 1, withTotal: true }],
  ])('%s that the tail behind it tells again [E6]', async (_what, asked) => {
    const prefix = elasticsearch.prefix();
    let today = contractSettings.now();
    const [one, other] = [await open(prefix, () => today), await open(prefix, () => today)];
    await fill(other, [anEvent({ taskId: 'yesterday' })]);
    await one.heads(null);
    today += 86_400_000;
    // The day has been quiet for more than a minute when the other takes in one more.
    const real = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + 61_000);
    try {
      await one.heads(null);
      const later = anEvent({ taskId: 'yesterday', at: today });
      await other.append([later]);
      await fetch(`${url}/${prefix}-events-*/_refresh`, { method: 'POST' });
      const request = aPage(asked);
      const [page] = await one.events([{ filter: {}, order: 'TIME', page: request }]);
      expect(page?.rows).toMatchObject([{ node: { position: { seq: request.backward ? 2 : 1 } } }]);
      expect(page?.at).toMatchObject([{ seq: 2 }]);
      expect(page?.total).toBe(request.withTotal ? 2 : null);
    } finally {
      clock.mockRestore();
    }
  });
});
