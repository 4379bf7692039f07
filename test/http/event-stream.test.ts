import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { type HttpFixture, LOG_STEPS, startHttpFixture, stepEvents } from './support.ts';

const TAIL =
  'subscription ($task: ID!, $after: String) { tail(filter: { taskId: $task }, after: $after) { events { eventId } cursor } }';
const OPEN = 'shiplog_subscriptions{transport="sse"}';

interface TailData {
  tail: { events: { eventId: string }[]; cursor: string };
}

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ heartbeatMs: 200 });
});
afterAll(() => shiplog.close());

function clientOf({ url }: HttpFixture, retryAttempts = 0) {
  return createClient({ url: `${url}/graphql`, retryAttempts });
}

describe('server-sent events, by the graphql-sse client', () => {
  it('follow events as they come, and a cursor resumes without a gap', async () => {
    const client = clientOf(shiplog);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (const from of [0, 3]) {
      let logged = false;
      const variables: Record<string, unknown> = { task: 't-sse', after: cursor };
      const stream = client.iterate<TailData>({ query: TAIL, variables });
      for await (const { data } of stream) {
        cursor = data?.tail.cursor ?? null;
        seen.push(...(data?.tail.events ?? []).map(({ eventId }) => eventId));
        if (seen.length >= from + 3) break;
        if (logged) continue;
        logged = true;
        await shiplog.ingest.logSteps(stepEvents('t-sse', 3, from));
      }
    }
    expect(seen).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5']);
    client.dispose();
    await expect.poll(() => shiplog.metric(OPEN)).toBe(0);
  });

  it.each([
    ['tail', 'subscription { tail(filter: { taskId: "t-sse-all" }, last: 1) { cursor } }'],
    ['taskChanged', 'subscription { taskChanged(id: "t-sse-all") { id status } }'],
    ['tasksChanged', 'subscription { tasksChanged { cursor tasks { id } } }'],
    [
      'runsChanged',
      'subscription { runsChanged(taskId: "t-sse-all") { cursor snapshot { cells } } }',
    ],
    ['a query', '{ task(id: "t-sse-all") { id } }'],
  ])('serve %s', async (_, query) => {
    await shiplog.ingest.logSteps(stepEvents('t-sse-all', 1));
    const client = clientOf(shiplog);
    const { value } = await client.iterate({ query }).next();
    expect(value).toHaveProperty('data');
    expect(value).not.toHaveProperty('errors');
    client.dispose();
  });

  it('serve a mutation', async () => {
    const client = clientOf(shiplog);
    const variables = { inputs: stepEvents('t-sse-mutation', 2) };
    const { value } = await client.iterate({ query: LOG_STEPS, variables }).next();
    expect(value).toMatchObject({ data: { logSteps: { stored: 2 } } });
    client.dispose();
  });

  it.each([
    ['GRAPHQL_VALIDATION_FAILED', { query: '{ nothing }' }],
    ['CURSOR_INVALID', { query: TAIL, variables: { task: 't', after: 'x' } }],
    ['BAD_USER_INPUT', { query: TAIL, variables: {} }],
    ['QUERY_TOO_COMPLEX', { query: `{ ${'a '.repeat(2_000)} }` }],
  ])('give %s as a result and end', async (code, request) => {
    const client = clientOf(shiplog);
    const results = [];
    for await (const result of client.iterate(request)) results.push(result);
    expect(results).toMatchObject([{ errors: [{ extensions: { code } }] }]);
    client.dispose();
  });

  it('are not begun by HEAD, which nobody could read', async () => {
    const query = 'subscription { tail(filter: { taskId: "t" }) { cursor } }';
    const response = await fetch(`${shiplog.url}/graphql?query=${encodeURIComponent(query)}`, {
      method: 'HEAD',
      headers: { accept: 'text/event-stream' },
    });
    expect(response.status).toBe(400);
    expect(await shiplog.metric(OPEN)).toBe(0);
  });

  it('are cut, not completed, when the server stops, so that clients connect again', async () => {
    const other = await startHttpFixture({ heartbeatMs: 100 });
    const client = clientOf(other);
    const stream = client.iterate({ query: TAIL, variables: { task: 't' } });
    await stream.next();
    const closing = other.close();
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow();
    await closing;
  });
});

describe('a stream whose token expires', () => {
  it('is cut at that moment', async () => {
    // The server's clock stands still until the stream is open.
    let startedAt: number | null = null;
    const now = (): number => (startedAt === null ? 0 : Date.now() - startedAt);
    const brief = makeToken('brief', ['read'], 1_000, 0);
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-sse-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([brief.record]));
    const guarded = await startHttpFixture({ tokensFile, now });
    const query = 'subscription { tail(filter: { taskId: "t" }) { cursor } }';
    const response = await fetch(`${guarded.url}/graphql?query=${encodeURIComponent(query)}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${brief.token}` },
    });
    expect(response.status).toBe(200);
    startedAt = Date.now();
    await expect(response.text()).rejects.toThrow();
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await expect.poll(() => guarded.tail.metrics().tail_subscriptions).toBe(0);
    await guarded.close();
  });
});

describe('a stream whose reader has gone', () => {
  it('is ended, also while nothing happens', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const socket = connect(shiplog.port, '127.0.0.1');
        const url = `/graphql?query=${encodeURIComponent('subscription { tail(filter: { taskId: "idle" }) { cursor } }')}`;
        socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
        return socket;
      }),
    );
    await expect.poll(() => shiplog.metric(OPEN)).toBe(10);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => shiplog.metric(OPEN)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
  });
});
