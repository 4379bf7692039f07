/**
 * Whoever was told that an event is stored asks for it at once, on Elasticsearch, where views
 * follow the log: is it shown, and what does it cost beside the same query with nothing pending?
 */
import { randomBytes } from 'node:crypto';
import { startNode } from '../../test/elasticsearch/node.ts';
import { anEvent } from '../events.ts';
import { graphql, serveShiplog } from '../process.ts';
import { type Measurement, quantile, type Row } from '../row.ts';

const ROUNDS = 100;
const LOG = 'mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }';
const BY_ID =
  'query ($id: ID!, $host: String!) { task(id: $id) { status run(host: $host) { status } } }';
const COUNTS = `query ($id: ID!, $host: String!) {
  task(id: $id) { run(host: $host) { status } runCounts { total } } }`;
const PAGE = `query ($id: ID!, $host: String!) {
  task(id: $id) { run(host: $host) { status } runs(first: 200) { totalCount } } }`;
/** `hosts`: so many had reported before. */
const QUESTIONS: readonly Question[] = [
  { kind: 'by id', query: BY_ID, hosts: 0 },
  { kind: 'with counts', query: COUNTS, hosts: 0 },
  { kind: 'with a page', query: PAGE, hosts: 0 },
  { kind: 'with a page of 2,000 hosts', query: PAGE, hosts: 2_000 },
];
/** Events of one request. */
const AT_A_TIME = 200;
const FLOOD = { requestsPerSecond: 100, perRequest: 20 };
const AIM = { p50: 30, p99: 300 };

interface Question {
  kind: string;
  query: string;
  hosts: number;
}

interface Answer {
  task: {
    run: { status: string } | null;
    runCounts?: { total: number };
    runs?: { totalCount: number };
  } | null;
}

export const readYourWrites: Measurement = {
  name: 'read-your-writes',
  about: 'the first query after an acknowledgement on Elasticsearch (needs JDK and Maven)',
  async run({ say, nodeFlags }) {
    const given = process.env.SHIPLOG_TEST_ELASTICSEARCH_URL;
    const node = given ? null : await startNode({ heapMb: 1_024 });
    const server = await serveShiplog({
      nodeFlags,
      env: {
        SHIPLOG_STORE: 'elasticsearch',
        SHIPLOG_ELASTICSEARCH_URL: given ?? (node?.url as string),
        SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
        SHIPLOG_ELASTICSEARCH_PREFIX: `bench-${randomBytes(3).toString('hex')}`,
      },
    });
    const rows: Row[] = [];
    try {
      await ask(server.url, 'warm-up', { kind: 'warm-up', query: COUNTS, hosts: 0 }, 20);
      for (const question of QUESTIONS) {
        const { kind } = question;
        say(`${kind}, idle`);
        rows.push(rowOf(`${kind}, idle`, await ask(server.url, `idle ${kind}`, question, ROUNDS)));
      }
      const flood = startFlood(server.url);
      try {
        for (const question of QUESTIONS) {
          const { kind } = question;
          say(`${kind}, under a load`);
          const found = await ask(server.url, `busy ${kind}`, question, ROUNDS);
          rows.push(rowOf(`${kind}, at ${flood.rate().toFixed(0)} events/s`, found));
        }
      } finally {
        // It would send for ever where a query failed.
        await flood.end();
      }
    } finally {
      await server.stop();
      await node?.dispose();
    }
    return rows;
  },
};

interface Found {
  shown: number;
  asked: number;
  /** What the first query took more than the same again, ms. */
  added: number[];
}

async function ask(
  url: string,
  id: string,
  { query, hosts }: Question,
  rounds: number,
): Promise<Found> {
  const found: Found = { shown: 0, asked: 0, added: [] };
  for (let first = 1; first <= hosts; first += AT_A_TIME) {
    const inputs = Array.from({ length: AT_A_TIME }, (_, k) => anEvent(id, `web-${first + k}`));
    await graphql(url, LOG, { inputs });
  }
  // Their burst is in searches then.
  await timed(url, query, { id, host: 'web-1' });
  for (let i = hosts + 1; i <= hosts + rounds; i++) {
    const host = `web-${i}`;
    await graphql(url, LOG, { inputs: [anEvent(id, host)] });
    const first = await timed(url, query, { id, host });
    const again = await timed(url, query, { id, host });
    const { task } = first.answer;
    const isCounted = (task?.runCounts?.total ?? i) === i && (task?.runs?.totalCount ?? i) === i;
    found.asked++;
    if (task?.run != null && isCounted) found.shown++;
    found.added.push(first.ms - again.ms);
  }
  return found;
}

async function timed(url: string, query: string, variables: object) {
  const began = performance.now();
  const answer = await graphql<Answer>(url, query, variables);
  return { answer, ms: performance.now() - began };
}

function rowOf(what: string, { shown, asked, added }: Found): Row {
  const [p50, p99] = [quantile(added, 0.5), quantile(added, 0.99)];
  return {
    what: `read your writes, ${what}: added p50 / p99 ms`,
    ours: `${p50.toFixed(1)} / ${p99.toFixed(1)}`,
    aim: { text: `≤ ${AIM.p50} / ≤ ${AIM.p99}`, met: p50 <= AIM.p50 && p99 <= AIM.p99 },
    note: `${shown} of ${asked} shown at the first query`,
    broken: shown < asked,
  };
}

/** Reports of a hundred other tasks, into the same shard. */
function startFlood(url: string): { rate: () => number; end: () => Promise<void> } {
  const { requestsPerSecond, perRequest } = FLOOD;
  const began = performance.now();
  const running = new Set<Promise<unknown>>();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < ((performance.now() - began) * requestsPerSecond) / 1_000; sent++) {
      const inputs = Array.from({ length: perRequest }, (_, k) =>
        anEvent(`flood-${sent % 100}`, `web-${k}`),
      );
      const request: Promise<unknown> = graphql(url, LOG, { inputs })
        .catch(() => null)
        .finally(() => running.delete(request));
      running.add(request);
    }
  }, 10);
  return {
    rate: () => ((sent - running.size) * perRequest * 1_000) / (performance.now() - began),
    async end() {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}
