import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/elasticsearch/cluster/connection.ts';
import { cpuMs } from '../support/cpu-ms.ts';

const MIB = 1024 * 1024;
const API_KEY = 'a-key-that-nobody-sees';

/** Answers `/after/<ms>` and `/status/<status>`, cuts `/cut`, and `/never` never. */
let server: Server;
let connection: Connection;
let asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    request.resume();
    if (path === '/cut') request.socket.destroy();
    const [, status] = /^\/status\/(\d+)/.exec(path) ?? [];
    if (status !== undefined) {
      response.writeHead(Number(status), {
        'x-elastic-product': 'Elasticsearch',
        'content-type': 'application/json',
      });
      response.end('{"error":{"type":"some_exception","reason":"some reason"}}');
    }
    const [, ms] = /^\/after\/(\d+)/.exec(path) ?? [];
    if (ms === undefined) return;
    setTimeout(() => {
      response.setHeader('x-elastic-product', 'Elasticsearch');
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    }, Number(ms));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const config = { urls: [url], shards: 1, replicas: 0, prefix: 't', apiKey: API_KEY };
  connection = new Connection(config, 10_000);
});
afterAll(async () => {
  await connection.close();
  server.closeAllConnections();
  server.close();
});

describe('Reads of Elasticsearch', () => {
  it('are not ended by the time-out of another', async () => {
    asked = [];
    const never = connection.ask({ method: 'GET', path: '/never', timeoutMs: 300 });
    const later = connection.ask({ method: 'GET', path: '/after/800', timeoutIs: 'QUERY_TIMEOUT' });
    await expect(never).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await later).status).toBe(200);
    expect(asked.filter((path) => path.startsWith('/after'))).toHaveLength(1);
  });

  it('end together when the cluster is found to hang, and go on when it answers again', async () => {
    const reads = [1, 2, 3].map((n) => connection.ask({ method: 'GET', path: `/never?${n}` }));
    const ended = Promise.allSettled(reads);
    connection.setSilent();
    for (const { status } of await ended) expect(status).toBe('rejected');
    const look = await connection.ask({ method: 'GET', path: '/after/0', isLook: true });
    expect(look.status).toBe(200);
    expect((await connection.ask({ method: 'GET', path: '/after/0' })).status).toBe(200);
  });
});

describe('A request that fails', () => {
  it('costs nothing for the megabytes that it carried', async () => {
    const body = `${'x'.repeat(MIB)}\n`.repeat(4);
    const began = cpuMs();
    for (const path of ['/never', '/cut', '/status/503', '/status/413']) {
      await connection.ask({ method: 'POST', path, body, timeoutMs: 200 }).catch(() => {});
    }
    expect(cpuMs() - began).toBeLessThan(1_000);
  });

  it.each([
    ['has no answer in time', '/never'],
    ['is cut off', '/cut'],
    ['is refused', '/status/403'],
    ['meets a cluster without a master', '/status/503'],
  ])('shows neither credentials nor what was sent where it %s', async (_, path) => {
    const ask = { method: 'POST' as const, path, body: 'a line of a log\n', timeoutMs: 200 };
    const error: unknown = await connection.ask(ask).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: expect.any(Error) });
    const seen = inspect(error, { depth: 20, showHidden: true, getters: true });
    expect(seen).not.toContain(API_KEY);
    expect(seen).not.toContain('a line of a log');
  });
});
