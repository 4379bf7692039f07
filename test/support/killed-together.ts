/** One server that several senders use at once: it is killed under all of them and started again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type TestServer } from './server.ts';

/** Who is not ready to see it killed by then sees it killed once more. */
const PATIENCE_MS = 3_000;
/** Time in which what the senders wait for is on its way. */
const UNDER_WAY_MS = 20;

export class KilledTogether implements AsyncDisposable {
  readonly #env: Record<string, string>;
  readonly #dataDir: string;
  #server: Promise<TestServer>;
  #senders = 0;
  #waiting: (() => void)[] = [];
  #impatience: NodeJS.Timeout | null = null;
  /** How often it was killed. */
  kills = 0;

  static async start(env: Record<string, string> = {}): Promise<KilledTogether> {
    const started = new KilledTogether(env, await mkdtemp(join(tmpdir(), 'shiplog-killed-')));
    await started.url();
    return started;
  }

  private constructor(env: Record<string, string>, dataDir: string) {
    this.#env = env;
    this.#dataDir = dataDir;
    this.#server = this.#start();
  }

  #start(): Promise<TestServer> {
    return startServer({ env: this.#env, dataDir: this.#dataDir });
  }

  /** Of the server that runs; while it is started again, of the next one, when it does. */
  async url(): Promise<string> {
    return (await this.#server).url;
  }

  /** A sender that will wait for `killed()` once, or leave. */
  enter(): Disposable {
    this.#senders++;
    return {
      [Symbol.dispose]: () => {
        this.#senders--;
        this.#check();
      },
    };
  }

  /** Resolves to the address of a server that is killed a moment later. */
  async killed(): Promise<string> {
    const url = await this.url();
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#impatience ??= setTimeout(() => this.#kill(), PATIENCE_MS);
      this.#check();
    });
    return url;
  }

  #check(): void {
    if (this.#waiting.length > 0 && this.#waiting.length >= this.#senders) this.#kill();
  }

  #kill(): void {
    clearTimeout(this.#impatience ?? undefined);
    this.#impatience = null;
    this.kills++;
    const server = this.#server;
    const doomed = this.#waiting.splice(0);
    this.#server = (async () => {
      const { kill } = await server;
      await new Promise((resolve) => setTimeout(resolve, UNDER_WAY_MS));
      await kill();
      return this.#start();
    })();
    for (const go of doomed) go();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#impatience ?? undefined);
    await (await this.#server).stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
