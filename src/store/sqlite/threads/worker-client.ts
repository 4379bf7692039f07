/**
 * The main thread's side of a worker: requests by id, answers as JSON text (cheaper to take over
 * than an object graph), and what happens to those under way when the worker ends.
 */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { ShiplogError } from '../../../domain/errors.ts';
import { type ErrorMessage, errorOf } from '../file/errors.ts';

export interface WorkerRequest {
  id: number;
  op: string;
  args: unknown[];
  /** Epoch milliseconds. */
  deadline: number;
}
export type WorkerReply =
  | { id: number; result: string }
  | { id: number; error: ErrorMessage }
  /** A line for the server's log, which only the main thread has. */
  | { log: 'info' | 'error'; fields: object; message: string };

interface Waiting {
  resolve: (result: string) => void;
  reject: (error: Error) => void;
}

/** The id of the first message, which a worker sends when it is ready. */
export const READY = 0;

const STOPPED = 'The database has stopped; restart the server';

export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #gone: Error | null = null;
  #ending = false;
  /** Called once where the worker ends without being asked to. */
  onFault: (error: Error) => void = () => {};
  /** Called once where the worker has ended, before what was under way is rejected. */
  onEnd: () => void = () => {};
  /** Called with what the worker has to say to the server's log. */
  onLog: (level: 'info' | 'error', fields: object, message: string) => void = () => {};
  readonly #said: string;
  /** Resolves with what the worker says when it is ready. */
  readonly ready: Promise<unknown>;

  /** `said`: to callers, once it has ended. */
  constructor(
    entry: URL,
    workerData: unknown,
    said = STOPPED,
    resourceLimits: ResourceLimits = {},
  ) {
    this.#said = said;
    this.#worker = new Worker(entry, { workerData, execArgv: [], resourceLimits });
    this.ready = new Promise<string>((resolve, reject) => {
      this.#waiting.set(READY, { resolve, reject });
    }).then((text) => JSON.parse(text));
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end(error as Error));
    this.#worker.on('exit', () => this.#end(new Error('The worker of the database has ended')));
  }

  /** How many requests are under way. */
  get pending(): number {
    return this.#waiting.size;
  }

  call(op: string, args: unknown[], deadline = Number.POSITIVE_INFINITY): Promise<string> {
    if (this.#gone !== null) return Promise.reject(this.#unavailable(this.#gone));
    if (op === 'close') this.#ending = true;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const request: WorkerRequest = { id, op, args, deadline };
      this.#worker.postMessage(request);
    });
  }

  #settle(reply: WorkerReply): void {
    if ('log' in reply) {
      this.onLog(reply.log, reply.fields, reply.message);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('result' in reply) waiting?.resolve(reply.result);
    else waiting?.reject(errorOf(reply.error));
  }

  #end(reason: Error): void {
    if (this.#gone === null && !this.#ending) this.onFault(reason);
    if (this.#gone === null) this.onEnd();
    this.#gone ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#unavailable(this.#gone));
    this.#waiting.clear();
  }

  #unavailable(cause: Error): ShiplogError {
    return new ShiplogError('STORE_UNAVAILABLE', this.#said, { cause, retryAfterMs: 5_000 });
  }

  async terminate(): Promise<void> {
    this.#ending = true;
    await this.#worker.terminate();
  }
}
