/** Queries over HTTP with 100 thousand and a million events stored (ten million with --huge). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { ViewSettings } from '../../src/store/store.ts';
import { COMMON_WORD, fillHistory, type History, RARE_EVERY, RARE_WORD } from '../history.ts';
import { graphql, serveShiplog } from '../process.ts';
import { atMost, type Measurement, median, type Row } from '../row.ts';

const RUNS = 50;
const WARM_UP = 5;

interface Query {
  what: string;
  /** Milliseconds, by engine. */
  aim: { sqlite: number | null; elasticsearch: number | null };
  query: string;
  variables: (history: History, run: number) => object;
  /** How much the answer must have, for a query of nothing is fast: in its lists, or counted. */
  finds: (history: History) => number;
}

const EVENTS = `query ($f: EventFilter!) { events(filter: $f, last: 100) {
  nodes { id taskId hostName step attempt status at level stream message command } } }`;
const TASKS = `query ($n: Int!) { tasks(first: $n) { nodes { id status
  runCounts { total failed } stepSummaries { step failed p95Ms } } } }`;
/** The most that a page can show. */
const page = () => 100;
const everything = ({ from, to }: History) => ({ from, to });

const QUERIES: readonly Query[] = [
  {
    what: "a task's newest 100",
    aim: { sqlite: 10, elasticsearch: 30 },
    query: EVENTS,
    variables: ({ taskIds }, run) => ({ f: { taskId: taskIds[run % taskIds.length] } }),
    finds: page,
  },
  {
    what: 'a rare word over everything',
    aim: { sqlite: 20, elasticsearch: null },
    query: EVENTS,
    variables: (history) => ({ f: { search: RARE_WORD, ...everything(history) } }),
    finds: ({ events }) => Math.min(100, Math.floor(events / RARE_EVERY)),
  },
  {
    what: "a common word's newest 100",
    aim: { sqlite: 40, elasticsearch: null },
    query: EVENTS,
    variables: (history) => ({ f: { search: COMMON_WORD, ...everything(history) } }),
    finds: page,
  },
  {
    what: 'histogram of 60 buckets over everything',
    aim: { sqlite: 60, elasticsearch: null },
    query: `query ($f: EventFilter!) { eventHistogram(filter: $f, buckets: 60) {
      total buckets { at total byLevel { level count } } } }`,
    variables: (history) => ({ f: everything(history) }),
    finds: ({ events }) => events,
  },
  {
    what: 'newest 100 errors',
    aim: { sqlite: null, elasticsearch: null },
    query: EVENTS,
    variables: (history) => ({ f: { minLevel: 'ERROR', ...everything(history) } }),
    finds: page,
  },
  {
    what: 'step statistics over everything',
    aim: { sqlite: null, elasticsearch: null },
    query: `query ($f: StepFilter!) { stepStats(filter: $f) {
      key count succeeded failed p50Ms p95Ms } }`,
    variables: (history) => ({ f: everything(history) }),
    finds: () => 7,
  },
  {
    what: 'failure groups over everything',
    aim: { sqlite: null, elasticsearch: null },
    query: `query ($f: StepFilter!) { failureGroups(filter: $f) {
      message count hostCount hosts sample { hostName name command } } }`,
    variables: (history) => ({ f: everything(history) }),
    finds: () => 1,
  },
  {
    // As many as the smallest history has: the slope compares like with like.
    what: 'page of 10 tasks with summaries',
    aim: { sqlite: null, elasticsearch: null },
    query: TASKS,
    variables: () => ({ n: 10 }),
    finds: ({ taskIds }) => Math.min(10, taskIds.length),
  },
  {
    what: 'page of 50 tasks with summaries, as far as there are so many',
    aim: { sqlite: null, elasticsearch: null },
    query: TASKS,
    variables: () => ({ n: 50 }),
    finds: ({ taskIds }) => Math.min(50, taskIds.length),
  },
];

type List = { nodes?: unknown[]; total?: number } | unknown[];
type Answer = Record<string, List>;

function foundIn(data: Answer): number {
  const [list] = Object.values(data);
  if (Array.isArray(list)) return list.length;
  return list?.total ?? list?.nodes?.length ?? 0;
}

/** The median of each query, milliseconds. */
export async function timeQueries(url: string, history: History): Promise<number[]> {
  const medians: number[] = [];
  for (const { what, query, variables, finds } of QUERIES) {
    const times: number[] = [];
    for (let run = 0; run < RUNS + WARM_UP; run++) {
      const startedAt = performance.now();
      const data = await graphql<Answer>(url, query, variables(history, run));
      times.push(performance.now() - startedAt);
      const found = foundIn(data);
      if (found < finds(history)) throw new Error(`${what}: ${found} of ${finds(history)} found`);
    }
    medians.push(median(times.slice(WARM_UP)));
  }
  return medians;
}

export const FILL_SETTINGS: ViewSettings = {
  staleAfterMs: 300_000,
  retentionDays: 30,
  maxEventsPerTask: 1e9,
  queryTimeoutMs: 30_000,
  now: Date.now,
};

export const queries: Measurement = {
  name: 'queries',
  about: 'queries over HTTP at 100 thousand and a million events (SQLite)',
  async run({ huge, say, nodeFlags }) {
    const sizes = huge ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
    const results: number[][] = [];
    for (const size of sizes) {
      say(`storing ${size.toLocaleString('en')} events`);
      const dataDir = mkdtempSync(join(tmpdir(), 'shiplog-queries-'));
      const log = createLog('silent');
      const store = await openSqliteStore({ dataDir, settings: FILL_SETTINGS, log });
      const startedAt = performance.now();
      const history = await fillHistory(store, size, 2_000, 2);
      await store.close();
      say(`took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s; asking`);
      const server = await serveShiplog({ dataDir, nodeFlags });
      results.push(await timeQueries(server.url, history));
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
    return slopeRows(results, sizes, 'sqlite');
  },
};

/** One row a query: the median at the largest size beside that at the first. */
export function slopeRows(
  results: number[][],
  sizes: number[],
  engine: 'sqlite' | 'elasticsearch',
): Row[] {
  const largest = (sizes.at(-1) as number).toLocaleString('en');
  return QUERIES.map(({ what, aim }, i) => {
    const medians = results.map((result) => result[i] as number);
    const ours = medians.at(-1) as number;
    const first = medians[0] as number;
    const limit = aim[engine];
    return {
      what: `${engine}, ${largest} events, ${what}: median ms`,
      ours,
      ...(limit === null ? {} : { aim: atMost(ours, limit) }),
      note: `${medians.map((ms) => ms.toFixed(1)).join(' → ')} from ${sizes.map((n) => n.toLocaleString('en')).join(' → ')} events: ${(ours / first).toFixed(2)}×`,
    };
  });
}
