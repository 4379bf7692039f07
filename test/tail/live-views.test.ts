/** Live boards and task lists: first the state, then every change, resumable. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_PLAN, type StoredEvent } from '../../src/domain/event/event.ts';
import {
  deriveRun,
  deriveTask,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  NO_RUNS,
} from '../../src/domain/fold/fold.ts';
import type { RunView } from '../../src/domain/fold/views.ts';
import type { Store } from '../../src/store/store.ts';
import type { RunsBatch, TasksBatch } from '../../src/tail/tail.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';
import { Screen, truthOf } from './screen.ts';

const STEPS = ['unpack', 'start'];

async function until<T>(batches: AsyncIterator<T>, enough: (batch: T) => boolean): Promise<T[]> {
  const seen: T[] = [];
  for (;;) {
    const { value, done } = await batches.next();
    if (done) throw new Error('the subscription ended early');
    seen.push(value);
    if (enough(value)) return seen;
  }
}

describeOnEngines('live views', (engine) => {
  let store: Store;
  let shiplog: Shiplog;
  let tasks = 0;

  const begin = async (fields: object = {}) => {
    const id = `live-${engine.name}-${++tasks}`;
    await shiplog.ingest.startTask({ id, plan: STEPS, service: 'shop', ...fields });
    return id;
  };
  const report = async (taskId: string, host: string, step: string, status: string) => {
    await shiplog.ingest.logSteps([{ taskId, host, step, status }]);
  };
  const rawEvents = async (taskId: string): Promise<StoredEvent[]> => {
    const page = { limit: 1_000, backward: false, after: null, before: null, around: null };
    const [found] = await store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    return (found?.rows ?? []).map(({ node }) => node);
  };

  beforeAll(async () => {
    store = await engine.open();
    shiplog = await startShiplog(store, { heartbeatMs: 1_000 });
  });
  afterAll(() => shiplog.close());

  it('a board begins whole, planned hosts included, and goes on with what changed', async () => {
    const taskId = await begin({ hosts: ['a', 'b'] });
    await report(taskId, 'a', 'unpack', 'SUCCEEDED');
    const board = shiplog.tail.runsChanged({ taskId, after: null });
    const { value: first } = await board.next();
    expect(first.snapshot).toEqual({ steps: STEPS, hosts: ['a', 'b'], cells: 'SPPP' });
    await report(taskId, 'b', 'unpack', 'FAILED');
    const batches = await until(board, ({ changed }: RunsBatch) => changed.length > 0);
    const run = batches.at(-1)?.changed[0] as RunView;
    expect([run.host, run.status, run.currentStep]).toEqual(['b', 'FAILED', 'unpack']);
    await board.return?.();
  });

  it('a board that is opened right after an acknowledgement shows it, without a next event', async () => {
    for (const known of [true, false]) {
      const taskId = known ? await begin() : `live-${engine.name}-${++tasks}`;
      await report(taskId, 'a', 'unpack', 'FAILED');
      const screen = new Screen(shiplog.tail.runsChanged({ taskId, after: null }));
      await screen.until(await truthOf(store, taskId));
      expect(screen.cells.a?.unpack).toBe('F');
      await screen.leave();
    }
  });

  it('a board whose plan changes is told whole again, with the new columns, also to who resumes', async () => {
    const taskId = `live-${engine.name}-${++tasks}`;
    const columnsOf = ({ batches }: Screen) =>
      batches.findLast(({ snapshot }) => snapshot !== null)?.snapshot?.steps;
    const look = (from: Screen | null = null) =>
      new Screen(shiplog.tail.runsChanged({ taskId, after: from?.cursor ?? null }), from);
    await report(taskId, 'a', 'unpack', 'SUCCEEDED');
    const [screen, left] = [look(), look()];
    await Promise.all([screen.next(), left.next()]);
    await left.leave();
    expect(columnsOf(screen)).toEqual(DEFAULT_PLAN);

    // A step of its own: it is none of the standard deployments.
    await report(taskId, 'b', 'migrate', 'RUNNING');
    const reported = {
      a: { unpack: 'S', migrate: 'P' },
      b: { unpack: 'P', migrate: 'R' },
    };
    await screen.until(reported);
    expect(columnsOf(screen)).toEqual(['unpack', 'migrate']);

    await shiplog.ingest.startTask({ id: taskId, plan: ['migrate', 'verify'] });
    const declared = {
      a: { migrate: 'P', verify: 'P', unpack: 'S' },
      b: { migrate: 'R', verify: 'P' },
    };
    await screen.until(declared);
    expect(columnsOf(screen)).toEqual(['migrate', 'verify', 'unpack']);

    const resumed = look(left);
    await resumed.until(declared);
    expect(columnsOf(resumed)).toEqual(['migrate', 'verify', 'unpack']);
    expect(await truthOf(store, taskId)).toEqual(declared);
    await Promise.all([screen.leave(), resumed.leave()]);
  });

  it('a board resumed by its cursor tells what changed meanwhile, and only that', async () => {
    const taskId = await begin({ hosts: ['a', 'b', 'c'] });
    const board = shiplog.tail.runsChanged({ taskId, after: null });
    const { value: first } = await board.next();
    await board.return?.();
    await report(taskId, 'c', 'unpack', 'RUNNING');
    const resumed = shiplog.tail.runsChanged({ taskId, after: first.cursor });
    const told = await until(resumed, ({ changed }: RunsBatch) => changed.length > 0);
    expect(told.map(({ snapshot }) => snapshot)).toEqual(told.map(() => null));
    expect(told.at(-1)?.changed.map(({ host }) => host)).toEqual(['c']);
    await resumed.return?.();
  });

  it('a board followed to its end equals a fold of the raw events', async () => {
    const hosts = Array.from({ length: 40 }, (_, i) => `web-${i}`);
    const taskId = await begin({ hosts });
    const board = shiplog.tail.runsChanged({ taskId, after: null });
    await board.next();
    const shown = new Map<string, RunView>();
    const finished = until(board, ({ changed }: RunsBatch) => {
      for (const run of changed) shown.set(run.host, run);
      return [...shown.values()].filter(({ finishedAt }) => finishedAt !== null).length === 40;
    });
    await Promise.all(
      hosts.map(async (host, i) => {
        await report(taskId, host, 'unpack', 'RUNNING');
        await report(taskId, host, 'unpack', i % 7 === 0 ? 'FAILED' : 'SUCCEEDED');
        if (i % 7 !== 0) await report(taskId, host, 'start', 'SUCCEEDED');
      }),
    );
    await finished;
    const events = await rawEvents(taskId);
    const task = events.reduce(foldTask, emptyTask(taskId));
    for (const host of hosts) {
      const state = events.reduce(foldRun, emptyRun(taskId, host));
      const { status, steps } = deriveRun(state, task, false);
      expect(shown.get(host)).toMatchObject({ status, finishedAt: expect.any(Number) });
      expect(shown.get(host)?.steps.map((step) => step.startedAt)).toEqual(
        steps.map((step) => step.startedAt),
      );
    }
    await board.return?.();
  });

  it('a run that falls silent is told as stale, though no event says so', async () => {
    let now = Date.now();
    const other = await startShiplog(store, {
      heartbeatMs: 500,
      staleAfterMs: 1_000,
      now: () => now,
    });
    const taskId = await begin({ hosts: ['a'] });
    await report(taskId, 'a', 'unpack', 'RUNNING');
    const board = other.tail.runsChanged({ taskId, after: null });
    const { value: first } = await board.next();
    expect(first.snapshot.cells).toBe('RP');
    now += 60_000;
    const batches = await until(board, ({ changed }: RunsBatch) => changed.length > 0);
    expect(batches.at(-1)?.changed[0]?.host).toBe('a');
    await board.return?.();
    await other.close();
  });

  it('one task: its current state first, then each change, to its end', async () => {
    const taskId = await begin({ hosts: ['a'] });
    const changes = shiplog.tail.taskChanged(taskId);
    const { value: first } = await changes.next();
    expect(first).toMatchObject({ id: taskId, status: 'PENDING', service: 'shop' });
    await report(taskId, 'a', 'unpack', 'RUNNING');
    await until(changes, ({ status }) => status === 'RUNNING');
    await shiplog.ingest.finishTask({ id: taskId, status: 'CANCELLED', message: 'enough' });
    const last = await until(changes, ({ over }) => over);
    expect(last.at(-1)).toMatchObject({ status: 'CANCELLED', message: 'enough' });
    await changes.return?.();
  });

  it('a task that has not begun is waited for', async () => {
    const id = `live-${engine.name}-later`;
    const changes = shiplog.tail.taskChanged(id);
    const first = changes.next();
    await report(id, 'a', 'backup', 'RUNNING');
    expect((await first).value).toMatchObject({ id, status: 'RUNNING' });
    await changes.return?.();
  });

  it('a list of tasks tells a task when its old or its new state matches', async () => {
    const running = shiplog.tail.tasksChanged({ filter: { statuses: ['RUNNING'] }, after: null });
    await running.next();
    const taskId = await begin();
    const tells =
      (status: string) =>
      ({ tasks }: TasksBatch) =>
        tasks.some((task) => task.id === taskId && task.status === status);
    await report(taskId, 'a', 'unpack', 'RUNNING');
    await until(running, tells('RUNNING'));
    await shiplog.ingest.finishTask({ id: taskId, status: 'FAILED' });
    await until(running, tells('FAILED'));
    await running.return?.();
  });

  it('a list of tasks resumed by its cursor tells what changed meanwhile', async () => {
    const service = `resumed-${engine.name}`;
    const list = shiplog.tail.tasksChanged({ filter: { services: [service] }, after: null });
    const { value: first } = await list.next();
    await list.return?.();
    const [one, two] = [await begin({ service }), await begin({ service })];
    await begin({ service: 'another' });
    const resumed = shiplog.tail.tasksChanged({
      filter: { services: [service] },
      after: first.cursor,
    });
    const told = new Set<string>();
    await until(resumed, ({ tasks }: TasksBatch) => {
      for (const { id } of tasks) told.add(id);
      return told.size >= 2;
    });
    expect([...told].sort()).toEqual([one, two].sort());
    await resumed.return?.();
  });

  it('what the store shows of a task equals a fold of its raw events', async () => {
    const taskId = await begin({ version: '7', expectedHosts: 2, labels: { team: 'a' } });
    await report(taskId, 'a', 'unpack', 'RUNNING');
    const events = await rawEvents(taskId);
    await store.viewsReach(events.map(({ position }) => position));
    const [view] = await store.tasksById([taskId]);
    const folded = events.reduce(foldTask, emptyTask(taskId));
    expect(view).toEqual(deriveTask(folded, { ...NO_RUNS, total: 1, running: 1 }));
  });
});
