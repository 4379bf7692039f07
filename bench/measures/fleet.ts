/**
 * A whole deployment as fast as it goes: 2,000 hosts × 7 steps while ten tails follow; each must
 * receive every event once and in order, and the board must equal a fold of the raw events.
 */
import type { TaskMatrix } from '../../src/domain/fold/views.ts';
import { BoardFold } from '../board-fold.ts';
import { fleetInputs, logEvent } from '../events.ts';
import { load } from '../load.ts';
import { graphql, serveShiplog } from '../process.ts';
import { atLeast, type Measurement } from '../row.ts';
import { subscribe } from '../subscribers.ts';

const HOSTS = 2_000;
const TAILS = 10;
const BATCH = 200;
const LOG = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored rejected } }`;
const START = `mutation ($input: StartTaskInput!) { startTask(input: $input) { created } }`;
const MATRIX = `query ($id: ID!) { task(id: $id) { matrix { hosts steps cells } } }`;
const TAIL = `subscription ($filter: EventFilter!) { tail(filter: $filter) { events { position } } }`;

export const fleet: Measurement = {
  name: 'fleet',
  about: '2,000 hosts × 7 steps as fast as possible while ten tails follow',
  async run({ say, nodeFlags }) {
    const taskId = 'fleet';
    const startAt = Date.now() - 2 * 3_600_000;
    const inputs = fleetInputs({ taskId, hosts: HOSTS, lines: 5, startAt }).toArray();
    const total = inputs.length;
    const bodies: string[] = [];
    for (let i = 0; i < total; i += BATCH) {
      const variables = { inputs: inputs.slice(i, i + BATCH) };
      bodies.push(JSON.stringify({ query: LOG, variables }));
    }
    const server = await serveShiplog({ nodeFlags });
    const input = { id: taskId, hosts: [...new Set(inputs.map(({ host }) => host))] };
    await graphql(server.url, START, { input });
    say(`${total.toLocaleString('en')} events, ${TAILS} tails`);
    let wrong = 0;
    const received = new Array<number>(TAILS).fill(0);
    const tails = await Promise.all(
      received.map((_, tail) => {
        // The first event of the log is the task's own.
        let last = 1;
        return subscribe(server.url, TAIL, { filter: { taskId } }, (text) => {
          for (const [, seq] of text.matchAll(/"position":"[^":]+:(\d+)"/g)) {
            if (Number(seq) !== last + 1) wrong++;
            last = Number(seq);
            received[tail] = (received[tail] as number) + 1;
          }
        });
      }),
    );
    const startedAt = performance.now();
    const result = await load({
      port: server.port,
      path: '/graphql',
      connections: 8,
      seconds: 0,
      body: () => '',
      good: (answer) => answer.includes('"rejected":0'),
      queue: bodies.reverse(),
    });
    const taken = performance.now();
    const deadline = taken + 60_000;
    while (received.some((count) => count < total) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const delivered = performance.now();
    for (const tail of tails) tail.close();
    const { task } = await graphql<{ task: { matrix: TaskMatrix } }>(server.url, MATRIX, {
      id: taskId,
    });
    const boardAt = performance.now();
    await server.stop();
    const fold = new BoardFold(taskId);
    for (const one of inputs) fold.add(logEvent(one, Date.parse(one.at as string)));
    // All its hosts have ended, well or not, so the task is over.
    const different = fold.differences(task.matrix, true);
    const missing = received.reduce((sum, count) => sum + (total - count), 0);
    const broken = wrong > 0 || missing > 0 || different > 0 || result.bad > 0;
    const rate = total / ((taken - startedAt) / 1_000);
    const lag = ((delivered - taken) / 1_000).toFixed(1);
    return [
      {
        what: `${HOSTS} hosts × 7 steps, ten tails following: events/s taken in`,
        ours: rate,
        aim: atLeast(rate, 5_000),
        broken,
        note: broken
          ? `${wrong} out of order, ${missing} missing, ${different} cells differ, ${result.bad} bad answers`
          : `${total.toLocaleString('en')} events, each once and in order at each tail, the last ${lag} s after it was taken; board after ${((boardAt - delivered) / 1_000).toFixed(1)} s more, equal to a fold of the events`,
      },
    ];
  },
};
