/** This checkout against another (`--against DIR`), round by round: what a change costs. */

import { readEventStream } from '../event-stream.ts';
import { anEvent } from '../events.ts';
import { load } from '../load.ts';
import { graphql, type Served, serveShiplog } from '../process.ts';
import { type Measurement, median, type Row } from '../row.ts';
import { subscribe, TAIL } from '../subscribers.ts';

const ROUNDS = 15;
const READERS = 500;
const MESSAGES = 200;
const LOG_STEP = `mutation ($input: StepEventInput!) {
  logStep(input: $input) { outcome eventId position error { code message field } }
}`;

interface Reader {
  close(): void;
}
type Follow = (url: string, onResult: (text: string) => void) => Promise<Reader>;

/** CPU microseconds of the server for each request. */
async function requestCost(server: Served): Promise<number> {
  let host = 0;
  const cpu = server.cpu();
  const { requests } = await load({
    port: server.port,
    path: '/graphql',
    connections: 64,
    seconds: 3,
    body: () => {
      const input = anEvent('bench', `web-${host++ % 200}`);
      return JSON.stringify({ query: LOG_STEP, variables: { input } });
    },
    good: (answer) => answer.includes('STORED'),
  });
  return ((server.cpu() - cpu) * 1e6) / requests;
}

/** A server with its readers, and the CPU microseconds of each delivery to one of them. */
class Audience {
  readonly #server: Served;
  readonly #task: string;
  readonly #readers: Reader[] = [];
  #delivered = 0;

  constructor(server: Served, task: string) {
    this.#server = server;
    this.#task = task;
  }

  async gather(follow: Follow): Promise<void> {
    const { url } = this.#server;
    const count = (text: string): void => {
      this.#delivered += text.split('"eventId"').length - 1;
    };
    for (let from = 0; from < READERS; from += 100) {
      const some = Array.from({ length: 100 }, () => follow(url, count));
      this.#readers.push(...(await Promise.all(some)));
    }
  }

  async deliveryCost(): Promise<number> {
    const cpu = this.#server.cpu();
    const wanted = this.#delivered + MESSAGES * READERS;
    for (let i = 0; i < MESSAGES; i++) {
      await graphql(this.#server.url, LOG_STEP, { input: anEvent(this.#task, 'web-1') });
    }
    const deadline = performance.now() + 60_000;
    while (this.#delivered < wanted) {
      if (performance.now() > deadline) throw new Error('events did not arrive');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return ((this.#server.cpu() - cpu) * 1e6) / (MESSAGES * READERS);
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }
}

async function compared(
  what: string,
  limit: number,
  cost: (which: 0 | 1) => Promise<number>,
): Promise<Row> {
  const costs: [number[], number[]] = [[], []];
  for (const which of [0, 1] as const) await cost(which);
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) costs[which].push(await cost(which));
  }
  const ratios = costs[0].map((mine, round) => mine / (costs[1][round] as number));
  const ratio = median(ratios);
  return {
    what: `${what}: server CPU µs`,
    ours: median(costs[0]),
    peer: median(costs[1]),
    ratio: 1 / ratio,
    aim: { text: `≤ ${limit}× of it`, met: ratio <= limit },
    note: `peer: the other checkout; rounds ${ratios.map((one) => one.toFixed(2)).join(' ')}`,
  };
}

export const versions: Measurement = {
  name: 'versions',
  about: 'this checkout against another, --against DIR: CPU of requests and deliveries',
  async run({ against, checkout, nodeFlags, say }) {
    if (against === null) throw new Error('name the other checkout: --against DIR');
    const servers = [
      await serveShiplog({ nodeFlags, ...(checkout !== null && { checkout }) }),
      await serveShiplog({ checkout: against }),
    ] as const;
    const rows: Row[] = [];
    say('logStep');
    rows.push(await compared('logStep', 1.03, (which) => requestCost(servers[which])));
    const transports: [string, number, Follow][] = [
      [
        'delivery by websocket',
        1.03,
        (url, got) => subscribe(url, TAIL, { filter: { taskId: 'ws' } }, got),
      ],
      [
        'delivery by event stream',
        1.25,
        (url, got) => readEventStream(url, TAIL, { filter: { taskId: 'sse' } }, got),
      ],
    ];
    for (const [what, limit, follow] of transports) {
      say(what);
      const task = what.endsWith('websocket') ? 'ws' : 'sse';
      const audiences = servers.map((server) => new Audience(server, task));
      for (const audience of audiences) await audience.gather(follow);
      rows.push(
        await compared(what, limit, (which) => (audiences[which] as Audience).deliveryCost()),
      );
      for (const audience of audiences) audience.close();
    }
    for (const server of servers) await server.stop();
    return rows;
  },
};
