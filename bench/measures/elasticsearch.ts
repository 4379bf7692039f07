/**
 * The same on a real Elasticsearch node: batches against the same documents by raw `_bulk` into
 * the same node, queries at two sizes, and the board. The node is started for it
 * (SHIPLOG_TEST_ELASTICSEARCH_URL names one that is there instead).
 */
import { randomBytes } from 'node:crypto';
import type { StepEventInput } from '../../src/cli/gen/graphql.ts';
import { withDefaults } from '../../src/store/elasticsearch/cluster/config.ts';
import { indexBody } from '../../src/store/elasticsearch/indices/mappings.ts';
import { eventDocument } from '../../src/store/elasticsearch/log/event-document.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { startNode } from '../../test/elasticsearch/node.ts';
import { fleetInputs, logEvent } from '../events.ts';
import { fillHistory } from '../history.ts';
import { load } from '../load.ts';
import { type Served, serveShiplog } from '../process.ts';
import { atLeast, atMost, type Measurement, median, pairedRatio, type Row } from '../row.ts';
import { fillBoard, timeBoard } from './board.ts';
import { FILL_SETTINGS, slopeRows, timeQueries } from './queries.ts';

const ROUNDS = 5;
const BATCH = 1_000;
/** Of one round. */
const BODIES = 120;
const CONNECTIONS = 4;
const COMMON = {
  connections: CONNECTIONS,
  seconds: 0,
  contentType: 'application/x-ndjson',
  body: () => '',
};
const HEAP_MB = 1_024;

export const elasticsearch: Measurement = {
  name: 'elasticsearch',
  about: 'batches against raw _bulk, queries and the board on Elasticsearch (needs JDK and Maven)',
  async run({ huge, say, nodeFlags }) {
    const given = process.env.SHIPLOG_TEST_ELASTICSEARCH_URL;
    say('starting a node');
    const node = given ? null : await startNode({ heapMb: HEAP_MB });
    const url = given ?? (node?.url as string);
    try {
      const server = await serveOn(url, 'batches', nodeFlags);
      const rows = await batches(server, url, say);
      rows.push(...(await boards(server, say)));
      await server.stop();
      const sizes = huge ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
      const results: number[][] = [];
      for (const size of sizes) {
        say(`storing ${size.toLocaleString('en')} events`);
        const prefix = `bench-${size}-${randomBytes(3).toString('hex')}`;
        const history = await fill(url, prefix, size);
        say('asking');
        const asked = await serveOn(url, prefix, nodeFlags);
        results.push(await timeQueries(asked.url, history));
        await asked.stop();
      }
      return [...rows, ...slopeRows(results, sizes, 'elasticsearch')];
    } finally {
      await node?.dispose();
    }
  },
};

/** A server on that node. */
export function serveOn(
  url: string,
  prefix: string,
  nodeFlags: readonly string[],
): Promise<Served> {
  return serveShiplog({
    nodeFlags,
    env: {
      SHIPLOG_STORE: 'elasticsearch',
      SHIPLOG_ELASTICSEARCH_URL: url,
      SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
      SHIPLOG_ELASTICSEARCH_PREFIX: prefix,
    },
  });
}

async function fill(url: string, prefix: string, size: number) {
  const settings: ViewSettings = { ...FILL_SETTINGS };
  const store = await openElasticsearchStore({
    config: { urls: [url], shards: 1, replicas: 0, prefix },
    settings,
  });
  try {
    return await fillHistory(store, size, 2_000, 4);
  } finally {
    await store.close();
  }
}

