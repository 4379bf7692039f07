/**
 * The graphql-ws server as it comes, with Shiplog's schema: what is POSTed is the next batch of
 * every tail, executed and turned into text for each subscriber.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const tails = new Set<(batch: unknown) => void>();
const EMPTY = { cursor: '', events: [], caughtUp: true, gap: null };

/** By hand, so that an idle tail ends when its client goes; one batch may wait. */
function follow(): AsyncIterableIterator<unknown> {
  const waiting: unknown[] = [EMPTY];
  let deliver: ((result: IteratorResult<unknown>) => void) | null = null;
  const push = (batch: unknown) => {
    if (deliver === null) waiting.push(batch);
    else deliver({ done: false, value: { tail: batch } });
    deliver = null;
  };
  tails.add(push);
  return {
    next: () =>
      new Promise((resolve) => {
        const batch = waiting.shift();
        if (batch === undefined) deliver = resolve;
        else resolve({ done: false, value: { tail: batch } });
      }),
    return() {
      tails.delete(push);
      deliver?.({ done: true, value: undefined });
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const tail = schema.getSubscriptionType()?.getFields().tail;
if (tail === undefined) throw new Error('the schema has no tail');
tail.subscribe = follow;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const batch: unknown = JSON.parse(body);
    for (const push of tails) push(batch);
    response.setHeader('content-length', 2).end('{}');
  });
});
useServer({ schema }, new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false }));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
