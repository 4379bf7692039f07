/**
 * What other programs send through `/es` to a server on Elasticsearch, against the node itself taking raw
 * `_bulk`: with all on the same cores, and with the node on cores of its own.
 */
import { randomBytes } from 'node:crypto';
import type { StepEventInput } from '../../src/cli/gen/graphql.ts';
import { documentEvent } from '../../src/senders/document-event.ts';
import { DEFAULT_MAPPING } from '../../src/senders/mapping/default-mapping.ts';
import { withDefaults } from '../../src/store/elasticsearch/cluster/config.ts';
import { indexBody } from '../../src/store/elasticsearch/indices/mappings.ts';
import { eventDocument } from '../../src/store/elasticsearch/log/event-document.ts';
import { startNode } from '../../test/elasticsearch/node.ts';
import { type Halves, halves, keepTo } from '../cores.ts';
import { logEvent } from '../events.ts';
import { load } from '../load.ts';
import { atLeast, type Measurement, median, pairedRatio, type Row } from '../row.ts';
import { serveOn } from './elasticsearch.ts';
import { bulkBody } from './senders.ts';

const ROUNDS = 5;
const BATCH = 1_000;
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
    const cores = node === null ? null : halves();
    try {
      const ports = { ours: ours.port, node: Number(new URL(url).port) };
      const beside = { ports, asSent, asStored, say };
      const rows = sharedRows(await besideNode(beside));
      if (cores === null || node?.pid == null) return rows;
      keepTo(cores.engine, node.pid);
      keepTo(cores.others, ours.pid);
      keepTo(cores.others, process.pid);
      rows.push(apartRow(await besideNode(beside), cores));
      return rows;
    } finally {
      if (cores !== null) keepTo(cores.all, process.pid);
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

/** Documents a second of each round: through `/es`, and raw, as they were sent and as they are stored. */
interface Rates {
  ours: number[];
  sent: number[];
  stored: number[];
  bad: { ours: number; node: number };
}

async function besideNode({ ports, asSent, asStored, say }: BesideNode): Promise<Rates> {
  const rates: Rates = { ours: [], sent: [], stored: [], bad: { ours: 0, node: 0 } };
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
    rates.bad.ours += ours.bad;
    rates.bad.node += sent.bad + stored.bad;
    if (round === 0) continue;
    rates.ours.push(ours.perSecond * BATCH);
    rates.sent.push(sent.perSecond * BATCH);
    rates.stored.push(stored.perSecond * BATCH);
  }
  return rates;
}

function storedRow(what: string, { ours, stored, bad }: Rates, cores: string): Row {
  const ratio = pairedRatio(ours, stored);
  return {
    what,
    ours: median(ours),
    peer: median(stored),
    ratio,
    aim: atLeast(ratio, 0.6, '×'),
    note: `${cores}; peer: raw _bulk of the documents that are stored; bad answers ${bad.ours}, of the node ${bad.node}`,
    broken: bad.ours > 0,
  };
}

function sharedRows(rates: Rates): Row[] {
  return [
    storedRow(
      '_bulk of 1,000 through /es on Elasticsearch: documents/s',
      rates,
      'node, server and load share all cores',
    ),
    {
      what: '_bulk of 1,000 beside the node that takes them as they are',
      ours: median(rates.ours),
      peer: median(rates.sent),
      ratio: pairedRatio(rates.ours, rates.sent),
      note: 'peer: the same requests, words of tasks and hosts not made, nothing folded',
    },
  ];
}

/** The engine has the same cores with a server before it as alone, as where each has a machine of its own. */
function apartRow(rates: Rates, { engine, others }: Halves): Row {
  return storedRow(
    'the same, the node on cores of its own: documents/s',
    rates,
    `node on core ${engine}, server and load on ${others}`,
  );
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
