/** What was acknowledged is shown from memory for as long as views cannot be stored or searched. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page, PageKey, PageRequest } from '../../src/domain/cursor/page.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { RunView, StepView } from '../../src/domain/fold/views.ts';
import type { RunFilter, StepFilter } from '../../src/domain/search/filter.ts';
import type { ElasticsearchConfig } from '../../src/store/elasticsearch/cluster/config.ts';
import {
  CHANGED_RUNS_MAX,
  WHOLE_RUNS_MAX,
} from '../../src/store/elasticsearch/keeper/held-runs.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { RunQuery, Store } from '../../src/store/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aFleet, anEvent, aStatus, aTaskEvent } from './events.ts';
import { allRows, aPage, contractSettings, fill, positionOf, wholeLog } from './harness.ts';
import { foldLog } from './oracle.ts';

/** A keeper that cannot store is believed for as long as its lease is; here longer than a test. */
const CONFIG = { shards: 1, replicas: 0, readWaitMs: 20_000, leaseMs: 60_000 };
/** For those that wait in vain. */
const IMPATIENT = { readWaitMs: 300 };
/** More than are listed in memory as a whole. */
const LARGE = WHOLE_RUNS_MAX + 200;

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

  const ask = async (path: string, method = 'GET', body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await fetch(`${elasticsearch.url}/${path}`, init)).json();
  };

  /** The cluster shows what is stored only when it is told to. */
  async function stopRefreshing(store: ElasticsearchStore, prefix: string): Promise<void> {
    const settings = { index: { refresh_interval: '-1' } };
    const answer = await ask(`${prefix}-views-*/_settings`, 'PUT', settings);
    expect(answer).toEqual({ acknowledged: true });
    // One that was due before may still come: until what is stored stays unseen.
    for (let i = 0; i < 10; i++) {
      const host = `canary-${i}`;
      await told(store, aStatus('RUNNING', { taskId: 'large', host, step: 'flip' }));
      await expect.poll(() => store.metrics().views_lag_events, { timeout: 10_000 }).toBe(0);
      if ((await searched(prefix, host)) === 0) return;
    }
    expect.fail('the cluster goes on refreshing');
  }

  /** How many runs of a host a search finds now. */
  async function searched(prefix: string, host: string): Promise<number> {
    const filter = [{ term: { 'shiplog.view': 'run' } }, { term: { 'host.name': host } }];
    return (await ask(`${prefix}-views-*/_count`, 'POST', { query: { bool: { filter } } })).count;
  }

  async function refreshed(prefix: string, host: string): Promise<number> {
    await ask(`${prefix}-views-*/_refresh`, 'POST');
    return searched(prefix, host);
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

  it('is shown of a large task as searches show it when it is stored, value by value', async () => {
    const taskId = 'large';
    await fill(store, someRuns(taskId));
    hold(gate);
    await told(store, ...changesOf(taskId));
    const ask = async (to: 'BY_PAGE' | 'BY_SEARCH') => {
      expect(await store.viewsShow([taskId], to)).toBe(0);
      return [
        await runPages(store, [taskId], LARGE_PAGES),
        await stepPages(store, [taskId], LARGE_PAGES),
      ];
    };
    const held = await ask('BY_PAGE');
    gate.release();
    expect(await ask('BY_SEARCH')).toEqual(held);
  }, 90_000);

  it('is shown of a large task once, when it is stored and not refreshed, and when that comes in between', async () => {
    const { gate, store, prefix } = await aKeeper();
    const taskId = 'large';
    // With its last step: another one would change all of its runs.
    await fill(store, [
      ...someRuns(taskId),
      aStatus('RUNNING', { taskId, host: 'web-1', step: 'flip' }),
    ]);
    await stopRefreshing(store, prefix);
    const failed = async () => {
      const [page] = await store.runs([listOf({ taskId, failedStep: 'flip' })]);
      return { hosts: page?.rows.map(({ node }) => node.host), total: page?.total };
    };
    const flip = (host: string) => aStatus('FAILED', { taskId, host, step: 'flip' });
    await told(store, flip('new-1'), flip('web-1'));
    await expect.poll(() => store.metrics().views_lag_events, { timeout: 10_000 }).toBe(0);
    expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
    expect(await failed()).toEqual({ hosts: ['new-1', 'web-1'], total: 2 });
    expect(await searched(prefix, 'new-1')).toBe(0);

    hold(gate);
    const again = { taskId, host: 'web-1', step: 'flip', attempt: 2 };
    await told(store, flip('new-2'), flip('web-2'), aStatus('SUCCEEDED', again));
    expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
    let came = 0;
    gate.before(async (path) => {
      if (!path.startsWith('/_msearch') || came++ > 0) return 'pass';
      gate.release();
      await expect.poll(() => refreshed(prefix, 'new-2'), { timeout: 10_000 }).toBe(1);
      return 'pass';
    });
    expect(await failed()).toEqual({ hosts: ['new-1', 'new-2', 'web-2'], total: 3 });
    expect(came).toBe(1);
    expect(await failed()).toEqual({ hosts: ['new-1', 'new-2', 'web-2'], total: 3 });
  });

  it('is shown of a large task by another server, and by the one that keeps it next, though nothing was refreshed', async () => {
    const { gate, store, prefix } = await aKeeper();
    const taskId = 'large';
    // With its last step: another one would change all of its runs.
    await fill(store, [
      ...someRuns(taskId),
      aStatus('RUNNING', { taskId, host: 'web-1', step: 'flip' }),
    ]);
    await stopRefreshing(store, prefix);
    const other = await open(gate.url, prefix);
    const flip = (host: string) => aStatus('FAILED', { taskId, host, step: 'flip' });
    const failed = async () => {
      expect(await other.viewsShow([taskId], 'BY_PAGE')).toBe(0);
      const [page] = await other.runs([listOf({ taskId, failedStep: 'flip' })]);
      return page?.rows.map(({ node }) => node.host);
    };
    await told(other, flip('web-1'));
    expect(await failed()).toEqual(['web-1']);
    await told(store, flip('web-2'));
    await expect.poll(() => store.metrics().views_lag_events, { timeout: 10_000 }).toBe(0);
    await store.close();
    await told(other, flip('web-3'));
    const written = () => other.metrics().view_documents_written_total;
    await expect.poll(written, { timeout: 10_000 }).toBeGreaterThan(0);
    await told(other, flip('web-4'));
    expect(await failed()).toEqual(['web-1', 'web-2', 'web-3', 'web-4']);
    hold(gate);
    await told(other, flip('web-5'));
    expect(await failed()).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'web-5']);
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
    await expect.poll(() => store.viewsShow(['t'], 'BY_TASK'), { timeout: 10_000 }).toBe(0);
    const [runs] = await store.runs([listOf({ taskId: 't' })]);
    expect(runs?.rows.map(({ node }) => node.status)).toEqual(['FAILED', 'RUNNING']);
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
      const [runs] = await store.runs([listOf({ taskId })]);
      if (behind === 0) expect([stats?.runCounts.total, runs?.total]).toEqual([i, i]);
    }
    await rebuilt;
    expect(await store.viewsShow([taskId], 'BY_SEARCH')).toBe(0);
    expect((await store.taskStats([taskId]))[0]?.runCounts.total).toBe(5);
  });

  it.for([0, LARGE])(
    'is listed in pages that neither skip nor repeat a run while runs come, change and no longer match, beside %i more',
    async (more) => {
      const taskId = `pages-${more}`;
      const others = hostsOf(more).map((host) => aStatus('RUNNING', { taskId, host }));
      if (more > 0) await fill(store, others);
      hold(gate);
      const failed = (...hosts: string[]) =>
        told(store, ...hosts.map((host) => aStatus('FAILED', { taskId, host })));
      const next = async (after: PageKey | null) => {
        expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
        const query = listOf({ taskId, statuses: ['FAILED'] }, { limit: 2, after });
        const [page] = (await store.runs([query])) as [Page<RunView>];
        const hosts = page.rows.map(({ node }) => node.host);
        return {
          hosts,
          key: page.rows.at(-1)?.key ?? null,
          more: page.hasNextPage,
          of: page.total,
        };
      };
      await failed('a', 'b', 'c', 'd', 'e');
      const first = await next(null);
      expect(first).toMatchObject({ hosts: ['a', 'b'], more: true, of: 5 });
      // One begins again, one is new on what was read, one on what was not.
      await told(store, aStatus('RUNNING', { taskId, host: 'c', attempt: 2 }));
      await failed('a-new', 'b-new');
      const second = await next(first.key);
      expect(second).toMatchObject({ hosts: ['b-new', 'd'], more: true, of: 6 });
      gate.release();
      await store.viewsShow([taskId], 'BY_SEARCH');
      expect(await next(second.key)).toMatchObject({ hosts: ['e'], more: false, of: 6 });
      expect(await next(first.key)).toEqual(second);
    },
  );

  it.for([
    ['BY_TASK', WHOLE_RUNS_MAX],
    ['BY_PAGE', CHANGED_RUNS_MAX],
  ] as const)(
    'is answered from memory (%s) up to %i runs that searches do not show, and waited for where one more comes while it is read',
    async ([way, most]) => {
      const taskId = `bound-${most}`;
      // A refresh is known of.
      await fill(store, [anEvent({ taskId: 'other' })]);
      const total = async () => {
        const answer =
          way === 'BY_TASK'
            ? (await store.taskStats([taskId]))[0]?.runCounts
            : (await store.runs([listOf({ taskId })]))[0];
        return answer?.total;
      };
      hold(gate);
      const hosts = hostsOf(most);
      await told(store, aTaskEvent({ change: 'began', hosts, plan: ['backup'] }, { taskId }));
      expect(await store.viewsShow([taskId], way)).toBe(0);
      expect(await total()).toBe(most);
      await told(store, anEvent({ taskId, host: 'one-more' }));
      expect(await store.viewsShow([taskId], 'BY_ID')).toBe(0);
      let released = false;
      const more = total().then((found) => ({ found, released }));
      expect(await runOf(store, taskId, 'one-more')).toMatchObject({ status: 'RUNNING' });
      released = true;
      gate.release();
      expect(await more).toEqual({ found: most + 1, released: true });
    },
  );

  it('includes a plan that changes all runs of a large task, or takes some of them away', async () => {
    const taskId = 'large-plan';
    const hosts = hostsOf(LARGE);
    const begin = (hosts: string[], plan: string[], at: number) =>
      aTaskEvent({ change: 'began', hosts, plan }, { taskId, at, receivedAt: at });
    const count = async () => {
      expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
      const page = aPage({ limit: 2, withTotal: true });
      const [runs] = await store.runs([{ filter: { taskId }, order: 'FAILED_FIRST', page }]);
      const [steps] = await store.steps([{ filter: { taskId }, order: 'STARTED_ASC', page }]);
      const [one] = await store.runs([listOf({ taskId, hosts: hosts.slice(0, 3) })]);
      return [runs?.total, steps?.total, one?.rows.map(({ node }) => node.status).join()];
    };
    await fill(store, [begin(hosts, ['build'], 1_760_000_000_000)]);
    hold(gate);
    await told(store, begin(hosts.slice(2), ['build'], 1_760_000_001_000));
    expect(await count()).toEqual([LARGE - 2, LARGE - 2, 'PENDING']);
    await told(store, aStatus('RUNNING', { taskId, host: hosts[1] as string, step: 'build' }));
    expect(await count()).toEqual([LARGE - 1, LARGE - 1, 'RUNNING,PENDING']);
    await told(store, begin(hosts.slice(2), ['build', 'start'], 1_760_000_002_000));
    expect(await count()).toEqual([LARGE - 1, 2 * (LARGE - 1), 'RUNNING,PENDING']);
    await told(store, aTaskEvent({ change: 'ended', status: 'FAILED' }, { taskId }));
    expect(await count()).toEqual([LARGE - 1, 2 * (LARGE - 1), 'RUNNING,NOT_RUN']);
    gate.release();
    await store.viewsShow([taskId], 'BY_SEARCH');
    expect(await count()).toEqual([LARGE - 1, 2 * (LARGE - 1), 'RUNNING,NOT_RUN']);
  });

  it('includes a plan that takes hosts away, and counts no run twice', async () => {
    const taskId = 'plan';
    hold(gate);
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

const listOf = (filter: RunFilter, page: Partial<PageRequest> = {}): RunQuery => ({
  ...{ filter, order: 'HOST_ASC', page: aPage({ withTotal: true, ...page }) },
});

const hostsOf = (count: number) => Array.from({ length: count }, (_, i) => `web-${i}`);

/** One event a run: what runs and steps are found and sorted by differs, and much of it is the same. */
function someRuns(taskId: string): LogEvent[] {
  const [service, environment] = ['checkout', 'prod'];
  return hostsOf(LARGE).map((name, i) => {
    const fields = {
      ...{ taskId, service, environment, host: i % 7 === 0 ? `db-${i}` : name },
      ...{ step: i % 2 === 0 ? 'backup' : 'restart', at: 1_760_000_000_000 + (i % 9) * 500 },
    };
    if (i % 5 === 0) {
      return aStatus('FAILED', { ...fields, error: { code: 'E_IO', message: `disk ${i % 3}` } });
    }
    if (i % 5 === 1) return aStatus('SUCCEEDED', { ...fields, durationMs: (i % 11) * 100 });
    return aStatus('RUNNING', fields);
  });
}

/** Runs that are new, begin again, go on, end, and are as they were. */
function changesOf(taskId: string): LogEvent[] {
  const runs = someRuns(taskId).filter((_, i) => i % 13 === 0);
  return runs.flatMap(({ host, service, environment }, i) => {
    const fields = { taskId, host, service, environment, at: 1_760_000_002_000 + (i % 3) * 700 };
    const event = aStatus((['FAILED', 'SUCCEEDED', 'RUNNING'] as const)[i % 3] ?? 'RUNNING', {
      ...{ ...fields, step: i % 4 === 0 ? 'restart' : 'verify', attempt: 1 + (i % 2) },
      durationMs: i * 20,
    });
    return i % 6 === 0 ? [event, aStatus('RUNNING', { ...fields, host: `web-new-${i}` })] : event;
  });
}

const at = (i: number) => ({ shard: '', seq: i });

const RUN_ORDERS = [
  ...(['HOST_ASC', 'STARTED_DESC', 'DURATION_DESC'] as const),
  ...(['LAST_EVENT_DESC', 'FAILED_FIRST'] as const),
];
const STEP_ORDERS = ['STARTED_DESC', 'STARTED_ASC', 'DURATION_DESC'] as const;
const RUN_FILTERS: RunFilter[] = [
  ...[{}, { hosts: ['web-1', 'db-*'] }, { hosts: ['nowhere'] }, { stale: true }, { stale: false }],
  ...[{ failedStep: 'restart' }, { outOfRotation: true }, { outOfRotation: false }],
  ...[{ services: ['checkout'] }, { from: 1_760_000_001_000, to: 1_760_000_200_000 }],
  ...([['FAILED'], ['RUNNING', 'PENDING']] as const).map((some) => ({ statuses: [...some] })),
];
const STEP_FILTERS: StepFilter[] = [
  ...[{}, { hosts: ['web-*'], steps: ['backup', 'restart'] }, { minDurationMs: 500 }],
  ...[{ environments: ['prod'] }, { from: 1_760_000_001_000 }, { errorCode: 'E_IO' }],
  ...([['FAILED', 'TIMED_OUT'], ['SUCCEEDED']] as const).map((some) => ({ statuses: [...some] })),
];

/** Rows of a page where one is read, and where all are read, ahead and back. */
interface Limits {
  most: number;
  ahead: number;
  back: number;
}
const SMALL_PAGES = { most: 500, ahead: 2, back: 3 };
const LARGE_PAGES = { most: 40, ahead: 170, back: 230 };

/** Whole lists by every filter and order, and lists that are read page by page. */
async function runPages(store: Store, ids: readonly string[], limits: Limits = SMALL_PAGES) {
  const page = aPage({ limit: limits.most, withTotal: true });
  const queries = ids.flatMap((taskId) =>
    RUN_ORDERS.flatMap((order) =>
      RUN_FILTERS.map((filter) => ({ filter: { ...filter, taskId }, order, page })),
    ),
  );
  const filter = { taskId: ids[0] as string };
  const walks = RUN_ORDERS.map((order) => async (page: PageRequest) => {
    const [found] = await store.runs([{ filter, order, page }]);
    return found as Page<RunView>;
  });
  return [await store.runs(queries), await walked(walks, limits)];
}

async function stepPages(store: Store, ids: readonly string[], limits: Limits = SMALL_PAGES) {
  const page = aPage({ limit: limits.most, withTotal: true });
  const queries = ids.flatMap((taskId) =>
    STEP_ORDERS.flatMap((order) =>
      STEP_FILTERS.map((filter) => ({ filter: { ...filter, taskId }, order, page })),
    ),
  );
  const filter = { taskId: ids.at(1) ?? (ids[0] as string) };
  const walks = STEP_ORDERS.map((order) => async (page: PageRequest) => {
    const [found] = await store.steps([{ filter, order, page }]);
    return found as Page<StepView>;
  });
  return [await store.steps(queries), await walked(walks, limits)];
}

function causes(store: Store, ids: readonly string[]) {
  const filters = ids.flatMap((taskId) => STEP_FILTERS.map((filter) => ({ ...filter, taskId })));
  return store.failureGroups(filters.map((filter, i) => ({ filter, first: 1 + (i % 3) })));
}

/** In both directions. */
function walked<T>(
  walks: readonly ((page: PageRequest) => Promise<Page<T>>)[],
  { ahead, back }: Limits,
) {
  return Promise.all(
    walks.map(async (read) => [await allRows(read, false, ahead), await allRows(read, true, back)]),
  );
}
