import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { deriveRun, type RunState } from '../../src/domain/fold/fold.ts';
import { cellLetter, isStale, type RunView, type StepView } from '../../src/domain/fold/views.ts';
import {
  type HostFilter,
  matchesHost,
  matchesTask,
  type RunFilter,
  type StepFilter,
  type TaskFilter,
} from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import { aFleet, anEvent, aStatus, aTaskEvent, randomOf } from './events.ts';
import {
  allRows,
  aPage,
  contractSettings,
  fill,
  type OpenedStore,
  type OpenStore,
  positionOf,
  wholeLog,
} from './harness.ts';
import { type FoldedLog, foldLog, matchesTaskSearch } from './oracle.ts';

import { matchesRun, matchesStep } from './view-matches.ts';

const START = 1_760_000_000_000;
const { now, staleAfterMs } = contractSettings;

const TASK_FILTERS: TaskFilter[] = [
  {},
  { ids: ['deploy-7-1', 'nobody', 'deploy-7-3'] },
  { services: ['checkout'] },
  { environments: ['prod', 'staging'] },
  { versions: ['1.2.0'] },
  { statuses: ['PARTIAL', 'RUNNING', 'FAILED'] },
  { createdBy: ['ada'] },
  { host: 'planned-2' },
  { host: 'web-*' },
  { from: START + 60_000, to: START + 300_000 },
  { labels: [{ key: 'ring', value: '1' }] },
  { search: parseSearch('release') ?? never() },
  { search: parseSearch('release -checkout') ?? never() },
  { search: parseSearch('-search') ?? never() },
  { search: parseSearch('environment:prod deploy 7') ?? never() },
  { search: parseSearch('1.2*') ?? never(), services: ['search', 'checkout'] },
];

const RUN_FILTERS: RunFilter[] = [
  {},
  { taskId: 'deploy-7-1' },
  { taskId: 'nobody' },
  { services: ['checkout'], environments: ['staging'] },
  { versions: ['1.1.0'] },
  { hosts: ['web-1', 'web-4*'] },
  { statuses: ['FAILED', 'PENDING', 'NOT_RUN'] },
  { stale: true },
  { stale: false, taskId: 'deploy-7-3' },
  { outOfRotation: true },
  { outOfRotation: false, hosts: ['web-2'] },
  { failedStep: 'download' },
  { from: START + 60_000 },
  { to: START + 200_000, statuses: ['SUCCEEDED'] },
];

export const STEP_FILTERS: StepFilter[] = [
  {},
  { taskId: 'deploy-7-2' },
  { taskId: 'nobody' },
  { services: ['search'] },
  { environments: ['prod'], versions: ['1.2.0'] },
  { hosts: ['web-3'] },
  { hosts: ['web-*'], taskId: 'deploy-7-1' },
  { hosts: ['web-1*', 'web-5'] },
  { steps: ['backup', 'restart'] },
  { statuses: ['FAILED', 'TIMED_OUT'] },
  { statuses: ['PENDING', 'NOT_RUN'] },
  { from: START + 30_000, to: START + 200_000 },
  { to: START + 100_000 },
  { minDurationMs: 700 },
  { errorCode: 'E_IO' },
];

function never(): never {
  throw new Error('a blank search');
}

