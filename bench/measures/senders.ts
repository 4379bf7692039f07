/**
 * What other programs send, in their own protocols, against the engine itself: raw SQLite doing the same
 * inserts, and an Elasticsearch node that takes the same `_bulk` requests.
 */
import { randomBytes } from 'node:crypto';
import type { StepEventInput } from '../../src/cli/gen/graphql.ts';
import { documentEvent } from '../../src/senders/document-event.ts';
import { DEFAULT_MAPPING } from '../../src/senders/mapping/default-mapping.ts';
import { withDefaults } from '../../src/store/elasticsearch/cluster/config.ts';
import { indexBody } from '../../src/store/elasticsearch/indices/mappings.ts';
import { eventDocument } from '../../src/store/elasticsearch/log/event-document.ts';
import { startNode } from '../../test/elasticsearch/node.ts';
import { anEvent, logEvent } from '../events.ts';
import { load } from '../load.ts';
import { serveShiplog } from '../process.ts';
import { RawLog, rawSqlite } from '../raw-sqlite.ts';
import { atLeast, type Measurement, median, pairedRatio, type Row } from '../row.ts';
import { serveOn } from './elasticsearch.ts';

const ROUNDS = 5;
const SECONDS = 4;
const BATCH = 1_000;
/** Requests of a round, more than it can take: 62,000 documents a second. */
const PREPARED = 250;

export const senders: Measurement = {
  name: 'senders',
  about: '_bulk of 1,000 through /es against raw SQLite doing the same inserts',
  async run({ say, nodeFlags }) {
    const ours = await serveShiplog({ nodeFlags });
    const rates: number[] = [];
    const raw: number[] = [];
    const kept: number[] = [];
    const keptLog = new RawLog({ isKept: true });
    const lines: number[] = [];
    let bad = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      // Made beforehand: making documents must not be what is measured.
      const bodies = Array.from({ length: PREPARED }, () => Buffer.from(bulkBody()));
      const bulk = await load({
        port: ours.port,
        path: '/es/_bulk',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-ndjson',
        body: () => bodies.pop() ?? bulkBody(),
        good: (answer) => answer.includes('"errors":false') && !answer.includes('"noop"'),
      });
      const own = Array.from({ length: PREPARED }, () => Buffer.from(ndjsonBody()));
      const ndjson = await load({
        port: ours.port,
        path: '/v1/events',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-ndjson',
        body: () => own.pop() ?? ndjsonBody(),
        good: (answer) => answer.includes(`"stored":${BATCH}`),
      });
      bad += bulk.bad + ndjson.bad;
      rates.push(bulk.perSecond * BATCH);
      lines.push(ndjson.perSecond * BATCH);
      raw.push(rawSqlite(BATCH, SECONDS / 2));
      kept.push(keptLog.insert(BATCH, SECONDS / 2));
    }
    keptLog.close();
    await ours.stop();
    const ratio = pairedRatio(rates, raw);
    return [
      {
        what: '_bulk of 1,000 through /es: documents/s',
        ours: median(rates),
        peer: median(raw),
        ratio,
        aim: atLeast(ratio, 0.6, '×'),
        note: `peer: raw SQLite into an empty file, rows made beforehand; bad answers ${bad}`,
      },
      {
        what: '_bulk of 1,000 beside a log as long',
        ours: median(rates),
        peer: median(kept),
        ratio: pairedRatio(rates, kept),
        note: 'peer: raw SQLite into one file in all rounds, ids looked up',
      },
      {
        what: '_bulk of 1,000 beside NDJSON of our own',
        ours: median(rates),
        peer: median(lines),
        ratio: pairedRatio(rates, lines),
        note: 'what the mapping costs; also on a busy machine',
      },
    ];
  },
};

/**
 * Requests of one round: many enough that a node's refreshes fall into it. One that is asked for a
 * second and a half does that work afterwards, and looks faster than it can go on.
 */
const BODIES = 200;
const CONNECTIONS = 4;

export const sendersOnElasticsearch: Measurement = {
  name: 'senders-es',
  about: '_bulk of 1,000 through /es on Elasticsearch against raw _bulk to the node itself',
  async run({ say, nodeFlags }) {
    const given = process.env.SHIPLOG_TEST_ELASTICSEARCH_URL;
    say('starting a node');
    const node = given ? null : await startNode({ heapMb: 1_024, optimise: true });
    const url = given ?? (node?.url as string);
    const name = `bench-${randomBytes(3).toString('hex')}`;
    const [asSent, asStored] = [`sent-${name}`, `stored-${name}`];
    const settings = { number_of_shards: 1, number_of_replicas: 0 };
    await ask(`${url}/${asSent}`, 'PUT', JSON.stringify({ settings }));
    const events = indexBody('events', withDefaults({ urls: [url], shards: 1, replicas: 0 }));
    await ask(`${url}/${asStored}`, 'PUT', JSON.stringify(events));
    const ours = await serveOn(url, name, nodeFlags);
    try {
      const ports = { ours: ours.port, node: Number(new URL(url).port) };
      return await besideNode({ ports, asSent, asStored, say });
    } finally {
      await ours.stop();
      for (const index of [asSent, asStored]) await ask(`${url}/${index}`, 'DELETE');
      // A node that was given stays: by name, for clusters refuse to delete by pattern.
      for (const index of await indicesOf(url, name)) await ask(`${url}/${index}`, 'DELETE');
      await node?.dispose();
    }
  },
};

