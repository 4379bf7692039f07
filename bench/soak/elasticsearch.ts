/**
 * Three nodes with replicas, two servers, four writers, tails on the other server: nodes are
 * killed in turn, one is cut off while its HTTP lives, and a server is killed too.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { green, joined, startCluster, type TestCluster } from '../../test/elasticsearch/cluster.ts';
import type { TestNode } from '../../test/elasticsearch/node.ts';
import { startServer } from '../../test/support/server.ts';
import { SoakLoad } from './load.ts';
import type { Soak } from './soak.ts';

const AWAY_MS = 8_000;
const CALM_MS = 6_000;

export const elasticsearch: Soak = {
  name: 'elasticsearch',
  about: 'three nodes and two servers: nodes killed in turn, one cut off, a server killed',
  minutes: 10,
  async run({ minutes, say }) {
    await using cluster = await startCluster();
    const env = {
      SHIPLOG_STORE: 'elasticsearch',
      SHIPLOG_ELASTICSEARCH_URL: cluster.urls.join(','),
      SHIPLOG_ELASTICSEARCH_PREFIX: 'soak',
    };
    const first = await startServer({ env });
    let second = await startServer({ env });
    const load = new SoakLoad('soak');
    const urls = [first.url, second.url];
    await load.start([...urls, ...urls], urls);
    const counts = { killed: 0, cut: 0, servers: 0 };
    const deadline = performance.now() + minutes * 60_000;
    for (let round = 0; performance.now() < deadline; round++) {
      await pause(CALM_MS);
      await settled(cluster);
      const fault = round % 5;
      if (fault < 3) {
        await killNode(cluster, fault);
        counts.killed++;
      } else if (fault === 3) {
        await cutOff(cluster);
        counts.cut++;
      } else {
        await second.kill();
        const { port, dataDir } = second;
        second = await startServer({ env, port, dataDir });
        counts.servers++;
      }
      say(`${JSON.stringify(counts)}; ${load.acknowledged.toLocaleString('en')} acknowledged`);
    }
    await pause(CALM_MS);
    await load.stopWriting();
    const { stored, broken } = await load.verdict(first.url);
    await Promise.all([first.stop(), second.stop()]);
    return {
      summary: `${counts.killed} nodes killed, ${counts.cut} cut off, ${counts.servers} servers killed; ${load.acknowledged.toLocaleString('en')} acknowledged, ${stored.toLocaleString('en')} stored, 2 tails, ${load.watchers} that came and went`,
      broken,
    };
  },
};

async function killNode(cluster: TestCluster, at: number): Promise<void> {
  const node = cluster.nodes[at] as TestNode;
  await node.kill();
  await pause(AWAY_MS);
  await node.restart();
  await settled(cluster);
}

async function cutOff(cluster: TestCluster): Promise<void> {
  cluster.proxy.cut();
  await pause(AWAY_MS);
  cluster.proxy.heal();
  await settled(cluster);
}

/** Every copy is there again: two faults at a time are more than one replica can bear. */
async function settled(cluster: TestCluster): Promise<void> {
  const node = cluster.nodes[0] as TestNode;
  await joined(node, cluster.nodes.length);
  await green(node);
}
