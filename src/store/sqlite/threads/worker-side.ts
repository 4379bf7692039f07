/** The worker's side of `worker-client.ts`: one request after the other, all SQL synchronous. */
import { parentPort } from 'node:worker_threads';
import { ROWS_MAX, tooManyRows } from '../../../domain/answer-bounds.ts';
import { errorMessage } from '../file/errors.ts';
import { JsonText } from '../read/json-text.ts';
import { READY, type WorkerReply, type WorkerRequest } from './worker-client.ts';

export type Operations = Record<string, (...args: never[]) => unknown>;

function send(reply: WorkerReply): void {
  parentPort?.postMessage(reply);
}

/** The server's log, from within the worker. Fields are cloned: errors and plain values. */
export const workerLog = {
  info(fields: object, message: string): void {
    send({ log: 'info', fields, message });
  },
  error(fields: object, message: string): void {
    send({ log: 'error', fields, message });
  },
};

function textOf(result: unknown): string {
  const text = result instanceof JsonText ? result.text : JSON.stringify(result ?? null);
  if (text.length > ROWS_MAX) throw tooManyRows();
  return text;
}

function answer(id: number, body: () => unknown): void {
  try {
    send({ id, result: textOf(body()) });
  } catch (error) {
    send({ id, error: errorMessage(error) });
  }
}

/**
 * Opens by `open`, which also gives what the ready message says, then answers until the thread is
 * ended or an operation named `close` was answered. `before` hears each request's deadline.
 */
export function serve<T extends Operations>(
  open: () => {
    operations: T;
    ready: unknown;
    before?: (deadline: number) => void;
    after?: () => void;
  },
): void {
  let opened: ReturnType<typeof open> | null = null;
  answer(READY, () => {
    opened = open();
    return opened.ready;
  });
  parentPort?.on('message', ({ id, op, args, deadline }: WorkerRequest) => {
    answer(id, () => {
      if (opened === null) throw new Error('The database could not be opened');
      opened.before?.(deadline);
      const operation = opened.operations[op] as ((...args: unknown[]) => unknown) | undefined;
      if (operation === undefined) throw new Error(`no operation "${op}"`);
      return operation(...args);
    });
    if (op === 'close') parentPort?.close();
    else opened?.after?.();
  });
}
