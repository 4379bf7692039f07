/** One event a request: durable through Shiplog, against stock Yoga with an empty resolver. */
import { anEvent } from '../events.ts';
import { type LoadResult, load } from '../load.ts';
import { type Served, serve, serveShiplog } from '../process.ts';
import { type Measurement, median, pairedRatio } from '../row.ts';

const ROUNDS = 5;
const SECONDS = 3;
const QUERY = `mutation LogStep($input: StepEventInput!) {
  logStep(input: $input) { outcome eventId position error { code message field } }
}`;

interface Round extends LoadResult {
  /** Of the server, for each request. */
  cpuMicros: number;
}

export const logStep: Measurement = {
  name: 'log-step',
  about: 'single logStep against stock Yoga with an empty resolver',
  async run({ say, nodeFlags }) {
    const ours = await serveShiplog({ nodeFlags });
    const peer = await serve([new URL('../peers/yoga.ts', import.meta.url).pathname]);
    let host = 0;
    const body = () => {
      const input = anEvent('bench', `web-${host++ % 200}`);
      return JSON.stringify({ query: QUERY, variables: { input } });
    };
    const round = async (server: Pick<Served, 'port' | 'cpu'>, seconds: number): Promise<Round> => {
      const cpu = server.cpu();
      const result = await load({
        port: server.port,
        path: '/graphql',
        connections: 64,
        seconds,
        body,
        good: (answer) => answer.includes('STORED') && !answer.includes('"errors"'),
      });
      return { ...result, cpuMicros: ((server.cpu() - cpu) * 1e6) / result.requests };
    };
    const results: { ours: Round[]; peer: Round[] } = { ours: [], peer: [] };
    await round(ours, 1.5);
    await round(peer, 1.5);
    for (let i = 0; i < ROUNDS; i++) {
      say(`round ${i + 1} of ${ROUNDS}`);
      if (i % 2 === 0) results.ours.push(await round(ours, SECONDS));
      results.peer.push(await round(peer, SECONDS));
      if (i % 2 === 1) results.ours.push(await round(ours, SECONDS));
    }
    await ours.stop();
    await peer.stop();
    const all = (pick: (round: Round) => number) => ({
      ours: results.ours.map(pick),
      peer: results.peer.map(pick),
    });
    const rate = all(({ perSecond }) => perSecond);
    const p99 = all(({ p99Ms }) => p99Ms);
    const cpu = all(({ cpuMicros }) => cpuMicros);
    const bad = [...results.ours, ...results.peer].reduce((sum, result) => sum + result.bad, 0);
    const ratio = pairedRatio(rate.ours, rate.peer);
    return [
      {
        what: 'single logStep, 64 connections: requests/s',
        ours: median(rate.ours),
        peer: median(rate.peer),
        ratio,
        aim: { text: '≥ 3×', met: ratio >= 3 },
        note: `durable; peer: stock Yoga, empty resolver; server CPU ${median(cpu.ours).toFixed(0)} / ${median(cpu.peer).toFixed(0)} µs a request; p99 ${median(p99.ours).toFixed(0)} / ${median(p99.peer).toFixed(0)} ms; bad answers ${bad}`,
      },
    ];
  },
};
