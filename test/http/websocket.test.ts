import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_OPERATIONS } from '../../src/http/transports/connection.ts';
import { Peer } from '../support/websocket-peer.ts';
import {
  type HttpFixture,
  LOG_STEPS,
  rawRequest,
  startHttpFixture,
  stepEvents,
  websocketClient,
} from './support.ts';

const TAIL =
  'subscription ($task: ID!, $after: String) { tail(filter: { taskId: $task }, after: $after) { events { eventId } cursor } }';
const SUBSCRIPTIONS = 'shiplog_subscriptions{transport="websocket"}';

interface TailData {
  tail: { events: { eventId: string }[]; cursor: string };
}

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({
    heartbeatMs: 200,
    allowedOrigins: ['https://deploy.example'],
  });
});
afterAll(() => shiplog.close());

async function log(taskId: string, count: number, from = 0): Promise<void> {
  await shiplog.ingest.logSteps(stepEvents(taskId, count, from));
}

describe('a websocket, by the graphql-ws client', () => {
  it('follows events as they come, and a cursor resumes without a gap', async () => {
    const client = websocketClient(shiplog);
    const seen: string[] = [];
    let cursor = '';
    for (const [from, after] of [
      [0, () => null],
      [3, () => cursor],
    ] as const) {
      const stream = client.iterate<TailData>({
        query: TAIL,
        variables: { task: 't-ws', after: after() },
      });
      let logged = false;
      for await (const { data } of stream) {
        cursor = data?.tail.cursor ?? '';
        seen.push(...(data?.tail.events ?? []).map(({ eventId }) => eventId));
        if (seen.length >= from + 3) break;
        if (!logged) {
          logged = true;
          await log('t-ws', 3, from);
        }
      }
    }
    expect(seen).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5']);
    await client.dispose();
  });

  it('answers queries and mutations too', async () => {
    const client = websocketClient(shiplog);
    const inputs = stepEvents('t-ws-mutation', 2);
    const written = await client.iterate({ query: LOG_STEPS, variables: { inputs } }).next();
    expect(written.value).toMatchObject({ data: { logSteps: { stored: 2 } } });
    const read = await client.iterate({ query: '{ task(id: "t-ws-mutation") { id } }' }).next();
    expect(read.value).toEqual({ data: { task: { id: 't-ws-mutation' } } });
    await client.dispose();
  });

  it.each([
    ['tail', 'subscription { tail(filter: { taskId: "t-all" }, last: 1) { cursor } }'],
    ['taskChanged', 'subscription { taskChanged(id: "t-all") { id status } }'],
    ['tasksChanged', 'subscription { tasksChanged { cursor tasks { id } } }'],
    ['runsChanged', 'subscription { runsChanged(taskId: "t-all") { cursor snapshot { cells } } }'],
  ])('serves %s', async (_, query) => {
    await log('t-all', 1);
    const client = websocketClient(shiplog);
    const { value } = await client.iterate({ query }).next();
    expect(value).toHaveProperty('data');
    expect(value).not.toHaveProperty('errors');
    await client.dispose();
  });

  it('gives the errors of a bad operation, and stays open for others', async () => {
    const client = websocketClient(shiplog);
    await expect(client.iterate({ query: '{ nothing }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    const damaged = { query: TAIL, variables: { task: 't', after: 'not a cursor' } };
    await expect(client.iterate(damaged).next()).rejects.toMatchObject([
      { extensions: { code: 'CURSOR_INVALID' } },
    ]);
    const wide = `{ ${Array.from({ length: 40 }, (_, at) => `a${at}: __typename`).join(' ')} }`;
    await expect(client.iterate({ query: wide }).next()).rejects.toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX' } },
    ]);
    expect((await client.iterate({ query: '{ __typename }' }).next()).value).toEqual({
      data: { __typename: 'Query' },
    });
    await client.dispose();
  });
});

describe('disconnects', () => {
  it.each([
    ['complete', (peer: Peer) => peer.send({ id: '1', type: 'complete' })],
    ['close', (peer: Peer) => peer.socket.close()],
    ['cut the connection', (peer: Peer) => peer.socket.terminate()],
  ])('leave no subscription behind when idle clients %s', async (_, leave) => {
    const peers = await Promise.all(Array.from({ length: 20 }, () => new Peer(shiplog).open()));
    for (const peer of peers) peer.subscribe('1', TAIL, { task: 't-idle' });
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(20);
    for (const peer of peers) leave(peer);
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
    for (const peer of peers) peer.socket.terminate();
    await expect.poll(() => shiplog.metric('shiplog_ws_connections')).toBe(0);
  });

  it('do not stop a mutation that was taken in', async () => {
    const peer = await new Peer(shiplog).open();
    peer.subscribe('1', LOG_STEPS, { inputs: stepEvents('t-cut', 5) });
    await new Promise<void>((resolve) => {
      peer.socket.send(JSON.stringify({ type: 'ping' }), () => resolve());
    });
    expect(['pong', 'next']).toContain((await peer.next()).type);
    peer.socket.terminate();
    await expect.poll(async () => (await shiplog.store.tasksById(['t-cut']))[0]?.id).toBe('t-cut');
  });
});

describe('the rules of a websocket', () => {
  it('close it with 4408 where no connection_init comes within three seconds', async () => {
    const peer = new Peer(shiplog);
    const startedAt = performance.now();
    expect((await peer.closed).code).toBe(4408);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it.each([
    [4400, 'text that is no message', async (peer: Peer) => peer.send('hello')],
    [4400, 'an unknown type', async (peer: Peer) => peer.send({ type: 'start' })],
    [
      4400,
      'a subscription without an id',
      async (peer: Peer) => {
        await peer.open();
        peer.send({ type: 'subscribe', payload: { query: '{ __typename }' } });
      },
    ],
    [
      4401,
      'a subscription before connection_init',
      async (peer: Peer) => peer.subscribe('1', '{ __typename }'),
    ],
    [
      4409,
      'an id that is in use',
      async (peer: Peer) => {
        await peer.open();
        peer.subscribe('1', TAIL, { task: 't' });
        peer.subscribe('1', TAIL, { task: 't' });
      },
    ],
    [
      4429,
      'a second connection_init',
      async (peer: Peer) => {
        await peer.open();
        peer.send({ type: 'connection_init' });
      },
    ],
    [
      4400,
      'a ping that is nested deeper than it can be answered',
      async (peer: Peer) => {
        await peer.open();
        peer.send(`{"type":"ping","payload":${'['.repeat(400_000)}${']'.repeat(400_000)}}`);
      },
    ],
    [
      4400,
      'bytes that are not UTF-8',
      async (peer: Peer) => {
        await peer.open();
        peer.socket.send(Buffer.from('{"type":"ping","payload":{"text":"\xff"}}', 'latin1'));
      },
    ],
    [
      1009,
      'a message above 1 MiB',
      async (peer: Peer) => {
        await peer.open();
        peer.send('x'.repeat(1024 * 1024 + 1));
      },
    ],
  ])('close it with %i for %s', async (code, _, misbehave) => {
    const peer = new Peer(shiplog);
    if (peer.socket.readyState === WebSocket.CONNECTING && !String(misbehave).includes('open')) {
      await once(peer.socket, 'open');
    }
    await misbehave(peer);
    expect((await peer.closed).code).toBe(code);
  });

  it('close it with 4406 where it speaks another protocol', async () => {
    const peer = new Peer(shiplog, 'graphql-ws');
    await once(peer.socket, 'error');
    expect(peer.socket.readyState).not.toBe(WebSocket.OPEN);
  });

  it('refuse what is over the operations of one socket, and only that', async () => {
    const peer = await new Peer(shiplog).open();
    for (let at = 0; at <= MAX_OPERATIONS; at++) peer.subscribe(`s${at}`, TAIL, { task: 't-many' });
    let refused: Record<string, unknown> | null = null;
    while (refused === null) {
      const message = await peer.next();
      if (message.type === 'error') refused = message;
    }
    expect(refused).toMatchObject({
      id: `s${MAX_OPERATIONS}`,
      payload: [{ extensions: { code: 'OVERLOADED' } }],
    });
    expect(await shiplog.metric(SUBSCRIPTIONS)).toBe(MAX_OPERATIONS);
    peer.socket.terminate();
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(0);
  });

  it('count what was completed but still runs among the operations of one socket', async () => {
    const peer = await new Peer(shiplog).open();
    const query = '{ events(filter: { search: "-nothing" }) { totalCount } }';
    for (let at = 0; at < MAX_OPERATIONS * 20; at++) {
      peer.subscribe(`c${at}`, query);
      peer.send({ id: `c${at}`, type: 'complete' });
    }
    peer.send({ type: 'ping' });
    let overloaded = 0;
    for (;;) {
      const message = await peer.next();
      if (message.type === 'pong') break;
      if (message.type === 'error') overloaded++;
    }
    expect(overloaded).toBeGreaterThan(0);
    await expect
      .poll(async () => {
        peer.subscribe('after', '{ __typename }');
        for (;;) {
          const { id, type } = await peer.next();
          if (id === 'after') return type;
        }
      })
      .toBe('next');
    peer.socket.terminate();
  });

  it('stop reading one that does not take its answers, until it does', async () => {
    const peer = await new Peer(shiplog).open();
    const raw = (peer.socket as unknown as { _socket: Socket })._socket;
    raw.pause();
    const ping = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(500_000) } });
    const PINGS = 200;
    for (let at = 0; at < PINGS; at++) peer.send(ping);
    // Others are served meanwhile; what was sent stays with its sender.
    const other = await new Peer(shiplog).open();
    for (let at = 0; at < 20; at++) {
      other.send({ type: 'ping' });
      expect((await other.next()).type).toBe('pong');
    }
    expect(peer.socket.bufferedAmount).toBeGreaterThan((PINGS / 2) * ping.length);
    raw.resume();
    for (let at = 0; at < PINGS; at++) expect((await peer.next()).type).toBe('pong');
    for (const { socket } of [peer, other]) socket.terminate();
  });

  it('answer a ping of the protocol, with what it carried', async () => {
    const peer = await new Peer(shiplog).open();
    peer.send({ type: 'ping', payload: { n: 1 } });
    expect(await peer.next()).toEqual({ type: 'pong', payload: { n: 1 } });
    peer.socket.terminate();
  });

  it('close it with 4400 for a request that cannot be read', async () => {
    const peer = await new Peer(shiplog).open();
    peer.send({ id: '1', type: 'subscribe', payload: { query: '{ a }', variables: [] } });
    expect((await peer.closed).code).toBe(4400);
  });

  it('close it with 4400 for an id that is longer than 128 characters', async () => {
    const peer = await new Peer(shiplog).open();
    peer.subscribe('x'.repeat(129), '{ __typename }');
    expect((await peer.closed).code).toBe(4400);
  });

  it('let an id be used again once its subscription was completed', async () => {
    const peer = await new Peer(shiplog).open();
    for (let at = 0; at < 5; at++) {
      peer.subscribe('same', TAIL, { task: 't-again' });
      expect((await peer.next()).type).toBe('next');
      peer.send({ id: 'same', type: 'complete' });
    }
    peer.subscribe('same', TAIL, { task: 't-again' });
    expect((await peer.next()).type).toBe('next');
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(1);
    peer.socket.terminate();
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
  });

  it('take complete and subscribe of one id in one packet, and leave nothing behind', async () => {
    const peer = await new Peer(shiplog).open();
    peer.subscribe('same', TAIL, { task: 't-packet' });
    expect((await peer.next()).type).toBe('next');
    const raw = (peer.socket as unknown as { _socket: Socket })._socket;
    raw.cork();
    peer.send({ id: 'same', type: 'complete' });
    peer.subscribe('same', TAIL, { task: 't-packet' });
    raw.uncork();
    const { type } = await peer.next();
    expect(type).toBe('next');
    peer.socket.terminate();
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
  });

  it('leave nothing behind where a client goes while its subscriptions are being opened', async () => {
    for (let round = 0; round < 5; round++) {
      const peer = await new Peer(shiplog).open();
      for (let at = 0; at < 40; at++) peer.subscribe(`q${at}`, TAIL, { task: 't-quick' });
      for (let at = 0; at < 40; at += 2) peer.send({ id: `q${at}`, type: 'complete' });
      if (round % 2 === 0) peer.socket.terminate();
      else {
        await new Promise((sent) => peer.socket.send('{"type":"ping"}', sent));
        peer.socket.terminate();
      }
    }
    await expect.poll(() => shiplog.metric(SUBSCRIPTIONS)).toBe(0);
    await expect.poll(() => shiplog.tail.metrics().tail_subscriptions ?? 0).toBe(0);
    await expect.poll(() => shiplog.metric('shiplog_ws_connections')).toBe(0);
  });

  it('run nothing that comes after the socket was closed for a refusal', async () => {
    const peer = await new Peer(shiplog).open();
    peer.send({ type: 'connection_init' });
    peer.subscribe('1', LOG_STEPS, { inputs: stepEvents('t-after-close', 1) });
    expect((await peer.closed).code).toBe(4429);
    // What is asked afterwards by another comes behind whatever the first had run.
    await shiplog.ingest.logSteps(stepEvents('t-after-close-other', 1));
    expect((await shiplog.store.tasksById(['t-after-close']))[0]).toBeNull();
  });

  it('end what runs when the socket is closed for one of them, and not only when its client has answered', async () => {
    await expect.poll(() => shiplog.metric('shiplog_ws_connections')).toBe(0);
    const refused = [
      ['by the server', { id: '1', type: 'subscribe', payload: { query: TAIL } }, 4409],
      ['by the library', { type: 'connection_init' }, 4429],
    ] as const;
    for (const [who, message, code] of refused) {
      const peer = await new Peer(shiplog).open();
      peer.subscribe('1', TAIL, { task: 't-closing' });
      expect((await peer.next()).type).toBe('next');
      const raw = (peer.socket as unknown as { _socket: Socket })._socket;
      raw.pause();
      peer.send(message);
      await expect.poll(() => shiplog.tail.metrics().tail_subscriptions, { interval: 10 }).toBe(0);
      expect(await shiplog.metric('shiplog_ws_connections'), who).toBe(1);
      raw.resume();
      expect((await peer.closed).code).toBe(code);
      await expect.poll(() => shiplog.metric('shiplog_ws_connections')).toBe(0);
    }
  });

  it('end subscriptions with 1012 and without complete when the server stops', async () => {
    const other = await startHttpFixture({ heartbeatMs: 100 });
    const peer = await new Peer(other).open();
    peer.subscribe('1', TAIL, { task: 't' });
    expect((await peer.next()).type).toBe('next');
    const types: unknown[] = [];
    peer.socket.on('message', (data) =>
      types.push((JSON.parse(String(data)) as { type: string }).type),
    );
    await other.close();
    expect((await peer.closed).code).toBe(1012);
    expect(types).not.toContain('complete');
  });
});

