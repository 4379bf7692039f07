/**
 * Three Elasticsearch nodes that are killed, cut off and hang, under load; at last with two Shiplog
 * servers, one of which is killed too: acknowledged = stored = delivered, once, in order.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { green, joined, shards, startCluster, type TestCluster } from '../elasticsearch/cluster.ts';
import type { TestNode } from '../elasticsearch/node.ts';
import { canStartNodes } from '../elasticsearch/shared.ts';
import { openStore, startLoad, startTail } from '../store/cluster-load.ts';
import { expectExact, expectViews } from '../store/cluster-verdict.ts';
import { follow, graphql, storedEvents, writeUntil } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';

const TASK = 'cluster';
const RUNS = `query ($id: ID!) {
  task(id: $id) { status runCounts { total running } runs { nodes { hostName currentStep } } }
}`;

describe('Three nodes of Elasticsearch', async () => {
  if (!(await canStartNodes())) return;
  let cluster: TestCluster;
  const node = (at: number) => cluster.nodes[at] as TestNode;
  const start = (port = 0): Promise<TestServer> =>
    startServer({
      port,
      env: {
        SHIPLOG_STORE: 'elasticsearch',
        SHIPLOG_ELASTICSEARCH_URL: cluster.urls.join(','),
        SHIPLOG_ELASTICSEARCH_PREFIX: 'servers',
        SHIPLOG_ELASTICSEARCH_REPLICAS: '1',
      },
    });

  beforeAll(async () => {
    cluster = await startCluster();
  }, 180_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('lose, repeat and reorder nothing when one is killed with kill -9', async () => {
    await underLoad('killed', async (more) => {
      await node(1).kill();
      await more(500);
      await node(1).restart();
      await joined(node(0), 3);
    });
  }, 180_000);

  it('lose, repeat and reorder nothing when one is cut off from the others and its HTTP stays alive [R4]', async () => {
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

  it('and two servers lose, repeat and reorder nothing while nodes and a server are killed', async () => {
    let first = await start();
    const second = await start();
    const acknowledged = new Set<string>();
    let stopped = false;
    const urlOf = { first: () => first.url, second: () => second.url };
    const tails = [follow(urlOf.first, TASK), follow(urlOf.second, TASK)];
    const writers = Promise.all(
      ['a', 'b', 'c', 'd'].map((host, i) =>
        writeUntil(i % 2 ? urlOf.first : urlOf.second, TASK, host, acknowledged, () => stopped),
      ),
    );
    const more = async (events: number) => {
      const enough = acknowledged.size + events;
      await vi
        .waitUntil(() => acknowledged.size >= enough, { timeout: 90_000, interval: 20 })
        .catch(async () => {
          const logs = [first, second].map((server) => server.stdout().slice(-3_000));
          const copies = await shards(node(1)).catch(String);
          throw new Error(`only ${acknowledged.size} acknowledged\n${copies}\n${logs.join('\n')}`);
        });
    };

    await more(500);
    // One replica survives one loss at a time: the next waits until the last is made good.
    await green(node(1));
    await node(0).kill();
    await more(500);
    await node(0).restart();
    await joined(node(0), 3);
    await green(node(1));
    cluster.proxy.cut();
    await joined(node(0), 2);
    await more(500);
    cluster.proxy.heal();
    await joined(node(0), 3);
    await first.kill();
    await more(500);
    first = await start(first.port);
    await more(500);
    stopped = true;
    await writers;

    const stored = await storedEvents(second.url, TASK);
    expect(new Set(stored).size, 'each once').toBe(stored.length);
    const there = new Set(stored);
    expect(
      [...acknowledged].filter((id) => !there.has(id)),
      'nothing lost',
    ).toEqual([]);
    for (const tail of tails) {
      const last = stored.length - stored.indexOf(tail.delivered[0] as string);
      await tail.reached(last);
      tail.stop();
      expect(tail.delivered).toEqual(stored.slice(-last));
    }
    for (const server of [first, second]) {
      const { task } = await graphql<{ task: unknown }>(server.url, RUNS, { id: TASK });
      expect(task).toEqual({
        status: 'RUNNING',
        runCounts: { total: 4, running: 4 },
        runs: {
          nodes: ['a', 'b', 'c', 'd'].map((hostName) => ({ hostName, currentStep: 'download' })),
        },
      });
      await server.stop();
    }
  }, 240_000);

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
