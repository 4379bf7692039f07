/**
 * One task followed by many: against a raw `ws` broadcast of the same text, and against the
 * graphql-ws server as it comes with the same batches. CPU and memory.
 */
import { anEvent } from '../events.ts';
import { graphql, type Served, serve, serveShiplog } from '../process.ts';
import { type Measurement, median, pairedRatio, type Row } from '../row.ts';
import { type Subscriber, subscribe, TAIL } from '../subscribers.ts';

/** Each burst goes out as fast as it is taken, and is over when everybody has all of it. */
const MESSAGES = 100;
const ROUNDS = 3;
const LOG = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }`;
const VARIABLES = { filter: { taskId: 'fan' } };

interface Audience {
  size: number;
  /** Events that arrived, over all. */
  delivered: number;
  /** The text of the newest message of one event. */
  sample: string;
  kibEach: number;
  close(): void;
}

async function gather(server: Pick<Served, 'url' | 'rss'>, size: number): Promise<Audience> {
  const before = server.rss();
  const all: Subscriber[] = [];
  const audience: Audience = {
    size,
    delivered: 0,
    sample: '',
    kibEach: 0,
    close: () => {
      for (const subscriber of all) subscriber.close();
    },
  };
  for (let i = 0; i < size; i += 100) {
    const some = Array.from({ length: Math.min(100, size - i) }, (_, k) =>
      subscribe(server.url, TAIL, VARIABLES, (text) => {
        const events = occurrences(text, '"eventId"');
        audience.delivered += events;
        if (i + k === 0 && events === 1) audience.sample = text;
      }),
    );
    all.push(...(await Promise.all(some)));
  }
  audience.kibEach = ((server.rss() - before) * 1024) / size;
  return audience;
}

function occurrences(text: string, marker: string): number {
  let count = 0;
  for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 1)) count++;
  return count;
}

interface Burst {
  perSecond: number;
  cpuMicros: number;
  missing: number;
}

async function burst(
  server: Pick<Served, 'cpu'>,
  audience: Audience,
  send: () => Promise<unknown>,
): Promise<Burst> {
  const wanted = audience.delivered + MESSAGES * audience.size;
  const before = audience.delivered;
  const cpu = server.cpu();
  const startedAt = performance.now();
  for (let i = 0; i < MESSAGES; i++) await send();
  while (audience.delivered < wanted && performance.now() < startedAt + 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const delivered = audience.delivered - before;
  return {
    perSecond: delivered / ((performance.now() - startedAt) / 1_000),
    cpuMicros: ((server.cpu() - cpu) * 1e6) / delivered,
    missing: wanted - audience.delivered,
  };
}

/** A server with its audience, and how one event is sent to all of it. */
interface Contender {
  server: Pick<Served, 'url' | 'rss' | 'cpu' | 'stop'>;
  audience: Audience;
  bursts: Burst[];
  send: () => Promise<unknown>;
}

async function peer(script: string, subscribers: number, body: string): Promise<Contender> {
  const server = await serve([new URL(`../peers/${script}`, import.meta.url).pathname]);
  const audience = await gather(server, subscribers);
  const send = () =>
    fetch(server.url, { method: 'POST', body }).then((answer) => answer.arrayBuffer());
  return { server, audience, bursts: [], send };
}

async function compare(subscribers: number, nodeFlags: readonly string[]): Promise<Row[]> {
  const server = await serveShiplog({ nodeFlags });
  const send = () => graphql(server.url, LOG, { inputs: [anEvent('fan', 'web-1')] });
  await send();
  const idle = server.rss();
  const ours: Contender = {
    ...{ server, send, bursts: [] },
    audience: await gather(server, subscribers),
  };
  const full = server.rss();
  await burst(server, ours.audience, send);
  const text = ours.audience.sample;
  const batch = (JSON.parse(text) as { payload: { data: { tail: object } } }).payload.data.tail;
  const raw = await peer('broadcast.ts', subscribers, text);
  const library = await peer('graphql-ws.ts', subscribers, JSON.stringify(batch));
  const contenders = [ours, raw, library];
  for (const one of contenders.slice(1)) await burst(one.server, one.audience, one.send);
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of contenders) {
      one.bursts.push(await burst(one.server, one.audience, one.send));
    }
  }
  const after = server.rss();
  for (const one of contenders) {
    one.audience.close();
    await one.server.stop();
  }
  const count = subscribers.toLocaleString('en');
  const missing = ours.bursts.reduce((sum, one) => sum + one.missing, 0);
  return [
    ...against(`fan-out to ${count}`, ours, raw, 'raw ws broadcast of the same text'),
    ...against(`fan-out to ${count}`, ours, library, 'the graphql-ws server, the same batches'),
    {
      what: `memory per subscriber, ${count}: KiB`,
      ours: ours.audience.kibEach,
      peer: raw.audience.kibEach,
      note: `peer: raw ws; graphql-ws ${library.audience.kibEach.toFixed(1)}. Server: ${idle.toFixed(0)} MiB before, ${full.toFixed(0)} with them, ${after.toFixed(0)} after the events; ${missing} events missing`,
      broken: missing > 0,
    },
  ];
}

function against(what: string, ours: Contender, other: Contender, name: string): Row[] {
  const rates = [ours, other].map(({ bursts }) => bursts.map(({ perSecond }) => perSecond));
  const cpus = [ours, other].map(({ bursts }) => bursts.map(({ cpuMicros }) => cpuMicros));
  const [rate = [], peerRate = []] = rates;
  const [cpu = [], peerCpu = []] = cpus;
  return [
    {
      what: `${what}: events delivered/s`,
      ours: median(rate),
      peer: median(peerRate),
      ratio: pairedRatio(rate, peerRate),
      note: `one event a request; peer: ${name}`,
    },
    {
      what: `${what}: server CPU µs per delivered event`,
      ours: median(cpu),
      peer: median(peerCpu),
      ratio: pairedRatio(peerCpu, cpu),
      note: `peer: ${name}`,
    },
  ];
}

export const fanOut: Measurement = {
  name: 'fan-out',
  about: '1,000 subscribers of one task against ws and graphql-ws (10,000 with --huge)',
  async run({ huge, say, nodeFlags }) {
    const rows: Row[] = [];
    for (const subscribers of huge ? [1_000, 10_000] : [1_000]) {
      say(`${subscribers} subscribers`);
      rows.push(...(await compare(subscribers, nodeFlags)));
    }
    return rows;
  },
};
