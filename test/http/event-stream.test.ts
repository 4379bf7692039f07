import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import {
  type HttpFixture,
  LOG_STEPS,
  rawRequest,
  startHttpFixture,
  stepEvents,
} from './support.ts';

const TAIL =
  'subscription ($task: ID!, $after: String) { tail(filter: { taskId: $task }, after: $after) { events { eventId } cursor } }';
const OPEN = 'shiplog_subscriptions{transport="sse"}';

interface TailData {
  tail: { events: { eventId: string }[]; cursor: string };
}

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ heartbeatMs: 200, maxBodyBytes: 200_000 });
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

  it('complete with a batch that failed, so that what it brought comes behind the last cursor', async () => {
    const client = clientOf(shiplog);
    const TASKS = 'subscription ($after: String) { tasksChanged(after: $after) { cursor tasks { id';
    interface TasksData {
      tasksChanged: { cursor: string; tasks: { id: string }[] };
    }
    // Without a task in it a batch is sound; the groups of one are asked for as they cannot be.
    const failing = `${TASKS} failureGroups(first: 0) { fingerprint } } } }`;
    const start = await client.iterate<TasksData>({ query: `${TASKS} } } }` }).next();
    let cursor = start.value?.data?.tasksChanged.cursor;
    await shiplog.ingest.logSteps(stepEvents('t-sse-lost', 1));
    const codes: unknown[] = [];
    for await (const { data, errors } of client.iterate<TasksData>({
      query: failing,
      variables: { after: cursor },
    })) {
      if (codes.length > 0) throw new Error('it goes on past the batch that failed');
      if (errors === undefined) cursor = data?.tasksChanged.cursor;
      else codes.push(errors[0]?.extensions?.code);
    }
    expect(codes).toEqual(['BAD_INPUT']);
    const seen = new Set<string>();
    const resumed = { query: `${TASKS} } } }`, variables: { after: cursor } };
    for await (const { data } of client.iterate<TasksData>(resumed)) {
      for (const { id } of data?.tasksChanged.tasks ?? []) seen.add(id);
      if (seen.has('t-sse-lost')) break;
    }
    client.dispose();
    await expect.poll(() => shiplog.metric(OPEN)).toBe(0);
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

async function read(
  body: object,
  headers = {},
  url = shiplog.url,
): Promise<[number, string, Headers]> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(body),
  });
  return [response.status, await response.text(), response.headers];
}

