/** The Elasticsearch-compatible endpoints over real sockets: what clients send, and what they need back. */
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { type HttpFixture, rawRequest, startHttpFixture } from './support.ts';

const MAX_BODY_BYTES = 200_000;
let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ esPort: 0, maxBodyBytes: MAX_BODY_BYTES });
});
afterAll(() => shiplog.close());

interface Item {
  _index: string;
  _id: string;
  status: number;
  result?: string;
  error?: { type: string; reason: string };
}
interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: {
    took: number;
    errors: boolean;
    items: Record<string, Item>[];
    error?: { type: string; reason: string; root_cause: object[] };
  } & Record<string, unknown>;
}

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  url?: string;
}

async function send(
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  sent: Sent = {},
): Promise<Answer> {
  const { method = 'POST', headers = {}, url = shiplog.url } = sent;
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const received = await response.text();
  const json = received === '' ? {} : (JSON.parse(received) as unknown);
  return {
    status: response.status,
    headers: response.headers,
    text: received,
    body: json as Answer['body'],
  };
}

const TIME = '2026-11-27T02:07:03.983Z';
const doc = (message: string, more: object = {}): string =>
  JSON.stringify({ '@timestamp': TIME, host: 'web-1', message, ...more });
const action = (name: string, meta: object = {}, more: object = {}): string =>
  JSON.stringify({ [name]: meta, ...more });
const statuses = ({ body }: Answer): unknown[] =>
  body.items.map((item) => Object.entries(item).map(([name, { status }]) => [name, status])[0]);

async function stored(index: string): Promise<(string | null)[]> {
  const page = { limit: 1000, backward: false, after: null, before: null, around: null };
  const filter = { taskId: `index/${index}/2026-11-27` };
  const [found] = await shiplog.store.events([
    { filter, order: 'LOG', page: { ...page, withTotal: false } },
  ]);
  return found?.rows.map(({ node }) => node.message) ?? [];
}

