/**
 * The graphql-ws server as it comes, with Shiplog's schema: what is POSTed is the next batch of
 * every tail. It is executed once for all, as in Shiplog, and turned into text for each.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import {
  buildSchema,
  type ExecutionArgs,
  type ExecutionResult,
  executeSubscriptionEvent,
  validateSubscriptionArgs,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const tails = new Set<(batch: object) => void>();
const executed = new WeakMap<object, ExecutionResult | Promise<ExecutionResult>>();
const EMPTY = { cursor: '', events: [], caughtUp: true, gap: null };

/** All subscribers of a run ask the same, so a batch is its own key. */
function execute(args: ExecutionArgs, batch: object): ExecutionResult | Promise<ExecutionResult> {
  let result = executed.get(batch);
  if (result === undefined) {
    const valid = validateSubscriptionArgs({ ...args, rootValue: { tail: batch } });
    if (!('operation' in valid)) throw valid[0];
    result = executeSubscriptionEvent(valid) as ExecutionResult | Promise<ExecutionResult>;
    executed.set(batch, result);
  }
  return result;
}

/** By hand, so that an idle tail ends when its client goes. */
function follow(args: ExecutionArgs): AsyncIterableIterator<ExecutionResult> {
  const waiting: object[] = [EMPTY];
  let wake: () => void = () => {};
  let over = false;
  const push = (batch: object) => {
    waiting.push(batch);
    wake();
  };
  tails.add(push);
  return {
    async next() {
      while (waiting.length === 0 && !over) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const batch = waiting.shift();
      if (batch === undefined || over) return { done: true, value: undefined };
      return { done: false, value: await execute(args, batch) };
    },
    async return() {
      over = true;
      tails.delete(push);
      wake();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const batch = JSON.parse(body) as object;
    for (const push of tails) push(batch);
    response.setHeader('content-length', 2).end('{}');
  });
});
useServer(
  { schema, subscribe: follow },
  new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false }),
);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
