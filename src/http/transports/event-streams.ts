/**
 * Subscriptions as event streams: counted exactly, ended with their token, cut when the server
 * stops. Yoga writes the bytes. A stream that ends without `complete` was cut, and its client
 * connects again.
 */
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Operation } from '../../graphql/operation/documents.ts';
import { isStream } from '../../graphql/operation/graphql.ts';
import type { ResultStream } from '../../graphql/operation/result-stream.ts';
import type { Auth } from '../auth.ts';
import type { HttpMetrics } from '../metrics.ts';
import type { Asker, Operations } from './operations.ts';

export interface EventStreams {
  /** The results as texts that others share, or why there are none. Never rejects. */
  open(
    operation: Operation,
    asker: Asker,
    response: ServerResponse,
  ): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** Cuts all of them; their readers hold the cursor. */
  close(): void;
}

export interface EventStreamsOptions {
  operations: Operations;
  auth: Auth;
  metrics: HttpMetrics;
}

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { operations, auth, metrics } = options;
  const open = new Set<ServerResponse>();
  return {
    async open(operation, asker, response) {
      const followed = new FollowedStream(operations);
      metrics.subscriptions.inc({ transport: 'sse' });
      open.add(response);
      const release = auth.onEnd(asker.principal, () => cut(response));
      followed.onEnd = () => {
        release();
        open.delete(response);
        metrics.subscriptions.dec({ transport: 'sse' });
      };
      // Yoga does not look at a client that has gone while its stream was opened.
      response.once('close', () => followed.end());
      if (response.destroyed) followed.end();
      const stream = await operations.subscribe(operation, asker);
      if (isStream(stream)) return followed.begin(stream);
      followed.end();
      return stream;
    },
    close() {
      for (const response of open) cut(response);
    },
  };
}

class FollowedStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #operations: Operations;
  #stream: ResultStream | null = null;
  #over = false;
  onEnd: () => void = () => {};

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  begin(stream: ResultStream): this {
    this.#stream = stream;
    if (this.#over) stream.return().catch(() => {});
    return this;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.onEnd();
    this.#stream?.return().catch(() => {});
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const { done, value } = (await this.#stream?.next()) ?? { done: true, value: undefined };
    if (done !== true) return { done: false, value: asText(this.#operations.text(value)) };
    this.end();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A result that Yoga writes as this text. */
export function asText(text: string): ExecutionResult {
  return { stringify: () => text } as ExecutionResult;
}

/** What was written still goes out; then the connection ends without its last chunk. */
function cut(response: ServerResponse): void {
  if (response.socket === null) response.destroy();
  else response.socket.destroySoon();
}
