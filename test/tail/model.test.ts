/**
 * The tail's promise against random schedules: readers that pull, wait, leave in the middle and
 * come back with their cursor, while events are written, and with so little kept in memory that
 * rings and channels are run over all the time. Delivered is what was committed, exactly.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCursor, hashFilter } from '../../src/domain/cursor/cursor.ts';
import { type EventFilter, matchesEvent } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import type { TailBatch } from '../../src/tail/tail.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

const READERS = 4;
const HEARTBEAT_MS = 15;
/** So many are played in any case, and more of them while there is time. */
const SCHEDULES_MIN = 100;
const TIME_LIMIT_MS = 8_000;
const END_DEADLINE_MS = 10_000;
const MEMORY = { ringEvents: 12, channelEvents: 6, pruneMs: 5 };

type Op =
  | { op: 'write'; task: number; host: number; odd: boolean; count: number; wait: boolean }
  | { op: 'pull' | 'wait' | 'leave' | 'back'; reader: number };

const reader = fc.nat({ max: READERS - 1 });
const operation: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      task: fc.nat({ max: 1 }),
      host: fc.nat({ max: 1 }),
      odd: fc.boolean(),
      count: fc.integer({ min: 1, max: 15 }),
      wait: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('pull' as const), reader }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('wait' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('leave' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('back' as const), reader }) },
);

/** One reader of the release, across its connections. */
class Reader {
  readonly filter: EventFilter;
  /** Where it began; null: its first batch has not come. */
  from: number | null = null;
  readonly seqs: number[] = [];
  cursor: string | null = null;
  #tail: Shiplog['tail'];
  #batches: AsyncIterableIterator<TailBatch> | null = null;
  #pending: Promise<void> = Promise.resolve();

  constructor(tail: Shiplog['tail'], filter: EventFilter) {
    this.#tail = tail;
    this.filter = filter;
    this.back();
  }

  back(): void {
    this.#batches ??= this.#tail.events({ filter: this.filter, after: this.cursor, last: null });
  }

  /** Asks for a batch; what comes before it leaves is delivered. */
  pull(): Promise<void> {
    const batches = this.#batches;
    if (batches === null) return Promise.resolve();
    this.#pending = batches.next().then(({ value, done }) => {
      if (!done) this.#take(value);
    });
    return this.#pending;
  }

  async leave(): Promise<void> {
    const batches = this.#batches;
    this.#batches = null;
    await batches?.return?.();
    await this.#pending;
  }

  #take({ events, cursor, gap }: TailBatch): void {
    expect(gap).toBeNull();
    if (this.from === null) {
      const filterHash = hashFilter(this.filter);
      const [at] = decodeCursor(cursor, { kind: 'tail', filterHash });
      this.from = (events[0]?.position.seq ?? (at?.seq ?? 0) + 1) - 1;
    }
    this.cursor = cursor;
    for (const { position } of events) this.seqs.push(position.seq);
  }
}

describe('a tail under random schedules', () => {
  let dataDir: string;
  let store: Store;
  let shiplog: Shiplog;
  let runs = 0;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shiplog-model-'));
    store = await openSqliteStore({ dataDir, settings: testSettings, log: quietLog });
    shiplog = await startShiplog(store, { heartbeatMs: HEARTBEAT_MS, memory: MEMORY });
  });
  afterAll(async () => {
    await shiplog.close();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  function filtersOf(run: string): EventFilter[] {
    const search = parseSearch('odd');
    return [
      { labels: [{ key: 'run', value: run }] },
      { taskId: `${run}-0` },
      { taskId: `${run}-1`, hosts: ['web-1'] },
      { labels: [{ key: 'run', value: run }], ...(search === null ? {} : { search }) },
    ];
  }

  async function play(ops: readonly Op[]): Promise<void> {
    const run = `model-${++runs}`;
    const before = (await store.heads(null))[0]?.seq ?? 0;
    const readers = filtersOf(run).map((filter) => new Reader(shiplog.tail, filter));
    const writes: Promise<unknown>[] = [];
    const pulls: Promise<unknown>[] = [];
    let line = 0;
    for (const op of ops) {
      if (op.op === 'write') {
        const { task, host, odd, count } = op;
        const events = Array.from({ length: count }, () => ({
          taskId: `${run}-${task}`,
          host: `web-${host}`,
          step: 'download',
          message: `line ${line++} ${odd ? 'odd' : 'even'}`,
          labels: { run },
        }));
        const written = shiplog.ingest.logSteps(events);
        writes.push(written);
        if (op.wait) await written;
        continue;
      }
      const one = readers[op.reader] as Reader;
      if (op.op === 'back') one.back();
      else if (op.op === 'leave') await one.leave();
      else if (op.op === 'pull') await one.pull();
      else pulls.push(one.pull());
    }
    await Promise.all(writes);
    const log = await committed(before);
    for (const one of readers) {
      one.back();
      await one.pull();
      const expected = log
        .filter((event) => event.position.seq > (one.from ?? 0) && matchesEvent(one.filter, event))
        .map(({ position }) => position.seq);
      const deadline = performance.now() + END_DEADLINE_MS;
      while (one.seqs.length < expected.length && performance.now() < deadline) await one.pull();
      await one.pull();
      expect(one.seqs).toEqual(expected);
      await one.leave();
    }
    await Promise.all(pulls);
    expect(shiplog.tail.metrics()).toMatchObject({ tail_subscriptions: 0, tail_channels: 0 });
  }

  async function committed(after: number) {
    const [head] = await store.heads(null);
    if (head === undefined) return [];
    const events = [];
    let seq = after;
    while (seq < head.seq) {
      const slice = await store.readLog({ ...head, seq }, head.seq, null, 1_000);
      events.push(...slice.events);
      seq = slice.through;
    }
    return events;
  }

  it(
    'delivers what is committed, each event once and in order, whoever leaves and comes back',
    async ({ annotate }) => {
      const until = performance.now() + TIME_LIMIT_MS;
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), async (ops) => {
          // A schedule under way is played to its end: fast-check's own limit would leave it.
          if (runs < SCHEDULES_MIN || performance.now() < until) await play(ops);
        }),
        { numRuns: 500, endOnFailure: true },
      );
      await annotate(`${runs} schedules`);
      expect(runs).toBeGreaterThanOrEqual(SCHEDULES_MIN);
    },
    TIME_LIMIT_MS * 5,
  );
});
