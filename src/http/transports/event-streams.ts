/**
 * Subscriptions as event streams: counted exactly, ended with their token, cut when the server
 * stops. A stream that ends without `complete` was cut, and its client connects again.
 */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { ExecutionResult } from 'graphql';
import type { Operation } from '../../graphql/operation/documents.ts';
import { isStream } from '../../graphql/operation/graphql.ts';
import type { ResultStream } from '../../graphql/operation/result-stream.ts';
import { type GuardLog, guarded } from '../../guarded.ts';
import type { Auth } from '../auth.ts';
import type { HttpMetrics } from '../metrics.ts';
import { EventBody } from './event-body.ts';
import { createEventFrames } from './event-frames.ts';
import type { Asker, Operations } from './operations.ts';

export interface EventStreams {
  /** The results, or why there are none. Never rejects. */
  open(
    operation: Operation,
    asker: Asker,
    response: ServerResponse,
  ): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** The results as what is sent of them. */
  body(results: AsyncIterable<ExecutionResult>): Readable;
  /** Cuts all of them; their readers hold the cursor. */
  close(): void;
}

export interface EventStreamsOptions {
  operations: Operations;
  auth: Auth;
  metrics: HttpMetrics;
  log: GuardLog;
}

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { operations, auth, metrics, log } = options;
  const open = new Set<ServerResponse>();
  const frames = createEventFrames(operations.text);
  const lastWords = (error: unknown) => ({ errors: [operations.errorOf(error)] });
  return {
    async open(operation, asker, response) {
      let stream: ResultStream | null = null;
      let isGone = false;
      const gone = guarded(log, 'ending an event stream', () => {
        if (isGone) return;
        isGone = true;
        release();
        open.delete(response);
        metrics.subscriptions.dec({ transport: 'sse' });
        stream?.return().catch(() => {});
      });
      metrics.subscriptions.inc({ transport: 'sse' });
      open.add(response);
      const release = auth.onEnd(asker.principal, () => cut(response));
      // It closes however the stream ends. Yoga does not look at a client that goes before it begins.
      response.once('close', gone);
      if (response.destroyed) gone();
      const followed = await operations.subscribe(operation, asker);
      if (!isStream(followed)) return followed;
      stream = followed;
      if (isGone) stream.return().catch(() => {});
      return stream;
    },
    body: (results) => new EventBody(results, frames, lastWords, log),
    close() {
      for (const response of open) cut(response);
    },
  };
}

/** What was written still goes out; then the connection ends without its last chunk. */
function cut(response: ServerResponse): void {
  if (response.socket === null) response.destroy();
  else response.socket.destroySoon();
}
