import { describe, expect, it } from 'vitest';
import { anEvent, aTaskEvent } from './events.ts';
import { aPage, contractSettings, fill, type OpenStore, wholeLog } from './harness.ts';

const DAY_MS = 86_400_000;

/** Retention, health, and the end. */
export function describeLifecycle(open: OpenStore): void {
  describe('removes what is older than retention', () => {
    it('day by day, with the hosts that no kept task has, and takes no more events of removed tasks [M2 M3 M4 M5 A10 H3]', async () => {
      let now = 1_760_000_000_000;
      const opened = await open({ ...contractSettings, now: () => now });
      try {
        const { store } = opened;
        const say = (taskId: string) => anEvent({ taskId, host: `of-${taskId}`, at: now });
        await fill(store, [say('old'), say('old-too'), say('old-but-alive')]);
        const [before] = await store.heads('old');
        now += 20 * DAY_MS;
        await fill(store, [say('young')]);
        const again = { taskId: 'young', host: 'of-old-too', at: now };
        await fill(store, [anEvent({ ...again, receivedAt: now - 20 * DAY_MS })]);
        expect(await store.applyRetention()).toEqual({
          removedTasks: 0,
          removedEvents: 0,
          removedDays: [],
        });
        now += 11 * DAY_MS;
        const report = await store.applyRetention();
        expect(report).toEqual({
          removedTasks: 3,
          removedEvents: 3,
          removedDays: ['2025-10-09'],
        });
        expect((await wholeTasks()).map(({ id }) => id)).toEqual(['young']);
        expect((await wholeLogOf('young')).length).toBe(2);
        expect(await store.runsByKey([{ taskId: 'old', host: 'of-old' }])).toEqual([null]);
        const hosts = await store.hostsByName(['of-old', 'of-old-too', 'of-young']);
        // Long silent, but a kept task has it.
        expect(hosts.map((host) => host?.name)).toEqual([undefined, 'of-old-too', 'of-young']);
        const outcomes = await store.append([say('old'), say('new')]);
        expect(outcomes[0]).toMatchObject({
          outcome: 'REJECTED',
          problem: { code: 'TASK_EXPIRED', field: 'taskId' },
        });
        expect(outcomes[1]?.outcome).toBe('STORED');
        now += 30 * DAY_MS - 1;
        await store.applyRetention();
        expect((await store.append([say('old')]))[0]?.outcome).toBe('REJECTED');
        // As long again after it was removed, the id is free.
        now += 2;
        await store.applyRetention();
        await fill(store, [say('old')]);
        expect((await store.hostsByName(['of-old']))[0]?.firstSeenAt).toBe(now);
        const heads = await store.heads(null);
        const same = heads.find(({ shard }) => shard === before?.shard);
        if (same !== undefined)
          expect(same.droppedThrough).toBeGreaterThanOrEqual(before?.seq ?? 0);

        async function wholeTasks() {
          const page = await store.tasks({ filter: {}, order: 'CREATED_ASC', page: aPage() });
          return page.rows.map(({ node }) => node);
        }
        async function wholeLogOf(taskId: string) {
          const [page] = await store.events([{ filter: { taskId }, order: 'LOG', page: aPage() }]);
          return page?.rows ?? [];
        }
      } finally {
        await opened.close();
      }
    });

    it('but not a day on which a task is still reporting [M2]', async () => {
      let now = 1_760_000_000_000;
      const opened = await open({ ...contractSettings, now: () => now });
      try {
        const { store } = opened;
        const say = (taskId: string) => anEvent({ taskId, at: now });
        await fill(store, [say('long'), say('short')]);
        now += 31 * DAY_MS;
        await fill(store, [say('long')]);
        expect((await store.applyRetention()).removedTasks).toBe(0);
        expect(await store.eventCount()).toBe(3);
        const [page] = await store.events([
          { filter: { taskId: 'long' }, order: 'LOG', page: aPage() },
        ]);
        expect(page?.rows).toHaveLength(2);
      } finally {
        await opened.close();
      }
    });
  });

  describe('finds events over several days', () => {
    it('as one list by time, in both directions [E4 E5]', async () => {
      let now = 1_760_000_000_000;
      const opened = await open({ ...contractSettings, now: () => now });
      try {
        const { store } = opened;
        for (let day = 0; day < 4; day++) {
          const events = Array.from({ length: 10 }, (_, line) =>
            anEvent({
              taskId: `day-${day}`,
              // Some clocks are days off, so that the days' times overlap.
              at: now + line * 1_000 + (line % 4 === 3 ? -DAY_MS : 0),
              receivedAt: now + line * 1_000,
              message: `line ${line}`,
            }),
          );
          await fill(store, events);
          now += DAY_MS;
        }
        const log = (await wholeLog(store)).toSorted((a, b) => a.at - b.at);
        for (const backward of [false, true]) {
          const [page] = await store.events([
            { filter: {}, order: 'TIME', page: aPage({ limit: 15, backward, withTotal: true }) },
          ]);
          const expected = backward ? log.slice(-15) : log.slice(0, 15);
          expect(page?.rows.map(({ node }) => node.at)).toEqual(expected.map(({ at }) => at));
          expect(page?.total).toBe(40);
        }
      } finally {
        await opened.close();
      }
    });
  });

  describe('ends', () => {
    it('an idle task only for as long as nothing comes [T8]', async () => {
      const opened = await open(contractSettings);
      try {
        const { store } = opened;
        const at = 1_760_000_000_000;
        await fill(store, [anEvent({ taskId: 'idle', at })]);
        await fill(store, [
          aTaskEvent(
            { change: 'idle', idleSince: at },
            { taskId: 'idle', at: at + 5, receivedAt: at + 5 },
          ),
        ]);
        expect((await store.tasksById(['idle']))[0]?.over).toBe(true);
        await fill(store, [anEvent({ taskId: 'idle', at: at + 9 })]);
        expect((await store.tasksById(['idle']))[0]?.over).toBe(false);
      } finally {
        await opened.close();
      }
    });

    it('healthy while open; closed twice without harm, and then refuses every call [M6 M9 S10 S11]', async () => {
      const opened = await open(contractSettings);
      const { store } = opened;
      expect((await store.health()).ok).toBe(true);
      expect(Object.values(store.metrics()).every(Number.isFinite)).toBe(true);
      await store.close();
      await store.close();
      const refused = { code: 'SHUTTING_DOWN' };
      await expect(store.append([anEvent()])).rejects.toMatchObject(refused);
      await expect(store.heads(null)).rejects.toMatchObject(refused);
      await expect(store.tasksById(['x'])).rejects.toMatchObject(refused);
      await expect(store.eventCount()).rejects.toMatchObject(refused);
      await opened.close();
    });
  });
}
