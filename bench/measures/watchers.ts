/**
 * One board watched by many: what it costs the server beside one reader, and how long others wait
 * while everybody connects at once. What the sending takes is measured beside it, as a broadcast
 * of the same texts with `ws`.
 */
import { graphql, type Served, serve, serveShiplog } from '../process.ts';
import { atMost, type Measurement, median, type Row } from '../row.ts';
import { type Subscriber, subscribe } from '../subscribers.ts';
import { fillBoard } from './board.ts';

const HOSTS = 5_000;
const BATCHES = 40;
const RUNS_A_BATCH = 50;
const ROUNDS = 5;
const TASK = 'watched';
const LOG = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }`;
const WATCH = `subscription ($id: ID!) { runsChanged(taskId: $id) {
  snapshot { steps hosts cells } cursor caughtUp
  changed { hostName status currentStep steps { name status attempt durationMs } }
} }`;
/** A step of this name is the last that a round reports. */
const LAST = 'end-of-round-';

interface Watchers {
  /** The texts that the first of them got since the last call. */
  texts(): string[];
  /** Resolves when all of them have been told of a step. */
  told(step: string): Promise<void>;
  close(): void;
}

async function watch(url: string, count: number): Promise<Watchers> {
  let texts: string[] = [];
  const last = new Array<string>(count).fill('');
  const readers: Subscriber[] = await Promise.all(
    last.map((_, i) =>
      subscribe(url, WATCH, { id: TASK }, (text) => {
        if (i === 0) texts.push(text);
        const found = text.lastIndexOf(LAST);
        if (found >= 0) last[i] = text.slice(found, text.indexOf('"', found));
      }),
    ),
  );
  return {
    texts() {
      const since = texts;
      texts = [];
      return since;
    },
    async told(step) {
      const deadline = performance.now() + 120_000;
      while (last.some((name) => name !== step)) {
        if (performance.now() > deadline) throw new Error(`not everybody was told of ${step}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    close() {
      for (const reader of readers) reader.close();
    },
  };
}

let attempt = 1;

/** Some hundred runs go on, in batches of half a hundred; answers the server's CPU seconds. */
async function round(server: Served, watchers: Watchers): Promise<number> {
  attempt++;
  const before = server.cpu();
  for (let batch = 0; batch < BATCHES; batch++) {
    const inputs = Array.from({ length: RUNS_A_BATCH }, (_, i) => ({
      taskId: TASK,
      host: `web-${String(batch * RUNS_A_BATCH + i).padStart(5, '0')}`,
      step: 'backup',
      attempt,
      status: 'SUCCEEDED',
    }));
    await graphql(server.url, LOG, { inputs });
  }
  const step = `${LAST}${attempt}`;
  await graphql(server.url, LOG, {
    inputs: [{ taskId: TASK, host: 'last', step, status: 'RUNNING' }],
  });
  await watchers.told(step);
  return server.cpu() - before;
}

/** CPU seconds of a server that does nothing but send these texts to so many. */
async function sending(texts: readonly string[], count: number): Promise<number> {
  const server = await serve([new URL('../peers/broadcast.ts', import.meta.url).pathname]);
  let received = 0;
  const readers = await Promise.all(
    Array.from({ length: count }, () => subscribe(server.url, WATCH, {}, () => received++)),
  );
  const before = server.cpu();
  for (const body of texts) await (await fetch(server.url, { method: 'POST', body })).text();
  const deadline = performance.now() + 60_000;
  while (received < texts.length * count && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const used = server.cpu() - before;
  for (const reader of readers) reader.close();
  await server.stop();
  return used;
}

/** The longest that a request for nothing waited while `work` went on, in milliseconds. */
async function longestWait(url: string, work: Promise<unknown>): Promise<number> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  let longest = 0;
  while (!done) {
    const startedAt = performance.now();
    await (await fetch(`${url}/livez`)).text();
    longest = Math.max(longest, performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ended;
  return longest;
}

export const watchers: Measurement = {
  name: 'watchers',
  about: 'a board of 5,000 hosts × 7 steps watched by one, 200 and 1,000 readers',
  async run({ say, nodeFlags }) {
    const server = await serveShiplog({ nodeFlags });
    await fillBoard(server.url, TASK, HOSTS, HOSTS + 1);
    const rows: Row[] = [];
    let alone = 0;
    for (const count of [1, 200, 1_000]) {
      say(`${count} readers`);
      const before = server.cpu();
      const startedAt = performance.now();
      const joining = watch(server.url, count);
      const waited = await longestWait(server.url, joining);
      const audience = await joining;
      const joined = {
        seconds: (performance.now() - startedAt) / 1_000,
        cpu: server.cpu() - before,
      };
      // The first round warms up.
      const used: number[] = [];
      for (let i = 0; i <= ROUNDS; i++) {
        audience.texts();
        used.push(await round(server, audience));
      }
      const cpu = median(used.slice(1));
      const texts = audience.texts();
      audience.close();
      const readers = count === 1 ? 'one reader' : `${count.toLocaleString('en')} readers`;
      const of = `board of ${HOSTS.toLocaleString('en')} hosts, ${readers}`;
      if (count === 1) {
        alone = cpu;
        rows.push({ what: `${of}: server CPU s for 2,000 changed runs`, ours: cpu });
        continue;
      }
      const sent = await sending(texts, count);
      const times = (cpu - sent) / alone;
      rows.push(
        {
          what: `${of}: server CPU s for 2,000 changed runs`,
          ours: cpu,
          peer: sent,
          note: `peer: a raw ws broadcast of the same ${texts.length} texts`,
        },
        {
          what: `${of}: CPU without the sending, in that of one reader`,
          ours: times,
          ...(count === 200 && { aim: atMost(times, 5, '×') }),
        },
        {
          what: `${of}, all connecting at once: the longest wait of a request, ms`,
          ours: waited,
          note: `${joined.seconds.toFixed(1)} s until everybody had the board, ${joined.cpu.toFixed(1)} s of CPU`,
        },
      );
    }
    await server.stop();
    return rows;
  },
};
