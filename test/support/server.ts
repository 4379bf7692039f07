/** The server as a real process, on a free port and a data directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, startCli } from './cli.ts';

export interface ServerOptions {
  env?: Record<string, string>;
  /** An existing data directory; it is not removed at the end. */
  dataDir?: string;
  /** A fixed port, for a server that comes back. */
  port?: number;
}

export interface TestServer extends AsyncDisposable {
  url: string;
  wsUrl: string;
  port: number;
  dataDir: string;
  pid: number;
  stderr(): string;
  /** The server's own log. */
  stdout(): string;
  ended: Promise<Ended>;
  /** SIGTERM; resolves when it has ended, and removes the data directory if it is ours. */
  stop(): Promise<Ended>;
  /** SIGKILL; the data directory stays. */
  kill(): Promise<Ended>;
}

const START_DEADLINE_MS = 60_000;

/** Resolves when the server says that it listens. Rejects with its output if it does not. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'shiplog-test-')));
  const server = startCli(['serve'], {
    env: {
      SHIPLOG_PORT: String(options.port ?? 0),
      SHIPLOG_DATA_DIR: dataDir,
      ...options.env,
    },
  });
  const timer = setTimeout(() => server.child.kill('SIGKILL'), START_DEADLINE_MS);
  await server
    .until((stdout, stderr) => listeningUrl(stdout) !== null || listeningUrl(stderr) !== null)
    .finally(() => clearTimeout(timer));
  const url = (listeningUrl(server.stdout()) ?? listeningUrl(server.stderr())) as string;
  const end = async (signal: NodeJS.Signals) => {
    server.child.kill(signal);
    return server.ended;
  };
  const stop = async () => {
    const ended = await end('SIGTERM');
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    return ended;
  };
  return {
    url,
    wsUrl: `${url.replace(/^http/, 'ws')}/graphql`,
    port: Number(new URL(url).port),
    dataDir,
    pid: server.child.pid as number,
    stderr: server.stderr,
    stdout: server.stdout,
    ended: server.ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
    kill: () => end('SIGKILL'),
  };
}

/** The `url` of the log line whose `msg` is "listening". */
function listeningUrl(log: string): string | null {
  for (const line of log.split('\n')) {
    if (!line.includes('"listening"')) continue;
    try {
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === 'listening' && url !== undefined) return url;
    } catch {
      // Half a line: the rest is still to come.
    }
  }
  return null;
}
