/** From the moment an event is due to be sent to its arrival at a tail, at 1,000 events a second. */
import { anEvent } from '../events.ts';
import { graphql, serveShiplog } from '../process.ts';
import { type BenchOptions, type Measurement, quantile, type Row } from '../row.ts';
import { subscribe, TAIL } from '../subscribers.ts';

const SECONDS = 15;
const PER_REQUEST = 10;
const REQUESTS_PER_SECOND = 100;
const AIM = { p50: 20, p99: 100 };
const LOG = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }`;

async function measure(tails: number, nodeFlags: BenchOptions['nodeFlags']): Promise<Row> {
  const server = await serveShiplog({ nodeFlags });
  const dueAt = new Map<string, number>();
  const latencies: number[] = [];
  const seen = Array.from({ length: tails }, () => new Map<string, number>());
  const taskId = `latency-${tails}`;
  const subscribers = await Promise.all(
    seen.map((mine) =>
      subscribe(server.url, TAIL, { filter: { taskId } }, (text) => {
        const now = performance.now();
        for (const [, eventId] of text.matchAll(/"eventId":"([^"]+)"/g)) {
          const id = eventId as string;
          mine.set(id, (mine.get(id) ?? 0) + 1);
          latencies.push(now - (dueAt.get(id) ?? now));
        }
      }),
    ),
  );
  await warmUp(server.url);
  const requests: Promise<unknown>[] = [];
  const begin = performance.now();
  for (let i = 0; i < SECONDS * REQUESTS_PER_SECOND; i++) {
    const due = begin + (i * 1_000) / REQUESTS_PER_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const inputs = Array.from({ length: PER_REQUEST }, (_, k) => anEvent(taskId, `web-${k}`));
    // From when it was due: a stalled server must not hide its stall by delaying the sender.
    for (const { eventId } of inputs) dueAt.set(eventId, due);
    requests.push(graphql(server.url, LOG, { inputs }));
  }
  await Promise.all(requests);
  const deadline = performance.now() + 5_000;
  while (seen.some((mine) => mine.size < dueAt.size) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const subscriber of subscribers) subscriber.close();
  await server.stop();
  const lost = seen.reduce((sum, mine) => sum + (dueAt.size - mine.size), 0);
  const repeated = seen.reduce(
    (sum, mine) => sum + [...mine.values()].filter((count) => count > 1).length,
    0,
  );
  const p50 = quantile(latencies, 0.5);
  const p99 = quantile(latencies, 0.99);
  return {
    what: `tail latency at 1,000 events/s, ${tails} tail${tails > 1 ? 's' : ''}: p50 / p99 ms`,
    ours: `${p50.toFixed(1)} / ${p99.toFixed(1)}`,
    peer: '256 / 499',
    aim: { text: `< ${AIM.p50} / < ${AIM.p99}`, met: p50 < AIM.p50 && p99 < AIM.p99 },
    note: `${dueAt.size} events, ${lost} lost, ${repeated} repeated; peer: Loki, measured elsewhere`,
    broken: lost > 0 || repeated > 0,
  };
}

/** A second of the same load into another task: the first calls of a process are not its speed. */
async function warmUp(url: string): Promise<void> {
  for (let i = 0; i < REQUESTS_PER_SECOND; i++) {
    const inputs = Array.from({ length: PER_REQUEST }, (_, k) => anEvent('warm-up', `web-${k}`));
    await graphql(url, LOG, { inputs });
  }
}

export const tailLatency: Measurement = {
  name: 'tail-latency',
  about: 'tail latency at 1,000 events/s with 1 and 10 tails',
  async run({ say, nodeFlags }) {
    say(`${SECONDS} s each`);
    return [await measure(1, nodeFlags), await measure(10, nodeFlags)];
  },
};
