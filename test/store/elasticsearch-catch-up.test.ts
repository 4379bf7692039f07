/** Many days whose views are behind, as after an upgrade. */
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aStatus } from './events.ts';
import { contractSettings, fill, positionOf } from './harness.ts';

const DAY_MS = 86_400_000;
const DAYS = 5;
/** A change of who keeps a shard, and up to where. */
const LEASE = /^PUT .*shard%3A/;
const VIEWS = /-views-(\d{4}-\d\d-\d\d)"/;

describe('Views of many days that are behind', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());

  it('are caught up with a few days at a time, the newest first, and what runs now does not wait for them', {
    timeout: 60_000,
  }, async () => {
    const prefix = elasticsearch.prefix();
    const nowOf = (day: number) => contractSettings.now() + day * DAY_MS;
    const open = (url: string, day: number) =>
      openElasticsearchStore({
        config: { urls: [url], shards: 1, replicas: 0, prefix, leaseMs: 1_500 },
        settings: { ...contractSettings, now: () => nowOf(day) },
      });
    const dayOf = (day: number) => new Date(nowOf(day)).toISOString().slice(0, 10);
    let day = 0;
    const filling = await openElasticsearchStore({
      config: { urls: [elasticsearch.url], shards: 1, replicas: 0, prefix },
      settings: { ...contractSettings, now: () => nowOf(day) },
    });
    for (; day < DAYS; day++) {
      await fill(filling, [aStatus('RUNNING', { taskId: `of-${day}`, at: nowOf(day) })]);
    }
    await filling.close();

    const gate = await openGate(elasticsearch.url);
    const store = await open(gate.url, DAYS - 1);
    try {
      const newest = DAYS - 1;
      const released = Promise.withResolvers<void>();
      onTestFinished(() => released.resolve());
      /** In the order in which their views are written; those of old days are on their way for long. */
      const written: string[] = [];
      gate.before(async (path, body) => {
        const [, of] = (path.startsWith('/_bulk') ? VIEWS.exec(`${body}`) : null) ?? [];
        if (of === undefined) return 'pass';
        if (!written.includes(of)) written.push(of);
        if (of !== dayOf(newest)) await released.promise;
        return 'pass';
      });
      const rebuilding = store.rebuild(() => undefined);
      await vi.waitFor(() => expect(written.length).toBeGreaterThanOrEqual(3), 15_000);
      const outcomes = await store.append([anEvent({ taskId: `of-${newest}`, host: 'live-1' })]);
      await store.viewsReach(outcomes.map(positionOf));
      const keys = [{ taskId: `of-${newest}`, host: 'live-1' }];
      expect(await store.runsByKey(keys)).toMatchObject([{ host: 'live-1' }]);
      const beats = gate.answered(LEASE);
      await vi.waitFor(() => expect(gate.answered(LEASE)).toBeGreaterThan(beats + 3), 15_000);
      expect(written.toSorted()).toEqual([newest - 2, newest - 1, newest].map(dayOf));
      released.resolve();
      await rebuilding;
      expect(written).toHaveLength(DAYS);
      const tasks = await store.tasksById(Array.from({ length: DAYS }, (_, i) => `of-${i}`));
      expect(tasks.map((task) => task?.status)).toEqual(tasks.map(() => 'RUNNING'));
    } finally {
      await store.close();
      gate.close();
    }
  });
});
