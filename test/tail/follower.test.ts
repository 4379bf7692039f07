/** The follower of the log: what it keeps is bounded, and whoever listens harms nobody else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
  vi,
} from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { createLog } from '../../src/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { Channel } from '../../src/tail/channel.ts';
import { Follower } from '../../src/tail/follower.ts';
import { anEvent } from '../store/events.ts';
import { positionOf } from '../store/harness.ts';
import { cpuMs } from '../support/cpu-ms.ts';
import { type DifficultStore, difficultStore } from '../support/difficult-store.ts';
import { quietLog, testSettings } from '../support/engines.ts';

describe('the follower of the log', () => {
  let dataDir: string;
  let real: Store;
  let difficult: DifficultStore;
  let follower: Follower;
  const logged: string[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-follower-'));
    real = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
    difficult = difficultStore(real);
  });
  afterAll(async () => {
    await real.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const log = createLog('info', { write: (line) => logged.push(line) });
    const { store } = difficult;
    follower = new Follower({ store, log, ringEvents: 1_000, now: Date.now });
    await follower.start();
  });
  afterEach(() => follower.close());

  async function stored(count: number, message = 'a line'): Promise<StoredEvent[]> {
    const events = Array.from({ length: count }, () => anEvent({ message }));
    const outcomes = await real.append(events);
    return events.map((event, i) => ({
      ...event,
      position: positionOf(outcomes[i] ?? expect.fail()),
    }));
  }

  it('tells everybody what became durable, also where one of them throws', async () => {
    const told: string[] = [];
    follower.onPublish(() => {
      throw new Error('a board that cannot be derived');
    });
    follower.onPublish(({ events }) => told.push(...events.map(({ id }) => id)));
    const events = await stored(2);
    follower.offer(events);
    expect(told).toEqual(events.map(({ id }) => id));
    expect(logged.join()).toContain('a board that cannot be derived');
  });

  it('reads what others wrote once, however many begin to follow at that moment', async () => {
    const stop = follower.follow();
    const [{ shard, seq: before } = expect.fail()] = await real.heads(null);
    const told: number[] = [];
    follower.onPublish(({ events }) => told.push(...events.map(({ position }) => position.seq)));
    await stored(1_500);
    const readLog = vi.spyOn(difficult.store, 'readLog');
    onTestFinished(() => readLog.mockRestore());
    const heads = await Promise.all(Array.from({ length: 500 }, () => follower.catchUp(null)));
    for (const of of heads) expect(of).toMatchObject([{ shard, seq: before + 1_500 }]);
    expect(follower.heads.get(shard)?.seq).toBe(before + 1_500);
    expect(told).toEqual(Array.from({ length: 1_500 }, (_, i) => before + 1 + i));
    expect(readLog.mock.calls.length).toBeLessThanOrEqual(4);
    stop();
  });

  it('never tells what it read of a history that ended meanwhile', async () => {
    const stop = follower.follow();
    const [head = expect.fail()] = await real.heads(null);
    const { store } = difficult;
    const told: number[] = [];
    follower.onPublish(({ events }) => told.push(...events.map(({ position }) => position.seq)));
    const late = Promise.withResolvers<void>();
    const readLog = vi.spyOn(store, 'readLog').mockImplementationOnce(async (...asked) => {
      const slice = await real.readLog(...asked);
      await late.promise;
      return slice;
    });
    const heads = vi.spyOn(store, 'heads');
    onTestFinished(() => {
      for (const spy of [readLog, heads]) spy.mockRestore();
    });
    await stored(20);
    const reading = follower.catchUp(null);
    await vi.waitFor(() => expect(readLog).toHaveBeenCalled(), 10_000);
    // A restore to where it was: what is read is of numbers that mean nothing any more.
    heads.mockResolvedValue([{ ...head, history: head.history + 1 }]);
    const again = follower.catchUp(null);
    await vi.waitFor(() => {
      expect(follower.heads.get(head.shard)?.history).toBe(head.history + 1);
    });
    late.resolve();
    await Promise.all([reading, again]);
    expect(told).toEqual([]);
    expect(follower.heads.get(head.shard)?.seq).toBe(head.seq);
    stop();
  });

  it('keeps so much behind a hole and no more, at the cost of each event once, and loses nothing', async () => {
    const seqs: number[] = [];
    follower.onPublish(({ events }) => seqs.push(...events.map(({ position }) => position.seq)));
    const stop = follower.follow();
    const [{ shard, seq: before } = expect.fail()] = await real.heads(null);
    difficult.difficulty.stuck.add(shard);
    const all: StoredEvent[] = [];
    while (all.length < 40_000) all.push(...(await stored(1_000)));
    const began = cpuMs();
    // The reply to the first was lost.
    for (const event of all.slice(1)) follower.offer([event]);
    expect(cpuMs() - began).toBeLessThan(1_000);
    expect(follower.metrics()).toMatchObject({ tail_pending_events: 20_000 });
    difficult.difficulty.end();
    await vi.waitFor(() => expect(seqs).toHaveLength(all.length), { timeout: 20_000 });
    expect(seqs).toEqual(all.map((_, i) => before + 1 + i));
    expect(follower.metrics()).toMatchObject({ tail_pending_events: 0, tail_pending_bytes: 0 });
    stop();
  });

  it('keeps so many bytes behind a hole and no more', async () => {
    const stop = follower.follow();
    const [{ shard } = expect.fail()] = await real.heads(null);
    difficult.difficulty.stuck.add(shard);
    const all: StoredEvent[] = [];
    while (all.length < 400) all.push(...(await stored(50, 'x'.repeat(60_000))));
    for (const event of all.slice(1)) follower.offer([event]);
    const { tail_pending_bytes: bytes = 0 } = follower.metrics();
    expect(bytes).toBeGreaterThan(15 * 1024 * 1024);
    expect(bytes).toBeLessThan(17 * 1024 * 1024);
    difficult.difficulty.end();
    const last = all.at(-1)?.position.seq;
    await vi.waitFor(() => expect(follower.heads.get(shard)?.seq).toBe(last), { timeout: 20_000 });
    stop();
  });

  it('asks the store no more for a shard that was removed before a reply from it came', async () => {
    let asked = performance.now();
    const store = new Proxy(difficult.store, {
      get(target, name) {
        if (name === 'heads') asked = performance.now();
        return Reflect.get(target, name) as unknown;
      },
    });
    const log = createLog('info', { write: () => {} });
    const late = new Follower({ store, log, ringEvents: 1_000, now: Date.now });
    await late.start();
    const [event] = await stored(1);
    const begun = asked;
    late.offer([{ ...(event as StoredEvent), position: { shard: '2020-01-01/0', seq: 1 } }]);
    await vi.waitFor(() => expect(asked).toBeGreaterThan(begun), { timeout: 5_000 });
    // It looks every 50 ms for as long as something is missing.
    await vi.waitFor(() => expect(performance.now() - asked).toBeGreaterThan(500), {
      timeout: 10_000,
    });
    late.close();
  });

  it('makes a cursor when somebody reads it, once for all who follow the same', async () => {
    let made = 0;
    const cursorOf = () => `cursor ${++made}`;
    const channel = new Channel({
      ...{ filter: {}, filterHash: 'x', tick: follower.tick, maxEvents: 1_000 },
      cursorOf,
    });
    follower.onPublish((publication) => channel.receive(publication));
    const before = follower.tick;
    for (let i = 0; i < 10; i++) follower.offer(await stored(1));
    expect(made).toBe(0);
    const node = channel.behind(before) ?? expect.fail();
    expect([node.batch.cursor, { ...node.batch }.cursor]).toEqual(['cursor 1', 'cursor 1']);
    expect(made).toBe(1);
  });
});
