import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchesEvent } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import { aFleet, anEvent, aTaskEvent } from './events.ts';
import {
  contractSettings,
  fill,
  type OpenedStore,
  type OpenStore,
  positionOf,
  wholeLog,
  wholeShard,
} from './harness.ts';

/** Appending, reading the log back, and cursors into it. */
export function describeLog(open: OpenStore): void {
  describe('keeps a log', () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(contractSettings);
    });
    afterAll(() => opened.close());

    it('numbers stored events densely from 1, in the order of the call [S1 A4 A5]', async () => {
      const fresh = await open(contractSettings);
      try {
        const events = Array.from({ length: 30 }, () => anEvent({ taskId: 'dense' }));
        const first = await fresh.store.append(events.slice(0, 10));
        const rest = await fresh.store.append(events.slice(10));
        const positions = [...first, ...rest].map(positionOf);
        expect(positions.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
        expect((await wholeLog(fresh.store)).map(({ id }) => id)).toEqual(
          events.map(({ id }) => id),
        );
      } finally {
        await fresh.close();
      }
    });

    it('gives back every field of an event as it was appended [R1]', async () => {
      const event = anEvent({
        taskId: 'fields',
        at: -5,
        atReplaced: true,
        writer: 'agent-1',
        sequence: 7,
        message: 'line "one"\n\u0001 ünï 连接 🎉',
        level: 'FATAL',
        stream: 'STDERR',
        command: 'rm -rf "/tmp/x"',
        params: { deep: { list: [1, null, true, 'x'] }, __proto: 'p' },
        exitCode: -9,
        durationMs: 12.5,
        progress: { done: 0.5, total: null, unit: 'MiB' },
        error: { code: 'E1', message: 'bad\ttabs' },
        source: 'agent/1',
        labels: { a: 'x', b: 2.5, c: false },
      });
      const position = positionOf((await opened.store.append([event]))[0] as never);
      const [stored] = await opened.store
        .events([
          {
            filter: { taskId: 'fields' },
            order: 'LOG',
            page: {
              limit: 1,
              backward: true,
              after: null,
              before: null,
              around: null,
              withTotal: false,
            },
          },
        ])
        .then(([page]) => page?.rows.map(({ node }) => node) ?? []);
      expect(stored ?? (await wholeLog(opened.store)).at(-1)).toEqual({ ...event, position });
    });

    it('calls an event that comes again DUPLICATE, in a later call and within one [A6 A8]', async () => {
      const event = anEvent({ taskId: 'again' });
      const other = anEvent({ taskId: 'again' });
      const first = await opened.store.append([event, other, event]);
      expect(first.map(({ outcome }) => outcome)).toEqual(['STORED', 'STORED', 'DUPLICATE']);
      const second = await opened.store.append([other, anEvent({ taskId: 'again' }), event]);
      expect(second.map(({ outcome }) => outcome)).toEqual(['DUPLICATE', 'STORED', 'DUPLICATE']);
      const stored = (await wholeLog(opened.store)).filter(({ taskId }) => taskId === 'again');
      expect(stored).toHaveLength(3);
    });

    it('refuses other content under a used eventId and takes its neighbours [A7 A12]', async () => {
      const event = anEvent({ taskId: 'conflict', eventId: 'x', message: 'one' });
      const changed = anEvent({ taskId: 'conflict', eventId: 'x', message: 'two' });
      const good = anEvent({ taskId: 'conflict' });
      const outcomes = await opened.store.append([event, changed, good]);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['STORED', 'REJECTED', 'STORED']);
      expect(outcomes[1]).toMatchObject({ problem: { code: 'ID_CONFLICT', field: 'eventId' } });
      const [later] = await opened.store.append([changed]);
      expect(later).toMatchObject({ outcome: 'REJECTED', problem: { code: 'ID_CONFLICT' } });
    });

    it('lets two tasks use the same eventId [A6]', async () => {
      const outcomes = await opened.store.append([
        anEvent({ taskId: 'twin-1', eventId: 'same' }),
        anEvent({ taskId: 'twin-2', eventId: 'same' }),
      ]);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['STORED', 'STORED']);
    });

    it('refuses events beyond the cap of a task, and those of other tasks are taken [A11 A12]', async () => {
      const small = await open({ ...contractSettings, maxEventsPerTask: 3 });
      try {
        const events = Array.from({ length: 5 }, () => anEvent({ taskId: 'full' }));
        const outcomes = await small.store.append([...events, anEvent({ taskId: 'other' })]);
        expect(outcomes.map(({ outcome }) => outcome)).toEqual([
          'STORED',
          'STORED',
          'STORED',
          'REJECTED',
          'REJECTED',
          'STORED',
        ]);
        expect(outcomes[3]).toMatchObject({ problem: { code: 'TASK_FULL' } });
        const [again] = await small.store.append([events[0] as never]);
        expect(again?.outcome).toBe('DUPLICATE');
        // Or a full task could never end.
        const [ended] = await small.store.append([
          aTaskEvent({ change: 'ended', status: 'FAILED' }, { taskId: 'full' }),
        ]);
        expect(ended?.outcome).toBe('STORED');
        await small.store.viewsReach([positionOf(ended as NonNullable<typeof ended>)]);
        expect(await small.store.tasksById(['full'])).toMatchObject([{ status: 'FAILED' }]);
      } finally {
        await small.close();
      }
    });

    it('stamps events with the service and environment of their task [A9]', async () => {
      const outcomes = await opened.store.append([
        anEvent({ taskId: 'stamped' }),
        aTaskEvent(
          { change: 'began', service: 'shop', environment: 'prod' },
          { taskId: 'stamped' },
        ),
        anEvent({ taskId: 'stamped' }),
      ]);
      expect(outcomes.at(-1)).toMatchObject({ service: 'shop', environment: 'prod' });
      const [later] = await opened.store.append([anEvent({ taskId: 'stamped' })]);
      expect(later).toMatchObject({ service: 'shop', environment: 'prod' });
      const last = (await wholeLog(opened.store)).findLast(({ taskId }) => taskId === 'stamped');
      expect(last).toMatchObject({ service: 'shop', environment: 'prod' });
    });

    it('stamps events with nothing that it refused, and with a retry as it was first said [A7 A9]', async () => {
      const began = (eventId: string, service: string, fields: object) =>
        aTaskEvent({ change: 'began', service }, { taskId: 'said', eventId, ...fields });
      const at = 1_760_000_000_000;
      const stamp = async () => {
        const [outcome] = await opened.store.append([anEvent({ taskId: 'said' })]);
        return outcome?.outcome === 'STORED' ? outcome.service : outcome;
      };
      const first = await opened.store.append([
        began('a', 'shop', { at, digest: 'a' }),
        began('a', 'mail', { at: at + 1, digest: 'other' }),
        anEvent({ taskId: 'said' }),
      ]);
      expect(first).toMatchObject([
        { outcome: 'STORED', service: 'shop' },
        { problem: { code: 'ID_CONFLICT' } },
        { outcome: 'STORED', service: 'shop' },
      ]);
      expect(await stamp()).toBe('shop');
      const [again] = await opened.store.append([began('a', 'mail', { at: at + 2, digest: 'b' })]);
      expect(again).toMatchObject({ problem: { code: 'ID_CONFLICT' } });
      expect(await stamp()).toBe('shop');
      await opened.store.append([began('c', 'shop-2', { at: at + 3 })]);
      const [retried] = await opened.store.append([
        began('a', 'shop', { at: at + 4, digest: 'a' }),
      ]);
      expect(retried).toMatchObject({ outcome: 'DUPLICATE' });
      expect(await stamp()).toBe('shop-2');
    });

    it('takes an empty call [A1]', async () => {
      expect(await opened.store.append([])).toEqual([]);
    });
  });

  describe('reads the log back', () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(contractSettings);
      await fill(opened.store, aFleet({ seed: 3 }));
    });
    afterAll(() => opened.close());

    it('whole and in order, whatever the size of the slices [S1 R1]', async () => {
      for (const head of await opened.store.heads(null)) {
        const whole = await wholeShard(opened.store, head);
        expect(whole.map(({ position }) => position.seq)).toEqual(
          Array.from({ length: head.seq }, (_, at) => at + 1),
        );
        expect(await wholeShard(opened.store, head, 7)).toEqual(whole);
      }
    });

    it('with a filter gives exactly what matches, and goes on behind what does not [R1]', async () => {
      const filters = [
        { taskId: 'deploy-3-1' },
        { minLevel: 'WARN' as const, hosts: ['web-1', 'web-3'] },
        { search: parseSearch('connection -refused') ?? undefined },
        { services: ['nobody'] },
      ].map((filter) => JSON.parse(JSON.stringify(filter)));
      for (const head of await opened.store.heads(null)) {
        const whole = await wholeShard(opened.store, head);
        for (const filter of filters) {
          const found = [];
          let seq = 0;
          while (seq < head.seq) {
            const cursor = { shard: head.shard, history: head.history, seq };
            const slice = await opened.store.readLog(cursor, head.seq, filter, 5);
            expect(slice.events.length).toBeLessThanOrEqual(5);
            expect(slice.through).toBeGreaterThan(seq);
            found.push(...slice.events);
            seq = slice.through;
          }
          expect(found).toEqual(whole.filter((event) => matchesEvent(filter, event)));
        }
      }
    });

    it('in part: behind a seq and up to another [R1]', async () => {
      const [head] = await opened.store.heads('deploy-3-0');
      if (head === undefined) throw new Error('no shard');
      const from = { shard: head.shard, history: head.history, seq: 2 };
      const slice = await opened.store.readLog(from, 6, null, 100);
      expect(slice.events.map(({ position }) => position.seq)).toEqual([3, 4, 5, 6]);
      expect(slice.through).toBe(6);
      expect(await opened.store.readLog({ ...from, seq: 6 }, 6, null, 100)).toEqual({
        events: [],
        through: 6,
        droppedThrough: 0,
      });
    });
  });

  describe('keeps cursors', () => {
    it('live at the head and before it, over a restart, and unknown where it never was [K1 K3 K4]', async () => {
      const opened = await open(contractSettings);
      try {
        const { store } = opened;
        await fill(store, [anEvent({ taskId: 'c' }), anEvent({ taskId: 'c' })]);
        const [head] = await store.heads('c');
        if (head === undefined) throw new Error('no shard');
        const { shard, history, seq } = head;
        const cursors = [
          { shard, history, seq },
          { shard, history, seq: 1 },
          { shard, history, seq: 0 },
          { shard, history: history + 1, seq },
          { shard: 'no-such-shard', history, seq },
        ];
        const expected = ['live', 'live', 'live', 'unknown', 'unknown'];
        const states = async (over: typeof store) =>
          (await over.checkCursors(cursors)).map(({ state }) => state);
        expect(await states(store)).toEqual(expected);
        const again = await opened.reopen?.();
        if (again === undefined) return;
        expect(await states(again)).toEqual(expected);
        await fill(again, [anEvent({ taskId: 'c' })]);
        expect(await states(again)).toEqual(expected);
        const slice = await again.readLog({ shard, history, seq }, seq + 1, null, 10);
        expect(slice.events).toHaveLength(1);
      } finally {
        await opened.close();
      }
    });
  });
}
