/** One real Elasticsearch node in a process of its own, which a test can kill, stop and restart. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distribution } from './distribution.ts';

export interface NodeOptions {
  name?: string;
  /** Java heap, MiB. */
  heapMb?: number;
  /** For measuring: full speed after a while, instead of a quick start. */
  optimise?: boolean;
  javaFlags?: readonly string[];
  httpPort?: number;
  transportPort?: number;
  settings?: Record<string, string>;
}

/** Seconds on an idle machine; test machines may be anything but. */
const START_TIMEOUT_MS = 170_000;
const running = new Set<TestNode>();
process.once('exit', () => {
  for (const node of running) node.discard();
});

export class TestNode implements AsyncDisposable {
  readonly name: string;
  readonly httpPort: number;
  readonly transportPort: number;
  readonly #heapMb: number;
  readonly #optimise: boolean;
  readonly #javaFlags: readonly string[];
  readonly #settings: Record<string, string>;
  readonly #dir = mkdtempSync(join(tmpdir(), 'shiplog-es-'));
  #process: ChildProcess | null = null;

  constructor(options: Required<NodeOptions>) {
    this.name = options.name;
    this.httpPort = options.httpPort;
    this.transportPort = options.transportPort;
    this.#heapMb = options.heapMb;
    this.#optimise = options.optimise;
    this.#javaFlags = options.javaFlags;
    this.#settings = options.settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Starts the process on the same ports and data as before; does not wait for it to answer. */
  async launch(): Promise<void> {
    const { java, home, launcher } = await distribution();
    const archive = classArchive(home);
    const settings = {
      'cluster.name': 'shiplog-test',
      'node.name': this.name,
      'path.data': join(this.#dir, 'data'),
      'path.repo': join(this.#dir, 'repo'),
      'http.host': '127.0.0.1',
      'http.port': String(this.httpPort),
      'transport.host': '127.0.0.1',
      'transport.port': String(this.transportPort),
      'cluster.routing.allocation.disk.threshold_enabled': 'false',
      ...this.#settings,
    };
    const child = spawn(
      java,
      [
        ...[`-Xms${this.#heapMb}m`, `-Xmx${this.#heapMb}m`, '-XX:+UseSerialGC'],
        `-XX:TieredStopAtLevel=${this.#optimise ? 4 : 1}`,
        ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []),
        ...this.#javaFlags,
        ...['--enable-native-access=ALL-UNNAMED', '--add-modules', 'jdk.incubator.vector'],
        `-Dlog4j2.configurationFile=${join(home, 'config/log4j2.properties')}`,
        ...['-cp', `${launcher}:${join(home, 'lib/*')}`, 'Launcher', home],
        ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
      ],
      // Its input ends when this process does: then it stops by itself.
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const log = createWriteStream(join(this.#dir, 'log'), { flags: 'a' });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#process = child;
    running.add(this);
  }

  /** Resolves when the node answers and is part of a cluster that has a master. */
  async ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (this.#process === null || this.#process.exitCode !== null) break;
      const health = await this.#ask('/_cluster/health?wait_for_status=yellow&timeout=1s');
      if (health?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the Elasticsearch node ${this.name} did not start:\n${this.log()}`);
  }

  async #ask(path: string): Promise<Response | null> {
    try {
      return await fetch(this.url + path, { signal: AbortSignal.timeout(5_000) });
    } catch {
      return null;
    }
  }

  /** The last of what the node said. */
  log(): string {
    return readFileSync(join(this.#dir, 'log'), 'utf8').slice(-4_000);
  }

  /** The machine is gone: `kill -9`, without a word to anybody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** An orderly stop. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Hangs: connections are taken, nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Kills the process and removes its data. */
  async dispose(): Promise<void> {
    await this.#end('SIGKILL');
    this.discard();
  }

  /** The same at the exit of this process, where nothing can be awaited. */
  discard(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
    running.delete(this);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  }
}

/** Java's loaded classes as they are in memory: with it a node starts in half the time. */
export function classArchive(home: string): string {
  return join(home, 'classes.jsa');
}

/** A node by itself, answering. */
export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const [httpPort, transportPort] = await freePorts(2);
  const node = new TestNode({
    name: 'single',
    heapMb: 512,
    optimise: false,
    javaFlags: [],
    httpPort: httpPort as number,
    transportPort: transportPort as number,
    ...options,
    settings: { 'discovery.type': 'single-node', ...options.settings },
  });
  try {
    await node.restart();
  } catch (error) {
    await node.dispose();
    throw error;
  }
  return node;
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
