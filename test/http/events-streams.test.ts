/** NDJSON that comes as it is made: what it may hold, how long it may pause, what stops it. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { BodyBudget } from '../../src/http/body/body.ts';
import { type EventsOptions, eventsRoute } from '../../src/http/endpoints/events.ts';
import { type Answer, eventsSender, lines } from './events-sender.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from './support.ts';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ maxBodyBytes: 2_000_000 });
});
afterAll(() => shiplog.close());

const { post, stored } = eventsSender(() => shiplog);

/** The endpoint alone, with what it is given to work with. */
async function serveEvents(
  options: Partial<EventsOptions>,
): Promise<{ server: Server; port: number }> {
  const route = eventsRoute({
    ingest: shiplog.ingest,
    auth: { requireStanding: () => {} },
    maxBodyBytes: 1_000_000,
    budget: new BodyBudget(10_000_000),
    longMessages: 'cut',
    staleAfterMs: 300_000,
    onFault: () => {},
    ...options,
  });
  const principal = {
    tokenId: null,
    scopes: new Set<never>(),
    expiresAt: null,
    record: null,
    address: null,
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    void route.handle({ request, response, url, principal });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A piece of a body that is sent as it is made. */
function chunk(event: unknown): string {
  const line = `${JSON.stringify(event)}\n`;
  return `${line.length.toString(16)}\r\n${line}\r\n`;
}

/** A stream that is begun and stays open. */
function beginStream(port: number, first: unknown, token = ''): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n' +
      `Authorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(first)}`,
  );
  return socket;
}

describe('streams that wait for their senders', () => {
  it('take nothing of the memory for bodies from others', async () => {
    const budget = new BodyBudget(100_000);
    const { port, server } = await serveEvents({ budget });
    const streams = stepEvents('t-waiting', 40).map((event) => beginStream(port, event));
    await expect.poll(() => stored('t-waiting')).toHaveLength(40);
    expect(budget.heldBytes).toBe(0);
    const answer = await post(lines(stepEvents('t-beside', 10)), undefined, {
      url: `http://127.0.0.1:${port}`,
    });
    expect(answer).toMatchObject({ status: 200, stored: 10 });
    for (const stream of streams) stream.destroy();
    server.closeAllConnections();
    server.close();
  });
});

describe('a stream in full flow', () => {
  it('is stored in large batches, in order', async () => {
    const sizes: number[] = [];
    const ingest: EventsOptions['ingest'] = {
      noteRejected: shiplog.ingest.noteRejected,
      logSteps(raws) {
        sizes.push(raws.length);
        return shiplog.ingest.logSteps(raws);
      },
    };
    const { port, server } = await serveEvents({ ingest });
    const answer = await post(lines(stepEvents('t-flow', 10_000)), undefined, {
      url: `http://127.0.0.1:${port}`,
    });
    expect(answer).toMatchObject({ status: 200, stored: 10_000 });
    expect(sizes.length).toBeLessThanOrEqual(15);
    const first = Array.from({ length: 1_000 }, (_, i) => `line ${i}`);
    expect(await stored('t-flow')).toEqual(first);
    server.closeAllConnections();
    server.close();
  });
});

describe('a stream whose token is revoked', () => {
  it('stores nothing that comes after it, and is told what was taken', async () => {
    const { record, token } = makeToken('agent', ['ingest'], null, Date.now());
    const tokensFile = join(await mkdtemp(join(tmpdir(), 'shiplog-stream-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([record]));
    const guarded = await startHttpFixture({ tokensFile, token });
    const [first, second] = stepEvents('t-revoked', 2);
    const socket = beginStream(guarded.port, first, token);
    const there = eventsSender(() => guarded).stored;
    await expect.poll(() => there('t-revoked')).toHaveLength(1);
    writeFileSync(tokensFile, formatTokens([]));
    await expect
      .poll(async () => (await guarded.graphql({ query: '{ __typename }' })).status)
      .toBe(401);
    socket.write(chunk(second));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    expect(JSON.parse(String(answer).split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: 'UNAUTHENTICATED', message: 'The token is revoked' },
      ...{ taken: 1, stored: 1 },
    });
    expect(await there('t-revoked')).toHaveLength(1);
    socket.destroy();
    await guarded.close();
  });
});

describe('a stream that pauses for too long', () => {
  it('is answered with what was taken, and what comes after that is not', async () => {
    const { server, port } = await serveEvents({ waitMs: 300 });
    const [first, second] = stepEvents('t-pause', 2);
    const socket = beginStream(port, first);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /);
    expect(JSON.parse(String(answer).split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: 'BODY_TIMEOUT', message: expect.stringContaining('0.3 seconds') },
      taken: 1,
      stored: 1,
    });
    socket.end(`${chunk(second)}0\r\n\r\n`);
    await once(socket, 'close');
    const { data } = await shiplog.graphql({
      query: '{ events(filter: { taskId: "t-pause" }) { nodes { eventId kind } } }',
    });
    expect(JSON.stringify(data)).toContain('"e0"');
    expect(JSON.stringify(data)).not.toContain('"e1"');
    server.close();
  });
});

describe('a stream that the store stops in the middle', () => {
  it('is told at once, also while the sender pauses', async () => {
    const full = new ShiplogError('OVERLOADED', 'full', { retryAfterMs: 2_500 });
    const [first, second] = stepEvents('t-told', 2);
    let calls = 0;
    const { port, server } = await serveEvents({
      ingest: {
        noteRejected: shiplog.ingest.noteRejected,
        logSteps: (raws) => (++calls === 1 ? shiplog.ingest.logSteps(raws) : Promise.reject(full)),
      },
    });
    const socket = beginStream(port, first);
    await expect.poll(() => stored('t-told')).toHaveLength(1);
    socket.write(chunk(second));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 429 /);
    expect(String(answer)).toContain('"taken":1');
    server.closeAllConnections();
    server.close();
  });

  it('says how many lines were taken, so that the rest can be sent again', async () => {
    // The real ingest, until it is told to be full: the one thing that cannot be timed from outside.
    let room = 1_500;
    const ingest: EventsOptions['ingest'] = {
      noteRejected: shiplog.ingest.noteRejected,
      logSteps(raws) {
        room -= raws.length;
        return room >= 0
          ? shiplog.ingest.logSteps(raws)
          : Promise.reject(new ShiplogError('OVERLOADED', 'full', { retryAfterMs: 2_500 }));
      },
    };
    const { port, server } = await serveEvents({ ingest });
    const events = stepEvents('t-middle', 3_000);
    const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines(events),
    });
    const answer = (await response.json()) as Answer;
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(answer).toMatchObject({ error: { code: 'OVERLOADED' }, stored: answer.taken });
    expect(answer.taken).toBeGreaterThan(0);
    expect(answer.taken).toBeLessThanOrEqual(1_500);
    const rest = await post(lines(events.slice(answer.taken)));
    expect(rest).toMatchObject({ stored: 3_000 - (answer.taken ?? 0), duplicates: 0 });
    server.closeAllConnections();
    server.close();
  });
});
