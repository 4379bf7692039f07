/** Servers under measurement are processes of their own, so that loads do not share their loop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Served {
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  /** Resident memory in MiB. */
  rss(): number;
  /** CPU seconds used so far. */
  cpu(): number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a script and waits for a line of JSON that has `url`. */
export async function serve(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Omit<Served, 'dataDir'>> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.once('exit', () => reject(new Error(`${args.join(' ')} ended:\n${text}`)));
    child.stdout.on('data', (chunk) => {
      if (text.length < 1e6) text += chunk;
      const found = /"url":"([^"]+)"/.exec(text);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
  });
  const pid = child.pid as number;
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    rss: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    cpu: () => {
      // By the scheduler, in nanoseconds: `stat` counts in ticks of 10 ms, by whom each one met.
      const threads = readdirSync(`/proc/${pid}/task`);
      const used = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8'));
      return used.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e9;
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
      running.delete(child);
    },
  };
}

export interface ShiplogOptions {
  env?: Record<string, string>;
  /** Kept when the server stops. */
  dataDir?: string;
  nodeFlags?: readonly string[];
  /** Another checkout of Shiplog, with its packages installed. */
  checkout?: string;
}

export async function serveShiplog(options: ShiplogOptions = {}): Promise<Served> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'shiplog-bench-'));
  const checkout = options.checkout ?? fileURLToPath(new URL('..', import.meta.url));
  const main = join(checkout, 'src/main.ts');
  const served = await serve([...(options.nodeFlags ?? []), main, 'serve'], {
    SHIPLOG_PORT: '0',
    SHIPLOG_DATA_DIR: dataDir,
    SHIPLOG_LOG_LEVEL: 'info',
    ...options.env,
  });
  return {
    ...served,
    dataDir,
    async stop(signal) {
      await served.stop(signal);
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export async function graphql<T>(url: string, query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}
