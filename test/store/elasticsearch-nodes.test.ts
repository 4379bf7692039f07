/** Which of several nodes is asked, while one of them does not answer or has no master. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Bulk, bulkItem } from '../../src/store/elasticsearch/cluster/bulk.ts';
import { Connection } from '../../src/store/elasticsearch/cluster/connection.ts';

const TIMEOUT_MS = 1_000;

type State = 'well' | 'hung' | 'alone';

/** Takes requests as a node does that is well, hangs, or is cut off from its master. */
class StandIn implements AsyncDisposable {
  state: State = 'well';
  readonly asked: string[] = [];
  readonly #server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path !== '/_cluster/health') this.asked.push(path);
    request.resume().on('end', () => this.#answer(path, response));
  });

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(path: string, response: ServerResponse): void {
    if (this.state === 'hung') return;
    const needsMaster = path === '/_bulk' || path === '/_cluster/health';
    const refused = this.state === 'alone' && needsMaster;
    response.writeHead(refused ? 503 : 200, {
      'content-type': 'application/json',
      'x-elastic-product': 'Elasticsearch',
    });
    const items = [{ create: { status: 201, _seq_no: 0, _primary_term: 1 } }];
    response.end(JSON.stringify(refused ? { error: { reason: 'no master' } } : { items }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function threeNodes() {
  const nodes = [await new StandIn().start(), await new StandIn().start()] as const;
  const third = await new StandIn().start();
  const urls = [...nodes, third].map(({ url }) => url);
  const connection = new Connection({ urls, shards: 1, replicas: 1 }, TIMEOUT_MS);
  return {
    third,
    connection,
    read: () => connection.ask({ method: 'GET', path: '/_stats' }),
    append: () =>
      new Bulk(connection, 5_000).send([bulkItem('create', { _index: 'events', _id: '1' }, {})]),
    async [Symbol.asyncDispose]() {
      await connection.close();
      for (const node of [...nodes, third]) await node[Symbol.asyncDispose]();
    },
  };
}

async function times(count: number, body: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await body();
}

describe('Of three nodes', () => {
  it('one that hangs holds up a single read, and no read fails', async () => {
    await using cluster = await threeNodes();
    cluster.third.state = 'hung';
    await times(30, cluster.read);
    expect(cluster.third.asked).toEqual(['/_stats']);
  });

  it('one that hangs holds up a single append, and no append fails', async () => {
    await using cluster = await threeNodes();
    cluster.third.state = 'hung';
    await times(30, cluster.append);
    expect(cluster.third.asked).toEqual(['/_bulk']);
  });

  it('one that is cut off from its master is not asked again, though its searches go on', async () => {
    await using cluster = await threeNodes();
    cluster.third.state = 'alone';
    await times(3, cluster.read);
    await times(30, cluster.append);
    await times(30, cluster.read);
    expect(cluster.third.asked).toEqual(['/_stats', '/_bulk']);
  });

  it('one that was away is asked again by itself when it is back', async () => {
    await using cluster = await threeNodes();
    cluster.third.state = 'hung';
    await times(3, cluster.read);
    cluster.third.state = 'well';
    const before = cluster.third.asked.length;
    await vi.waitUntil(
      async () => {
        await cluster.read();
        return cluster.third.asked.length > before;
      },
      { timeout: 10_000, interval: 50 },
    );
  });
});
