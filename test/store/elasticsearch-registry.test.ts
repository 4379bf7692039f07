/** What a server knows of a task goes on while it is asked for again, and while others write. */
import { afterAll, describe, expect, it } from 'vitest';
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
});