/** Whole deployments, so that the views have runs, steps and tasks to fold. */
async function batches(server: Served, url: string, say: (text: string) => void): Promise<Row[]> {
  const raw = `raw-${randomBytes(3).toString('hex')}`;
  const body = indexBody('events', withDefaults({ urls: [url], shards: 1, replicas: 0 }));
  await send(`${url}/${raw}`, 'PUT', JSON.stringify(body));
  const rates: Record<'ours' | 'folded' | 'raw', number[]> = { ours: [], folded: [], raw: [] };
  const lags: number[] = [];
  const catchUps: number[] = [];
  let bad = 0;
  // The first round warms both up.
  for (let round = 0; round <= ROUNDS; round++) {
    say(`batches, round ${round} of ${ROUNDS}`);
    const bodies = bodiesOf(`batches-${round}`);
    const startedAt = performance.now();
    const watch = watchLag(server.url);
    const ours = await load({
      ...{ port: server.port, path: '/v1/events', queue: bodies.ours, ...COMMON },
      good: (answer) => answer.includes(`"stored":${BATCH}`),
    });
    const endedAt = performance.now();
    while ((await viewsLag(server.url)) > 0) await pause(50);
    const foldedAt = performance.now();
    lags.push(await watch.end());
    const theirs = await load({
      ...{ port: Number(new URL(url).port), queue: bodies.raw, ...COMMON },
      path: `/${raw}/_bulk?filter_path=errors,items.*.status`,
      good: (answer) => answer.includes('"errors":false'),
    });
    bad += ours.bad + theirs.bad;
    if (round === 0) {
      lags.pop();
      continue;
    }
    rates.ours.push(ours.perSecond * BATCH);
    rates.folded.push((ours.requests * BATCH * 1_000) / (foldedAt - startedAt));
    rates.raw.push(theirs.perSecond * BATCH);
    catchUps.push((foldedAt - endedAt) / 1_000);
  }
  await send(`${url}/${raw}`, 'DELETE');
  const ratio = pairedRatio(rates.ours, rates.raw);
  const peer = median(rates.raw);
  return [
    {
      what: `elasticsearch, NDJSON of ${BATCH.toLocaleString('en')}: events/s`,
      ours: median(rates.ours),
      ...{ peer, ratio, aim: atLeast(ratio, 0.6, '×') },
      note: `peer: the same documents by raw _bulk, ${CONNECTIONS} connections each; bad answers ${bad}`,
      broken: bad > 0,
    },
    {
      what: 'elasticsearch, the same until the views hold it too: events/s',
      ours: median(rates.folded),
      ...{ peer, ratio: pairedRatio(rates.folded, rates.raw) },
    },
    {
      what: 'elasticsearch, greatest lag of the views under that load: events',
      ours: median(lags),
      note: `caught up ${median(catchUps).toFixed(1)} s after the last acknowledgement`,
    },
  ];
}

/** One deployment after another, the same events for both. */
function bodiesOf(name: string): { ours: string[]; raw: string[] } {
  const bodies: { ours: string[]; raw: string[] } = { ours: [], raw: [] };
  let batch: StepEventInput[] = [];
  for (let task = 0; ; task++) {
    const fleet = { taskId: `${name}-${task}`, hosts: 200, lines: 5, startAt: Date.now() };
    for (const input of fleetInputs({ ...fleet, seed: String(task) })) {
      batch.push(input);
      if (batch.length < BATCH) continue;
      bodies.ours.push(batch.map((event) => JSON.stringify(event)).join('\n'));
      bodies.raw.push(batch.map(bulkLines).join(''));
      batch = [];
      if (bodies.ours.length < BODIES) continue;
      // Sent from the end.
      return { ours: bodies.ours.reverse(), raw: bodies.raw.reverse() };
    }
  }
}

function bulkLines(input: StepEventInput): string {
  const event = logEvent(input, Date.now());
  const create = { _id: event.id, routing: event.taskId };
  return `${JSON.stringify({ create })}\n${JSON.stringify(eventDocument(event))}\n`;
}

/** The greatest lag of the views until `end`. */
function watchLag(url: string): { end: () => Promise<number> } {
  let greatest = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      greatest = Math.max(greatest, await viewsLag(url));
      await pause(200);
    }
  })();
  return {
    end: async () => {
      over = true;
      await watching;
      return greatest;
    },
  };
}

async function boards(server: Served, say: (text: string) => void): Promise<Row[]> {
  say('board of 5,000 hosts');
  await fillBoard(server.url, 'board-5000', 5_000);
  const { matrix, page } = await timeBoard(server.url, 'board-5000');
  return [
    {
      what: 'elasticsearch, task of 5,000 hosts, matrix: median ms',
      ours: matrix,
      aim: atMost(matrix, 400),
    },
    { what: 'elasticsearch, task of 5,000 hosts, page of 500 runs: median ms', ours: page },
  ];
}

async function viewsLag(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^shiplog_views_lag_events (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

async function send(url: string, method: string, body?: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
