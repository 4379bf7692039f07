/** One task followed by many, against a raw `ws` broadcast of the same text: CPU and memory. */
import { anEvent } from '../events.ts';
import { graphql, type Served, serve, serveShiplog } from '../process.ts';
import { type Measurement, pairedRatio, quantile, type Row } from '../row.ts';
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

async function compare(subscribers: number, nodeFlags: readonly string[]): Promise<Row[]> {
  const ours = await serveShiplog({ nodeFlags });
  const raw = await serve([new URL('../peers/broadcast.ts', import.meta.url).pathname]);
  const log = () => graphql(ours.url, LOG, { inputs: [anEvent('fan', 'web-1')] });
  await log();
  const idle = ours.rss();
  const mine = await gather(ours, subscribers);
  const full = ours.rss();
  const theirs = await gather(raw, subscribers);
  await burst(ours, mine, log);
  const broadcast = () =>
    fetch(raw.url, { method: 'POST', body: mine.sample }).then((answer) => answer.arrayBuffer());
  await burst(raw, theirs, broadcast);
  const results: { ours: Burst[]; peer: Burst[] } = { ours: [], peer: [] };
  for (let round = 0; round < ROUNDS; round++) {
    results.ours.push(await burst(ours, mine, log));
    results.peer.push(await burst(raw, theirs, broadcast));
  }
  const after = ours.rss();
  mine.close();
  theirs.close();
  await ours.stop();
  await raw.stop();
  const all = (pick: (burst: Burst) => number) => ({
    ours: results.ours.map(pick),
    peer: results.peer.map(pick),
  });
  const rate = all(({ perSecond }) => perSecond);
  const cpu = all(({ cpuMicros }) => cpuMicros);
  const missing = results.ours.reduce((sum, one) => sum + one.missing, 0);
  const count = subscribers.toLocaleString('en');
  return [
    {
      what: `fan-out to ${count}: events delivered/s`,
      ours: quantile(rate.ours, 0.5),
      peer: quantile(rate.peer, 0.5),
      ratio: pairedRatio(rate.ours, rate.peer),
      note: `one event a request; peer: raw ws broadcast of the same text; ${missing} missing`,
      broken: missing > 0,
    },
    {
      what: `fan-out to ${count}: server CPU µs per delivered event`,
      ours: quantile(cpu.ours, 0.5),
      peer: quantile(cpu.peer, 0.5),
      ratio: pairedRatio(cpu.peer, cpu.ours),
    },
    {
      what: `memory per subscriber, ${count}: KiB`,
      ours: mine.kibEach,
      peer: theirs.kibEach,
      note: `server: ${idle.toFixed(0)} MiB before, ${full.toFixed(0)} with them, ${after.toFixed(0)} after the events`,
    },
  ];
}

export const fanOut: Measurement = {
  name: 'fan-out',
  about: '1,000 subscribers of one task against a raw ws broadcast (10,000 with --huge)',
  async run({ huge, say, nodeFlags }) {
    const rows: Row[] = [];
    for (const subscribers of huge ? [1_000, 10_000] : [1_000]) {
      say(`${subscribers} subscribers`);
      rows.push(...(await compare(subscribers, nodeFlags)));
    }
    return rows;
  },
};
