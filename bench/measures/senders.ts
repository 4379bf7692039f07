/**
 * What other programs send, in their own protocols, against the engine itself: raw SQLite doing the same
 * inserts.
 */
import { anEvent } from '../events.ts';
import { load } from '../load.ts';
import { serveShiplog } from '../process.ts';
import { RawLog, rawSqlite } from '../raw-sqlite.ts';
import { atLeast, type Measurement, median, pairedRatio } from '../row.ts';

const ROUNDS = 5;
const SECONDS = 4;
const BATCH = 1_000;
/** Requests of a round, more than it can take: 62,000 documents a second. */
const PREPARED = 250;

export const senders: Measurement = {
  name: 'senders',
  about: '_bulk of 1,000 through /es against raw SQLite doing the same inserts',
  async run({ say, nodeFlags }) {
    const ours = await serveShiplog({ nodeFlags });
    const rates: number[] = [];
    const raw: number[] = [];
    const kept: number[] = [];
    const keptLog = new RawLog({ isKept: true });
    const lines: number[] = [];
    let bad = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      // Made beforehand: making documents must not be what is measured.
      const bodies = Array.from({ length: PREPARED }, () => Buffer.from(bulkBody()));
      const bulk = await load({
        port: ours.port,
        path: '/es/_bulk',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-ndjson',
        body: () => bodies.pop() ?? bulkBody(),
        good: (answer) => answer.includes('"errors":false') && !answer.includes('"noop"'),
      });
      const own = Array.from({ length: PREPARED }, () => Buffer.from(ndjsonBody()));
      const ndjson = await load({
        port: ours.port,
        path: '/v1/events',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-ndjson',
        body: () => own.pop() ?? ndjsonBody(),
        good: (answer) => answer.includes(`"stored":${BATCH}`),
      });
      bad += bulk.bad + ndjson.bad;
      rates.push(bulk.perSecond * BATCH);
      lines.push(ndjson.perSecond * BATCH);
      raw.push(rawSqlite(BATCH, SECONDS / 2));
      kept.push(keptLog.insert(BATCH, SECONDS / 2));
    }
    keptLog.close();
    await ours.stop();
    const ratio = pairedRatio(rates, raw);
    return [
      {
        what: '_bulk of 1,000 through /es: documents/s',
        ours: median(rates),
        peer: median(raw),
        ratio,
        aim: atLeast(ratio, 0.6, '×'),
        note: `peer: raw SQLite into an empty file, rows made beforehand; bad answers ${bad}`,
      },
      {
        what: '_bulk of 1,000 beside a log as long',
        ours: median(rates),
        peer: median(kept),
        ratio: pairedRatio(rates, kept),
        note: 'peer: raw SQLite into one file in all rounds, ids looked up',
      },
      {
        what: '_bulk of 1,000 beside NDJSON of our own',
        ours: median(rates),
        peer: median(lines),
        ratio: pairedRatio(rates, lines),
        note: 'what the mapping costs; also on a busy machine',
      },
    ];
  },
};

function ndjsonBody(): string {
  return Array.from({ length: BATCH }, (_, i) =>
    JSON.stringify(anEvent('bench-lines', `web-${i % 200}`)),
  ).join('\n');
}

let made = 0;

/** The events of the other measurements, as an Elasticsearch client sends them. */
export function bulkBody(task = 'bench'): string {
  let body = '';
  for (let i = 0; i < BATCH; i++) {
    const { host, step, message, level, at } = anEvent('bench', `web-${made % 200}`) as Record<
      string,
      unknown
    >;
    body += `{"create":{"_index":"bench","_id":"${made++}"}}\n`;
    body += `${JSON.stringify({
      '@timestamp': at ?? new Date().toISOString(),
      message,
      log: { level },
      host: { name: host },
      labels: { task, step },
      service: { name: 'shop' },
    })}\n`;
  }
  return body;
}
