/** Whoever lists tasks while following them is told of every change of what was listed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeCursor, hashFilter } from '../../src/domain/cursor/cursor.ts';
import { ShiplogError } from '../../src/domain/errors.ts';
import type { TaskStatus } from '../../src/domain/event/event.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import type { TasksBatch } from '../../src/tail/tail.ts';
import { anEvent, aStatus, aTaskEvent } from '../store/events.ts';
import { positionOf } from '../store/harness.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

const FAILED = { statuses: ['FAILED' as const] };

let dataDir: string;
let real: Store;
let clock = Date.now();

async function openStore(name: string): Promise<Store> {
  return openSqliteStore({
    dataDir: join(dataDir, name),
    settings: testSettings,
    log: quietLog,
  });
}

/** The store, but for these of its calls. */
function changed(store: Store, calls: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name in calls) return Reflect.get(calls, name);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const unavailable = () => new ShiplogError('STORE_UNAVAILABLE', 'away', { retryAfterMs: 1 });

function ended(taskId: string, status: TaskStatus) {
  const at = ++clock;
  return aTaskEvent({ change: 'ended', status }, { taskId, at, receivedAt: at });
}

function running(taskId: string) {
  const at = ++clock;
  return aStatus('RUNNING', { taskId, at, receivedAt: at });
}

async function listed(taskId: string, store = real): Promise<string | undefined> {
  await store.viewsReach(await store.heads(null));
  return (await store.tasksById([taskId]))[0]?.status;
}

/** Until this task was told with this status; all that was told of it. */
async function toldUntil(list: AsyncIterator<TasksBatch>, taskId: string, status: string) {
  const told: string[] = [];
  while (told.at(-1) !== status) {
    const { tasks } = (await list.next()).value as TasksBatch;
    for (const task of tasks) if (task.id === taskId) told.push(task.status);
  }
  return told;
}

