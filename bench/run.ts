/**
 * `npm run bench [-- NAME… --huge --elasticsearch --profile]`: every measurement beside its peer,
 * in one run, as one table. Figures are of this machine at this moment; what counts are the ratios.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { board } from './measures/board.ts';
import { coercion } from './measures/coercion.ts';
import { consoleMeasurement } from './measures/console.ts';
import { elasticsearch } from './measures/elasticsearch.ts';
import { fanOut } from './measures/fan-out.ts';
import { fleet } from './measures/fleet.ts';
import { logStep } from './measures/log-step.ts';
import { logSteps } from './measures/log-steps.ts';
import { memory } from './measures/memory.ts';
import { otlp } from './measures/otlp.ts';
import { queries } from './measures/queries.ts';
import { readYourWrites } from './measures/read-your-writes.ts';
import { senders } from './measures/senders.ts';
import { sendersOnElasticsearch } from './measures/senders-elasticsearch.ts';
import { tailLatency } from './measures/tail-latency.ts';
import { versions } from './measures/versions.ts';
import { watchers } from './measures/watchers.ts';
import { type Measurement, printTable, type Row } from './row.ts';

const ALWAYS: readonly Measurement[] = [
  logStep,
  logSteps,
  senders,
  otlp,
  coercion,
  board,
  watchers,
  tailLatency,
  fanOut,
  memory,
  fleet,
  queries,
];
/**
 * Elasticsearch needs a JDK and Maven, `versions` another checkout, and a browser takes a core of its
 * own: only when asked for.
 */
const BY_NAME: readonly Measurement[] = [
  consoleMeasurement,
  elasticsearch,
  readYourWrites,
  sendersOnElasticsearch,
  versions,
];

const ON_ELASTICSEARCH = [elasticsearch.name, readYourWrites.name, sendersOnElasticsearch.name];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    huge: { type: 'boolean', default: false },
    elasticsearch: { type: 'boolean', default: false },
    against: { type: 'string' },
    checkout: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const all = [...ALWAYS, ...BY_NAME];
  if (values.help) {
    for (const { name, about } of all) console.log(`${name.padEnd(16)} ${about}`);
    console.log('--elasticsearch  those on Elasticsearch too');
    console.log('--against DIR    another checkout of Shiplog, for `versions`');
    console.log('--checkout DIR   what is compared with it, instead of this checkout');
    console.log('--huge           also 10 million events and 10,000 subscribers');
    console.log('--profile        CPU profiles of the servers into bench/results/');
    return 0;
  }
  const unknown = positionals.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    const names = all.map(({ name }) => name).join(', ');
    console.error(`no measurement ${unknown.join(', ')}; there are ${names}`);
    return 2;
  }
  const chosen = all.filter(({ name }) =>
    positionals.length > 0
      ? positionals.includes(name)
      : !BY_NAME.some((one) => one.name === name) ||
        (values.elasticsearch && ON_ELASTICSEARCH.includes(name)) ||
        (name === versions.name && values.against !== undefined),
  );
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const nodeFlags = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${fileURLToPath(folder)}`] : [];
  const rows: Row[] = [];
  let failed = 0;
  for (const measurement of chosen) {
    const say = (progress: string) => console.error(`${measurement.name}: ${progress}`);
    try {
      rows.push(
        ...(await measurement.run({
          huge: values.huge,
          against: values.against ?? null,
          checkout: values.checkout ?? null,
          nodeFlags,
          say,
        })),
      );
    } catch (error) {
      failed++;
      console.error(`${measurement.name} failed:`, error);
    }
  }
  const machine = `Node ${process.version}, ${cpus().length} cores shared by server and load`;
  console.log(`${machine}; load average ${loadavg()[0]?.toFixed(1)}\n`);
  console.log(printTable(rows));
  const file = new URL(`${new Date().toISOString().replace(/[:.]/g, '-')}.json`, folder);
  writeFileSync(file, JSON.stringify({ machine, rows }, null, 2));
  return failed > 0 || rows.some(({ broken }) => broken) ? 1 : 0;
}

process.exitCode = await main();
