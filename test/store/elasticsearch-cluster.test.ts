import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StoredEvent } from '../../src/domain/event.ts';
import { green, joined, startCluster, type TestCluster } from '../elasticsearch/cluster.ts';
import type { TestNode } from '../elasticsearch/node.ts';
import { canStartNodes } from '../elasticsearch/shared.ts';
import { openStore, startLoad, startTail } from './cluster-load.ts';
import { allRows, aPage } from './harness.ts';
import { foldLog } from './oracle.ts';

describe('Three nodes of Elasticsearch', async () => {
  if (!(await canStartNodes())) return;
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, 180_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const node = (at: number) => cluster.nodes[at] as TestNode;

  it('lose, repeat and reorder nothing when one is killed with kill -9', async () => {
    await underLoad('killed', async (more) => {
      await node(1).kill();
      await more(500);
      await node(1).restart();
      await joined(node(0), 3);
    });
  }, 180_000);

  it('lose, repeat and reorder nothing when one is cut off from the others and its HTTP stays alive', async () => {
    await underLoad('partition', async (more) => {
      cluster.proxy.cut();
      await joined(node(0), 2);
      await more(500);
      const alone = await fetch(`${node(2).url}/_search?size=0`);
      expect(alone.status).toBe(200);
      await more(500);
      cluster.proxy.heal();
      await joined(node(0), 3);
    });
  }, 180_000);

  it('lose, repeat and reorder nothing when one hangs', async () => {
    await underLoad('hung', async (more) => {
      node(2).pause();
      try {
        await joined(node(0), 2);
        await more(1_000);
      } finally {
        node(2).resume();
      }
      await joined(node(0), 3);
    });
  }, 180_000);

  /** `disturb` is given a way to wait until so many more events are acknowledged. */
  async function underLoad(
    prefix: string,
    disturb: (more: (events: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const [writing, other] = await Promise.all([
      openStore(cluster.urls, prefix),
      openStore(cluster.urls, prefix),
    ]);
    const tail = startTail(other);
    const loads = [startLoad(writing, ['a', 'b']), startLoad(other, ['c', 'd'])];
    const taken = () => loads.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    const more = async (events: number) => {
      const enough = taken() + events;
      await vi.waitUntil(() => taken() >= enough, { timeout: 60_000, interval: 20 });
    };
    try {
      await more(500);
      // One replica survives one loss at a time.
      await green(node(0));
      await disturb(more);
      await more(500);
      for (const load of loads) await load.stop();
      await tail.stop();
      expectExact(tail.delivered, new Set(loads.flatMap((load) => [...load.acknowledged])));
      await expectViews(other, tail.delivered);
    } finally {
      for (const load of loads) void load.stop().catch(() => undefined);
      await Promise.all([writing.close(), other.close()]);
    }
  }
});

/** Everything acknowledged was delivered, once, in the order of its shard. */
function expectExact(delivered: readonly StoredEvent[], acknowledged: ReadonlySet<string>): void {
  const ids = new Set(delivered.map(({ id }) => id));
  expect(ids.size, 'each once').toBe(delivered.length);
  expect(
    [...acknowledged].filter((id) => !ids.has(id)),
    'nothing lost',
  ).toEqual([]);
  expect(ids.size, 'nothing that was not acknowledged').toBe(acknowledged.size);
  for (const [shard, events] of Map.groupBy(delivered, ({ position }) => position.shard)) {
    const seqs = events.map(({ position }) => position.seq);
    expect(seqs, `in order in ${shard}`).toEqual(seqs.toSorted((a, b) => a - b));
  }
}

async function expectViews(
  store: Awaited<ReturnType<typeof openStore>>,
  log: readonly StoredEvent[],
): Promise<void> {
  await store.viewsReach(log.map(({ position }) => position));
  const folded = foldLog(log);
  const runs = await allRows(
    async (page) =>
      (await store.runs([{ filter: {}, order: 'HOST_ASC', page }]))[0] as Awaited<
        ReturnType<typeof store.runs>
      >[0] &
        object,
    false,
    200,
  );
  const key = ({ taskId, host }: { taskId: string; host: string }) => `${taskId} ${host}`;
  const byKey = (list: { taskId: string; host: string }[]) =>
    list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(byKey(runs.map(({ node }) => node))).toEqual(byKey(folded.runs));
  const tasks = await store.tasksById(folded.tasks.map(({ id }) => id));
  expect(tasks).toEqual(folded.tasks);
  const page = aPage({ limit: 500 });
  const hosts = await store.hosts({ filter: {}, page });
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(hosts.rows.map(({ node }) => node)).toEqual(folded.hosts.toSorted(byName));
}
