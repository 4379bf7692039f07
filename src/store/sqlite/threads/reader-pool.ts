/** A few read-only workers and one bounded queue before them. */
import { ShiplogError } from '../../../domain/errors.ts';
import { WorkerClient } from './worker-client.ts';

const READERS = 2;
/** Beyond it a query is refused at once: waiting longer than that helps nobody. */
export const MAX_QUEUE = 256;
const RETRY_AFTER_MS = 250;
const OPEN_AGAIN_MS = 1_000;
const ENTRY = new URL('./reader.ts', import.meta.url);
const ENDED = 'The thread of this query has ended before it; another one has taken its place';

interface Job {
  op: string;
  args: unknown[];
  deadline: number;
  resolve: (result: string) => void;
  reject: (error: unknown) => void;
}

export class ReaderPool {
  readonly #data: object;
  readonly #readers = new Set<WorkerClient>();
  readonly #idle: WorkerClient[];
  readonly #queue: Job[] = [];
  readonly #timeoutMs: number;
  #closing = false;
  readonly ready: Promise<unknown>;
  /** Called where a reader ends without being asked to; another one takes its place. */
  onFault: (error: Error) => void = () => {};
  /** Called with what a reader has to say to the server's log. */
  onLog: WorkerClient['onLog'] = () => {};

  constructor(file: string, timeoutMs: number, readerData: object) {
    this.#timeoutMs = timeoutMs;
    this.#data = { file, ...readerData };
    this.#idle = Array.from({ length: READERS }, () => this.#start());
    this.ready = Promise.all(this.#idle.map(({ ready }) => ready));
  }

  #start(): WorkerClient {
    const reader = new WorkerClient(ENTRY, this.#data, ENDED);
    reader.onFault = (error) => this.onFault(error);
    reader.onLog = (...line) => this.onLog(...line);
    reader.onEnd = () => this.#replace(reader);
    this.#readers.add(reader);
    return reader;
  }

  /** A dead one would answer, with an error, before all others, and so take most queries. */
  #replace(dead: WorkerClient): void {
    this.#readers.delete(dead);
    const place = this.#idle.indexOf(dead);
    if (place >= 0) this.#idle.splice(place, 1);
    this.#add();
  }

  #add(): void {
    if (this.#closing) return;
    let reader: WorkerClient;
    try {
      reader = this.#start();
    } catch (error) {
      // No thread can be had now. Called by timers and listeners: nobody above would catch it.
      this.onFault(error instanceof Error ? error : new Error(String(error)));
      this.#addLater();
      return;
    }
    reader.ready.then(
      () => this.#release(reader),
      () => {
        reader.onEnd = () => {};
        void reader.terminate();
        this.#readers.delete(reader);
        this.#addLater();
      },
    );
  }

  /** The database cannot be opened now: whoever waits is told, and it is tried again. */
  #addLater(): void {
    if (this.#readers.size === 0) {
      const error = new ShiplogError('STORE_UNAVAILABLE', 'The database cannot be read now', {
        retryAfterMs: OPEN_AGAIN_MS,
      });
      for (const { reject } of this.#queue.splice(0)) reject(error);
    }
    setTimeout(() => this.#add(), OPEN_AGAIN_MS).unref();
  }

  #release(reader: WorkerClient): void {
    if (this.#readers.has(reader)) this.#idle.push(reader);
    this.#next();
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  /** The operation's answer as JSON text. */
  call(op: string, args: unknown[]): Promise<string> {
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(
        new ShiplogError('OVERLOADED', 'Too many queries are waiting for the database', {
          retryAfterMs: RETRY_AFTER_MS,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      // The wall clock, as in the worker: both are of one machine.
      this.#queue.push({ op, args, deadline: Date.now() + this.#timeoutMs, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    const reader = this.#idle.pop();
    if (reader === undefined) return;
    const job = this.#queue.shift();
    if (job === undefined) {
      this.#idle.push(reader);
      return;
    }
    reader
      .call(job.op, job.args, job.deadline)
      .then(job.resolve, job.reject)
      .finally(() => this.#release(reader));
  }

  /** Ends the readers when the statements that run now are done. */
  async close(): Promise<void> {
    this.#closing = true;
    const error = new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
    for (const { reject } of this.#queue.splice(0)) reject(error);
    const readers = [...this.#readers];
    await Promise.allSettled(readers.map((reader) => reader.call('close', [])));
    await Promise.all(readers.map((reader) => reader.terminate()));
  }
}
