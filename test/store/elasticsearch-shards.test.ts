/** What is told over several shards, each of which knows only a part. */
import { afterAll, describe, expect, it } from 'vitest';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { aStatus } from './events.ts';
import { contractSettings, fill } from './harness.ts';

const TASKS = 8;
const FAILURES_PER_TASK = 90;
const WORDS = ['disk', 'port', 'lock', 'user', 'path', 'time', 'host'];
const CAUSES = WORDS.flatMap((a) => WORDS.map((b) => `${a} ${b} broken`));

describe('With three shards a day', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());

  it('the most frequent causes of failure are counted exactly, also those that are rare in every shard', async () => {
    const config = { urls: [elasticsearch.url], shards: 3, replicas: 0 };
    const store = await openElasticsearchStore({
      config: { ...config, prefix: elasticsearch.prefix() },
      settings: contractSettings,
    });
    const counts = new Map<string, number>();
    const events = Array.from({ length: TASKS * FAILURES_PER_TASK }, (_, i) => {
      const task = i % TASKS;
      // Each task has causes of its own that are frequent, and all share the others.
      const turn = (i * 7919) % 97;
      const cause = CAUSES[turn < 60 ? turn % CAUSES.length : (task * 5 + (turn % 5)) % 40] ?? '';
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
      const fields = { taskId: `task-${task}`, host: `web-${i}`, step: 'download' };
      return aStatus('FAILED', { ...fields, error: { code: null, message: cause } });
    });
    try {
      await fill(store, events);
      const largest = [...counts.values()].sort((a, b) => b - a);
      for (const first of [1, 3, 10, CAUSES.length]) {
        const [groups] = await store.failureGroups([{ filter: {}, first }]);
        expect(groups?.map(({ count }) => count)).toEqual(largest.slice(0, first));
        for (const { message, count, hostCount } of groups ?? []) {
          expect([count, hostCount]).toEqual([counts.get(message), counts.get(message)]);
        }
      }
    } finally {
      await store.close();
    }
  });
});