describe('limits on event streams', () => {
  it.each([
    [
      'depth',
      {
        query: `subscription { tasksChanged { tasks { runs { nodes { ${'task { runs { nodes { '.repeat(4)} id ${'} } }'.repeat(4)} } } } } }`,
      },
    ],
    [
      'cost',
      {
        query:
          'subscription {tasksChanged{tasks{runs(first:500){nodes{steps{events(first:500){nodes{id}}}}}}}}',
      },
    ],
    [
      'aliases',
      { query: `{ ${Array.from({ length: 31 }, (_, at) => `a${at}: __typename`).join(' ')} }` },
    ],
    ['tokens', { query: `{ ${'__typename '.repeat(1_001)} }` }],
  ])('of %s hold', async (_, body) => {
    const [status, text, headers] = await read(body);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(text).toContain('QUERY_TOO_COMPLEX');
    expect(text).toMatch(/event: complete\ndata:\n\n$/);
    expect(text).not.toContain('"http"');
  });

  it('of the body hold, with a length, in chunks, compressed, before it is sent', async () => {
    const big = { query: '{ __typename }', extensions: { x: 'x'.repeat(300_000) } };
    const [status, text] = await read(big);
    expect([status, text.includes('BODY_TOO_LARGE')]).toEqual([413, true]);
    const head =
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n';
    const chunked = await rawRequest(
      shiplog.port,
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      `${(250_000).toString(16)}\r\n${'x'.repeat(250_000)}\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(chunked).toContain('"BODY_TOO_LARGE"');
    const asked = await rawRequest(
      shiplog.port,
      `${head}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n`,
    );
    expect(asked).toMatch(/^HTTP\/1\.1 413 /);
    const bomb = gzipSync(
      Buffer.from(
        JSON.stringify({ query: '{ __typename }', extensions: { x: 'x'.repeat(5_000_000) } }),
      ),
    );
    expect(bomb.length).toBeLessThan(200_000);
    const response = await fetch(`${shiplog.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        accept: 'text/event-stream',
      },
      body: bomb,
    });
    expect([response.status, (await response.text()).includes('BODY_TOO_LARGE')]).toEqual([
      413,
      true,
    ]);
    const fine = await fetch(`${shiplog.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        accept: 'text/event-stream',
      },
      body: gzipSync(JSON.stringify({ query: '{ __typename }' })),
    });
    expect(await fine.text()).toContain('{"data":{"__typename":"Query"}}');
  });

  it('refuse bytes that are not UTF-8, forms, batches, and do not echo a broken body', async () => {
    const post = async (type: string, body: BodyInit) => {
      const response = await fetch(`${shiplog.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': type, accept: 'text/event-stream' },
        body,
      });
      return [response.status, await response.text()] as const;
    };
    expect(
      (
        await post('application/json', Buffer.from('{"query":"{ a(b: \\"\xff\\") }"}', 'latin1'))
      )[0],
    ).toBe(400);
    expect((await post('application/x-www-form-urlencoded', 'query={__typename}'))[0]).toBe(415);
    expect((await post('application/json', '[{"query":"{__typename}"}]'))[0]).toBe(400);
    const [status, text] = await post('application/json', `{"secret":"${'s'.repeat(5_000)}`);
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(1_000);
  });

  it('scopes hold and are counted; tokens are asked for', async () => {
    const ingest = makeToken('ingest', ['ingest'], null, Date.now());
    const reader = makeToken('reader', ['read'], null, Date.now());
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-sse-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([ingest.record, reader.record]));
    const guarded = await startHttpFixture({ tokensFile, token: reader.token });
    const query = 'subscription { tail(filter: {}) { cursor } }';
    expect((await read({ query }, {}, guarded.url))[0]).toBe(401);
    const [status, text] = await read(
      { query },
      { authorization: `Bearer ${ingest.token}` },
      guarded.url,
    );
    expect([status, text.includes('FORBIDDEN')]).toEqual([200, true]);
    const variables = { inputs: stepEvents('t', 1) };
    const [, other] = await read(
      { query: LOG_STEPS, variables },
      { authorization: `Bearer ${reader.token}` },
      guarded.url,
    );
    expect(other).toContain('FORBIDDEN');
    expect(await guarded.metric('shiplog_auth_failures_total{reason="scope"}')).toBe(2);
    expect(await guarded.metric(OPEN)).toBe(0);
    await guarded.close();
  });
});

describe('headers of event streams', () => {
  it('say what they are and no more', async () => {
    const [, , headers] = await read({ query: '{ __typename }' });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('content-encoding')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
  });
});

describe('a connection that its client wants closed after the answer', () => {
  it('is closed after an event stream too', async () => {
    const raw = await rawRequest(
      shiplog.port,
      'GET /graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n',
    );
    expect(raw).toMatch(/event: complete/);
    expect(raw).toMatch(/\r\nconnection: close\r\n/i);
  });
});

describe('readers that go', () => {
  it('while a stream is being opened leave nothing behind', async () => {
    const url = `/graphql?query=${encodeURIComponent('subscription { tail(filter: { taskId: "gone" }) { cursor } }')}`;
    for (let round = 0; round < 60; round++) {
      const socket = connect(shiplog.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
      // At another moment of its opening each time.
      for (let turn = 0; turn < round % 12; turn++) await new Promise(setImmediate);
      socket.resetAndDestroy();
    }
    await expect.poll(() => shiplog.metric(OPEN)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
  });
});

describe('a slow reader of an event stream', () => {
  it('costs little memory and gets everything in order afterwards', async () => {
    const url = `/graphql?query=${encodeURIComponent('subscription { tail(filter: { taskId: "t-slow-sse" }) { events { eventId message } cursor } }')}`;
    const socket: Socket = connect(shiplog.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
    await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    await expect.poll(() => shiplog.metric(OPEN)).toBe(1);
    socket.pause();
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    const message = 'x'.repeat(500);
    for (let from = 0; from < 20_000; from += 1_000) {
      await shiplog.ingest.logSteps(
        stepEvents('t-slow-sse', 1_000, from).map((event) => ({ ...event, message })),
      );
    }
    // 10 MB were stored; of them this reader holds what its socket takes.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    socket.resume();
    const ids = () => [...text.matchAll(/"eventId":"(e\d+)"/g)].map(([, id]) => id);
    await expect.poll(() => ids().length, { timeout: 20_000 }).toBe(20_000);
    expect(ids()).toEqual(Array.from({ length: 20_000 }, (_, at) => `e${at}`));
    socket.destroy();
    await expect.poll(() => shiplog.metric(OPEN)).toBe(0);
  });
});
