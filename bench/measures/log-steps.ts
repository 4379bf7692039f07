/** Batches of 100 through GraphQL, and NDJSON of 1,000, against raw SQLite doing the same inserts. */
import { anEvent } from '../events.ts';
import { load } from '../load.ts';
import { serveShiplog } from '../process.ts';
import { rawSqlite } from '../raw-sqlite.ts';
import { atLeast, type Measurement, median, pairedRatio } from '../row.ts';

const ROUNDS = 3;
const SECONDS = 4;
const QUERY = `mutation LogSteps($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) { stored duplicates rejected }
}`;

export const logSteps: Measurement = {
  name: 'log-steps',
  about: 'logSteps of 100 and NDJSON of 1,000 against raw SQLite doing the same inserts',
  async run({ say, nodeFlags }) {
    const ours = await serveShiplog({ nodeFlags });
    let host = 0;
    const events = (count: number) =>
      Array.from({ length: count }, () => anEvent('bench', `web-${host++ % 200}`));
    // Made beforehand: making events must not be what is measured.
    const prepare = (count: number, make: () => string) => {
      const bodies = Array.from({ length: count }, make);
      return () => bodies.pop() ?? make();
    };
    const rates: Record<'batches' | 'lines' | 'raw100' | 'raw1000', number[]> = {
      batches: [],
      lines: [],
      raw100: [],
      raw1000: [],
    };
    let bad = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      const batches = await load({
        port: ours.port,
        path: '/graphql',
        connections: 8,
        seconds: SECONDS,
        body: prepare(1_200, () =>
          JSON.stringify({ query: QUERY, variables: { inputs: events(100) } }),
        ),
        good: (answer) => answer.includes('"stored":100'),
      });
      const lines = await load({
        port: ours.port,
        path: '/v1/events',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-ndjson',
        body: prepare(120, () =>
          events(1_000)
            .map((event) => JSON.stringify(event))
            .join('\n'),
        ),
        good: (answer) => answer.includes('"stored":1000'),
      });
      bad += batches.bad + lines.bad;
      rates.batches.push(batches.perSecond * 100);
      rates.lines.push(lines.perSecond * 1_000);
      rates.raw100.push(rawSqlite(100, SECONDS / 2));
      rates.raw1000.push(rawSqlite(1_000, SECONDS / 2));
    }
    await ours.stop();
    const row = (what: string, ours: number[], peer: number[]) => ({
      what,
      ours: median(ours),
      peer: median(peer),
      ratio: pairedRatio(ours, peer),
      aim: atLeast(pairedRatio(ours, peer), 0.7, '×'),
      note: `peer: raw SQLite, rows made beforehand; bad answers ${bad}`,
    });
    return [
      row('logSteps of 100 over HTTP: events/s', rates.batches, rates.raw100),
      row('NDJSON of 1,000 to /v1/events: events/s', rates.lines, rates.raw1000),
    ];
  },
};
