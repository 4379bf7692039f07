/** What is promised of every call, of heads, of slices of the log, and of very many groups. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEvent, aStatus } from './events.ts';
import {
  aPage,
  contractSettings,
  fill,
  type OpenedStore,
  type OpenStore,
  positionOf,
} from './harness.ts';

const HOSTS = 1_050;
const START = 1_760_000_000_000;
const DAY_MS = 86_400_000;

export function describePromises(open: OpenStore): void {
  describe('promises', () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(contractSettings);
      await fill(opened.store, [
        ...Array.from({ length: HOSTS }, (_, i) =>
          aStatus('RUNNING', { taskId: 'hosts', host: `h-${i}`, step: 'one' }),
        ),
        aStatus('RUNNING', { taskId: 'hosts', host: 'h-1049', step: 'two' }),
      ]);
    });
    afterAll(() => opened.close());

    it('answers that are changed by who got them change nothing for others [S6]', async () => {
      const { store } = opened;
      const ask = () =>
        Promise.all([
          store.tasksById(['hosts']),
          store.taskStats(['hosts']),
          store.runsByKey([{ taskId: 'hosts', host: 'h-1' }]),
          store.matrices(['hosts']),
          store.heads('hosts'),
        ]);
      const first = await ask();
      const was = structuredClone(first);
      for (const [task] of [first[0]]) if (task != null) task.plan.push('changed');
      first[1][0]?.stepSummaries.splice(0);
      first[2][0]?.steps.splice(0);
      first[3][0]?.matrix.hosts.splice(0);
      for (const head of first[4]) head.seq = -1;
      expect(await ask()).toEqual(was);
    });

    it('a number that a writer used twice stands for none that is missing [D4]', async () => {
      const { store } = opened;
      const run = { taskId: 'numbered', host: 'web-1' };
      const numbers = [1, 2, 2, 4];
      await fill(
        store,
        numbers.map((sequence, i) =>
          anEvent({ ...run, writer: 'agent', sequence, eventId: `numbered-${i}` }),
        ),
      );
      expect(await store.completeness([run])).toEqual([
        { received: 4, complete: false, missing: [{ writer: 'agent', from: 3, to: 3 }] },
      ]);
    });

    it('the heads of a task are those of the shards that its events go to [H1 H2]', async () => {
      const { store } = opened;
      for (const taskId of ['hosts', 'not-known-yet']) {
        const before = await store.heads(taskId);
        const all = new Set((await store.heads(null)).map(({ shard }) => shard));
        const [outcome] = await store.append([anEvent({ taskId, at: contractSettings.now() })]);
        if (outcome === undefined) throw new Error('no outcome');
        const { shard, seq } = positionOf(outcome);
        expect(before.find((head) => head.shard === shard)?.seq).toBeLessThan(seq);
        expect(all).toContain(shard);
        expect((await store.heads(null)).find((head) => head.shard === shard)?.seq).toBe(seq);
      }
    });

    it('nothing beyond the head is told, though more is asked for [R3]', async () => {
      const { store } = opened;
      for (const { shard, history, seq } of await store.heads('hosts')) {
        const slice = await store.readLog({ shard, history, seq: seq - 3 }, seq + 50, null, 100);
        expect(slice.events.map(({ position }) => position.seq)).toEqual([seq - 2, seq - 1, seq]);
        expect(slice.through).toBe(seq);
      }
    });

    it('of more than a thousand groups of steps the thousand largest are told [G2]', async () => {
      const stats = await opened.store.stepStats({ taskId: 'hosts' }, 'HOST');
      expect(stats).toHaveLength(1_000);
      expect(stats.slice(0, 2).map(({ host, count }) => [host, count])).toEqual([
        ['h-1049', 2],
        ['h-0', 1],
      ]);
    });
  });

  describe('promises of cursors', () => {
    it('one that had everything of what retention removed says so, and so do reads [K2 R5]', async () => {
      let now = START;
      const opened = await open({ ...contractSettings, now: () => now });
      try {
        const { store } = opened;
        await fill(store, [anEvent({ taskId: 'gone', at: now, receivedAt: now })]);
        const [before] = await store.heads('gone');
        if (before === undefined) throw new Error('no shard');
        now += 40 * DAY_MS;
        expect((await store.applyRetention()).removedTasks).toBe(1);
        const [check] = await store.checkCursors([before]);
        const still = (await store.heads(null)).find(({ shard }) => shard === before.shard);
        // A shard that goes on says the same with how far it was removed.
        if (still === undefined) expect(check).toEqual({ state: 'dropped', finalSeq: before.seq });
        else {
          expect(check).toEqual({ state: 'live' });
          expect(still.droppedThrough).toBeGreaterThanOrEqual(before.seq);
        }
        const slice = await store.readLog({ ...before, seq: 0 }, before.seq, null, 10);
        expect(slice).toMatchObject({ events: [], droppedThrough: still?.droppedThrough ?? 0 });
        const page = { filter: {}, order: 'TIME' as const, page: aPage() };
        expect((await store.events([page])).map(({ rows }) => rows)).toEqual([[]]);
      } finally {
        await opened.close();
      }
    });
  });
}