describe('an upgrade', () => {
  const upgrade = (path: string, headers = ''): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;

  it.each(['https://evil.example', 'null', 'http://localhost:2'])(
    'by a page of %s is refused with 403',
    async (origin) => {
      const raw = await rawRequest(shiplog.port, upgrade('/graphql', `Origin: ${origin}\r\n`));
      expect(raw).toMatch(/^HTTP\/1\.1 403 Forbidden/);
    },
  );

  it('by a listed page, or one of this server, is taken', async () => {
    for (const origin of ['https://deploy.example', shiplog.url]) {
      const peer = await new Peer(shiplog, undefined, { origin }).open();
      peer.socket.terminate();
    }
  });

  it.each([
    ['localhost:443', 'https://localhost', 200],
    ['localhost:80', 'http://localhost', 200],
    ['localhost:80', 'https://localhost', 403],
    ['localhost', 'https://localhost:444', 403],
  ])('where a proxy hands on Host %s, a page of %s gets %i', async (host, origin, status) => {
    const body = '{"query":"{__typename}"}';
    const raw = await rawRequest(
      shiplog.port,
      `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: close\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(raw).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('elsewhere is refused with 404, and with a token in the address with 400', async () => {
    expect(await rawRequest(shiplog.port, upgrade('/other'))).toMatch(/^HTTP\/1\.1 404 /);
    expect(await rawRequest(shiplog.port, upgrade('/graphql?token=x'))).toMatch(/^HTTP\/1\.1 400 /);
  });
});
