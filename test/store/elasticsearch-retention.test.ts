/** A day that retention looked at takes events again, whatever came between. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { openGate } from '../elasticsearch/gate.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent } from './events.ts';
import { aPage, contractSettings, fill, positionOf } from './harness.ts';
import { readAgain } from './known-task.ts';

const START = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const DAY = '2025-10-09';

describe('Retention on Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  const cleanUps: (() => Promise<unknown>)[] = [() => elasticsearch.cleanUp()];
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  /** A task that began a long time ago. */
  async function aging(settings: Partial<ViewSettings> = {}) {
    let now = START;
    const prefix = elasticsearch?.prefix() ?? '';
    const gate = await openGate(elasticsearch?.url ?? '');
    const store: ElasticsearchStore = await openElasticsearchStore({
      config: { urls: [gate.url], shards: 1, replicas: 0, prefix },
      settings: { ...contractSettings, ...settings, now: () => now },
    });
    cleanUps.push(
      async () => gate.close(),
      () => store.close(),
    );
    await fill(store, [anEvent({ taskId: 'old', at: now, receivedAt: now })]);
    now += 31 * DAY_MS;
    const say = (taskId: string) => anEvent({ taskId, at: now, receivedAt: now });
    const pass = (days: number) => {
      now += days * DAY_MS;
    };
    return { store, prefix, gate, say, pass };
  }

  const isBlock = (path: string) => path.endsWith(`${DAY}/_block/write`);

  it('leaves a day alone into which an event came between its two looks', async () => {
    const { store, gate, say } = await aging();
    gate.before(async (path) => {
      if (isBlock(path)) await store.append([say('old')]);
      return 'pass';
    });
    expect(await store.applyRetention()).toMatchObject({ removedDays: [] });
    expect(await store.append([say('old')])).toMatchObject([{ outcome: 'STORED' }]);
    expect(await store.eventCount()).toBe(3);
  });

  it('that fails behind its block takes the block away, and removes the day in the next run', async () => {
    const { store, prefix, gate, say } = await aging();
    gate.before(async (path) => (path.includes('/_doc/day') ? 'cut' : 'pass'));
    await expect(store.applyRetention()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const settings = await fetch(`${elasticsearch.url}/${prefix}-events-${DAY}/_settings`);
    expect(await settings.text()).not.toContain('"write":"true"');
    gate.before(async () => 'pass');
    expect(await store.applyRetention()).toMatchObject({ removedDays: [DAY], removedTasks: 1 });
    expect(await store.append([say('old')])).toMatchObject([
      { outcome: 'REJECTED', problem: { code: 'TASK_EXPIRED' } },
    ]);
  });

  it('takes away the block that a stopped server left on a day that lives on', async () => {
    const { store, prefix, say } = await aging();
    await fill(store, [say('old')]);
    await fetch(`${elasticsearch.url}/${prefix}-events-${DAY}/_block/write`, { method: 'PUT' });
    await expect(store.append([say('old')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.applyRetention()).toMatchObject({ removedDays: [] });
    await expect
      .poll(() => store.append([say('old')]).catch(() => []), { timeout: 5_000 })
      .toMatchObject([{ outcome: 'STORED' }]);
  });

  it('lets a rebuild end that was folding the day which it removes', async () => {
    const { store, gate } = await aging();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let rebuilding: Promise<void> | null = null;
    gate.before(async (path) => {
      if (rebuilding !== null || !path.includes(`-views-${DAY}?`)) return 'pass';
      // The last moment before it is gone: nothing of it can be folded until then.
      gate.hold(`-views-${DAY}`);
      rebuilding = store.rebuild((done, total) => done < total && begin());
      await begun;
      return 'pass';
    });
    expect(await store.applyRetention()).toMatchObject({ removedDays: [DAY] });
    await rebuilding;
    gate.release();
    expect(await store.eventCount()).toBe(0);
  });

  it('frees the ids of a day that searches have not seen go yet', async () => {
    const { store, prefix, say, pass } = await aging();
    await fetch(`${elasticsearch.url}/${prefix}-meta/_settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.refresh_interval': '-1' }),
    });
    expect(await store.applyRetention()).toMatchObject({ removedDays: [DAY] });
    expect(await store.append([say('old')])).toMatchObject([{ outcome: 'REJECTED' }]);
    pass(31);
    await store.applyRetention();
    expect(await store.append([say('old')])).toMatchObject([{ outcome: 'STORED' }]);
  });

  it('leaves nothing of a task to the next of its id, on a server that knew both', async () => {
    const { store, gate, say, pass } = await aging({ maxEventsPerTask: 1 });
    await store.applyRetention();
    pass(31);
    await store.applyRetention();
    await readAgain(store, gate, 'old');
    const [outcome] = await store.append([say('old')]);
    expect(outcome).toMatchObject({ outcome: 'STORED', position: { shard: '2025-12-10/0' } });
    const events = { filter: { taskId: 'old' }, order: 'LOG' as const, page: aPage() };
    expect((await store.events([events]))[0]?.rows).toHaveLength(1);
    await store.viewsReach([positionOf(outcome ?? expect.fail())]);
    expect(await store.board('old')).not.toBeNull();
  });

  it('removes the days behind one that is away, and that one when it is back', async () => {
    const { store, gate, say, pass } = await aging();
    await fill(store, [say('younger')]);
    pass(31);
    gate.before(async (path) => (isBlock(path) ? 'cut' : 'pass'));
    await expect(store.applyRetention()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await store.append([say('younger')])).toMatchObject([
      { outcome: 'REJECTED', problem: { code: 'TASK_EXPIRED' } },
    ]);
    gate.before(async () => 'pass');
    expect(await store.applyRetention()).toMatchObject({ removedDays: [DAY] });
  });

  it('leaves nothing of a day in the fixed indices when its ids are free again', async () => {
    const { store, prefix } = await aging();
    const ids = async () => {
      await fetch(`${elasticsearch.url}/${prefix}-meta/_refresh`, { method: 'POST' });
      const found = await fetch(`${elasticsearch.url}/${prefix}-meta/_search?_source=false`);
      const { hits } = (await found.json()) as { hits: { hits: { _id: string }[] } };
      return hits.hits.map(({ _id }) => _id.split(':')[0]).sort();
    };
    await store.applyRetention();
    expect(await ids()).toEqual(['day', 'task']);
    await store.close();
    const later = await openElasticsearchStore({
      config: { urls: [elasticsearch.url], shards: 1, replicas: 0, prefix },
      settings: { ...contractSettings, now: () => START + 62 * DAY_MS },
    });
    cleanUps.push(() => later.close());
    await later.applyRetention();
    expect(await ids()).toEqual([]);
  });
});
