/** Whoever was told that an event is stored sees it in what is asked next, of the same process. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { Store } from '../../src/store/store.ts';
import { anEvent, aStatus, aTaskEvent } from './events.ts';
import {
  aPage,
  contractSettings,
  type OpenedStore,
  type OpenStore,
  positionOf,
  wholeLog,
} from './harness.ts';
import { foldLog } from './oracle.ts';

export function describeFreshReads(open: OpenStore): void {
  describe('shows what it acknowledged to who asks next', () => {
    let opened: OpenedStore;
    let store: Store;
    beforeAll(async () => {
      opened = await open(contractSettings);
      store = opened.store;
    });
    afterAll(() => opened.close());

    async function told(...events: LogEvent[]): Promise<void> {
      (await store.append(events)).forEach(positionOf);
    }

    it('by id: the task, its run and its step, event by event [V1]', async () => {
      for (let i = 1; i <= 12; i++) {
        const key = { taskId: 'by-id', host: `web-${i}`, step: 'backup' };
        await told(aStatus('RUNNING', key));
        expect(await store.viewsShow(['by-id'], 'BY_ID')).toBe(0);
        const [[run], [step], [task]] = await Promise.all([
          store.runsByKey([key]),
          store.stepsByKey([key]),
          store.tasksById(['by-id']),
        ]);
        expect([run?.status, step?.status, task?.position.seq]).toEqual(['RUNNING', 'RUNNING', i]);
      }
    });

    it('by search: counts, pages, boards and causes of a task, event by event [V1]', async () => {
      const taskId = 'by-search';
      for (let i = 1; i <= 6; i++) {
        const host = `web-${i}`;
        await told(aStatus('FAILED', { taskId, host, error: { code: null, message: 'no disk' } }));
        expect(await store.viewsShow([taskId], 'BY_SEARCH')).toBe(0);
        const list = { filter: { taskId }, page: aPage() };
        const [[stats], [runs], [steps], [board], [causes], spans] = await Promise.all([
          store.taskStats([taskId]),
          store.runs([{ ...list, order: 'HOST_ASC' }]),
          store.steps([{ ...list, order: 'STARTED_ASC' }]),
          store.matrices([taskId]),
          store.failureGroups([{ filter: { taskId }, first: 5 }]),
          store.tasks({ filter: { ids: [taskId] }, order: 'CREATED_ASC', page: aPage() }),
        ]);
        expect(stats?.runCounts).toMatchObject({ total: i, failed: i });
        expect(runs?.rows).toHaveLength(i);
        expect(steps?.rows.filter(({ node }) => node.status === 'FAILED')).toHaveLength(i);
        expect(board?.matrix.hosts).toHaveLength(i);
        expect(causes).toMatchObject([{ count: i }]);
        expect(spans.rows).toMatchObject([{ node: { position: { seq: expect.any(Number) } } }]);
      }
    });

    it('by task: counts, the board, pages and causes, event by event, also of its plan and its end [V1]', async () => {
      const taskId = 'by-task';
      const show = async () => {
        expect(await store.viewsShow([taskId], 'BY_TASK')).toBe(0);
        const page = aPage({ limit: 2, withTotal: true });
        const [[stats], [board], [runs], [steps], [causes]] = await Promise.all([
          store.taskStats([taskId]),
          store.matrices([taskId]),
          store.runs([{ filter: { taskId }, order: 'FAILED_FIRST', page }]),
          store.steps([{ filter: { taskId, steps: ['backup'] }, order: 'STARTED_DESC', page }]),
          store.failureGroups([{ filter: { taskId, hosts: ['web-*'] }, first: 5 }]),
        ]);
        return {
          ...{ ...stats?.runCounts, ...board?.matrix },
          causes: causes?.map(({ hosts }) => hosts),
          ...{ runs: [runs?.total, ...(runs?.rows ?? []).map(({ node }) => node.status)] },
          ...{ steps: [steps?.total, ...(steps?.rows ?? []).map(({ node }) => node.status)] },
        };
      };
      const hosts = ['web-1', 'web-2', 'web-3'];
      await told(aTaskEvent({ change: 'began', plan: ['backup', 'restart'], hosts }, { taskId }));
      expect(await show()).toMatchObject({
        ...{ total: 3, pending: 3, cells: 'PPPPPP', hosts, causes: [] },
        ...{ runs: [3, 'PENDING', 'PENDING'], steps: [3, 'PENDING', 'PENDING'] },
      });
      await told(aStatus('SUCCEEDED', { taskId, host: 'web-2', step: 'backup' }));
      expect(await show()).toMatchObject({
        ...{ total: 3, running: 1, cells: 'PPSPPP' },
        ...{ runs: [3, 'RUNNING', 'PENDING'], steps: [3, 'SUCCEEDED', 'PENDING'] },
      });
      await told(aStatus('FAILED', { taskId, host: 'web-3', step: 'backup' }));
      expect(await show()).toMatchObject({
        ...{ running: 1, failed: 1, cells: 'PPSPFP', causes: [['web-3']] },
        runs: [3, 'FAILED', 'RUNNING'],
      });
      await told(aTaskEvent({ change: 'ended', status: 'FAILED' }, { taskId }));
      expect(await show()).toMatchObject({
        ...{ notRun: 1, cancelled: 1, cells: 'NNSNFN' },
        runs: [3, 'FAILED', 'CANCELLED'],
      });
    });

    it('in its events, while many others report into the same shard', async () => {
      let stop = false;
      const flood = Array.from({ length: 3 }, async (_, i) => {
        for (let turn = 0; !stop; turn++) {
          const taskId = `flood-${i}-${turn}`;
          await told(...Array.from({ length: 50 }, () => anEvent({ taskId })));
        }
      });
      try {
        for (let i = 1; i <= 6; i++) {
          const message = `line ${i}`;
          await told(anEvent({ taskId: 'in-events', message }));
          const page = aPage({ limit: 1, backward: true });
          const filter = { taskId: 'in-events' };
          const key = { taskId: 'in-events', host: 'web-1', step: 'backup' };
          const [[events], [lines], [counts]] = await Promise.all([
            store.events([{ filter, order: 'LOG', page }]),
            store.lastLines([key], 1),
            store.completeness([key]),
          ]);
          expect(events?.rows).toMatchObject([{ node: { message } }]);
          expect(lines).toMatchObject([{ message }]);
          expect(counts?.received).toBe(i);
          expect(await store.viewsShow(['in-events'], 'BY_ID')).toBe(0);
          const [task] = await store.tasksById(['in-events']);
          expect(task?.position).toEqual(events?.rows[0]?.node.position);
        }
      } finally {
        stop = true;
        await Promise.all(flood);
      }
    });

    it('a retry that is told of the first copy counts as told [V1]', async () => {
      const event = aTaskEvent({ change: 'began', title: 'again' }, { taskId: 'retried' });
      await told(event);
      expect(await store.append([event])).toMatchObject([{ outcome: 'DUPLICATE' }]);
      expect(await store.viewsShow(['retried'], 'BY_SEARCH')).toBe(0);
      const own = (await wholeLog(store)).filter(({ taskId }) => taskId === 'retried');
      expect(await store.tasksById(['retried'])).toEqual(foldLog(own).tasks);
    });

    it('and waits for nothing where nothing was acknowledged, or of a task that nobody knows [V2]', async () => {
      expect(await store.viewsShow([], 'BY_SEARCH')).toBe(0);
      expect(await store.viewsShow(['never-heard-of'], 'BY_SEARCH')).toBe(0);
    });
  });
}
