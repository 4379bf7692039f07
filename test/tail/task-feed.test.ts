/** Followers of tasks whose views are behind, or whose store is away, still end with the truth. */
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { TaskView } from '../../src/domain/fold/views.ts';
import type { Store } from '../../src/store/store.ts';
import type { TasksBatch } from '../../src/tail/tail.ts';
import { aStatus } from '../store/events.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

describeOnEngines('whoever follows tasks', (engine) => {
  let real: Store;
  let difficult: DifficultStore;
  let shiplog: Shiplog;
  let releases = 0;

  beforeAll(async () => {
    real = await engine.open();
    difficult = difficultStore(real);
    shiplog = await startShiplog(difficult.store, { heartbeatMs: 100 });
    return () => shiplog.close();
  });
  afterEach(() => difficult.difficulty.end());

  const report = (taskId: string, status: string) =>
    shiplog.ingest.logSteps([{ taskId, host: 'a', step: 'unpack', status }]);
  const newTask = async () => {
    const id = `feed-${engine.name}-${++releases}`;
    await shiplog.ingest.startTask({ id, hosts: ['a'], plan: ['unpack'] });
    return id;
  };
  const holdViews = () => {
    difficult.difficulty.viewsLagMs = Number.POSITIVE_INFINITY;
  };

  async function cursorNow(filter: object): Promise<string> {
    const list = shiplog.tail.tasksChanged({ filter, after: null });
    for (;;) {
      const { value } = await list.next();
      if (!value.caughtUp) continue;
      await list.return?.();
      return value.cursor;
    }
  }

  async function statusesUntil(changes: AsyncIterator<TaskView>, last: string): Promise<string[]> {
    const seen: string[] = [];
    while (seen.at(-1) !== last) seen.push((await changes.next()).value.status);
    return seen;
  }

  async function readUntil(
    list: AsyncIterator<TasksBatch>,
    enough: (batch: TasksBatch) => boolean,
  ) {
    const batches: TasksBatch[] = [];
    for (;;) {
      const { value } = await list.next();
      batches.push(value);
      if (enough(value)) return batches;
    }
  }

  /** Reads until each of these was told. */
  async function readAll(list: AsyncIterator<TasksBatch>, ids: readonly string[]): Promise<void> {
    const told = new Set<string>();
    await readUntil(list, ({ tasks }) => {
      for (const { id } of tasks) told.add(id);
      return ids.every((id) => told.has(id));
    });
  }

  it('is told that a task has ended, though the views showed it as running at the begin', async () => {
    const id = await newTask();
    await report(id, 'RUNNING');
    holdViews();
    await report(id, 'SUCCEEDED');
    const changes = shiplog.tail.taskChanged(id);
    expect((await changes.next()).value.status).not.toBe('SUCCEEDED');
    difficult.difficulty.end();
    expect((await statusesUntil(changes, 'SUCCEEDED')).at(-1)).toBe('SUCCEEDED');
    await changes.return?.();
  });

  it('is told by a list that goes on behind a cursor what views did not show at the begin', async () => {
    const id = await newTask();
    const filter = { ids: [id] };
    const after = await cursorNow(filter);
    holdViews();
    await report(id, 'SUCCEEDED');
    const list = shiplog.tail.tasksChanged({ filter, after });
    const early = (await list.next()).value;
    expect(early).toMatchObject({ tasks: [], caughtUp: false });
    difficult.difficulty.end();
    const batches = await readUntil(list, ({ caughtUp }) => caughtUp);
    const told = batches.flatMap(({ tasks }) => tasks);
    expect(told.at(-1)).toMatchObject({ id, status: 'SUCCEEDED' });
    await list.return?.();
  });

  it('is told by a list that it has caught up when the views show all that was acknowledged', async () => {
    const id = await newTask();
    holdViews();
    await report(id, 'SUCCEEDED');
    const list = shiplog.tail.tasksChanged({ filter: {}, after: null });
    expect((await list.next()).value.caughtUp).toBe(false);
    difficult.difficulty.end();
    await readUntil(list, ({ caughtUp }) => caughtUp);
    expect((await real.tasksById([id]))[0]).toMatchObject({ status: 'SUCCEEDED' });
    await list.return?.();
  });

  it('waits for a store that is away when it begins', async () => {
    const id = await newTask();
    const filter = { ids: [id] };
    const after = await cursorNow(filter);
    await report(id, 'SUCCEEDED');
    difficult.difficulty.away = true;
    const changes = shiplog.tail.taskChanged(id);
    const list = shiplog.tail.tasksChanged({ filter, after });
    const [first, batch] = [changes.next(), readUntil(list, ({ tasks }) => tasks.length > 0)];
    const refused = difficult.difficulty.met.refused;
    await expect.poll(() => difficult.difficulty.met.refused).toBeGreaterThan(refused + 3);
    difficult.difficulty.end();
    expect((await first).value).toMatchObject({ id });
    expect((await batch).at(-1)?.tasks).toMatchObject([{ id, status: 'SUCCEEDED' }]);
    await Promise.all([changes.return?.(), list.return?.()]);
  });

  it('is told all of 250 tasks that changed while its list was away', async () => {
    const ids = Array.from({ length: 250 }, (_, i) => `many-${engine.name}-${i}`);
    const after = await cursorNow({});
    await shiplog.ingest.logSteps(
      ids.map((taskId) => ({ taskId, host: 'a', step: 'unpack', status: 'RUNNING' })),
    );
    const list = shiplog.tail.tasksChanged({ filter: {}, after });
    const batches = await readUntil(list, ({ caughtUp }) => caughtUp);
    const told = new Set(batches.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
    expect(ids.filter((id) => !told.has(id))).toEqual([]);
    await list.return?.();
  });

  it('is told every task though more changed than are kept for a reader that is slow', async () => {
    const slow = await startShiplog(real, { heartbeatMs: 100, memory: { waitingTasks: 50 } });
    const ids = Array.from({ length: 250 }, (_, i) => `slow-${engine.name}-${i}`);
    const list = slow.tail.tasksChanged({ filter: {}, after: null });
    const quick = slow.tail.tasksChanged({ filter: {}, after: null });
    for (const one of [list, quick]) await readUntil(one, ({ caughtUp }) => caughtUp);
    const reading = readAll(quick, ids);
    await slow.ingest.submit(ids.map((taskId) => aStatus('RUNNING', { taskId })));
    // What was handed to the one was handed to the other too.
    await reading;
    // It kept none of them: it reads on from the store, and says that it has not caught up.
    const { value } = await list.next();
    expect(value.caughtUp).toBe(false);
    expect(value.tasks.length).toBeGreaterThan(0);
    const resumed = slow.tail.tasksChanged({ filter: {}, after: value.cursor });
    const first = new Set(value.tasks.map(({ id }: TaskView) => id));
    const rest = ids.filter((id) => !first.has(id));
    await readAll(resumed, rest);
    await readAll(list, rest);
    await Promise.all([list, quick, resumed].map((one) => one.return?.()));
    await slow.close();
  });

  it('waits, beating on, where more changed than are kept for it and the store is away', async () => {
    const away = difficultStore(real);
    const slow = await startShiplog(away.store, { heartbeatMs: 100, memory: { waitingTasks: 5 } });
    const ids = Array.from({ length: 20 }, (_, i) => `away-${engine.name}-${i}`);
    const list = slow.tail.tasksChanged({ filter: {}, after: null });
    const quick = slow.tail.tasksChanged({ filter: {}, after: null });
    for (const one of [list, quick]) await readUntil(one, ({ caughtUp }) => caughtUp);
    const handed = readAll(quick, ids);
    await slow.ingest.submit(ids.map((taskId) => aStatus('RUNNING', { taskId })));
    await handed;
    away.difficulty.away = true;
    const { value } = await list.next();
    expect(value).toMatchObject({ tasks: [], caughtUp: false });
    away.difficulty.end();
    await readAll(list, ids);
    await readUntil(list, ({ caughtUp }) => caughtUp);
    await Promise.all([list.return?.(), quick.return?.()]);
    await slow.close();
  });
});
