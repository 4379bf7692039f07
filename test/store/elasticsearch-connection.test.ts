import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/elasticsearch/cluster/connection.ts';

/** Answers `/after/<ms>`, and `/never` never. */
let server: Server;
let connection: Connection;
let asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
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
  connection = new Connection({ urls: [url], shards: 1, replicas: 0, prefix: 't' }, 10_000);
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
