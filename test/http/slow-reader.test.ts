import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startHttpFixture, stepEvents } from './support.ts';

const TAIL =
  'subscription { tail(filter: { taskId: "t-slow" }) { events { eventId message } cursor } }';
const EVENTS = 20_000;
const BATCH = 1_000;

interface Next {
  type: string;
  payload?: { data: { tail: { events: { eventId: string }[] } } };
}

describe('a reader that takes nothing for a while', () => {
  it('holds up nobody, costs little memory, and gets everything in order afterwards', async () => {
    const shiplog = await startHttpFixture({ heartbeatMs: 200 });
    const url = `${shiplog.url.replace('http', 'ws')}/graphql`;
    const slow = new WebSocket(url, 'graphql-transport-ws');
    const got: string[] = [];
    slow.on('message', (data) => {
      const { payload, type } = JSON.parse(String(data)) as Next;
      if (type === 'next')
        got.push(...(payload?.data.tail.events ?? []).map(({ eventId }) => eventId));
    });
    await once(slow, 'open');
    slow.send('{"type":"connection_init"}');
    slow.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: TAIL } }));
    await expect.poll(() => shiplog.metric('shiplog_subscriptions{transport="websocket"}')).toBe(1);
    (slow as unknown as { _socket: Socket })._socket.pause();

    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const quick = client.iterate<NonNullable<Next['payload']>['data']>({ query: TAIL });
    const first = quick.next();
    await expect.poll(() => shiplog.metric('shiplog_subscriptions{transport="websocket"}')).toBe(2);
    const writing = (async () => {
      for (let from = 0; from < EVENTS; from += BATCH) {
        const events = stepEvents('t-slow', BATCH, from);
        await shiplog.ingest.logSteps(
          events.map((event) => ({ ...event, message: 'x'.repeat(500) })),
        );
      }
    })();
    let seen = (await first).value?.data?.tail.events.length ?? 0;
    for await (const { data } of quick) {
      seen += data?.tail.events.length ?? 0;
      if (seen >= EVENTS) break;
    }
    expect(seen).toBe(EVENTS);
    await writing;
    expect(got.length).toBeLessThan(EVENTS);

    (slow as unknown as { _socket: Socket })._socket.resume();
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(EVENTS);
    expect(got).toEqual(Array.from({ length: EVENTS }, (_, at) => `e${at}`));
    slow.terminate();
    await client.dispose();
    await shiplog.close();
  });
});
