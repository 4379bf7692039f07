/** A task of 1,000 and of 5,000 hosts × 7 steps: its matrix, a page of runs, its summary. */
import { graphql, serveShiplog } from '../process.ts';
import { atMost, type Measurement, median, type Row } from '../row.ts';

const STEPS = 'backup download unpack env-init nginx-offline service-start nginx-online'.split(' ');
const LOG = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }`;
const START = `mutation ($input: StartTaskInput!) { startTask(input: $input) { created } }`;
const QUERIES = {
  matrix: `query ($id: ID!) { task(id: $id) { matrix { hosts steps cells cursor } } }`,
  page: `query ($id: ID!) { task(id: $id) { runs(first: 500) {
    nodes { hostName status steps { name status durationMs } } } } }`,
  summary: `query ($id: ID!) { task(id: $id) { status runCounts { total failed }
    stepSummaries { step succeeded failed p50Ms p95Ms } } }`,
};
const RUNS = 25;
const WARM_UP = 5;

/**
 * Every host went through every step; one in fifty failed at the fifth. The task is over where no
 * more hosts are expected.
 */
export async function fillBoard(
  url: string,
  taskId: string,
  hosts: number,
  expectedHosts = hosts,
): Promise<void> {
  await graphql(url, START, { input: { id: taskId, service: 'shop', expectedHosts } });
  let inputs: object[] = [];
  for (let host = 0; host < hosts; host++) {
    const failsAt = host % 50 === 0 ? 4 : STEPS.length;
    for (const [i, step] of STEPS.entries()) {
      if (i > failsAt) break;
      const id = { taskId, host: `web-${String(host).padStart(5, '0')}`, step, source: 'agent/1' };
      const status = i === failsAt ? 'FAILED' : 'SUCCEEDED';
      inputs.push({
        ...id,
        status,
        durationMs: 1_000 + ((host * 7 + i) % 500),
        eventId: `${host}-${i}`,
      });
    }
    if (inputs.length > 900 || host === hosts - 1) {
      await graphql(url, LOG, { inputs });
      inputs = [];
    }
  }
}

/** Medians in milliseconds. */
export async function timeBoard(
  url: string,
  id: string,
): Promise<Record<keyof typeof QUERIES, number>> {
  const time = async (query: string) => {
    const times: number[] = [];
    for (let i = 0; i < RUNS + WARM_UP; i++) {
      const startedAt = performance.now();
      await graphql(url, query, { id });
      times.push(performance.now() - startedAt);
    }
    return median(times.slice(WARM_UP));
  };
  return {
    matrix: await time(QUERIES.matrix),
    page: await time(QUERIES.page),
    summary: await time(QUERIES.summary),
  };
}

export const board: Measurement = {
  name: 'board',
  about: 'the board of 1,000 and of 5,000 hosts × 7 steps',
  async run({ say, nodeFlags }) {
    const server = await serveShiplog({ nodeFlags });
    const rows: Row[] = [];
    for (const hosts of [1_000, 5_000]) {
      say(`${hosts} hosts`);
      const id = `board-${hosts}`;
      await fillBoard(server.url, id, hosts);
      const { matrix, page, summary } = await timeBoard(server.url, id);
      const of = `task of ${hosts.toLocaleString('en')} hosts`;
      const aim = hosts === 5_000 ? { aim: atMost(matrix, 400) } : {};
      rows.push(
        { what: `${of}, matrix: median ms`, ours: matrix, ...aim },
        { what: `${of}, page of 500 runs with steps: median ms`, ours: page },
        { what: `${of}, counts and summaries: median ms`, ours: summary },
      );
    }
    await server.stop();
    return rows;
  },
};