/** Tasks, runs, steps and hosts, against a fold of the raw events. */
export function describeViews(open: OpenStore): void {
  describe('of a task that declares no steps and has some of its own', () => {
    const taskId = 'own-steps';
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(contractSettings);
    });
    afterAll(() => opened.close());

    it('the plan follows what is reported, on every host, and the end is derived from it', async () => {
      const { store } = opened;
      const done = (host: string, step: string, at: number) =>
        aStatus('SUCCEEDED', { taskId, host, step, at: START + at });
      const seen = async () => {
        const { tasks, runs } = foldLog(await wholeLog(store));
        expect(await store.tasksById([taskId])).toEqual(tasks);
        expect(await store.runsByKey(runs)).toEqual(runs);
        const [matrix] = await store.matrices([taskId]);
        const [stats] = await store.taskStats([taskId]);
        return {
          plan: tasks[0]?.plan.length,
          runs: runs.map(({ status }) => status),
          cells: matrix?.matrix.cells,
          summaries: stats?.stepSummaries.map(({ step }) => step).join(' '),
          end: tasks[0]?.over ? tasks[0].status : null,
        };
      };
      await fill(store, [done('a', 'backup', 1), done('b', 'backup', 2)]);
      expect(await seen()).toMatchObject({ plan: 7, runs: ['RUNNING', 'RUNNING'], end: null });
      await fill(store, [done('a', 'ship', 3)]);
      const own = { plan: 2, summaries: 'backup ship' };
      expect(await seen()).toEqual({
        ...own,
        runs: ['SUCCEEDED', 'RUNNING'],
        cells: 'SSSP',
        end: null,
      });
      await fill(store, [done('b', 'ship', 4)]);
      expect(await seen()).toEqual({
        ...own,
        runs: ['SUCCEEDED', 'SUCCEEDED'],
        cells: 'SSSS',
        end: null,
      });
      await fill(store, [aTaskEvent({ change: 'ended' }, { taskId, at: START + 5 })]);
      expect(await seen()).toMatchObject({ runs: ['SUCCEEDED', 'SUCCEEDED'], end: 'SUCCEEDED' });
      // What is heard of late is not yet done.
      await fill(store, [aStatus('RUNNING', { taskId, host: 'a', step: 'early', at: START })]);
      expect(await seen()).toMatchObject({ plan: 3, cells: 'rSSNSS', end: 'CANCELLED' });
    });
  });

  describe('shows tasks, runs, steps and hosts', () => {
    let opened: OpenedStore;
    let log: StoredEvent[];
    let folded: FoldedLog;
    beforeAll(async () => {
      opened = await open(contractSettings);
      const planned = ['planned-1', 'planned-2', 'web-1'];
      await fill(opened.store, [
        ...aFleet({ seed: 7, tasks: 7, failRate: 0.15 }),
        aTaskEvent(
          { change: 'began', hosts: planned, title: 'Only planned' },
          { taskId: 'planned', at: START + 1, receivedAt: START + 1 },
        ),
        aStatus('RUNNING', { taskId: 'planned', host: 'web-1', at: START + 2 }),
      ]);
      log = await wholeLog(opened.store);
      folded = foldLog(log);
    });
    afterAll(() => opened.close());

    it('equal to a fold of the raw events, each by its key [T8 S3]', async () => {
      const { store } = opened;
      const { tasks, runs, steps, hosts } = folded;
      expect(await store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
      expect(await store.runsByKey(runs)).toEqual(runs);
      const keys = steps.map(({ taskId, host, name }) => ({ taskId, host, step: name }));
      expect(await store.stepsByKey(keys)).toEqual(steps);
      expect(await store.hostsByName(hosts.map(({ name }) => name))).toEqual(hosts);
    });

    it('and null for names that are unknown [S5]', async () => {
      const { store } = opened;
      const [task] = folded.tasks;
      const nowhere = { taskId: 'nobody', host: 'nowhere', step: 'backup' };
      expect(await store.tasksById(['nobody', task?.id ?? ''])).toEqual([null, task]);
      expect(await store.runsByKey([nowhere])).toEqual([null]);
      const noStep = { taskId: 'planned', host: 'web-1', step: 'none' };
      expect(await store.stepsByKey([nowhere, noStep])).toEqual([null, null]);
      expect(await store.hostsByName(['nowhere'])).toEqual([null]);
      expect(await store.lastLines([nowhere], 5)).toEqual([[]]);
      expect(await store.completeness([nowhere])).toEqual([
        { received: 0, complete: null, missing: [] },
      ]);
      expect(await store.matrices(['nobody'])).toEqual([null]);
      expect(await store.board('nobody')).toBeNull();
      expect((await store.taskStats(['nobody']))[0]).toMatchObject({ stepSummaries: [] });
    });

    it.for(TASK_FILTERS)('and lists tasks by %j [T1]', async (filter) => {
      const expected = folded.tasks.filter(
        (task) =>
          matchesTask(filter, task) &&
          (filter.host === undefined ||
            folded.runs.some(
              (run) => run.taskId === task.id && matchesHost([filter.host ?? ''], run.host),
            )) &&
          (filter.search === undefined ||
            matchesTaskSearch(filter.search, [
              task.id,
              task.title,
              task.service,
              task.version,
              task.environment,
              task.createdBy,
            ])),
      );
      for (const order of ['CREATED_DESC', 'CREATED_ASC', 'DURATION_DESC'] as const) {
        const rows = await allRows(
          (page) => opened.store.tasks({ filter, order, page }),
          order === 'CREATED_ASC',
          3,
        );
        const found = rows.map(({ node }) => node);
        expect(sorted(found, 'id')).toEqual(sorted(expected, 'id'));
        const values = found.map(({ createdAt, durationMs }) =>
          order === 'DURATION_DESC' ? (durationMs ?? -1) : createdAt,
        );
        const turn = order === 'CREATED_ASC' ? 1 : -1;
        expect(values).toEqual(values.toSorted((a, b) => turn * (a - b)));
      }
      const page = await opened.store.tasks({
        filter,
        order: 'CREATED_DESC',
        page: aPage({ limit: 1, withTotal: true }),
      });
      expect(page).toMatchObject({ total: expected.length, totalIsExact: true });
    });

    it.for(RUN_FILTERS)('and lists runs by %j [T1]', async (filter) => {
      const expected = folded.runs.filter((run) => matchesRun(filter, run));
      const orders = {
        HOST_ASC: (run: RunView) => run.host,
        STARTED_DESC: (run: RunView) => -(run.startedAt ?? 0),
        DURATION_DESC: (run: RunView) => -(run.durationMs ?? -1),
        LAST_EVENT_DESC: (run: RunView) => -(run.lastEventAt ?? 0),
        FAILED_FIRST: (run: RunView) => (run.status === 'FAILED' ? 0 : 1),
      } as const;
      for (const [order, value] of Object.entries(orders)) {
        const rows = await allRows(
          async (page) => {
            const [found] = await opened.store.runs([{ filter, order: order as 'HOST_ASC', page }]);
            return found ?? never();
          },
          order === 'STARTED_DESC',
          4,
        );
        const found = rows.map(({ node }) => node);
        expect(found.toSorted(byRun)).toEqual(expected.toSorted(byRun));
        const values = found.map((run): string | number => value(run));
        expect(values).toEqual(values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      }
    });

    it.for(STEP_FILTERS)('and lists steps by %j [T1]', async (filter) => {
      const expected = folded.steps.filter((step) => matchesStep(filter, step));
      const orders = {
        STARTED_DESC: (step: StepView) => -(step.startedAt ?? 0),
        STARTED_ASC: (step: StepView) => step.startedAt ?? Infinity,
        DURATION_DESC: (step: StepView) => -(step.durationMs ?? -1),
      } as const;
      for (const [order, value] of Object.entries(orders)) {
        const rows = await allRows(
          async (page) => {
            const [found] = await opened.store.steps([
              { filter, order: order as 'STARTED_ASC', page },
            ]);
            return found ?? never();
          },
          order === 'STARTED_ASC',
          30,
        );
        const found = rows.map(({ node }) => node);
        expect(found.toSorted(byStep)).toEqual(expected.toSorted(byStep));
        const values = found.map(value);
        expect(values).toEqual(values.toSorted((a, b) => a - b));
      }
    });

    it('and lists hosts by name, by labels and by when they were seen [T1]', async () => {
      const [first, second] = folded.hosts;
      const label = Object.entries(folded.hosts.find((h) => h.labels.rack)?.labels ?? {})[0];
      const filters: HostFilter[] = [
        {},
        { names: ['web-2', 'nowhere'] },
        { namePrefix: 'web-' },
        { seenSince: first?.lastSeenAt ?? 0 },
        { labels: [{ key: label?.[0] ?? '', value: String(label?.[1]) }] },
      ];
      for (const filter of filters) {
        const expected = folded.hosts.filter(
          (host) =>
            (filter.names === undefined || filter.names.includes(host.name)) &&
            host.name.startsWith(filter.namePrefix ?? '') &&
            host.lastSeenAt >= (filter.seenSince ?? 0) &&
            (filter.labels ?? []).every(({ key, value }) => String(host.labels[key]) === value),
        );
        const rows = await allRows((page) => opened.store.hosts({ filter, page }), false, 2);
        expect(rows.map(({ node }) => node)).toEqual(sorted(expected, 'name'));
      }
      expect(second).toBeDefined();
    });

    it('and tells the tasks that changed behind a cursor, oldest change first [T3 T5 T6]', async () => {
      const { store } = opened;
      const all = await store.tasksChangedSince([], 100);
      expect(sorted(all.tasks, 'id')).toEqual(sorted(folded.tasks, 'id'));
      expect(all.more).toBe(false);
      expect((await store.tasksChangedSince(all.at, 100)).tasks).toEqual([]);
      const outcomes = await store.append([anEvent({ taskId: 'planned', host: 'web-1' })]);
      await store.viewsReach(outcomes.map(positionOf));
      const changed = await store.tasksChangedSince(all.at, 100);
      expect(changed.tasks.map(({ id }) => id)).toEqual(['planned']);
      expect((await store.tasksChangedSince([], 2)).more).toBe(true);
    });

    it('and a few of them at a time, each once, from the position of the last one told on [T3 T4]', async () => {
      const { store } = opened;
      const { at } = await store.tasksChangedSince([], 1_000);
      const ids = ['walk-1', 'walk-2', 'walk-3', 'walk-4', 'walk-5'];
      await fill(
        store,
        ids.map((taskId) => anEvent({ taskId, host: 'web-1' })),
      );
      const told: string[][] = [];
      for (let after = at, more = true; more; ) {
        const part = await store.tasksChangedSince(after, 2);
        told.push(part.tasks.map(({ id }) => id));
        const last = part.tasks.at(-1)?.position;
        if (part.more) {
          expect(part.at.find(({ shard }) => shard === last?.shard)?.seq).toBe(last?.seq);
        }
        ({ at: after, more } = part);
      }
      expect(told.flat().sort()).toEqual(ids);
      expect(told.map(({ length }) => length)).toEqual([2, 2, 1]);
    });

    it('and the board and matrix of a task [B1 B4 B5]', async () => {
      for (const { id } of folded.tasks.slice(0, 5)) {
        const board = await opened.store.board(id);
        const runs = folded.runs.filter((run) => run.taskId === id);
        const over = folded.tasks.find((task) => task.id === id)?.over ?? false;
        const reported = runs.filter((run) => run.position !== null);
        const derived = board?.runs.map((run: RunState) =>
          deriveRun(run, board?.task ?? never(), over),
        );
        expect(derived?.toSorted(byRun)).toEqual(reported.toSorted(byRun));
        const matrix = (await opened.store.matrices([id]))[0]?.matrix;
        const hosts = runs.map(({ host }) => host).sort();
        expect(matrix?.hosts).toEqual(hosts);
        const cells = hosts.flatMap((host) =>
          (matrix?.steps ?? []).map((name) => {
            const run = runs.find((candidate) => candidate.host === host);
            const step = run?.steps.find((candidate) => candidate.name === name);
            if (step === undefined) return '-';
            return cellLetter(step.status, isStale(step, now(), staleAfterMs));
          }),
        );
        expect(matrix?.cells).toBe(cells.join(''));
      }
    });

    it('and the boards of many tasks at once, in the order of the question [S4]', async () => {
      const ids = folded.tasks.map(({ id }) => id);
      const asked = [...ids.toReversed(), 'nobody', ...ids.slice(0, 2)];
      const boards = await opened.store.matrices(asked);
      const single = await Promise.all(asked.map((id) => opened.store.matrices([id])));
      expect(boards.map((board) => board?.matrix)).toEqual(single.map(([board]) => board?.matrix));
      expect(boards.map((board) => board === null)).toEqual(asked.map((id) => id === 'nobody'));
    });

    it('and stay right when events come late, in any order and in any batches [T8]', async () => {
      const random = randomOf(11);
      const late = aFleet({ seed: 8, tasks: 3, hosts: 3 })
        .map((event) => ({ event, place: random() }))
        .sort((a, b) => a.place - b.place)
        .map(({ event }) => event);
      const shuffled = await open(contractSettings);
      try {
        for (let at = 0; at < late.length; ) {
          const size = 1 + Math.floor(random() * 60);
          await fill(shuffled.store, late.slice(at, at + size));
          at += size;
        }
        const expected = foldLog(await wholeLog(shuffled.store));
        const { tasks, runs } = expected;
        expect(await shuffled.store.tasksById(tasks.map(({ id }) => id))).toEqual(tasks);
        expect(await shuffled.store.runsByKey(runs)).toEqual(runs);
        const [all] = await shuffled.store.steps([
          { filter: {}, order: 'STARTED_DESC', page: aPage({ limit: 1_000 }) },
        ]);
        expect(all?.rows.map(({ node }) => node).sort(byStep)).toEqual(
          expected.steps.toSorted(byStep),
        );
      } finally {
        await shuffled.close();
      }
    });

    it('and what a plan no longer names is gone, and what a new one names is there [T8]', async () => {
      const taskId = 'replanned';
      const say = (hosts: string[], plan: string[], at: number) =>
        aTaskEvent({ change: 'began', hosts, plan }, { taskId, at, receivedAt: at });
      const replanned = await open(contractSettings);
      try {
        await fill(replanned.store, [say(['a', 'b', 'c'], ['one', 'two'], START)]);
        await fill(replanned.store, [
          aStatus('SUCCEEDED', { taskId, host: 'a', step: 'one', at: START + 1 }),
        ]);
        await fill(replanned.store, [say(['b', 'd'], ['one'], START + 2)]);
        const expected = foldLog(await wholeLog(replanned.store));
        expect(await replanned.store.tasksById([taskId])).toEqual(expected.tasks);
        const [runs] = await replanned.store.runs([
          { filter: { taskId }, order: 'HOST_ASC', page: aPage() },
        ]);
        expect(runs?.rows.map(({ node }) => node)).toEqual(expected.runs.toSorted(byRun));
        await fill(replanned.store, [
          aTaskEvent({ change: 'ended' }, { taskId, at: START + 9, receivedAt: START + 9 }),
        ]);
        const [over] = await replanned.store.matrices([taskId]);
        expect(over?.matrix).toEqual({ steps: ['one'], hosts: ['a', 'b', 'd'], cells: 'SNN' });
      } finally {
        await replanned.close();
      }
    });
  });
}

function sorted<T>(values: readonly T[], key: keyof T): T[] {
  return values.toSorted((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1));
}

function byRun(a: RunView, b: RunView): number {
  return `${a.taskId} ${a.host}` < `${b.taskId} ${b.host}` ? -1 : 1;
}

function byStep(a: StepView, b: StepView): number {
  const name = ({ taskId, host, name }: StepView) => `${taskId} ${host} ${name}`;
  return name(a) < name(b) ? -1 : 1;
}
