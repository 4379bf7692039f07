/**
 * The same on a real Elasticsearch node: batches against the same documents by raw `_bulk` into
 * the same node, queries at two sizes, and the board. The node is started for it
 * (SHIPLOG_TEST_ELASTICSEARCH_URL names one that is there instead).
 */
import { randomBytes } from 'node:crypto';
import { withDefaults } from '../../src/store/elasticsearch/config.ts';
import { eventDocument } from '../../src/store/elasticsearch/event-document.ts';
import { indexBody } from '../../src/store/elasticsearch/mappings.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { startNode } from '../../test/elasticsearch/node.ts';
import { anEvent, logEvent } from '../events.ts';
import { fillHistory } from '../history.ts';
import { load } from '../load.ts';
import { type Served, serveShiplog } from '../process.ts';
import { atLeast, atMost, type Measurement, median, pairedRatio, type Row } from '../row.ts';
import { fillBoard, timeBoard } from './board.ts';
import { FILL_SETTINGS, slopeRows, timeQueries } from './queries.ts';

const ROUNDS = 4;
const SECONDS = 4;
const BATCH = 1_000;
const CONNECTIONS = 4;
const BODIES = 60;
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

function serveOn(url: string, prefix: string, nodeFlags: readonly string[]): Promise<Served> {
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

async function batches(server: Served, url: string, say: (text: string) => void): Promise<Row[]> {
  const raw = `raw-${randomBytes(3).toString('hex')}`;
  const body = indexBody('events', withDefaults({ urls: [url], shards: 1, replicas: 0 }));
  await send(`${url}/${raw}`, 'PUT', JSON.stringify(body));
  const rates: Record<'ours' | 'raw', number[]> = { ours: [], raw: [] };
  const lags: number[] = [];
  const catchUps: number[] = [];
  let bad = 0;
  // The first round warms both up.
  for (let round = 0; round <= ROUNDS; round++) {
    say(`batches, round ${round} of ${ROUNDS}`);
    const ours = await load({
      port: server.port,
      path: '/v1/events',
      connections: CONNECTIONS,
      seconds: SECONDS,
      contentType: 'application/x-ndjson',
      body: prepared(() =>
        someEvents()
          .map((event) => JSON.stringify(event))
          .join('\n'),
      ),
      good: (answer) => answer.includes(`"stored":${BATCH}`),
    });
    const lag = await viewsLag(server.url);
    const startedAt = performance.now();
    while ((await viewsLag(server.url)) > 0) await pause(50);
    const caughtUp = (performance.now() - startedAt) / 1_000;
    const theirs = await load({
      port: Number(new URL(url).port),
      path: `/${raw}/_bulk?filter_path=errors,items.*.status`,
      connections: CONNECTIONS,
      seconds: SECONDS,
      contentType: 'application/x-ndjson',
      body: prepared(bulkBody),
      good: (answer) => answer.includes('"errors":false'),
    });
    if (round === 0) continue;
    bad += ours.bad + theirs.bad;
    rates.ours.push(ours.perSecond * BATCH);
    rates.raw.push(theirs.perSecond * BATCH);
    lags.push(lag);
    catchUps.push(caughtUp);
  }
  await send(`${url}/${raw}`, 'DELETE');
  const ratio = pairedRatio(rates.ours, rates.raw);
  return [
    {
      what: `elasticsearch, NDJSON of ${BATCH.toLocaleString('en')}: events/s`,
      ours: median(rates.ours),
      peer: median(rates.raw),
      ratio,
      aim: atLeast(ratio, 0.6, '×'),
      note: `peer: the same documents by raw _bulk, ${CONNECTIONS} connections each; bad answers ${bad}`,
      broken: bad > 0,
    },
    {
      what: 'elasticsearch, lag of the views at the end of that load: events',
      ours: median(lags),
      note: `caught up after ${median(catchUps).toFixed(1)} s`,
    },
  ];
}

function someEvents() {
  return Array.from({ length: BATCH }, (_, i) => anEvent('batches', `web-${i % 200}`));
}

function bulkBody(): string {
  const now = Date.now();
  return someEvents()
    .map((input) => {
      const event = logEvent(input, now);
      const create = { _id: event.id, routing: event.taskId };
      return `${JSON.stringify({ create })}\n${JSON.stringify(eventDocument(event))}\n`;
    })
    .join('');
}

/** Made beforehand: making events must not be what is measured. */
function prepared(make: () => string): () => string {
  const bodies = Array.from({ length: BODIES }, make);
  return () => bodies.pop() ?? make();
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