describe('_bulk', () => {
  it('answers with one item for each action, under its name and in its order', async () => {
    const answer = await send(
      '/es/_bulk',
      [
        action('create', { _index: 'items', _id: 'a' }),
        doc('a'),
        action('index', { _index: 'items' }),
        doc('b'),
        '',
      ].join('\n'),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.text).toMatch(
      /^\{"took":\d+,"errors":false,"items":\[\{"create":\{"_index":"items","_id":"a",/,
    );
    expect(answer.body.items[0]?.create).toEqual({
      _index: 'items',
      _id: 'a',
      _version: 1,
      result: 'created',
      _shards: { total: 1, successful: 1, failed: 0 },
      _seq_no: 0,
      _primary_term: 1,
      status: 201,
    });
    expect(answer.body.items[1]?.index?._id).toMatch(/^b-/);
    expect(await stored('items')).toEqual(['a', 'b']);
  });

  const TYPES = [
    'application/json',
    'application/json; charset=UTF-8',
    'application/x-ndjson',
    'application/vnd.elasticsearch+json; compatible-with=8',
    'application/vnd.elasticsearch+json; compatible-with=9',
    'application/vnd.elasticsearch+x-ndjson; compatible-with=7',
    'text/plain',
  ];
  it.each(TYPES)('takes NDJSON that is called %s', async (type) => {
    const body = `${action('create', { _index: 'types', _id: type })}\n${doc('m')}\n`;
    const answer = await send('/es/_bulk', body, { headers: { 'content-type': type } });
    expect(statuses(answer)).toEqual([['create', 201]]);
  });

  it.each<[string, string, string, string]>([
    ['POST', '/es/_bulk', 'paths-a', 'paths-a'],
    ['PUT', '/es/_bulk', 'paths-b', 'paths-b'],
    ['POST', '/es/_bulk/', 'paths-c', 'paths-c'],
    ['POST', '/es/paths-d/_bulk', '', 'paths-d'],
    ['PUT', '/es/paths-e/_bulk/', '', 'paths-e'],
    ['POST', '/es/paths-f/_doc/_bulk', '', 'paths-f'],
    ['POST', '/es/ignored/_bulk', 'paths-g', 'paths-g'],
    ['POST', '/es/paths%2Dh/_bulk?refresh=true&pipeline=x&timeout=1s', '', 'paths-h'],
  ])('takes %s %s', async (method, path, named, index) => {
    const meta = named === '' ? {} : { _index: named };
    const answer = await send(path, `${action('index', meta)}\n${doc('m')}\n`, { method });
    expect(statuses(answer)).toEqual([['index', 201]]);
    expect(await stored(index)).toEqual(['m']);
  });

  it('takes blank lines, CRLF, a missing last newline and whatever else an action says', async () => {
    const lines = [
      '',
      action(
        'index',
        { _index: 'loose', _type: '_doc', routing: 'r', pipeline: null },
        { attempts: 3 },
      ),
      doc('one'),
      '  ',
      `{"create": {"_index": "loose", "_id": 7, "require_alias": false}}`,
      '',
      doc('two'),
    ];
    const answer = await send('/es/_bulk?wait_for_active_shards=1', lines.join('\r\n'));
    expect(statuses(answer)).toEqual([
      ['index', 201],
      ['create', 201],
    ]);
    expect(answer.body.items[1]?.create?._id).toBe('7');
    expect(await stored('loose')).toEqual(['one', 'two']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('takes a %s body in chunks, announced by Expect', async (encoding, compress) => {
    const body = compress(`${action('index', { _index: `chunks-${encoding}` })}\n${doc('m')}\n`);
    const request = httpRequest(`${shiplog.url}/es/_bulk`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-encoding': encoding,
        'transfer-encoding': 'chunked',
        expect: '100-continue',
      },
    });
    request.flushHeaders();
    await once(request, 'continue');
    for (const byte of body) request.write(Buffer.of(byte));
    request.end();
    const [response] = await once(request, 'response');
    expect(await text(response)).toContain('"errors":false');
    expect(await stored(`chunks-${encoding}`)).toEqual(['m']);
  });

  it('isolates a document that is none: its neighbours are stored', async () => {
    const bad = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0xff]);
    const body = Buffer.concat([
      Buffer.from(`${action('index')}\n${doc('before')}\n${action('index')}\n`),
      bad,
      Buffer.from(`\n${action('index')}\n[1]\n${action('index')}\n${doc('after')}\n`),
    ]);
    const answer = await send('/es/poison/_bulk', new Uint8Array(body));
    expect(statuses(answer)).toEqual([
      ['index', 201],
      ['index', 400],
      ['index', 400],
      ['index', 201],
    ]);
    expect(answer.body.errors).toBe(true);
    expect(answer.body.items[1]?.index?.error?.type).toBe('document_parsing_exception');
    expect(answer.body.items[0]?.index).not.toHaveProperty('error');
    expect(await stored('poison')).toEqual(['before', 'after']);
  });

  it('isolates a document that a bare newline broke in two', async () => {
    const broken = '{"message":"two\nlines"}';
    const body = [
      action('create', { _id: '1' }),
      broken,
      action('create', { _id: '2' }),
      doc('whole'),
    ];
    const answer = await send('/es/broken/_bulk', body.join('\n'));
    expect(statuses(answer)).toEqual([
      ['create', 400],
      ['create', 201],
    ]);
    expect(await stored('broken')).toEqual(['whole']);
  });

  it('keeps a document with bytes that are no text, with those replaced', async () => {
    const body = Buffer.concat([
      Buffer.from(`${action('index')}\n{"@timestamp":"${TIME}","message":"caf`),
      Buffer.of(0xe9),
      Buffer.from('"}\n'),
    ]);
    await send('/es/latin/_bulk', new Uint8Array(body));
    expect(await stored('latin')).toEqual(['caf\ufffd']);
    expect(await shiplog.metric('shiplog_sender_misfits_total{reason="text"}')).toBeGreaterThan(0);
  });

  it('refuses updates and deletions as items, and stores what stands beside them', async () => {
    const body = [
      action('update', { _index: 'append', _id: '1' }),
      '{"doc":{}}',
      action('delete', { _index: 'append', _id: '1' }),
      action('index', { _index: 'append' }),
      doc('kept'),
    ];
    const answer = await send('/es/_bulk', body.join('\n'));
    expect(statuses(answer)).toEqual([
      ['update', 400],
      ['delete', 400],
      ['index', 201],
    ]);
    expect(answer.body.items[0]?.update?.error?.reason).toContain('append-only');
    expect(await stored('append')).toEqual(['kept']);
  });

  it.each<[string, string[]]>([
    ['no index at all', [action('index'), doc('m')]],
    ['an index that is too long', [action('index', { _index: 'x'.repeat(300) }), doc('m')]],
    ['an id that is too long', [action('index', { _index: 'i', _id: 'x'.repeat(600) }), doc('m')]],
    ['no document behind the last action', [action('index', { _index: 'i' })]],
  ])('refuses one item, not the request, for %s', async (_, lines) => {
    const good = [action('index', { _index: 'beside' }), doc('m')];
    const answer = await send('/es/_bulk', [...good, ...lines].join('\n'));
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual([
      ['index', 201],
      ['index', 400],
    ]);
  });

  it('refuses a request whose lines cannot be paired, and stores nothing of it', async () => {
    const body = [action('index', { _index: 'pairs' }), doc('one'), doc('no action'), doc('two')];
    const answer = await send('/es/_bulk', body.join('\n'));
    expect(answer.status).toBe(400);
    expect(answer.body.error?.reason).toMatch(/line \[3\].*nothing of this request was stored/);
    expect(answer.body.error?.root_cause).toHaveLength(1);
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
    expect(await stored('pairs')).toEqual([]);
  });

  it('tells of a known id as each action expects: create 409, index without harm', async () => {
    const body = (name: string, message: string) =>
      `${action(name, { _index: 'known', _id: 'k' })}\n${doc(message)}\n`;
    expect(statuses(await send('/es/_bulk', body('create', 'first')))).toEqual([['create', 201]]);
    const again = await send('/es/_bulk', body('create', 'changed'));
    expect(statuses(again)).toEqual([['create', 409]]);
    expect(again.body.errors).toBe(true);
    expect(again.body.items[0]?.create?.error?.type).toBe('version_conflict_engine_exception');
    const indexed = await send('/es/_bulk', body('index', 'changed'));
    expect(indexed.body).toMatchObject({
      errors: false,
      items: [{ index: { status: 200, result: 'noop' } }],
    });
    expect(await stored('known')).toEqual(['first']);
  });

  it('tells Fluent Bit of no errors where all is there already, for it would send the chunk for ever', async () => {
    const headers = { 'user-agent': 'Fluent-Bit' };
    const body = `${action('create', { _index: 'fb', _id: '1' })}\n${doc('m')}\n`;
    await send('/es/_bulk', body, { headers });
    const again = await send('/es/_bulk', body, { headers });
    expect(again.text).toContain('"errors":false,"items":[');
  });

  it('shortens the answer to what filter_path asks for', async () => {
    const body = [
      action('create', { _index: 'f', _id: '1' }),
      doc('m'),
      action('delete', { _index: 'f', _id: '1' }),
    ];
    const path = '/es/_bulk?filter_path=errors,items.*.error,items.*.status';
    const answer = await send(path, body.join('\n'));
    expect(answer.body).toEqual({
      errors: true,
      items: [
        { create: { status: 201 } },
        {
          delete: {
            status: 400,
            error: expect.objectContaining({ type: 'illegal_argument_exception' }),
          },
        },
      ],
    });
  });

  it('refuses what is too large with 413, before and after decompression', async () => {
    const large = `${action('index', { _index: 'large' })}\n${doc('x'.repeat(MAX_BODY_BYTES * 4))}\n`;
    const plain = await send('/es/_bulk', large);
    const gzip = await send('/es/_bulk', new Uint8Array(gzipSync(large)), {
      headers: { 'content-encoding': 'gzip' },
    });
    for (const { status, body } of [plain, gzip]) {
      expect(status).toBe(413);
      expect(body.error?.type).toBe('content_too_long_exception');
    }
  });

  it('takes more than one batch in one request, in order', async () => {
    const lines = Array.from(
      { length: 2_500 },
      (_, i) => `${action('create', { _id: `${i}` })}\n{"@timestamp":"${TIME}","message":"${i}"}\n`,
    );
    const answer = await send('/es/many/_bulk', lines.join(''));
    expect(answer.body.items).toHaveLength(2_500);
    expect(answer.body.errors).toBe(false);
    expect((await stored('many')).slice(0, 1000)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => `${i}`),
    );
  });

  it('refuses a request without any item', async () => {
    expect((await send('/es/_bulk', '\n\n')).status).toBe(400);
  });
});

describe('single documents', () => {
  it.each<[string, string, string, number, string]>([
    ['POST', '/es/single/_doc', 'POST without an id', 201, 'created'],
    ['POST', '/es/single/_doc/p', 'POST with an id', 201, 'created'],
    ['PUT', '/es/single/_doc/q', 'PUT', 201, 'created'],
    ['PUT', '/es/single/_create/r', 'create', 201, 'created'],
    ['PUT', '/es/single/_doc/q', 'PUT again', 200, 'noop'],
  ])('%s %s: %s', async (method, path, message, status, result) => {
    const answer = await send(path, doc(message), {
      method,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ _index: 'single', result, _version: 1, _primary_term: 1 });
  });

  it('that are known are a conflict for who creates them', async () => {
    await send('/es/conflict/_create/1', doc('m'));
    for (const path of ['/es/conflict/_create/1', '/es/conflict/_doc/1?op_type=create']) {
      const answer = await send(path, doc('m'));
      expect(answer.status).toBe(409);
      expect(answer.body.error?.type).toBe('version_conflict_engine_exception');
    }
    expect(await stored('conflict')).toEqual(['m']);
  });

  it('that are none are refused', async () => {
    const answer = await send('/es/none/_doc', 'not json');
    expect(answer.status).toBe(400);
    expect(answer.body.error?.type).toBe('document_parsing_exception');
  });
});

/** What clients ask around their requests, and what they look for in the answer. */
const HANDSHAKE: [string, string, Record<string, unknown>][] = [
  ['GET', '', { tagline: 'You Know, for Search', cluster_uuid: expect.any(String) }],
  ['GET', '/', { version: expect.objectContaining({ number: expect.stringMatching(/^9\./) }) }],
  ['HEAD', '', {}],
  ['HEAD', '/', {}],
  ['GET', '/_license?human=false', { license: expect.objectContaining({ status: 'active' }) }],
  ['GET', '/_xpack', { license: expect.anything() }],
  ['GET', '/_nodes/http', { nodes: {} }],
  ['GET', '/_cluster/health?wait_for_status=yellow', { status: 'green' }],
  ['GET', '/_cat/health', {}],
  ['HEAD', '/_index_template/filebeat-7.17.29', {}],
  ['GET', '/_index_template/logs', {}],
  ['PUT', '/_index_template/logs', { acknowledged: true }],
  ['PUT', '/_template/logs', { acknowledged: true }],
  ['PUT', '/_component_template/logs', { acknowledged: true }],
  ['PUT', '/_ilm/policy/logs', { acknowledged: true }],
  ['GET', '/_ilm/policy/logs', {}],
  ['PUT', '/_ingest/pipeline/p', { acknowledged: true }],
  ['GET', '/_data_stream/logs', {}],
  ['GET', '/logs/_mapping', { logs: { mappings: {} } }],
  ['GET', '/logs/_refresh', { _shards: expect.anything() }],
  ['POST', '/logs/_refresh', { _shards: expect.anything() }],
  ['HEAD', '/logs', {}],
  ['PUT', '/logs', { acknowledged: true, index: 'logs' }],
];

describe('the handshake', () => {
  it.each(HANDSHAKE)('%s %s', async (method, path, expected) => {
    const urls = [`${shiplog.url}/es`, shiplog.http.esUrl ?? ''];
    for (const url of urls) {
      const body = method === 'PUT' ? '{"policy":{}}' : undefined;
      const answer = await send(path, body, { method, url });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
      if (!Array.isArray(answer.body)) expect(answer.body).toMatchObject(expected);
    }
  });

  it.each([
    ['Elastic-filebeat/7.17.29 (linux; amd64)', '7.17.29'],
    ['Elastic-metricbeat/8.19.1 (linux)', '8.19.1'],
    ['elasticsearch-py/9.5.1 (Python/3.11.7)', '9.5.1'],
    ['elastic-java/9.5.6 (Java/17.0.15)', '9.5.6'],
    ['elasticsearch-perl/8.00 (linux; perl 5.036000)', '8.0.0'],
    ['curl/8.0', '9.1.0'],
    ['', '9.1.0'],
  ])('tells %j of a server of its own version', async (agent, version) => {
    const answer = await send('/es', undefined, {
      method: 'GET',
      headers: { 'user-agent': agent },
    });
    expect(answer.body.version).toMatchObject({ number: version });
  });

  it.each([
    ['POST', '/es/logs/_search'],
    ['GET', '/es/_search'],
    ['POST', '/es/_search/scroll'],
    ['POST', '/es/_msearch'],
    ['GET', '/es/logs/_count'],
    ['GET', '/es/logs/_doc/1'],
    ['DELETE', '/es/logs/_doc/1'],
    ['DELETE', '/es/logs'],
    ['POST', '/es/logs/_update/1'],
    ['POST', '/es/_reindex'],
    ['POST', '/es/logs/_delete_by_query'],
  ])('says what is not offered: %s %s', async (method, path) => {
    const answer = await send(path, method === 'GET' ? undefined : '{}', { method });
    expect(answer.status).toBe(400);
    expect(answer.body.error?.reason).toContain('does not offer');
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
  });

  it('refuses an address that cannot be read', async () => {
    expect((await send('/es/%ff/_bulk', '{}')).status).toBe(400);
  });
});

describe('tokens', () => {
  let guarded: HttpFixture;
  let token: string;
  beforeAll(async () => {
    const made = makeToken('agent', ['ingest'], null, Date.now());
    token = made.token;
    const file = join(await mkdtemp(join(tmpdir(), 'shiplog-es-tokens-')), 'tokens.json');
    await writeFile(file, formatTokens([made.record]));
    guarded = await startHttpFixture({ tokensFile: file, esPort: 0 });
  });
  afterAll(() => guarded.close());

  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  it.each<[string, () => string]>([
    ['Basic with it as the password', () => `Basic ${base64(`anyone:${token}`)}`],
    ['Basic with it as the name', () => `Basic ${base64(`${token}:`)}`],
    ['ApiKey with it behind an id', () => `ApiKey ${base64(`id:${token}`)}`],
    ['ApiKey with it as it is', () => `ApiKey ${token}`],
    ['ApiKey with it in base64', () => `ApiKey ${base64(token)}`],
    ['Bearer', () => `Bearer ${token}`],
  ])('come as %s', async (_, authorization) => {
    for (const url of [`${guarded.url}/es`, guarded.http.esUrl ?? '']) {
      const answer = await send('/', undefined, {
        method: 'GET',
        url,
        headers: { authorization: authorization() },
      });
      expect(answer.status).toBe(200);
    }
  });

  it.each([
    '',
    'Basic',
    `Basic ${base64('elastic:changeme')}`,
    'ApiKey AAAA',
    'Bearer x',
    'Digest y',
  ])('that do not do are refused in the shape that clients read: %j', async (authorization) => {
    const headers: Record<string, string> = authorization === '' ? {} : { authorization };
    const answer = await send('/es/_bulk', `${action('index', { _index: 'x' })}\n${doc('m')}\n`, {
      url: guarded.url,
      headers,
    });
    expect(answer.status).toBe(401);
    expect(answer.body.error?.type).toBe('security_exception');
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
  });

  it('of other schemes are not taken elsewhere', async () => {
    const headers = { authorization: `Basic ${base64(`anyone:${token}`)}` };
    expect((await send('/v1/events', '', { url: guarded.url, headers })).status).toBe(401);
  });
});

describe('a server that cannot take anything now', () => {
  let stopping: HttpFixture;
  beforeAll(async () => {
    stopping = await startHttpFixture();
    // As between the last request that is taken and the end of the process.
    await stopping.ingest.close();
  });
  afterAll(() => stopping.close());

  const body = `${action('create', { _index: 'late', _id: '1' })}\n${doc('m')}\n${action('index', { _index: 'late' })}\n${doc('n')}\n`;
  it.each([
    'elasticsearch-js/9.5.1 (linux)',
    'elasticsearch-py/9.5.1 (Python/3.11.7)',
    'elastic-java/9.5.6 (Java/17.0.15)',
  ])('tells %s to send the items again', async (agent) => {
    const answer = await send('/es/_bulk', body, {
      url: stopping.url,
      headers: { 'user-agent': agent },
    });
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual([
      ['create', 429],
      ['index', 429],
    ]);
    expect(answer.body.items[0]?.create?.error?.type).toBe('es_rejected_execution_exception');
  });

  it.each([
    ['Elastic-filebeat/7.17.29 (linux)', 503],
    ['go-elasticsearch/9.5.2 (linux)', 503],
    ['elasticsearch-perl/8.00 (linux)', 503],
    ['Fluent-Bit', 503],
    ['Java/17.0.15', 503],
  ])('tells %s to send the request again', async (agent, status) => {
    const answer = await send('/es/_bulk', body, {
      url: stopping.url,
      headers: { 'user-agent': agent },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.body.error?.type).toBe('node_closed_exception');
  });

  it('tells rsyslog nothing, which is what it sends all of its batch again for', async () => {
    const head = `POST /es/_bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    expect(await rawRequest(stopping.port, head, body)).toBe('');
  });
});

describe('an address of another server', () => {
  it.each<[string, string]>([
    ['/_bulk', 'below /es'],
    ['/logs/_doc', 'below /es'],
    ['/v1/traces', 'OTLP'],
    ['/loki/api/v1/push', 'Loki'],
    ['/api/v2/logs', 'Datadog'],
    ['/gelf', 'GELF'],
  ])('%s is answered with a sentence that says so', async (path, words) => {
    const response = await fetch(shiplog.url + path, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(words);
  });
});
