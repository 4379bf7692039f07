/** A log of several shards: one that is away, stuck or late harms none of the others. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeCursor, hashFilter } from '../../src/domain/cursor/cursor.ts';
import type { EventFilter } from '../../src/domain/search/filter.ts';
import type { ShardCursor, Store } from '../../src/store/store.ts';
import type { TailBatch, TasksBatch } from '../../src/tail/tail.ts';
import { aStatus } from '../store/events.ts';
import { fill, positionOf } from '../store/harness.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { describeOnElasticsearch } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

const DAY_MS = 86_400_000;

describeOnElasticsearch('a log of several shards', (engine) => {
  let real: Store;
  let difficult: DifficultStore;
  let shiplog: Shiplog;
  let clock: number | null = null;
  let names = 0;
  /** Of each shard of today, a task in it. */
  const tasks = new Map<string, string>();

  beforeAll(async () => {
    real = await engine.open({ now: () => clock ?? Date.now() }, 2);
    for (let i = 0; tasks.size < 2; i++) {
      const { shard } = await store(`in-a-shard-${i}`);
      if (!tasks.has(shard)) tasks.set(shard, `in-a-shard-${i}`);
    }
    difficult = difficultStore(real);
    shiplog = await startShiplog(difficult.store, { heartbeatMs: 200 });
  });
  afterAll(() => shiplog.close());

  /** As another server does: this one is not told. */
  async function store(taskId: string, message: string | null = null) {
    const eventId = `event-${++names}`;
    const event = { taskId, eventId, message, at: clock ?? Date.now() };
    const [outcome] = await real.append([aStatus('RUNNING', { ...event, receivedAt: event.at })]);
    return positionOf(outcome ?? expect.fail());
  }

  function follow(filter: EventFilter, after: ShardCursor[] | null, by = shiplog) {
    const cursor = after === null ? null : by.tail.tailCursor(filter, after);
    return by.tail.events({ filter, after: cursor, last: null });
  }

  /** The messages of the next events, until there are so many. */
  async function told(batches: AsyncIterator<TailBatch>, count: number) {
    const messages: (string | null)[] = [];
    while (messages.length < count) {
      const { value } = await batches.next();
      for (const { message } of (value as TailBatch).events) messages.push(message);
    }
    return messages;
  }

  it('whoever catches up is told the events of a shard while another cannot be read', async () => {
    const before = await real.heads(null);
    // The first in the order in which shards are read.
    const stuck = before[0]?.shard as string;
    const one = tasks.get(stuck) as string;
    const two = [...tasks.values()].find((id) => id !== one) as string;
    difficult.difficulty.stuck.add(stuck);
    await store(one, 'stuck');
    await store(two, 'free');
    const batches = follow({}, before);
    expect(await told(batches, 1)).toEqual(['free']);
    await store(two, 'free again');
    expect(await told(batches, 1)).toEqual(['free again']);
    difficult.difficulty.end();
    expect(await told(batches, 1)).toEqual(['stuck']);
    await batches.return?.();
  });

  it('whoever resumes is told all of a shard before another that fails is tried again', async () => {
    const before = await real.heads(null);
    // The first in the order in which shards are read.
    const failing = before[0]?.shard as string;
    const one = tasks.get(failing) as string;
    const two = [...tasks.values()].find((id) => id !== one) as string;
    await store(one, 'behind a failure');
    // More than two batches.
    const messages = Array.from({ length: 1_100 }, (_, i) => `line ${i}`);
    await fill(
      real,
      messages.map((message) => aStatus('RUNNING', { taskId: two, message, at: Date.now() })),
    );
    let tries = 0;
    difficult.difficulty.hanging.set(failing, async () => void tries++);
    const late = await startShiplog(difficult.store, { heartbeatMs: 200 });
    const batches = follow({}, before, late);
    expect(await told(batches, messages.length)).toEqual(messages);
    expect(tries).toBe(1);
    difficult.difficulty.end();
    expect(await told(batches, 1)).toEqual(['behind a failure']);
    await batches.return?.();
    await late.close();
  });

  it('many who read a shard that hangs leave room for those who read another', async () => {
    const before = await real.heads(null);
    const [[hanging, one], [, two]] = [...tasks] as [[string, string], [string, string]];
    await store(one, 'of a shard that hangs');
    await store(two, 'of another');
    const late = await startShiplog(difficult.store, { heartbeatMs: 200 });
    let gate = Promise.withResolvers<void>();
    let reads = 0;
    difficult.difficulty.hanging.set(hanging, () => {
      reads++;
      return gate.promise;
    });
    // Each with a filter of its own: what is the same is read once for all.
    const many = Array.from({ length: 100 }, (_, from) =>
      follow({ taskId: one, from }, before, late),
    );
    const theirs = many.map((batches) => told(batches, 1));
    await expect.poll(() => reads).toBeGreaterThanOrEqual(32);
    // It takes long, and fails: now it is known.
    const { resolve } = gate;
    gate = Promise.withResolvers();
    reads = 0;
    resolve();
    await expect.poll(() => reads).toBeGreaterThanOrEqual(4);
    const free = follow({ taskId: two }, before, late);
    expect(await told(free, 1)).toEqual(['of another']);
    difficult.difficulty.end();
    gate.resolve();
    for (const messages of await Promise.all(theirs)) {
      expect(messages).toEqual(['of a shard that hangs']);
    }
    await Promise.all([free, ...many].map((batches) => batches.return?.()));
    await late.close();
  });

  it('whoever resumes is told the events of a shard while those of another cannot be proven', async () => {
    const before = await real.heads(null);
    // The first in the order in which shards are read.
    const stuck = before[0]?.shard as string;
    const one = tasks.get(stuck) as string;
    const two = [...tasks.values()].find((id) => id !== one) as string;
    await store(one, 'cannot be proven');
    await store(two, 'can be');
    difficult.difficulty.stuck.add(stuck);
    // It begins at the heads, so what is behind them it has to read.
    const late = await startShiplog(difficult.store, { heartbeatMs: 200 });
    const batches = follow({}, before, late);
    expect(await told(batches, 1)).toEqual(['can be']);
    difficult.difficulty.end();
    expect(await told(batches, 1)).toEqual(['cannot be proven']);
    await batches.return?.();
    await late.close();
  });

  it('what changes in one shard is told while the views of another do not come on', async () => {
    const [[stuck, one], [, two]] = [...tasks] as [[string, string], [string, string]];
    const before = new Map([
      [one, await store(one)],
      [two, await store(two)],
    ]);
    await real.viewsReach([...before.values()]);
    const list = shiplog.tail.tasksChanged({ filter: { ids: [one, two] }, after: null });
    await list.next();
    difficult.difficulty.viewsStuck.add(stuck);
    await store(one);
    await store(two);
    const next = async () => {
      for (;;) {
        const { tasks } = (await list.next()).value as TasksBatch;
        // Those of before may be told once more.
        const now = tasks.filter(({ id, position }) => position.seq > (before.get(id)?.seq ?? 0));
        if (now.length > 0) return now.map(({ id }) => id);
      }
    };
    expect(await next()).toEqual([two]);
    difficult.difficulty.end();
    expect(await next()).toEqual([one]);
    await list.return?.();
  });

  it('the first who follows after a quiet time is told of other servers’ events at once', async () => {
    const [taskId] = tasks.values();
    const other = await startShiplog(real, { heartbeatMs: 10_000 });
    const batches = follow({}, null, other);
    await batches.next();
    await store(taskId as string, 'from elsewhere');
    const began = performance.now();
    expect(await told(batches, 1)).toEqual(['from elsewhere']);
    expect(performance.now() - began).toBeLessThan(2_500);
    await batches.return?.();
    await other.close();
  });

  it('a shard that is away for a while goes on where it was, and nothing is told twice', async () => {
    const [taskId] = tasks.values() as Iterable<string>;
    const batches = follow({}, null);
    await batches.next();
    for (const shard of tasks.keys()) difficult.difficulty.headsAway.add(shard);
    // Whoever begins now looks which shards there are.
    await follow({}, null).next();
    difficult.difficulty.end();
    await store(taskId as string, 'after its return');
    expect(await told(batches, 1)).toEqual(['after its return']);
    await batches.return?.();
  });

  it('an old day that was away at the start is not told as new, but from where a cursor was in it', async () => {
    clock = Date.now() - 3 * DAY_MS;
    const taskId = 'of-an-old-day';
    const first = await store(taskId, 'old 1');
    await store(taskId, 'old 2');
    await fill(real, [aStatus('RUNNING', { taskId, message: 'old 3', at: clock })]);
    clock = null;
    const all = await real.heads(null);
    const old = all.filter(({ shard }) => shard.slice(0, 10) === first.shard.slice(0, 10));
    for (const { shard } of old) difficult.difficulty.headsAway.add(shard);
    const other = await startShiplog(difficult.store, { heartbeatMs: 50 });
    const live = follow({}, null, other);
    await live.next();
    const behind = all.map((head) => (head.shard === first.shard ? { ...head, ...first } : head));
    const resumed = follow({}, behind, other);
    const { cursor } = (await resumed.next()).value as TailBatch;
    const kept = decodeCursor(cursor, { kind: 'tail', filterHash: hashFilter({}) });
    expect(kept).toContainEqual(expect.objectContaining({ shard: first.shard, seq: first.seq }));
    difficult.difficulty.end();
    expect(await told(resumed, 2)).toEqual(['old 2', 'old 3']);
    await store(taskId, 'new in the old day');
    expect(await told(resumed, 1)).toEqual(['new in the old day']);
    expect(await told(live, 1)).toEqual(['new in the old day']);
    await Promise.all([live.return?.(), resumed.return?.()]);
    await other.close();
  });

  it('a shard of today that was away at the start repeats nothing to whoever resumed before', async () => {
    const [[shard, taskId]] = [...tasks] as [[string, string]];
    await store(taskId, 'seen');
    const seen = await real.heads(null);
    await store(taskId, 'not seen');
    difficult.difficulty.headsAway.add(shard);
    const other = await startShiplog(difficult.store, { heartbeatMs: 50 });
    const resumed = follow({}, seen, other);
    while (!((await resumed.next()).value as TailBatch).caughtUp);
    difficult.difficulty.end();
    expect(await told(resumed, 1)).toEqual(['not seen']);
    await store(taskId, 'new');
    expect(await told(resumed, 1)).toEqual(['new']);
    await resumed.return?.();
    await other.close();
  });

  it('a day that was away at the start is told whole to whoever has seen only days before it', async () => {
    const dayBefore = Date.now() - 6 * DAY_MS;
    clock = dayBefore;
    const { shard: seen } = await store('of-the-day-before');
    const cursor = (await real.heads(null)).filter(({ shard }) => shard === seen);
    clock = dayBefore + DAY_MS;
    const { shard: away } = await store('of-the-day-away', 'away 1');
    await store('of-the-day-away', 'away 2');
    clock = null;
    const day = (await real.heads(null)).filter(({ shard }) => shard.startsWith(away.slice(0, 10)));
    for (const { shard } of day) difficult.difficulty.headsAway.add(shard);
    const other = await startShiplog(difficult.store, { heartbeatMs: 50 });
    const filter = { to: dayBefore + 2 * DAY_MS };
    const early = follow(filter, cursor, other);
    while (!((await early.next()).value as TailBatch).caughtUp);
    difficult.difficulty.end();
    expect(await told(early, 2)).toEqual(['away 1', 'away 2']);
    // The server follows that day now, from where it was when it came back.
    const late = follow(filter, cursor, other);
    expect(await told(late, 2)).toEqual(['away 1', 'away 2']);
    await Promise.all([early.return?.(), late.return?.()]);
    await other.close();
  });

  it('whoever resumes is told the day that began meanwhile, though the clock of a server was ahead once', async () => {
    clock = Date.now() + 400 * DAY_MS;
    await store('of-a-wrong-clock');
    clock = null;
    const before = await real.heads(null);
    clock = Date.now() + 10 * DAY_MS;
    await store('of-the-next-day', 'next day');
    const now = () => clock ?? Date.now();
    const other = await startShiplog(real, { heartbeatMs: 200, now });
    const batches = follow({}, before, other);
    expect(await told(batches, 1)).toEqual(['next day']);
    clock = null;
    await batches.return?.();
    await other.close();
  });

  it('a server that was started with its clock ahead follows the days that begin later whole', async () => {
    clock = Date.now() + 500 * DAY_MS;
    const now = () => clock ?? Date.now();
    const other = await startShiplog(difficult.store, { heartbeatMs: 200, now });
    clock = Date.now() + 20 * DAY_MS;
    const batches = follow({}, null, other);
    await batches.next();
    // Both are there when it sees the day for the first time.
    const day = new Date(clock).toISOString().slice(0, 10);
    for (const shard of [0, 1]) difficult.difficulty.headsAway.add(`${day}/${shard}`);
    await store('of-a-day-to-come', 'its first');
    await store('of-a-day-to-come', 'its second');
    difficult.difficulty.end();
    expect(await told(batches, 2)).toEqual(['its first', 'its second']);
    clock = null;
    await batches.return?.();
    await other.close();
  });
});
