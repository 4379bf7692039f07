/** Elasticsearch is away under load: first hanging, then gone. Nothing acknowledged is lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { startNode } from '../../test/elasticsearch/node.ts';
import { startServer } from '../../test/support/server.ts';
import { SoakLoad } from './load.ts';
import type { Soak } from './soak.ts';

const CALM_MS = 10_000;
const PROBE_MS = 1_000;
const READY_WITHIN_MS = 10_000;

export const outage: Soak = {
  name: 'outage',
  about: 'Elasticsearch hangs, then is gone, under load',
  minutes: 5,
  async run({ minutes, say }) {
    const node = await startNode({ heapMb: 512 });
    const server = await startServer({
      env: {
        SHIPLOG_STORE: 'elasticsearch',
        SHIPLOG_ELASTICSEARCH_URL: node.url,
        SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
      },
    });
    const { url } = server;
    const load = new SoakLoad('soak');
    await load.start([url, url, url, url], [url, url]);
    const broken: string[] = [];
    const readyAfter: number[] = [];
    const outageMs = (minutes * 60_000) / 2;
    const phases: [name: string, begin: () => Promise<void>, end: () => Promise<void>][] = [
      ['hanging', async () => node.pause(), async () => node.resume()],
      ['gone', () => node.kill(), () => node.restart()],
    ];
    for (const [name, begin, end] of phases) {
      await pause(CALM_MS);
      const before = load.acknowledged;
      say(`${name}; ${before.toLocaleString('en')} acknowledged`);
      await begin();
      broken.push(...(await watch(url, outageMs, name)));
      await end();
      const startedAt = performance.now();
      while ((await status(`${url}/readyz`)) !== 200) {
        if (performance.now() - startedAt > 6 * READY_WITHIN_MS) break;
        await pause(100);
      }
      const took = performance.now() - startedAt;
      readyAfter.push(took / 1_000);
      if (took > READY_WITHIN_MS) {
        broken.push(`${name}: ready ${(took / 1_000).toFixed(1)} s after the cluster was back`);
      }
    }
    await pause(CALM_MS);
    await load.stopWriting();
    const verdict = await load.verdict(url);
    await server.stop();
    await node.dispose();
    return {
      summary: `ready ${readyAfter.map((s) => s.toFixed(1)).join(' and ')} s after the cluster; ${load.acknowledged.toLocaleString('en')} acknowledged, ${verdict.stored.toLocaleString('en')} stored, 2 tails, ${load.watchers} that came and went`,
      broken: [...broken, ...verdict.broken],
    };
  },
};

/** While it is away the server lives, and says that it is not ready. */
async function watch(url: string, forMs: number, phase: string): Promise<string[]> {
  let dead = 0;
  let unready = 0;
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline) {
    if ((await status(`${url}/livez`)) !== 200) dead++;
    if ((await status(`${url}/readyz`)) === 503) unready++;
    await pause(PROBE_MS);
  }
  return [
    ...(dead > 0 ? [`${phase}: /livez failed ${dead} times`] : []),
    ...(unready === 0 ? [`${phase}: /readyz never said that the store is away`] : []),
  ];
}

async function status(url: string): Promise<number> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(15_000) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