async function caughtUp(list: AsyncIterator<TasksBatch>): Promise<void> {
  while (!((await list.next()).value as TasksBatch).caughtUp);
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shiplog-task-watch-'));
  real = await openStore('real');
});
afterAll(async () => {
  await real.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('whoever follows a list of tasks by status', () => {
  let difficult: DifficultStore;
  let shiplog: Shiplog;
  /** Reads of tasks wait for it. */
  let held: Promise<void> | null = null;
  let holding = 0;

  beforeAll(async () => {
    difficult = difficultStore(real);
    const store = changed(difficult.store, {
      async tasksById(ids) {
        if (held !== null) holding++;
        await held;
        return difficult.store.tasksById(ids);
      },
    });
    shiplog = await startShiplog(store, { heartbeatMs: 50 });
  });
  afterEach(() => difficult.difficulty.end());
  afterAll(() => shiplog.close());

  const follow = (filter: object) => shiplog.tail.tasksChanged({ filter, after: null });
  const report = (...events: Parameters<Shiplog['ingest']['submit']>[0]) =>
    shiplog.ingest.submit(events);

  it('is told that a task left it, though the last who followed it had left before', async () => {
    const id = 'left-before';
    // Somebody who follows another task keeps the watch going.
    const other = shiplog.tail.taskChanged('another');
    const first = follow({ ids: [id] });
    await caughtUp(first);
    await report(running(id));
    await toldUntil(first, id, 'RUNNING');
    await first.return?.();
    await report(ended(id, 'FAILED'));
    const second = follow(FAILED);
    await caughtUp(second);
    expect(await listed(id)).toBe('FAILED');
    await report(ended(id, 'SUCCEEDED'));
    await toldUntil(second, id, 'SUCCEEDED');
    await Promise.all([second.return?.(), other.return?.()]);
  });

  it('is told that a task left it which it listed between two changes that are read as one', async () => {
    const id = 'read-as-one';
    const all = follow({ ids: [id] });
    const failed = follow(FAILED);
    for (const list of [all, failed]) await caughtUp(list);
    await report(running(id));
    for (const list of [all, failed]) await toldUntil(list, id, 'RUNNING');
    difficult.difficulty.away = true;
    await report(ended(id, 'FAILED'));
    expect(await listed(id)).toBe('FAILED');
    await report(ended(id, 'SUCCEEDED'));
    difficult.difficulty.end();
    await toldUntil(failed, id, 'SUCCEEDED');
    await Promise.all([all.return?.(), failed.return?.()]);
  });

  it('is told that a task left it which it listed while a later state of it was read', async () => {
    const id = 'read-ahead';
    const all = follow({ ids: [id] });
    await caughtUp(all);
    await report(running(id));
    await toldUntil(all, id, 'RUNNING');
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    holding = 0;
    await report(ended(id, 'FAILED'));
    const failed = follow(FAILED);
    await caughtUp(failed);
    expect(await listed(id)).toBe('FAILED');
    await expect.poll(() => holding).toBe(1);
    await report(ended(id, 'SUCCEEDED'));
    held = null;
    resolve();
    await toldUntil(failed, id, 'SUCCEEDED');
    await Promise.all([all.return?.(), failed.return?.()]);
  });

  it('is told that a task left it which it listed while it was slow to read', async () => {
    const id = 'slow';
    const all = follow({ ids: [id] });
    const failed = follow(FAILED);
    for (const list of [all, failed]) await caughtUp(list);
    await report(running(id));
    for (const list of [all, failed]) await toldUntil(list, id, 'RUNNING');
    for (const status of ['FAILED', 'SUCCEEDED'] as const) {
      await report(ended(id, status));
      // What was handed to the one was handed to the other too.
      await toldUntil(all, id, status);
    }
    await toldUntil(failed, id, 'SUCCEEDED');
    await Promise.all([all.return?.(), failed.return?.()]);
  });

  it('is not told of a task that runs on, line by line, and never was in it', async () => {
    const id = 'runs-on';
    const all = follow({ ids: [id] });
    const failed = follow(FAILED);
    for (const list of [all, failed]) await caughtUp(list);
    await report(running(id));
    // Its state before was not seen, so it may have been in the list.
    for (const list of [all, failed]) await toldUntil(list, id, 'RUNNING');
    await report(...[1, 2, 3].map(() => anEvent({ taskId: id })));
    await toldUntil(all, id, 'RUNNING');
    await report(ended(id, 'FAILED'));
    expect(await toldUntil(failed, id, 'FAILED')).toEqual(['FAILED']);
    await Promise.all([all.return?.(), failed.return?.()]);
  });
});

it('whoever follows a task is told of its changes after a restore, though one of another was not read before it', async () => {
  const restored = await openStore('restored');
  for (let i = 0; i < 20; i++) await real.append([running('restored')]);
  await restored.append([running('restored')]);
  let current = real;
  let refused = 0;
  let away = false;
  const store = changed(real, {
    shared: true,
    append: (events) => current.append(events),
    heads: (taskId) => current.heads(taskId),
    checkCursors: (cursors) => current.checkCursors(cursors),
    readLog: (...args) => current.readLog(...args),
    tasksById: (ids) => current.tasksById(ids),
    // As views of a cluster: nothing holds what is not in the log.
    async viewsReach(positions) {
      const [head] = await current.heads(null);
      if (away || positions.some(({ seq }) => seq > (head?.seq ?? 0))) {
        refused++;
        throw unavailable();
      }
      await current.viewsReach(positions);
    },
  });
  const shiplog = await startShiplog(store, { heartbeatMs: 50 });
  const states = shiplog.tail.taskChanged('restored');
  const other = shiplog.tail.taskChanged('not-restored');
  expect((await states.next()).value).toMatchObject({ status: 'RUNNING' });
  away = true;
  await shiplog.ingest.submit([running('not-restored')]);
  await expect.poll(() => refused).toBeGreaterThan(1);
  current = restored;
  away = false;
  const seen = (await states.next()).value;
  expect(seen).toMatchObject({ status: 'RUNNING', position: { seq: 1 } });
  // The first ones may be told because the reader looks once more after a restore.
  for (const next of ['SUCCEEDED', 'FAILED', 'PARTIAL', 'CANCELLED'] as const) {
    await shiplog.ingest.submit([ended('restored', next)]);
    let status = '';
    while (status !== next) status = (await states.next()).value.status;
  }
  await Promise.all([states.return?.(), other.return?.()]);
  await shiplog.close();
  await restored.close();
});

it('what changed in a shard that retention removed is not asked for any more', async () => {
  const late = Promise.withResolvers<void>();
  let asked = 0;
  let looks = 0;
  let gone = false;
  const store = changed(real, {
    shared: true,
    async heads(taskId) {
      looks++;
      return gone ? [] : real.heads(taskId);
    },
    checkCursors: async (cursors) =>
      gone
        ? cursors.map(({ seq }) => ({ state: 'dropped', finalSeq: seq }))
        : real.checkCursors(cursors),
    async viewsReach(positions) {
      if (positions.every(({ seq }) => seq < pending)) return real.viewsReach(positions);
      asked++;
      await late.promise;
    },
  });
  let pending = Number.POSITIVE_INFINITY;
  const shiplog = await startShiplog(store, { heartbeatMs: 50 });
  const list = shiplog.tail.tasksChanged({ filter: {}, after: null });
  await caughtUp(list);
  pending = ((await real.heads(null))[0]?.seq ?? 0) + 1;
  await shiplog.ingest.submit([running('removed')]);
  await expect.poll(() => asked).toBe(1);
  gone = true;
  const looksThen = looks;
  await expect.poll(() => looks, { timeout: 5_000 }).toBeGreaterThan(looksThen + 1);
  const looksNow = looks;
  late.reject(unavailable());
  await expect.poll(() => looks, { timeout: 5_000 }).toBeGreaterThan(looksNow + 2);
  expect(asked).toBe(1);
  await list.return?.();
  await shiplog.close();
});

it('a list for which more changed than is kept does not pass over it, though more is told while it reads', async () => {
  const first = Promise.withResolvers<void>();
  let held: Promise<void> | null = null;
  let holding = 0;
  let nobody = false;
  const store = changed(real, {
    async tasks(query) {
      if (held !== null) holding++;
      await held;
      return real.tasks(query);
    },
    // Retention may remove a task before it is read.
    tasksById: async (ids) => (nobody ? ids.map(() => null) : real.tasksById(ids)),
  });
  const shiplog = await startShiplog(store, { heartbeatMs: 50, memory: { waitingTasks: 5 } });
  const list = shiplog.tail.tasksChanged({ filter: { host: 'web-1' }, after: null });
  const quick = shiplog.tail.tasksChanged({ filter: {}, after: null });
  for (const one of [list, quick]) await caughtUp(one);
  held = first.promise;
  await shiplog.ingest.submit([running('kept')]);
  await toldUntil(quick, 'kept', 'RUNNING');
  const telling = list.next();
  await expect.poll(() => holding).toBe(1);
  const ids = Array.from({ length: 20 }, (_, i) => `too-many-${i}`);
  await shiplog.ingest.submit(ids.map(running));
  await toldUntil(quick, ids[19] as string, 'RUNNING');
  // It follows the watch again: its cursor moves on when it is told.
  await caughtUp(quick);
  nobody = true;
  const [outcome] = await shiplog.ingest.submit([running('nobody')]);
  const { shard, seq } = positionOf(outcome ?? expect.fail());
  for (let at = 0; at < seq; ) {
    const { cursor } = (await quick.next()).value as TasksBatch;
    const heads = decodeCursor(cursor, { kind: 'tasks', filterHash: hashFilter({}) });
    at = heads.find((head) => head.shard === shard)?.seq ?? 0;
  }
  nobody = false;
  held = null;
  first.resolve();
  const told = new Set(((await telling).value as TasksBatch).tasks.map(({ id }) => id));
  while (!ids.every((id) => told.has(id))) {
    for (const { id } of ((await list.next()).value as TasksBatch).tasks) told.add(id);
  }
  await Promise.all([list.return?.(), quick.return?.()]);
  await shiplog.close();
});
