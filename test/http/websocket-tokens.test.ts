/** Websockets where there are tokens: how one is told, and when its end closes the socket. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken, type NewToken } from '../../src/domain/token.ts';
import { Peer } from '../support/websocket-peer.ts';
import {
  type HttpFixture,
  LOG_STEPS,
  startHttpFixture,
  stepEvents,
  websocketClient,
} from './support.ts';

const TAIL = 'subscription ($task: ID!) { tail(filter: { taskId: $task }) { cursor } }';

describe('a websocket where there are tokens', () => {
  const reader = makeToken('reader', ['read'], null, Date.now());
  const stale = makeToken('stale', ['read'], Date.now() - 1, Date.now());
  const fileOf = (...tokens: NewToken[]): string => {
    const file = join(mkdtempSync(join(tmpdir(), 'shiplog-ws-')), 'tokens');
    writeFileSync(file, formatTokens(tokens.map(({ record }) => record)));
    return file;
  };
  let guarded: HttpFixture;
  let operationsRefused = 0;
  beforeAll(async () => {
    guarded = await startHttpFixture({ tokensFile: fileOf(reader, stale), token: reader.token });
  });
  afterAll(() => guarded.close());

  it.each([
    ['token', { token: reader.token }],
    ['Authorization', { Authorization: `Bearer ${reader.token}` }],
    ['authorization', { authorization: `Bearer ${reader.token}` }],
  ])('opens with one as %s in connection_init, for what its scopes allow', async (_, payload) => {
    const client = websocketClient(guarded, payload);
    const read = await client.iterate({ query: '{ task(id: "x") { id } }' }).next();
    expect(read.value).toEqual({ data: { task: null } });
    const inputs = stepEvents('t', 1);
    await expect(
      client
        .iterate({ query: LOG_STEPS, variables: { inputs } })
        .next()
        .then(({ value }) => {
          if (value.errors) throw value.errors;
        }),
    ).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const refused = await guarded.graphql({ query: LOG_STEPS, variables: { inputs } });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(await guarded.metric('shiplog_auth_failures_total{reason="scope"}')).toBe(
      ++operationsRefused * 2,
    );
    await client.dispose();
  });

  it('opens with one in the headers of its upgrade', async () => {
    const headers = { authorization: `Bearer ${reader.token}` };
    const peer = await new Peer(guarded, undefined, headers).open();
    peer.socket.terminate();
  });

  it.each([
    ['none', 4401, undefined],
    ['an unknown one', 4401, { token: makeToken('', ['read'], null, 0).token }],
    ['a wrong one', 4401, { token: `${reader.token.slice(0, -3)}AAA` }],
    ['an expired one, so that the client asks for a new one', 4403, { token: stale.token }],
  ])('is closed with %s', async (_, code, payload) => {
    const peer = new Peer(guarded);
    await once(peer.socket, 'open');
    peer.send({ type: 'connection_init', payload });
    expect((await peer.closed).code).toBe(code);
  });

  it('is closed with 4403 by the next operation once its token has lost a scope', async () => {
    const file = fileOf(reader);
    let later = 0;
    const now = (): number => Date.now() + later;
    const changing = await startHttpFixture({ tokensFile: file, token: reader.token, now });
    const peer = await new Peer(changing).open({ token: reader.token });
    writeFileSync(file, formatTokens([{ ...reader.record, scopes: ['ingest'] }]));
    later = 1_000;
    peer.subscribe('1', '{ task(id: "x") { id } }');
    expect(await peer.closed).toEqual({ code: 4403, reason: 'The token is changed' });
    await changing.close();
  });

  it('is closed with 4403 within a second of the moment at which its token is revoked', async () => {
    const other = makeToken('other', ['read'], null, Date.now());
    const file = join(mkdtempSync(join(tmpdir(), 'shiplog-ws-')), 'tokens');
    writeFileSync(file, formatTokens([other.record]));
    const open = await startHttpFixture({ tokensFile: file, token: other.token });
    const peer = await new Peer(open).open({ headers: { Authorization: `Bearer ${other.token}` } });
    peer.subscribe('1', TAIL, { task: 't' });
    expect((await peer.next()).type).toBe('next');
    writeFileSync(file, formatTokens([]));
    const revokedAt = Date.now();
    expect((await peer.closed).code).toBe(4403);
    expect(Date.now() - revokedAt).toBeLessThan(2_000);
    expect(open.tail.metrics().tail_subscriptions ?? 0).toBe(0);
    await open.close();
  });

  it('is closed with 4403 when its token expires', async () => {
    // The server's clock stands still until the socket is open.
    let startedAt: number | null = null;
    const now = (): number => (startedAt === null ? 0 : Date.now() - startedAt);
    const brief = makeToken('brief', ['read'], 1_000, 0);
    const tokensFile = fileOf(reader, brief);
    const shortly = await startHttpFixture({ tokensFile, token: reader.token, now });
    const peer = await new Peer(shortly).open({ token: brief.token });
    peer.subscribe('1', TAIL, { task: 't' });
    startedAt = Date.now();
    expect(await peer.closed).toEqual({ code: 4403, reason: 'The token is expired' });
    await expect.poll(() => shortly.metric('shiplog_subscriptions{transport="websocket"}')).toBe(0);
    await shortly.close();
  });
});
