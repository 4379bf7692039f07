import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { openElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { freePorts } from '../elasticsearch/node.ts';
import { sharedElasticsearch } from '../elasticsearch/shared.ts';
import { quietLog } from '../support/engines.ts';
import { answer, type Behaviour, standIn } from '../support/stand-in.ts';
import { anEvent } from './events.ts';
import { contractSettings } from './harness.ts';

const settings = contractSettings;
const placement = { shards: 1, replicas: 0 };

/** What a cluster does that the node of the tests cannot: it stands at the address and answers so. */
async function refusalOf(behave: Behaviour): Promise<unknown> {
  await using cluster = await standIn(behave);
  const opening = openElasticsearchStore({
    config: { urls: [cluster.url], ...placement, startWaitMs: 60_000 },
    settings,
  });
  return await opening.then(
    () => 'opened',
    (error: unknown) => error,
  );
}

const ELASTIC = { 'x-elastic-product': 'Elasticsearch' };

describe('A start is refused at once, with what to do, where Elasticsearch', () => {
  it('does not know the credentials', async () => {
    const reason = 'unable to authenticate user [shiplog]';
    const error = { root_cause: [{ type: 'security_exception', reason }], reason };
    const refusal = await refusalOf((_, response) => answer(response, 401, { error }, ELASTIC));
    expect(refusal).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/unable to authenticate.*SHIPLOG_ELASTICSEARCH_API_KEY/s),
    });
  });

  it('does not allow what is needed', async () => {
    const reason = 'action [cluster:monitor/nodes/info] is unauthorized for user [shiplog]';
    const refusal = await refusalOf((_, response) =>
      answer(response, 403, { error: { type: 'security_exception', reason } }, ELASTIC),
    );
    expect(refusal).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/nodes\/info.*docs\/elasticsearch\.md/s),
    });
  });

  it('is too old to know how it is spoken to', async () => {
    const error = { type: 'media_type_header_exception', reason: 'Invalid media-type value' };
    const refusal = await refusalOf((_, response) => answer(response, 400, { error }, ELASTIC));
    expect(refusal).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('Elasticsearch 9 or later is needed'),
    });
  });

  it('has a node that is too old', async () => {
    const nodes = { a: { name: 'es-1', version: '9.1.0' }, b: { name: 'es-2', version: '8.19.2' } };
    const refusal = await refusalOf((_, response) => answer(response, 200, { nodes }, ELASTIC));
    expect(refusal).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('the node es-2 is 8.19.2'),
    });
  });

  it('is something else', async () => {
    const refusal = await refusalOf((_, response) => answer(response, 200, { hello: 'world' }));
    expect(refusal).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('not Elasticsearch'),
    });
  });
});

describe('A start on an Elasticsearch', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());
  const { url } = elasticsearch;

  async function put(name: string, body: object): Promise<void> {
    await fetch(`${url}/_index_template/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
  const names = async (prefix: string) => {
    const response = await fetch(`${url}/_index_template/${prefix}-*`);
    const { index_templates } = (await response.json()) as { index_templates: { name: string }[] };
    return index_templates.map(({ name }) => name);
  };
  const open = (prefix: string) =>
    openElasticsearchStore({ config: { urls: [url], ...placement, prefix }, settings });

  it('with a template of somebody else changes nothing and names it', async () => {
    const prefix = elasticsearch.prefix();
    await put(`${prefix}-views`, { index_patterns: [`${prefix}-views-*`], priority: 7 });
    await expect(open(prefix)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(`${prefix}-views is not Shiplog's.*another prefix`),
    });
    expect(await names(prefix)).toEqual([`${prefix}-views`]);
  });

  it('with a template of a newer Shiplog asks for that one', async () => {
    const prefix = elasticsearch.prefix();
    const _meta = { product: 'shiplog', version: 99 };
    await put(`${prefix}-meta`, { index_patterns: [`${prefix}-meta`], _meta });
    await expect(open(prefix)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('made by a newer Shiplog (version 99'),
    });
    expect(await names(prefix)).toEqual([`${prefix}-meta`]);
  });
});

describe('A start while Elasticsearch is away', async () => {
  const said: { message: string; fields: object }[] = [];
  const log = {
    warn: (fields: object, message: string) => {
      said.push({ message, fields });
    },
    error: () => undefined,
  };

  it('says that it waits, and ends when the time is over', async () => {
    const [port] = await freePorts(1);
    const config = { urls: [`http://127.0.0.1:${port}`], ...placement, startWaitMs: 1_200 };
    const began = performance.now();
    await expect(openElasticsearchStore({ config, settings, log })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(performance.now() - began).toBeGreaterThan(1_100);
    expect(said).toMatchObject([
      { message: 'waiting for Elasticsearch', fields: { urls: config.urls, givingUpInSeconds: 2 } },
    ]);
  });

  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());
  it('goes on as soon as it is there', async () => {
    const [port] = (await freePorts(1)) as [number];
    const urls = [`http://127.0.0.1:${port}`];
    const waiting = Promise.withResolvers<void>();
    const opening = openElasticsearchStore({
      config: { urls, ...placement, prefix: elasticsearch.prefix(), startWaitMs: 60_000 },
      settings,
      log: { warn: () => waiting.resolve(), error: () => undefined },
    });
    await waiting.promise;
    await using _relay = await relay(port, elasticsearch.url);
    const store = await opening;
    expect(await store.health()).toMatchObject({ ok: true });
    await store.close();
  });
});

describe('What is set of the indices', async () => {
  const elasticsearch = await sharedElasticsearch();
  if (elasticsearch === null) return;
  afterAll(() => elasticsearch.cleanUp());
  it('is what the cluster has', async () => {
    const prefix = elasticsearch.prefix();
    const config = parseConfig(
      {},
      {
        SHIPLOG_STORE: 'elasticsearch',
        SHIPLOG_ELASTICSEARCH_URL: elasticsearch.url,
        SHIPLOG_ELASTICSEARCH_PREFIX: prefix,
        SHIPLOG_ELASTICSEARCH_SHARDS: '2',
        SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
        SHIPLOG_ELASTICSEARCH_REFRESH_MS: '7000',
      },
    );
    if (!('ok' in config)) throw new Error(config.problems.join());
    const store = await openStore(config.ok, Date.now, quietLog);
    await store.append([anEvent({})]);
    await store.close();
    for (const kind of ['events', 'views']) {
      const answer = await fetch(`${elasticsearch.url}/${prefix}-${kind}-*/_settings`);
      expect(Object.values((await answer.json()) as object)).toMatchObject([
        {
          settings: {
            index: { number_of_shards: '2', number_of_replicas: '0', refresh_interval: '7000ms' },
          },
        },
      ]);
    }
  });
});

/** An address by which the cluster can be reached from now on. */
async function relay(port: number, url: string): Promise<AsyncDisposable> {
  const server = createServer(async (request, response) => {
    const { method = 'GET', headers } = request;
    const body = await text(request);
    const answered = await fetch(`${url}${request.url}`, {
      method,
      headers: { 'content-type': headers['content-type'] ?? '', accept: headers.accept ?? '' },
      ...(body === '' ? {} : { body }),
    });
    response.writeHead(answered.status, {
      'content-type': answered.headers.get('content-type') ?? 'application/json',
      ...ELASTIC,
    });
    response.end(await answered.text());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