interface BesideNode {
  ports: { ours: number; node: number };
  /** Indices of the node for the documents as they were sent, and for what Shiplog makes of them. */
  asSent: string;
  asStored: string;
  say: (progress: string) => void;
}

async function besideNode({ ports, asSent, asStored, say }: BesideNode): Promise<Row[]> {
  const rates: Record<'ours' | 'sent' | 'stored', number[]> = { ours: [], sent: [], stored: [] };
  const bad = { ours: 0, node: 0 };
  // The first round warms all of them up.
  for (let round = 0; round <= ROUNDS; round++) {
    say(`round ${round} of ${ROUNDS}`);
    const bodies = Array.from({ length: BODIES }, () => bulkBody(`bench-${round}`));
    const common = {
      connections: CONNECTIONS,
      seconds: 0,
      contentType: 'application/x-ndjson',
      body: () => '',
      good: (answer: string) => answer.includes('"errors":false'),
    };
    const ours = await load({ ...common, port: ports.ours, path: '/es/_bulk', queue: [...bodies] });
    const named = bodies.map((body) => body.replaceAll('"_index":"bench"', `"_index":"${asSent}"`));
    const node = { ...common, port: ports.node };
    const sent = await load({ ...node, path: '/_bulk', queue: named });
    const stored = await load({
      ...node,
      path: `/${asStored}/_bulk?filter_path=errors,items.*.status`,
      queue: bodies.map(storedBody),
    });
    bad.ours += ours.bad;
    bad.node += sent.bad + stored.bad;
    if (round === 0) continue;
    rates.ours.push(ours.perSecond * BATCH);
    rates.sent.push(sent.perSecond * BATCH);
    rates.stored.push(stored.perSecond * BATCH);
  }
  const ratio = pairedRatio(rates.ours, rates.stored);
  return [
    {
      what: '_bulk of 1,000 through /es on Elasticsearch: documents/s',
      ours: median(rates.ours),
      peer: median(rates.stored),
      ratio,
      aim: atLeast(ratio, 0.6, '×'),
      note: `peer: raw _bulk of the documents that are stored; bad answers ${bad.ours}, of the node ${bad.node}`,
      broken: bad.ours > 0,
    },
    {
      what: '_bulk of 1,000 beside the node that takes them as they are',
      ours: median(rates.ours),
      peer: median(rates.sent),
      ratio: pairedRatio(rates.ours, rates.sent),
      note: 'peer: the same requests, words of tasks and hosts not made, nothing folded',
    },
  ];
}

/** What Shiplog makes of the documents of a request, for the node itself. */
function storedBody(body: string): string {
  const lines = body.trimEnd().split('\n');
  let stored = '';
  for (let at = 0; at < lines.length; at += 2) {
    const { create } = JSON.parse(lines[at] as string) as {
      create: { _index: string; _id: string };
    };
    const { event } = documentEvent(
      {
        kind: 'elasticsearch',
        index: create._index,
        identity: { by: 'id', space: create._index, id: create._id },
        fields: JSON.parse(lines[at + 1] as string) as Record<string, unknown>,
        receivedAt: Date.now(),
      },
      DEFAULT_MAPPING,
      null,
    );
    const made = logEvent(event as StepEventInput, Date.now());
    stored += `${JSON.stringify({ create: { _id: made.id, routing: made.taskId } })}\n`;
    stored += `${JSON.stringify(eventDocument(made))}\n`;
  }
  return stored;
}

async function indicesOf(url: string, prefix: string): Promise<string[]> {
  const answer = await fetch(`${url}/_cat/indices/${prefix}-*?h=index`);
  return (await answer.text()).split('\n').filter((index) => index.startsWith(prefix));
}

async function ask(url: string, method: string, body?: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? { method } : { method, headers, body };
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`);
}

function ndjsonBody(): string {
  return Array.from({ length: BATCH }, (_, i) =>
    JSON.stringify(anEvent('bench-lines', `web-${i % 200}`)),
  ).join('\n');
}

let made = 0;

/** The events of the other measurements, as an Elasticsearch client sends them. */
function bulkBody(task = 'bench'): string {
  let body = '';
  for (let i = 0; i < BATCH; i++) {
    const { host, step, message, level, at } = anEvent('bench', `web-${made % 200}`) as Record<
      string,
      unknown
    >;
    body += `{"create":{"_index":"bench","_id":"${made++}"}}\n`;
    body += `${JSON.stringify({
      '@timestamp': at ?? new Date().toISOString(),
      message,
      log: { level },
      host: { name: host },
      labels: { task, step },
      service: { name: 'shop' },
    })}\n`;
  }
  return body;
}
