/** The tail's promise: nothing missed, nothing repeated, live or resumed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventFilter } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import type { Store } from '../../src/store/store.ts';
import type { TailBatch } from '../../src/tail/tail.ts';
import { describeOnEngines } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

function line(taskId: string, message: string, fields: object = {}) {
  return { taskId, host: 'web-1', step: 'download', message, eventId: message, ...fields };
}

/** Reads until `count` events came; answers their messages, in order, and the last cursor. */
async function take(batches: AsyncIterableIterator<TailBatch>, count: number) {
  const messages: (string | null)[] = [];
  let cursor = '';
  while (messages.length < count) {
    const { value, done } = await batches.next();
    if (done) break;
    cursor = value.cursor;
    for (const { message } of value.events) messages.push(message);
  }
  return { messages, cursor };
}

function named(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
}

describeOnEngines('a tail', (engine) => {
  let store: Store;
  let shiplog: Shiplog;
  let tasks = 0;
  const newTask = () => `tail-${engine.name}-${++tasks}`;
  const tail = (filter: EventFilter, after: string | null = null, last: number | null = null) =>
    shiplog.tail.events({ filter, after, last });
  const log = async (taskId: string, messages: string[], fields: object = {}) => {
    for (let i = 0; i < messages.length; i += 500) {
      const batch = messages.slice(i, i + 500);
      const outcomes = await shiplog.ingest.logSteps(batch.map((m) => line(taskId, m, fields)));
      expect(outcomes.every(({ outcome }) => outcome === 'STORED')).toBe(true);
    }
  };

  beforeAll(async () => {
    store = await engine.open();
    shiplog = await startShiplog(store);
  });
  afterAll(() => shiplog.close());

  it('begins with an empty batch that carries a cursor, then delivers what becomes durable', async () => {
    const taskId = newTask();
    const batches = tail({ taskId });
    let first: TailBatch;
    // A store that is busy for longer than a heartbeat is told of by empty batches, too.
    do {
      first = (await batches.next()).value as TailBatch;
      expect(first).toMatchObject({ events: [], gap: null, cursor: expect.any(String) });
    } while (!first.caughtUp);
    await log(taskId, ['one', 'two']);
    expect((await take(batches, 2)).messages).toEqual(['one', 'two']);
    await batches.return?.();
  });

  it('resumes by its cursor exactly behind what was delivered', async () => {
    const taskId = newTask();
    const batches = tail({ taskId });
    await batches.next();
    await log(taskId, named(0, 10));
    const { cursor } = await take(batches, 10);
    await batches.return?.();
    await log(taskId, named(10, 700));
    const resumed = tail({ taskId }, cursor);
    expect((await take(resumed, 690)).messages).toEqual(named(10, 700));
    await log(taskId, named(700, 705));
    expect((await take(resumed, 5)).messages).toEqual(named(700, 705));
    await resumed.return?.();
  });

  it('says that it has caught up as soon as it has, without waiting for something new', async () => {
    const taskId = newTask();
    await log(taskId, named(0, 3));
    const batches = tail({ taskId }, null, 2);
    const caughtUp: boolean[] = [];
    for (let i = 0; i < 2; i++) caughtUp.push((await batches.next()).value.caughtUp);
    expect(caughtUp).toEqual([false, true]);
    await batches.return?.();
  });

  it('can be cut after every batch, and the parts are the whole', async () => {
    const taskId = newTask();
    await log(taskId, named(0, 1));
    const page = await store.events([
      {
        filter: { taskId },
        order: 'LOG',
        page: {
          limit: 0,
          backward: false,
          after: null,
          before: null,
          around: null,
          withTotal: false,
        },
      },
    ]);
    let cursor = shiplog.tail.tailCursor({ taskId }, page[0]?.at ?? []);
    const writing = log(taskId, named(1, 1_500));
    const got: (string | null)[] = [];
    while (got.length < 1_499) {
      const part = tail({ taskId }, cursor);
      const { value } = await part.next();
      await part.return?.();
      cursor = value.cursor;
      got.push(...value.events.map(({ message }: { message: string | null }) => message));
    }
    await writing;
    expect(got).toEqual(named(1, 1_500));
  });

  it('delivers only what its filter selects, and its cursor goes on all the same', async () => {
    const taskId = newTask();
    const search = parseSearch('needle');
    const filter: EventFilter = { taskId, ...(search === null ? {} : { search }) };
    const batches = tail(filter);
    const { value: first } = await batches.next();
    await log(taskId, ['hay 1', 'a needle', 'hay 2', 'hay 3']);
    const { messages, cursor } = await take(batches, 1);
    expect(messages).toEqual(['a needle']);
    expect(cursor).not.toBe(first.cursor);
    await batches.return?.();
    await log(taskId, ['hay 4', 'the second needle']);
    const resumed = tail(filter, cursor);
    expect((await take(resumed, 1)).messages).toEqual(['the second needle']);
    await resumed.return?.();
  });

  it('can begin with the newest stored, joined to what follows', async () => {
    const taskId = newTask();
    await log(taskId, named(0, 30));
    const batches = tail({ taskId }, null, 5);
    expect((await take(batches, 5)).messages).toEqual(named(25, 30));
    await log(taskId, named(30, 32));
    expect((await take(batches, 2)).messages).toEqual(named(30, 32));
    await batches.return?.();
  });

  it('follows everything, other tasks too, each event once and a task in order', async () => {
    const [a, b] = [newTask(), newTask()];
    const batches = tail({ taskId: a });
    const every = tail({ steps: ['download'], labels: [{ key: 'all', value: b }] });
    await batches.next();
    await every.next();
    const labels = { all: b };
    await Promise.all([
      log(a, named(0, 300), { labels }),
      log(
        b,
        named(0, 300).map((m) => `b ${m}`),
        { labels },
      ),
    ]);
    expect((await take(batches, 300)).messages).toEqual(named(0, 300));
    const { messages } = await take(every, 600);
    expect(messages.filter((m) => m?.startsWith('line'))).toEqual(named(0, 300));
    expect(new Set(messages).size).toBe(600);
    await batches.return?.();
    await every.return?.();
  });

  it('a reader that stopped reading misses nothing, and others are not kept waiting', async () => {
    const taskId = newTask();
    const slow = tail({ taskId });
    const quick = tail({ taskId });
    await slow.next();
    await quick.next();
    await log(taskId, named(0, 6_000));
    expect((await take(quick, 6_000)).messages).toEqual(named(0, 6_000));
    expect((await take(slow, 6_000)).messages).toEqual(named(0, 6_000));
    await slow.return?.();
    await quick.return?.();
  });

  it('refuses a cursor of another filter, and one that is no cursor', async () => {
    const batches = tail({ taskId: 'x' });
    const { value } = await batches.next();
    await batches.return?.();
    expect(() => tail({ taskId: 'y' }, value.cursor)).toThrow(
      expect.objectContaining({ code: 'CURSOR_MISMATCH' }),
    );
    expect(() => tail({ taskId: 'x' }, 'nonsense')).toThrow(
      expect.objectContaining({ code: 'CURSOR_INVALID' }),
    );
  });

  it('a pending next settles at once when the reader leaves, and nothing is left behind', async () => {
    const before = shiplog.tail.metrics().tail_subscriptions;
    const batches = tail({ taskId: newTask() });
    await batches.next();
    const pending = batches.next();
    await batches.return?.();
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(shiplog.tail.metrics().tail_subscriptions).toBe(before);
  });
});
