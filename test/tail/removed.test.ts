/** Retention that removes a day under those who are still reading it. */
import { beforeAll, expect, it } from 'vitest';
import type { EventFilter } from '../../src/domain/search/filter.ts';
import type { Store } from '../../src/store/store.ts';
import type { TailBatch } from '../../src/tail/tail.ts';
import { aStatus } from '../store/events.ts';
import { fill } from '../store/harness.ts';
import { describeOnEngines } from '../support/engines.ts';
import { startShiplog } from '../support/shiplog.ts';

const DAY_MS = 86_400_000;
/** More than one batch. */
const OLD = 700;

describeOnEngines('a tail whose day retention removes while it is read', (engine) => {
  let clock = Date.now() - 40 * DAY_MS;
  let store: Store;
  beforeAll(async () => {
    store = await engine.open({ retentionDays: 30, now: () => clock }, 1);
  });

  it('says that events are missing, but not to those who follow a deployment that is kept', async () => {
    const line = (taskId: string, message: string) =>
      aStatus('RUNNING', { taskId, eventId: message, message, at: clock, receivedAt: clock });
    const old = Array.from({ length: OLD }, (_, i) => line('old', `old ${i}`));
    await fill(store, old);
    clock = Date.now();
    await fill(store, [line('new', 'kept')]);
    const shiplog = await startShiplog(store, { heartbeatMs: 200, now: () => clock });

    /** Has read one batch from the beginning; the rest follows. */
    async function follow(filter: EventFilter) {
      const heads = await store.heads(filter.taskId ?? null);
      const start = heads.map((head) => ({ ...head, seq: 0 }));
      const after = shiplog.tail.tailCursor(filter, start);
      const batches = shiplog.tail.events({ filter, after, last: null });
      const told: TailBatch[] = [(await batches.next()).value];
      return async function rest() {
        while (told.at(-1)?.caughtUp !== true) told.push((await batches.next()).value);
        await batches.return?.();
        return {
          messages: told.flatMap(({ events }) => events.map(({ message }) => message)),
          gaps: told.flatMap(({ gap }) => gap ?? []),
        };
      };
    }

    const all = await follow({});
    const kept = await follow({ taskId: 'new' });
    expect((await store.applyRetention()).removedEvents).toBe(OLD);
    const { messages, gaps } = await all();
    expect(messages.length).toBeLessThan(OLD);
    expect(messages).toEqual([...messages.slice(0, -1).map((_, i) => `old ${i}`), 'kept']);
    const through = expect.stringMatching(new RegExp(`:${OLD}$`));
    const from = expect.stringMatching(new RegExp(`:${messages.length - 1}$`));
    expect(gaps).toEqual([{ reason: 'RETENTION', from, to: through }]);
    expect(await kept()).toEqual({ messages: ['kept'], gaps: [] });
    await shiplog.close();
  }, 60_000);
});
