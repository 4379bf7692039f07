/** What is read of a task may be told late, and older than what its changes have told meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { TaskView } from '../../src/domain/fold/views.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { aStatus } from '../store/events.ts';
import { positionOf } from '../store/harness.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { startShiplog } from '../support/shiplog.ts';

it('whoever follows a task ends with what was told last, though an older state with the same position is read late', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-late-read-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
  onTestFinished(() => real.close());
  const late = Promise.withResolvers<void>();
  let reads = 0;
  // As an engine reads whose states may be ahead of events before them: the position is the same.
  const tasksById: Store['tasksById'] = async (ids) => {
    const tasks = await real.tasksById(ids);
    if (++reads > 1) return tasks;
    await late.promise;
    const newest = await real.tasksById(ids);
    return tasks.map(
      (task, i) => task && { ...task, position: newest[i]?.position ?? task.position },
    );
  };
  const store = new Proxy(real, {
    get(target, name) {
      if (name === 'tasksById') return tasksById;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const shiplog = await startShiplog(store);
  onTestFinished(() => shiplog.close());
  const run = { taskId: 't', host: 'h', step: 's' };
  await shiplog.ingest.logSteps([{ ...run, status: 'RUNNING' }]);

  const states = shiplog.tail.taskChanged('t');
  const first = states.next();
  await vi.waitFor(() => expect(reads).toBe(1), 10_000);
  await shiplog.ingest.logSteps([{ ...run, status: 'FAILED' }]);
  await vi.waitFor(() => expect(reads).toBeGreaterThan(1), { timeout: 5_000 });
  // Its answer is told.
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  await real.tasksById(['t']);
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  late.resolve();
  expect((await first).value).toEqual((await real.tasksById(['t']))[0]);
  await states.return?.();
});

it('a task that was told before views had caught up is told again then, though it is the same: what is selected in it is searched for', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-late-views-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
  onTestFinished(() => real.close());
  const cameOn = Promise.withResolvers<void>();
  const viewsReach: Store['viewsReach'] = async (positions) => {
    await cameOn.promise;
    await real.viewsReach(positions);
  };
  const store = new Proxy(real, {
    get(target, name) {
      if (name === 'viewsReach') return viewsReach;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const shiplog = await startShiplog(store);
  onTestFinished(() => shiplog.close());
  const [stored] = await real.append([aStatus('RUNNING', { taskId: 't' })]);
  await real.viewsReach([positionOf(stored ?? expect.fail())]);

  const states = shiplog.tail.taskChanged('t');
  const { value: early } = await states.next();
  const next = states.next();
  cameOn.resolve();
  expect((await next).value).toEqual(early);
  await states.return?.();
});

it('a list of tasks that is read on from the store is never told an older state after it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-late-list-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
  onTestFinished(() => real.close());
  let holding: Promise<void> | null = null;
  let reads = 0;
  const tasksById: Store['tasksById'] = async (ids) => {
    await holding;
    const tasks = await real.tasksById(ids);
    reads++;
    return tasks;
  };
  const store = new Proxy(real, {
    get(target, name) {
      if (name === 'tasksById') return tasksById;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const shiplog = await startShiplog(store, { heartbeatMs: 100 });
  onTestFinished(() => shiplog.close());
  const run = { taskId: 't', host: 'h', step: 's' };
  const begin = shiplog.tail.tasksChanged({ filter: {}, after: null });
  const { value: now } = await begin.next();
  await begin.return?.();

  const list = shiplog.tail.tasksChanged({ filter: {}, after: now.cursor });
  await shiplog.ingest.logSteps([{ ...run, status: 'RUNNING' }]);
  await vi.waitFor(() => expect(reads).toBe(1), { timeout: 5_000 });
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  const held = Promise.withResolvers<void>();
  holding = held.promise;
  await shiplog.ingest.logSteps([{ ...run, status: 'FAILED' }]);

  const told: number[] = [];
  for (let quiet = 0; quiet < 2; ) {
    const { value: batch } = await list.next();
    told.push(...batch.tasks.map(({ position }: TaskView) => position.seq));
    if (batch.tasks.length === 0 && batch.caughtUp && ++quiet === 1) held.resolve();
  }
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe((await real.tasksById(['t']))[0]?.position.seq);
  await list.return?.();
});
