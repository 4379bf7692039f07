import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import {
  type HttpFixture,
  LOG_STEPS,
  rawRequest,
  startHttpFixture,
  stepEvents,
} from './support.ts';

async function use(
  options: Parameters<typeof startHttpFixture>[0],
  test: (shiplog: HttpFixture) => Promise<void>,
): Promise<void> {
  const shiplog = await startHttpFixture(options);
  try {
    await test(shiplog);
  } finally {
    await shiplog.close();
  }
}

async function statusOf(shiplog: HttpFixture, path: string): Promise<number> {
  return (await fetch(shiplog.url + path)).status;
}

describe('what operators ask', () => {
  it('is answered: alive, ready, version, schema, metrics', () =>
    use({}, async (shiplog) => {
      for (const path of ['/livez', '/readyz', '/version', '/schema.graphql', '/metrics']) {
        expect([path, await statusOf(shiplog, path)]).toEqual([path, 200]);
      }
      const version = await (await fetch(`${shiplog.url}/version`)).json();
      expect(version).toEqual({ version: '0.0.0-test', engine: 'sqlite', node: process.version });
      const schema = buildSchema(await (await fetch(`${shiplog.url}/schema.graphql`)).text());
      expect(schema.getQueryType()?.getFields().task).toBeDefined();
    }));

  it('is told to any token where there are tokens: version and schema; to read alone: metrics', async () => {
    const agent = makeToken('agent', ['ingest'], null, Date.now());
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-health-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([agent.record]));
    await use({ tokensFile }, async ({ url }) => {
      const headers = { authorization: `Bearer ${agent.token}` };
      for (const [path, open, known] of [
        ['/livez', 200, 200],
        ['/version', 401, 200],
        ['/schema.graphql', 401, 200],
        ['/metrics', 401, 403],
      ]) {
        const statuses = [await fetch(`${url}${path}`), await fetch(`${url}${path}`, { headers })];
        expect([path, ...statuses.map(({ status }) => status)]).toEqual([path, open, known]);
      }
    });
  });

  it('is "not ready" with the reason while the store is not well, but alive', () =>
    use({ notReady: async () => 'the disk is full' }, async (shiplog) => {
      const response = await fetch(`${shiplog.url}/readyz`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ ok: false, reason: 'the disk is full' });
      expect(await statusOf(shiplog, '/livez')).toBe(200);
    }));

  it('counts requests by route and events by outcome', () =>
    use({}, async (shiplog) => {
      const inputs = stepEvents('t-metrics', 4);
      await shiplog.graphql({ query: LOG_STEPS, variables: { inputs } });
      await shiplog.graphql({ query: LOG_STEPS, variables: { inputs } });
      expect(await shiplog.metric('shiplog_ingest_stored_total')).toBe(4);
      expect(await shiplog.metric('shiplog_ingest_duplicate_total')).toBe(4);
      const text = await (await fetch(`${shiplog.url}/metrics`)).text();
      expect(text).toMatch(
        /http_server_request_duration_seconds_count\{http_request_method="POST",http_response_status_code="200",http_route="\/graphql"\} 2/,
      );
      expect(text).toMatch(/shiplog_build_info\{version="0.0.0-test",engine="sqlite",node="v/);
      for (const line of text.split('\n')) {
        expect(line).toMatch(/^$|^# |^[a-zA-Z_:][\w:]*(\{.*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/i);
      }
    }));

  it('explains every number that is counted', () =>
    use({}, async (shiplog) => {
      const text = await (await fetch(`${shiplog.url}/metrics`)).text();
      const names = text.matchAll(/^([a-z_:]+)(?:\{.*\})? /gim);
      const families = new Set(
        [...names].map(([, name]) => name?.replace(/_(bucket|sum|count)$/, '')),
      );
      const lacking = [...families].filter(
        (name) => !text.includes(`# HELP ${name} `) || !text.includes(`# TYPE ${name} `),
      );
      expect(lacking).toEqual([]);
      expect(text).not.toContain('Not described.');
      expect(text).toContain('# TYPE shiplog_ingest_stored_total counter');
      expect(text).toContain('# TYPE shiplog_ingest_queued_events gauge');
    }));

  it('counts rejections and errors of GraphQL by their code', () =>
    use({}, async (shiplog) => {
      const post = (body: string) =>
        fetch(`${shiplog.url}/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body,
        });
      await post('{"taskId":"t","host":"h","step":"s","message":"m","date":1}\n{"broken\n');
      await shiplog.graphql({ query: '{ nothing }' });
      await shiplog.graphql({ query: '{ tasks(first: 2000) { nodes { id } } }' });
      await shiplog.graphql({ query: '{' });
      const rejected = (code: string) =>
        shiplog.metric(`shiplog_ingest_rejected_total{code="${code}"}`);
      expect(await rejected('UNKNOWN_FIELD')).toBe(1);
      expect(await rejected('BAD_JSON')).toBe(1);
      expect(await rejected('TOO_LONG')).toBe(0);
      const errors = (code: string) =>
        shiplog.metric(`shiplog_graphql_errors_total{code="${code}"}`);
      expect(await errors('GRAPHQL_VALIDATION_FAILED')).toBe(1);
      expect(await errors('GRAPHQL_PARSE_FAILED')).toBe(1);
      expect(await errors('BAD_INPUT')).toBe(1);
    }));
});

describe('a server that cannot listen', () => {
  it('names the option: a port in use', () =>
    use({}, async (shiplog) => {
      const second = startHttpFixture({ port: shiplog.port });
      await expect(second).rejects.toMatchObject({ code: 'BAD_INPUT', field: 'SHIPLOG_PORT' });
    }));

  it('names the option: an address of another machine, a tokens file that is not there', async () => {
    await expect(startHttpFixture({ host: '192.0.2.1' })).rejects.toMatchObject({
      field: 'SHIPLOG_HOST',
    });
    await expect(startHttpFixture({ tokensFile: '/nowhere' })).rejects.toMatchObject({
      field: 'SHIPLOG_TOKENS_FILE',
    });
  });
});

describe('a server that stops', () => {
  it('says first that it is not ready, and serves on while load balancers notice', () =>
    use({}, async (shiplog) => {
      const closing = shiplog.http.close({ drainMs: 400 });
      expect(await statusOf(shiplog, '/readyz')).toBe(503);
      expect((await shiplog.graphql({ query: '{ __typename }' })).status).toBe(200);
      await closing;
      await expect(fetch(`${shiplog.url}/livez`)).rejects.toThrow();
    }));

  it('answers what was asked before, ends websockets with 1012, and loses nothing acknowledged', () =>
    use({ heartbeatMs: 100 }, async (shiplog) => {
      const socket = new WebSocket(
        `${shiplog.url.replace('http', 'ws')}/graphql`,
        'graphql-transport-ws',
      );
      const messages: { type: string; id?: string }[] = [];
      socket.on('message', (data) => messages.push(JSON.parse(String(data))));
      await once(socket, 'open');
      socket.send('{"type":"connection_init"}');
      const subscription = 'subscription { tail(filter: { taskId: "t-drain" }) { cursor } }';
      const payload = { query: subscription };
      socket.send(JSON.stringify({ id: 's', type: 'subscribe', payload }));
      await expect.poll(() => messages.some(({ id }) => id === 's')).toBe(true);
      const inputs = stepEvents('t-drain', 1_000);
      const mutation = { query: LOG_STEPS, variables: { inputs } };
      socket.send(JSON.stringify({ id: 'm', type: 'subscribe', payload: mutation }));
      const idle = connect(shiplog.port, '127.0.0.1');
      await once(idle, 'connect');
      const asked = shiplog.graphql({
        query: LOG_STEPS,
        variables: { inputs: stepEvents('t-drain-http', 1_000) },
      });
      await expect.poll(() => shiplog.ingest.metrics().ingest_appends_total).toBeGreaterThan(1);
      const startedAt = performance.now();
      const closed = once(socket, 'close');
      await shiplog.http.close();
      expect((await closed)[0]).toBe(1012);
      expect(messages.filter(({ id, type }) => id === 's' && type === 'complete')).toEqual([]);
      expect((await asked).data).toMatchObject({ logSteps: { stored: 1_000 } });
      const answered = messages.some(({ id, type }) => id === 'm' && type === 'next');
      const [task] = await shiplog.store.tasksById(['t-drain']);
      expect(task !== null || !answered).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      idle.destroy();
    }));
});

describe.concurrent('what takes its time', () => {
  it('ends with "not ready" within seconds where the store does not answer at all', () =>
    use({ notReady: () => new Promise(() => {}) }, async (shiplog) => {
      expect(await statusOf(shiplog, '/readyz')).toBe(503);
    }));

  it('ends when the server stops, without waiting for a client that never answers the close of its websocket', () =>
    use({}, async (shiplog) => {
      const socket = connect(shiplog.port, '127.0.0.1');
      socket.write(
        'GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Protocol: graphql-transport-ws\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      await once(socket, 'data');
      const startedAt = performance.now();
      await shiplog.http.close();
      expect(performance.now() - startedAt).toBeLessThan(6_000);
      socket.destroy();
    }));
  it('is cut where it is the sending of headers, and others are served meanwhile', () =>
    use({}, async (shiplog) => {
      const slow = rawRequest(shiplog.port, 'GET /livez HTTP/1.1\r\nHost: loc');
      const startedAt = performance.now();
      expect(await statusOf(shiplog, '/livez')).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(await slow).toMatch(/^HTTP\/1\.1 408 /);
      expect(performance.now() - startedAt).toBeLessThan(15_000);
    }));
});
