/** Log records of OpenTelemetry in protobuf against raw SQLite doing the same inserts. */
import { protobufLogs } from '../../test/senders/otlp/protobuf-writer.ts';
import { anEvent } from '../events.ts';
import { load } from '../load.ts';
import { serveShiplog } from '../process.ts';
import { rawSqlite } from '../raw-sqlite.ts';
import { atLeast, type Measurement, median, pairedRatio } from '../row.ts';

const ROUNDS = 5;
const SECONDS = 4;
const BATCH = 1_000;
/** As many as are sent in a round. */
const BODIES = 100;

export const otlp: Measurement = {
  name: 'otlp',
  about: 'OTLP protobuf, 1,000 records a request, against raw SQLite doing the same inserts',
  async run({ say, nodeFlags }) {
    const ours = await serveShiplog({ nodeFlags });
    const rates: number[] = [];
    const raw: number[] = [];
    let bad = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      // Made beforehand: making records must not be what is measured.
      const bodies = Array.from({ length: BODIES }, logsBody);
      const sent = await load({
        port: ours.port,
        path: '/v1/logs',
        connections: 4,
        seconds: SECONDS,
        contentType: 'application/x-protobuf',
        body: () => bodies.pop() ?? logsBody(),
        // An empty body says that all of it is stored.
        good: (answer) => answer.startsWith('HTTP/1.1 200') && answer.endsWith('\r\n\r\n'),
      });
      bad += sent.bad;
      rates.push(sent.perSecond * BATCH);
      raw.push(rawSqlite(BATCH, SECONDS / 2));
    }
    await ours.stop();
    const ratio = pairedRatio(rates, raw);
    return [
      {
        what: 'OTLP protobuf of 1,000: records/s',
        ours: median(rates),
        peer: median(raw),
        ratio,
        aim: atLeast(ratio, 0.5, '×'),
        note: `peer: raw SQLite, rows made beforehand; bad answers ${bad}`,
      },
    ];
  },
};

let made = 0n;

/** The events of the other measurements; no two alike, or they would be known and not stored. */
function logsBody(): Buffer {
  const from = BigInt(Date.now()) * 1_000_000n;
  const records = Array.from({ length: BATCH }, () => ({
    time: from + (made++ % 1_000_000n) + 1n,
    severityNumber: 9,
    body: String(anEvent('bench-otlp', 'web-1').message),
  }));
  const resource = {
    'service.name': 'shop',
    'host.name': `web-${made % 200n}`,
    'shiplog.task': 'bench-otlp',
    'shiplog.step': 'download',
  };
  return protobufLogs({ resource, records });
}
