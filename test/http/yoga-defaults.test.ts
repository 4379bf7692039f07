/**
 * What GraphQL Yoga does by itself and Shiplog has switched off: each with what the stock server
 * answers (where that changes, the setting can go) beside what ours does.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpFixture, startHttpFixture } from './support.ts';

let ours: HttpFixture;
let stock: Server;
let stockUrl: string;
beforeAll(async () => {
  ours = await startHttpFixture({ lane: false });
  const schema = createSchema({
    typeDefs: `type Query { echo(text: String): String } type Mutation { write: Int }
      type Subscription { count: Int }`,
    resolvers: {
      Query: { echo: (_: unknown, { text }: { text?: string }) => text ?? 'nothing' },
      Mutation: { write: () => 1 },
      Subscription: {
        count: {
          async *subscribe() {
            yield { count: 1 };
          },
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false });
  stock = createServer(yoga);
  await new Promise<void>((listening) => stock.listen(0, '127.0.0.1', listening));
  stockUrl = `http://127.0.0.1:${(stock.address() as AddressInfo).port}`;
});
afterAll(async () => {
  stock.closeAllConnections();
  stock.close();
  await ours.close();
});

interface Seen {
  status: number;
  headers: Headers;
  text: string;
}

async function both(path: string, init: RequestInit): Promise<{ stock: Seen; ours: Seen }> {
  const seen = async (url: string): Promise<Seen> => {
    const response = await fetch(url + path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { stock: await seen(stockUrl), ours: await seen(ours.url) };
}

const JSON_BODY = { 'content-type': 'application/json' };
const TYPENAME = JSON.stringify({ query: '{ __typename }' });

describe('what Yoga does by itself', () => {
  it('cors: any page may read with credentials; ours tells other pages nothing', async () => {
    const headers = { ...JSON_BODY, origin: 'https://evil.example' };
    const seen = await both('/graphql', { method: 'POST', headers, body: TYPENAME });
    expect(seen.stock.headers.get('access-control-allow-credentials')).toBe('true');
    expect(seen.ours.status).toBe(403);
    expect(seen.ours.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['application/x-www-form-urlencoded', `query=${encodeURIComponent('mutation { write }')}`],
    ['application/graphql', 'mutation { write }'],
  ])('%s: a page can post it unasked; ours takes JSON only', async (type, body) => {
    const headers = { 'content-type': type };
    const seen = await both('/graphql', { method: 'POST', headers, body });
    expect(seen.stock.text).toBe('{"data":{"write":1}}');
    expect(seen.ours.status).toBe(415);
  });

  it('multipart: the same; ours takes JSON only', async () => {
    const body = new FormData();
    body.set('operations', JSON.stringify({ query: 'mutation { write }' }));
    body.set('map', '{}');
    const seen = await both('/graphql', { method: 'POST', body });
    expect(seen.stock.text).toBe('{"data":{"write":1}}');
    expect(seen.ours.status).toBe(415);
  });

  it('charset: whatever it says is read as UTF-8; ours refuses what it cannot read', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-16' };
    const seen = await both('/graphql', { method: 'POST', headers, body: TYPENAME });
    expect(seen.stock.status).toBe(200);
    expect(seen.ours.status).toBe(415);
  });

  it('bytes that are not UTF-8: replaced in silence; ours refuses them', async () => {
    const body = Buffer.from('{"query":"{ echo(text: \\"\xff\\") }"}', 'latin1');
    const seen = await both('/graphql', { method: 'POST', headers: JSON_BODY, body });
    expect(seen.stock.text).toContain('\ufffd');
    expect(seen.ours.status).toBe(400);
  });

  it('broken JSON in a body: all of it is told back; ours tells where it broke', async () => {
    const body = `{"secret":"${'s'.repeat(5_000)}`;
    const seen = await both('/graphql', { method: 'POST', headers: JSON_BODY, body });
    expect(seen.stock.text).toContain('s'.repeat(5_000));
    expect(seen.ours.status).toBe(400);
    expect(seen.ours.text.length).toBeLessThan(1_000);
  });

  it('broken JSON in an address: a fault of the server; ours says which parameter', async () => {
    const seen = await both('/graphql?query={__typename}&variables={', {});
    expect(seen.stock.status).toBe(500);
    expect(seen.ours.status).toBe(400);
    expect(seen.ours.text).toContain('"field":"variables"');
  });

  it('health check: every address that ends so is a 200; ours answers the query', async () => {
    const seen = await both('/graphql?query={__typename}&x=/health', {});
    expect(seen.stock.text).toBe('');
    expect(seen.ours.text).toBe('{"data":{"__typename":"Query"}}');
  });

  it('GraphiQL and a landing page: scripts from elsewhere; ours has pages of its own', async () => {
    const seen = await both('/graphql', { headers: { accept: 'text/html' } });
    expect(seen.stock.text).toMatch(/<html/);
    expect(seen.ours.text).not.toMatch(/<html/);
  });

  it('a subscription without Accept: streamed to who cannot read it; ours says what to send', async () => {
    const subscription = (field: string) => ({
      method: 'POST',
      headers: JSON_BODY,
      body: JSON.stringify({ query: `subscription { ${field} }` }),
    });
    const streamed = await fetch(`${stockUrl}/graphql`, subscription('count'));
    expect(streamed.headers.get('content-type')).toBe('text/event-stream');
    await streamed.text();
    const refused = await fetch(`${ours.url}/graphql`, subscription('tail(filter: {}) { cursor }'));
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('text/event-stream');
  });

  it('HEAD: refused; ours answers it as GET without a body', async () => {
    const seen = await both('/graphql?query={__typename}', { method: 'HEAD' });
    expect(seen.stock.status).toBe(405);
    expect(seen.ours.status).toBe(200);
  });

  it('event streams: a content encoding that does not exist, and no charset', async () => {
    const headers = { ...JSON_BODY, accept: 'text/event-stream' };
    const seen = await both('/graphql', { method: 'POST', headers, body: TYPENAME });
    expect(seen.stock.headers.get('content-encoding')).toBe('none');
    expect(seen.ours.headers.get('content-encoding')).toBeNull();
    expect(seen.ours.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  });
});
