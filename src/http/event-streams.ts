/**
 * Server-sent events, one operation per connection ("distinct connections" of GraphQL over SSE):
 * `next` events with results, then `complete`. A stream that ends without `complete` was cut, and
 * its client connects again.
 */
import type { ServerResponse } from 'node:http';
import type { Auth, Principal } from './auth.ts';
import type { HttpMetrics } from './metrics.ts';
import type {
  OperationErrors,
  OperationStream,
  Operations,
  PreparedOperation,
} from './operations.ts';
import { securityHeaders } from './reply.ts';

export interface EventStreams {
  /** Resolves when the stream has ended. */
  open(
    response: ServerResponse,
    principal: Principal,
    prepared: PreparedOperation | OperationErrors,
  ): Promise<void>;
  /** Cuts all subscriptions; their readers hold the cursor. */
  close(): void;
}

export interface EventStreamOptions {
  operations: Operations;
  auth: Auth;
  metrics: HttpMetrics;
}

/** Proxies cut connections that are silent for longer. */
const COMMENT_MS = 12_000;

export function createEventStreams({
  operations,
  auth,
  metrics,
}: EventStreamOptions): EventStreams {
  const open = new Set<ServerResponse>();

  async function deliver(
    response: ServerResponse,
    principal: Principal,
    prepared: PreparedOperation,
  ): Promise<void> {
    if (prepared.kind !== 'subscription') {
      const { text } = await prepared.run(principal);
      await write(response, next(text));
      return end(response);
    }
    let stream: OperationStream | null = null;
    let gone = response.destroyed;
    metrics.subscriptions.inc({ transport: 'sse' });
    open.add(response);
    const stop = (): void => {
      gone = true;
      stream?.return().catch(() => {});
    };
    response.once('close', stop);
    const stopExpiry = auth.onExpiry(principal, () => cut(response));
    const comments = setInterval(() => {
      if (auth.standing(principal) !== 'ok') cut(response);
      else if (response.writableLength === 0) response.write(':\n\n');
    }, COMMENT_MS);
    try {
      const subscribed = await prepared.subscribe(principal);
      if ('errors' in subscribed) {
        await write(response, next(JSON.stringify(subscribed)));
        return end(response);
      }
      stream = subscribed;
      if (gone) stop();
      while (!gone) {
        const result = await stream.next();
        if (result === null) return gone ? undefined : end(response);
        await write(response, next(result.text));
      }
    } catch (error) {
      if (gone) return;
      await write(response, next(JSON.stringify(operations.errorsOf(error))));
      end(response);
    } finally {
      stopExpiry();
      clearInterval(comments);
      open.delete(response);
      metrics.subscriptions.dec({ transport: 'sse' });
    }
  }

  return {
    async open(response, principal, prepared) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        ...securityHeaders(response),
      });
      // Some clients wait for the first byte before they take the connection for open.
      response.write(':\n\n');
      if ('errors' in prepared) {
        await write(response, next(JSON.stringify(prepared)));
        return end(response);
      }
      await deliver(response, principal, prepared);
    },
    close() {
      for (const response of open) cut(response);
    },
  };
}

/** Results are JSON on one line, so one `data` field holds them. */
function next(result: string): string {
  return `event: next\ndata: ${result}\n\n`;
}

function end(response: ServerResponse): void {
  response.end('event: complete\ndata:\n\n');
}

/** What was written still goes out; then the connection ends without its last chunk. */
function cut(response: ServerResponse): void {
  if (response.socket === null) response.destroy();
  else response.socket.destroySoon();
}

/** Resolves when the client may be sent more, or has gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || response.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
