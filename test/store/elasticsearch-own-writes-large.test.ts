/** What was acknowledged of tasks that are too large to be held as a whole is shown all the same. */
import { describe, expect, it } from 'vitest';
import type { Page, PageKey } from '../../src/domain/cursor/page.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { RunView } from '../../src/domain/fold/views.ts';
import {
  CHANGED_RUNS_MAX,
  WHOLE_RUNS_MAX,
} from '../../src/store/elasticsearch/keeper/held-runs.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import { aPage, fill } from './harness.ts';
import {
  LARGE_PAGES,
  listOf,
  runOf,
  runPages,
  StandingViews,
  stepPages,
  told,
} from './standing-views.ts';

/** More than are listed in memory as a whole. */
const LARGE = WHOLE_RUNS_MAX + 200;

describe('What this server acknowledged of large tasks, while views stand still', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const standing = new StandingViews(elasticsearch);

  it('is shown of a large task as searches show it when it is stored, value by value', async () => {
    const { gate, store } = standing;
    const taskId = 'large';
    await fill(store, someRuns(taskId));
    standing.hold(gate);
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
    const { gate, store, prefix } = await standing.aKeeper();
    const taskId = 'large';
    // With its last step: another one would change all of its runs.
    await fill(store, [
      ...someRuns(taskId),
      aStatus('RUNNING', { taskId, host: 'web-1', step: 'flip' }),
    ]);
    await standing.stopRefreshing(store, prefix);
    const failed = async () => {
      const [page] = await store.runs([listOf({ taskId, failedStep: 'flip' })]);
      return { hosts: page?.rows.map(({ node }) => node.host), total: page?.total };
    };
    const flip = (host: string) => aStatus('FAILED', { taskId, host, step: 'flip' });
    await told(store, flip('new-1'), flip('web-1'));
    await expect.poll(() => store.metrics().views_lag_events, { timeout: 10_000 }).toBe(0);
    expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
    expect(await failed()).toEqual({ hosts: ['new-1', 'web-1'], total: 2 });
    expect(await standing.searched(prefix, 'new-1')).toBe(0);

    standing.hold(gate);
    const again = { taskId, host: 'web-1', step: 'flip', attempt: 2 };
    await told(store, flip('new-2'), flip('web-2'), aStatus('SUCCEEDED', again));
    expect(await store.viewsShow([taskId], 'BY_PAGE')).toBe(0);
    let came = 0;
    gate.before(async (path) => {
      if (!path.startsWith('/_msearch') || came++ > 0) return 'pass';
      gate.release();
      await expect.poll(() => standing.refreshed(prefix, 'new-2'), { timeout: 10_000 }).toBe(1);
      return 'pass';
    });
    expect(await failed()).toEqual({ hosts: ['new-1', 'new-2', 'web-2'], total: 3 });
    expect(came).toBe(1);
    expect(await failed()).toEqual({ hosts: ['new-1', 'new-2', 'web-2'], total: 3 });
  });

  it('is shown of a large task by another server, and by the one that keeps it next, though nothing was refreshed', async () => {
    const { gate, store, prefix } = await standing.aKeeper();
    const taskId = 'large';
    // With its last step: another one would change all of its runs.
    await fill(store, [
      ...someRuns(taskId),
      aStatus('RUNNING', { taskId, host: 'web-1', step: 'flip' }),
    ]);
    await standing.stopRefreshing(store, prefix);
    const other = await standing.open(gate.url, prefix);
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
    standing.hold(gate);
    await told(other, flip('web-5'));
    expect(await failed()).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'web-5']);
  });

  it.for([0, LARGE])(
    'is listed in pages that neither skip nor repeat a run while runs come, change and no longer match, beside %i more',
    async (more) => {
      const { gate, store } = standing;
      const taskId = `pages-${more}`;
      const others = hostsOf(more).map((host) => aStatus('RUNNING', { taskId, host }));
      if (more > 0) await fill(store, others);
      standing.hold(gate);
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
      const { gate, store } = standing;
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
      standing.hold(gate);
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
    const { gate, store } = standing;
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
    standing.hold(gate);
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
