/** A few read-only workers and one bounded queue before them. */
import { ShiplogError } from '../../domain/errors.ts';
import { WorkerClient } from './worker-client.ts';

const READERS = 2;
/** Beyond it a query is refused at once: waiting longer than that helps nobody. */
export const MAX_QUEUE = 256;
const RETRY_AFTER_MS = 250;

interface Job {
  op: string;
  args: unknown[];
  deadline: number;
  resolve: (result: string) => void;
  reject: (error: unknown) => void;
}

export class ReaderPool {
  readonly #readers: WorkerClient[];
  readonly #idle: WorkerClient[];
  readonly #queue: Job[] = [];
  readonly #timeoutMs: number;
  readonly ready: Promise<unknown>;

  constructor(file: string, timeoutMs: number, readerData: object) {
    this.#timeoutMs = timeoutMs;
    this.#readers = Array.from(
      { length: READERS },
      () => new WorkerClient(new URL('./reader.ts', import.meta.url), { file, ...readerData }),
    );
    this.#idle = [...this.#readers];
    this.ready = Promise.all(this.#readers.map(({ ready }) => ready));
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
      .finally(() => {
        this.#idle.push(reader);
        this.#next();
      });
  }

  /** Ends the readers when the statements that run now are done. */
  async close(): Promise<void> {
    const error = new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
    for (const { reject } of this.#queue.splice(0)) reject(error);
    await Promise.allSettled(this.#readers.map((reader) => reader.call('close', [])));
    await Promise.all(this.#readers.map((reader) => reader.terminate()));
  }
}
