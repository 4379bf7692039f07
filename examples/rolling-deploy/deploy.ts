/**
 * A real rolling deployment on this machine. Each "host" is a directory and a service on a port of
 * its own; each step is a real command, run through `shiplog run`. One host gets a corrupt
 * download, and at the end one query says which and why.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildArtefact, layOut, serveArtefact } from './artefact.ts';

const values = readOptions();
const task = values.task;
const names = Array.from({ length: values.hosts }, (_, i) => `host-${i + 1}`);
const corrupt = values['no-failure'] ? null : (names[Math.min(2, names.length - 1)] ?? null);
const OLD = '1.0.0';
const NEW = '1.1.0';

/** In the order of the standard plan: the step's name, and the script that does it. */
const STEPS: readonly (readonly [step: string, script: string, ...args: string[]])[] = [
  ['backup', 'backup.ts'],
  ['download', 'download.ts'],
  ['unpack', 'unpack.ts'],
  ['env-init', 'env-init.ts'],
  ['nginx-offline', 'nginx.ts', 'offline'],
  ['service-start', 'service-start.ts'],
  ['nginx-online', 'nginx.ts', 'online'],
];

const SHIPLOG = fileURLToPath(new URL('../../bin/shiplog.js', import.meta.url));
const STEP_DIRECTORY = fileURLToPath(new URL('steps/', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'shiplog-rolling-'));
const artefact = buildArtefact(work, NEW);
const store = await serveArtefact(artefact, corrupt);
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort());
}

try {
  await deploy();
} finally {
  stopServices();
  store.server.close();
  store.server.closeAllConnections();
  rmSync(work, { recursive: true, force: true });
}

async function deploy(): Promise<void> {
  const started = await shiplog([
    'start',
    task,
    '--service',
    'orders',
    '--version',
    NEW,
    '--environment',
    'example',
    '--created-by',
    'rolling-deploy',
    '--hosts',
    names.join(','),
  ]);
  if (started !== 0) {
    console.error(`No Shiplog server at ${values.url}: start one with npm start.`);
    process.exitCode = started;
    return;
  }
  for (const name of names) layOut(join(root(name), 'app'), OLD);
  const size = values.batch;
  for (let at = 0; at < names.length && !interrupt.signal.aborted; at += size) {
    const wave = names.slice(at, at + size);
    console.log(`deploying to ${wave.join(', ')}`);
    const outcomes = await Promise.all(wave.map(deployTo));
    for (const [index, outcome] of outcomes.entries()) console.log(`  ${wave[index]}: ${outcome}`);
  }
  await shiplog(['finish', task, ...(interrupt.signal.aborted ? ['--status', 'CANCELLED'] : [])]);
  console.log(`\nWhich host failed, and why:\n\n  shiplog task ${task} --failed\n`);
  await shiplog(['task', task, '--failed']);
  console.log(`\nThe same for a program:\n\n${curl()}\n`);
  if (interrupt.signal.aborted) process.exitCode = 130;
}

function readOptions() {
  const url = process.env.SHIPLOG_URL ?? 'http://127.0.0.1:4000';
  try {
    const { values: given } = parseArgs({
      options: {
        hosts: { type: 'string', default: '5' },
        batch: { type: 'string', default: '2' },
        task: { type: 'string', default: `rolling-${Date.now().toString(36)}` },
        url: { type: 'string', default: url },
        'no-failure': { type: 'boolean', default: false },
      },
    });
    return { ...given, hosts: count('hosts', given.hosts), batch: count('batch', given.batch) };
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

function count(name: string, text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new Error(`--${name}: "${text}" must be a whole number from 1 to 99`);
}

/** One host, step by step; a step that fails ends it. */
async function deployTo(name: string): Promise<string> {
  for (const [step, script, ...args] of STEPS) {
    if (interrupt.signal.aborted) return 'interrupted';
    const code = await shiplog(
      [
        'run',
        '--task',
        task,
        '--host',
        name,
        '--step',
        step,
        '--source',
        'rolling-deploy',
        '--label',
        'zone=local',
        '--',
        process.execPath,
        join(STEP_DIRECTORY, script),
        ...args,
      ],
      name,
    );
    if (code !== 0) return `failed in ${step}`;
  }
  return 'succeeded';
}

/** Runs the command line. With a host, as a step there: its output is in the log, not here. */
function shiplog(args: readonly string[], host?: string): Promise<number> {
  const child = spawn(process.execPath, [SHIPLOG, ...args], {
    stdio: host === undefined ? 'inherit' : ['ignore', 'ignore', 'ignore'],
    env: {
      ...process.env,
      SHIPLOG_URL: values.url,
      ...(host === undefined ? {} : stepEnvironment(host)),
    },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function stepEnvironment(host: string): Record<string, string> {
  return {
    DEPLOY_ROOT: root(host),
    DEPLOY_HOST: host,
    DEPLOY_VERSION: NEW,
    DEPLOY_ARTEFACT_URL: `${store.url}?host=${host}`,
    DEPLOY_SHA256: artefact.sha256,
  };
}

function root(host: string): string {
  const directory = join(work, host);
  mkdirSync(directory, { recursive: true });
  return directory;
}

function stopServices(): void {
  for (const name of names) {
    try {
      process.kill(Number(readFileSync(join(work, name, 'service.pid'), 'utf8')), 'SIGTERM');
    } catch {
      // It was never started, or has ended.
    }
  }
}

function curl(): string {
  const query = `{ task(id: \\"${task}\\") { status failureGroups { message hosts steps sample { command exitCode error { message } lastLines { message } } } } }`;
  return `  curl -s ${values.url}/graphql -H 'content-type: application/json' \\\n    -d '{"query": "${query}"}'`;
}
