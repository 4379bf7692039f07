/** What a server knows of a task goes on while it is asked for again, and while others write. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { TaskChange } from '../../src/domain/event/event.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import type { Store, ViewSettings } from '../../src/store/store.ts';
import { openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aTaskEvent } from './events.ts';
import { contractSettings } from './harness.ts';
import { readAgain } from './known-task.ts';

describe('A task on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const { url } = elasticsearch;
  const cleanUps: (() => Promise<unknown>)[] = [() => elasticsearch.cleanUp()];
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  async function open(prefix: string, settings: Partial<ViewSettings> = {}) {
    const gate = await openGate(url);
    const store: Store = await openElasticsearchStore({
      config: { urls: [gate.url], shards: 1, replicas: 0, prefix },
      settings: { ...contractSettings, ...settings },
    });
    cleanUps.push(
      async () => gate.close(),
      () => store.close(),
    );
    return { store, gate };
  }

  it('takes no more than its cap, though it was looked at again while events were on their way', async () => {
    const prefix = elasticsearch.prefix();
    const { store, gate } = await open(prefix, { maxEventsPerTask: 10 });
    const say = (count: number) =>
      store.append(Array.from({ length: count }, () => anEvent({ taskId: 'flood' })));
    await say(1);
    gate.hold(`${prefix}-events-`);
    const underWay = say(6);
    await readAgain(store, gate, 'flood');
    gate.release();
    const outcomes = [...(await underWay), ...(await say(6))];
    const stored = outcomes.filter(({ outcome }) => outcome === 'STORED');
    expect(stored).toHaveLength(9);
    expect(outcomes.at(-1)).toMatchObject({ problem: { code: 'TASK_FULL' } });
  });

  it('takes no more than its cap where much of it is on its way at once, and all that there is room for', async () => {
    const { store } = await open(elasticsearch.prefix(), { maxEventsPerTask: 10 });
    const some = (count: number) =>
      Array.from({ length: count }, () => anEvent({ taskId: 'rush' }));
    const first = some(5);
    await store.append(first);
    // Retries take no room.
    const [again, fresh] = await Promise.all([store.append(first), store.append(some(3))]);
    expect(again.map(({ outcome }) => outcome)).toEqual(first.map(() => 'DUPLICATE'));
    expect(fresh.map(({ outcome }) => outcome)).toEqual(['STORED', 'STORED', 'STORED']);
    const rush = await Promise.all(Array.from({ length: 4 }, () => store.append(some(6))));
    const stored = rush.flat().filter(({ outcome }) => outcome === 'STORED');
    expect(stored).toHaveLength(2);
    expect(await store.eventCount()).toBe(10);
  });

  it('takes no more than its cap from several servers together', async () => {
    const prefix = elasticsearch.prefix();
    const servers = await Promise.all(
      Array.from({ length: 2 }, () => open(prefix, { maxEventsPerTask: 10 })),
    );
    for (let i = 0; i < 8; i++) {
      for (const { store } of servers) await store.append([anEvent({ taskId: 'shared' })]);
    }
    expect(await servers[0]?.store.eventCount()).toBe(10);
  });

  it('is stamped with what all servers heard of it, whichever of them wrote last [A9]', async () => {
    const prefix = elasticsearch.prefix();
    const [{ store: one }, { store: other }] = [await open(prefix), await open(prefix)];
    let at = 1_760_000_000_000;
    const began = (change: Partial<TaskChange>) =>
      aTaskEvent({ change: 'began', ...change }, { taskId: 'heard', at: ++at });
    const line = () => anEvent({ taskId: 'heard' });
    await one.append([began({ service: 'shop', environment: 'prod' })]);
    await other.append([line()]);
    await other.append([began({ service: 'shop-2' })]);
    // It knows the first service, and believes that for a minute.
    await one.append([began({ environment: 'prod-eu' })]);
    const { store: third } = await open(prefix);
    for (const store of [third, one]) {
      expect(await store.append([line()])).toMatchObject([
        { outcome: 'STORED', service: 'shop-2', environment: 'prod-eu' },
      ]);
    }
  });

  it.each([1, 2])(
    'of two contents under one new id at the same time one is stored, the other is told, and stamps nothing (%s servers) [A7 A9]',
    async (count) => {
      const prefix = elasticsearch.prefix();
      const one = await open(prefix);
      const other = count === 1 ? one : await open(prefix);
      const taskIds = ['same-1', 'same-2', 'same-3', 'same-4'];
      for (const { store } of [one, other]) {
        await store.append(taskIds.map((taskId) => anEvent({ taskId })));
      }
      const say = (service: string, at: number) =>
        taskIds.map((taskId, i) =>
          // Either says the newer of two tasks, so whoever comes second does of some.
          aTaskEvent(
            { change: 'began', service },
            { taskId, eventId: 'same', at: 1_760_000_000_000 + (i % 2 === 0 ? at : -at) },
          ),
        );
      for (const { gate } of [one, other]) gate.hold(`${prefix}-events-`);
      const both = [one.store.append(say('a', 1)), other.store.append(say('b', 2))];
      // Both are written down for stamps before one of them is stored.
      await vi.waitFor(async () => {
        const { store } = await open(prefix);
        const outcomes = await store.append(taskIds.map((taskId) => anEvent({ taskId })));
        expect(outcomes.map((o) => ('service' in o ? o.service : null))).toEqual([
          'b',
          'a',
          'b',
          'a',
        ]);
      }, 15_000);
      for (const { gate } of [one, other]) gate.release();
      const [ofOne = expect.fail(), ofOther = expect.fail()] = await Promise.all(both);
      const { store: third } = await open(prefix);
      const later = await third.append(taskIds.map((taskId) => anEvent({ taskId })));
      for (const i of taskIds.keys()) {
        const kinds = [ofOne[i], ofOther[i]].map((o) =>
          o?.outcome === 'REJECTED' ? o.problem.code : o?.outcome,
        );
        expect(kinds.toSorted()).toEqual(['ID_CONFLICT', 'STORED']);
        const service = kinds[0] === 'STORED' ? 'a' : 'b';
        expect(later[i]).toMatchObject({ outcome: 'STORED', service });
      }
    },
  );
});
