import { createHash } from 'node:crypto';
import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type HttpFixture,
  LOG_STEPS,
  rawRequest,
  startHttpFixture,
  stepEvents,
} from './support.ts';

const BODY_LIMIT = 200_000;
const TYPENAME = { query: '{ __typename }' };

async function codeOf(response: Response): Promise<string | undefined> {
  const answer = (await response.json()) as {
    errors?: { extensions: { code: string } }[];
    error?: { code: string };
  };
  return answer.errors?.[0]?.extensions.code ?? answer.error?.code;
}

// Senders' plain requests pass Yoga by: both ways in are held to the same.
describe.each([
  ['as it is', true],
  ['with everything through Yoga', false],
])('/graphql %s', (_way, lane) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({
      allowedOrigins: [
        'https://deploy.example',
        'moz-extension://5d0c7a4e-4b1f',
        'electron://altair',
      ],
      maxBodyBytes: BODY_LIMIT,
      lane,
    });
  });
  afterAll(() => shiplog.close());

  function post(headers: Record<string, string>, body: string = JSON.stringify(TYPENAME)) {
    return fetch(`${shiplog.url}/graphql`, { method: 'POST', headers, body });
  }

  describe('GraphQL over HTTP', () => {
    it('passes the whole audit of the graphql-http package', async () => {
      const results = await auditServer({ url: `${shiplog.url}/graphql` });
      expect(results.length).toBeGreaterThanOrEqual(61);
      expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
    });

    it('takes events by a mutation and answers a query by GET', async () => {
      const inputs = stepEvents('t-get', 3);
      const { data } = await shiplog.graphql({ query: LOG_STEPS, variables: { inputs } });
      expect(data).toMatchObject({ logSteps: { stored: 3, duplicates: 0, rejected: 0 } });
      const url = new URL('/graphql', shiplog.url);
      url.searchParams.set('query', 'query ($id: ID!) { task(id: $id) { id } }');
      url.searchParams.set('variables', '{"id":"t-get"}');
      const response = await fetch(url);
      expect(await response.json()).toEqual({ data: { task: { id: 't-get' } } });
    });

    it('refuses broken JSON in a parameter of GET with 400', async () => {
      const response = await fetch(`${shiplog.url}/graphql?query={__typename}&variables={`);
      expect(response.status).toBe(400);
      expect(await codeOf(response)).toBe('BAD_REQUEST');
    });

    it('has one shape and one status for a refusal in each type of answer', async () => {
      const { status, headers, errors } = await shiplog.graphql(
        { query: '{ nothing }' },
        { headers: { accept: 'application/graphql-response+json' } },
      );
      expect(status).toBe(400);
      expect(headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
      expect(errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED');
    });

    it('answers HEAD as GET, without the body', async () => {
      const url = `${shiplog.url}/graphql?query={__typename}`;
      const response = await fetch(url, { method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
      expect(response.headers.get('content-length')).toBe('31');
    });

    it.each(['constructor', '__proto__', 'toString/valueOf', ';;,,;q=', 'text/html'])(
      'answers in JSON where Accept is %s',
      async (accept) => {
        const response = await post({ 'content-type': 'application/json', accept });
        expect(response.status).toBe(200);
        expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      },
    );

    it('answers a query in the type that Accept weighs most', async () => {
      const typeOf = async (accept: string) => {
        const response = await post({ 'content-type': 'application/json', accept });
        await response.text();
        return response.headers.get('content-type')?.split(';')[0];
      };
      const RESPONSE = 'application/graphql-response+json';
      expect(await typeOf(`${RESPONSE}, application/json, text/event-stream`)).toBe(RESPONSE);
      expect(await typeOf(`application/json;q=0.9, ${RESPONSE}`)).toBe(RESPONSE);
      expect(await typeOf(`${RESPONSE};q=0.1, application/json;q=0.2`)).toBe('application/json');
      expect(await typeOf(`${RESPONSE};q=0, */*;q=0.1`)).toBe('application/json');
    });

    it('gives a subscription as an event stream where that is among what is accepted', async () => {
      const accept = 'application/graphql-response+json, application/json, text/event-stream';
      const response = await post(
        { 'content-type': 'application/json', accept },
        JSON.stringify({ query: 'subscription { tail(filter: { taskId: "none" }) { cursor } }' }),
      );
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      await response.body?.cancel();
    });

    it("speaks Apollo's persisted queries: unknown, then sent with its text, then known", async () => {
      const query = `{ server { version } } # ${lane}`;
      const sha256Hash = createHash('sha256').update(query).digest('hex');
      const extensions = { persistedQuery: { version: 1, sha256Hash } };
      const unknown = await shiplog.graphql({ extensions });
      expect(unknown.errors).toMatchObject([
        { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
      ]);
      const known = { data: { server: { version: '0.0.0-test' } } };
      expect(await shiplog.graphql({ query, extensions })).toMatchObject(known);
      expect(await shiplog.graphql({ extensions })).toMatchObject(known);
      const url = new URL('/graphql', shiplog.url);
      url.searchParams.set('extensions', JSON.stringify(extensions));
      expect(await (await fetch(url)).json()).toEqual(known);
      const wrong = { persistedQuery: { version: 1, sha256Hash: 'f'.repeat(64) } };
      const mismatch = await shiplog.graphql({ query, extensions: wrong });
      expect(mismatch.errors?.[0]?.extensions?.code).toBe('PERSISTED_QUERY_MISMATCH');
    });

    it.each([{ version: 2, sha256Hash: 'f'.repeat(64) }, { version: 1 }, { sha256Hash: 5 }])(
      'refuses %j in place of a text with 400, for it names no text',
      async (persistedQuery) => {
        const { status, errors } = await shiplog.graphql({ extensions: { persistedQuery } });
        expect(status).toBe(400);
        expect(errors).toMatchObject([
          { extensions: { code: 'BAD_REQUEST', field: 'extensions.persistedQuery' } },
        ]);
      },
    );

    it('keeps the limits for persisted queries too', async () => {
      const query = `{ ${'__typename '.repeat(1_001)} }`;
      const sha256Hash = createHash('sha256').update(query).digest('hex');
      const extensions = { persistedQuery: { version: 1, sha256Hash } };
      const { errors } = await shiplog.graphql({ query, extensions });
      expect(errors?.[0]?.extensions?.code).toBe('QUERY_TOO_COMPLEX');
    });

    it('refuses a mutation by GET with 405 and says which method takes it', async () => {
      const response = await fetch(`${shiplog.url}/graphql?query=mutation{__typename}`);
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
    });

    it('refuses other methods with 405', async () => {
      const response = await fetch(`${shiplog.url}/graphql`, { method: 'DELETE' });
      expect(response.status).toBe(405);
      expect(await codeOf(response)).toBe('METHOD_NOT_ALLOWED');
    });

    it.each([
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/graphql',
      'text/plain',
      'application/json; charset=utf-16',
    ])('refuses a body of %s with 415', async (type) => {
      const response = await post({ 'content-type': type });
      expect(response.status).toBe(415);
      expect(await codeOf(response)).toBe('UNSUPPORTED_MEDIA_TYPE');
    });

    it('refuses a batch of operations, and says what to use', async () => {
      const { status, errors } = await shiplog.graphql([TYPENAME, TYPENAME]);
      expect(status).toBe(400);
      expect(errors?.[0]?.message).toContain('logSteps');
    });

    it('says that a subscription needs another transport', async () => {
      const query = 'subscription { tail(filter: {}) { cursor } }';
      const { status, errors } = await shiplog.graphql({ query });
      expect(status).toBe(400);
      expect(errors?.[0]?.message).toContain('text/event-stream');
    });

    it('answers 413 in JSON over the limit, with a length and in chunks', async () => {
      const body = JSON.stringify({
        query: '{ __typename }',
        extensions: { x: 'x'.repeat(300_000) },
      });
      const whole = await post({ 'content-type': 'application/json' }, body);
      expect([whole.status, await codeOf(whole)]).toEqual([413, 'BODY_TOO_LARGE']);
      const raw = await rawRequest(
        shiplog.port,
        'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
          'Transfer-Encoding: chunked\r\n\r\n',
        `${(250_000).toString(16)}\r\n${'x'.repeat(250_000)}\r\n`,
      );
      expect(raw).toMatch(/^HTTP\/1\.1 413 /);
      expect(raw).toContain('"BODY_TOO_LARGE"');
    });

    it('answers 413 before the body is sent where the client asks first', async () => {
      const raw = await rawRequest(
        shiplog.port,
        'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
          'Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n',
      );
      expect(raw).toMatch(/^HTTP\/1\.1 413 /);
    });

    it.each([
      [
        'too deep',
        `{ tasks { nodes ${'{ runs { nodes { task '.repeat(6)}{ id }${' } } }'.repeat(6)} } }`,
      ],
      ['too wide', `{ ${Array.from({ length: 31 }, (_, at) => `a${at}: __typename`).join(' ')} }`],
      ['too long', `{ ${'__typename '.repeat(1_001)} }`],
      ['nested without end', `{ a(b: ${'['.repeat(900)}`],
    ])('refuses a query that is %s', async (_, query) => {
      const { errors } = await shiplog.graphql({ query });
      expect(errors?.[0]?.extensions?.code).toMatch(/QUERY_TOO_COMPLEX|GRAPHQL_/);
    });

    it('names the variable of a value with a wrong type', async () => {
      const variables = { inputs: [{ taskId: 't', host: 'h', step: 's', attempt: 'one' }] };
      const { errors } = await shiplog.graphql({ query: LOG_STEPS, variables });
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field: 'inputs[0].attempt',
      });
    });

    it('gives JSON as JSON and says no more than that', async () => {
      const response = await post({ 'content-type': 'application/json' });
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(response.headers.get('x-powered-by')).toBeNull();
    });
  });

  describe('pages of other sites', () => {
    const json = { 'content-type': 'application/json' };

    it.each(['/graphql', '/v1/events'])('may not write to %s, whatever they send', async (path) => {
      for (const type of ['application/json', 'text/plain', 'application/x-ndjson']) {
        for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
          const response = await fetch(shiplog.url + path, {
            method: 'POST',
            headers: { 'content-type': type, origin },
            body: JSON.stringify(TYPENAME),
          });
          expect([response.status, await codeOf(response)]).toEqual([403, 'FORBIDDEN']);
        }
      }
    });

    it('may, where their origin is listed, and are told so', async () => {
      const origin = 'https://deploy.example';
      const response = await post({ ...json, origin });
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
      expect(response.headers.get('vary')).toContain('Origin');
      const preflight = await fetch(`${shiplog.url}/graphql`, {
        method: 'OPTIONS',
        headers: { origin },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    });

    it('may send the headers that their libraries add, where their origin is listed', async () => {
      const asked = 'content-type,traceparent,baggage,sentry-trace,apollographql-client-name';
      const preflight = await fetch(`${shiplog.url}/graphql`, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://deploy.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': asked,
        },
      });
      expect(preflight.headers.get('access-control-allow-headers')).toBe(asked);
      expect(preflight.headers.get('vary')).toContain('Access-Control-Request-Headers');
    });

    it.each(['moz-extension://5d0c7a4e-4b1f', 'electron://altair'])(
      'or programs may be listed by any origin that they have, as %s',
      async (origin) => {
        const response = await post({ ...json, origin });
        expect(response.status).toBe(200);
        expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      },
    );

    it('get no permission to read what they may ask', async () => {
      const origin = 'https://evil.example';
      const response = await fetch(`${shiplog.url}/graphql?query={__typename}`, {
        headers: { origin },
      });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      const preflight = await fetch(`${shiplog.url}/graphql`, {
        method: 'OPTIONS',
        headers: { origin },
      });
      expect(preflight.status).toBe(403);
    });

    it('of this server itself may write', async () => {
      expect((await post({ ...json, origin: shiplog.url })).status).toBe(200);
    });

    it('may not reach a server without tokens by a name of theirs', async () => {
      const raw = await rawRequest(
        shiplog.port,
        'GET /graphql?query={__typename} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      );
      expect(raw).toMatch(/^HTTP\/1\.1 403 /);
    });
  });

  describe('what is refused at the door of /graphql', () => {
    it.each([
      ['a page of another site', '/graphql', { origin: 'https://evil.example' }, 403, 'FORBIDDEN'],
      ['a token in the address', '/graphql?access_token=x', {}, 400, 'BAD_REQUEST'],
    ])('is told as a GraphQL error: %s', async (_, path, headers, status, code) => {
      const response = await fetch(shiplog.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(TYPENAME),
      });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
    });
  });

  describe('odd clients', () => {
    it.each(['//graphql', '//livez', '/v1//events', '/graphql/', '/%67raphql'])(
      'that ask for %s get 404, not what is at another address',
      async (path) => {
        const raw = await rawRequest(
          shiplog.port,
          `GET ${path}?query={__typename} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        expect(raw).toMatch(/^HTTP\/1\.1 404 /);
      },
    );

    it('that name the whole address in their first line, as to a proxy, are answered as usual', async () => {
      const raw = await rawRequest(
        shiplog.port,
        `GET ${shiplog.url}/graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).toMatch(/^HTTP\/1\.1 200 /);
      expect(raw).toContain('{"data":{"__typename":"Query"}}');
    });

    it.each(['localhost/x', 'localhost?', 'a b', 'localhost:99999', '[', 'me@localhost'])(
      'that send "Host: %s", which is no host, are refused with 400',
      async (host) => {
        const raw = await rawRequest(
          shiplog.port,
          `GET /graphql?query={__typename} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        );
        expect(raw).toMatch(/^HTTP\/1\.1 400 /);
        expect(raw).toContain('"code":"BAD_REQUEST","field":"host"');
      },
    );

    it('that offer HTTP/2 by Upgrade: h2c are answered as usual', async () => {
      const raw = await rawRequest(
        shiplog.port,
        'POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n' +
          'Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n' +
          'Content-Type: application/json\r\nContent-Length: 26\r\n\r\n',
        '{"query":"{ __typename }"}',
      );
      expect(raw).toMatch(/^HTTP\/1\.1 200 /);
      expect(raw).toContain('{"data":{"__typename":"Query"}}');
    });

    it('that do not speak HTTP get 400 and are closed', async () => {
      expect(await rawRequest(shiplog.port, 'HELO there\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    });

    it('that ask for what is not there get 404 in JSON', async () => {
      const response = await fetch(`${shiplog.url}/nothing`);
      expect([response.status, await codeOf(response)]).toEqual([404, 'NOT_FOUND']);
    });

    it('that put a token into the address are refused, and it is counted', async () => {
      const counter = 'shiplog_auth_failures_total{reason="in_url"}';
      const before = (await shiplog.metric(counter)) ?? 0;
      const response = await fetch(`${shiplog.url}/graphql?token=shp_abc&query={__typename}`);
      expect(response.status).toBe(400);
      expect(await shiplog.metric(counter)).toBe(before + 1);
    });
  });
});

// A plain POST takes the lane; a weight in `Accept` leads the same one to Yoga.
describe('a plain POST and one that goes through Yoga', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
  });
  afterAll(() => shiplog.close());

  it.each([
    ['a query', '{"query":"{ __typename }"}'],
    ['a mark of its encoding', '\ufeff{"query":"{ __typename }"}'],
    ['a key twice', '{"query":"{ a: __typename }","query":"{ b: __typename }"}'],
    ['nulls', '{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}'],
    ['an empty name', '{"query":"query A { __typename }","operationName":""}'],
    ['an unknown name', '{"query":"query A { __typename }","operationName":"B"}'],
    ['two operations', '{"query":"query A { __typename } query B { __typename }"}'],
    ['a syntax error', '{"query":"{"}'],
    ['an unknown field', '{"query":"{ nothing }"}'],
    ['too many tokens', `{"query":"{ ${'a '.repeat(1_001)} }"}`],
    [
      'a wrong variable',
      '{"query":"query ($i: ID!) { task(id: $i) { id } }","variables":{"i":[]}}',
    ],
    [
      'a number that is rounded',
      `{"query":"query ($i: ID!) { task(id: $i) { id } }","variables":{"i":9007199254740993}}`,
    ],
    ['an error below a field', '{"query":"{ tasks(first: 501) { nodes { id } } }"}'],
    [
      'a rejected event',
      '{"query":"mutation { logStep(input: {taskId: \\"t\\", host: \\"\\", step: \\"s\\"}) { outcome error { code field message } } }"}',
    ],
    ['a subscription', '{"query":"subscription { tail(filter: {}) { cursor } }"}'],
    ['no query', '{}'],
    ['an empty query', '{"query":""}'],
    ['variables as text', '{"query":"{ __typename }","variables":"{}"}'],
    ['a batch', '[{"query":"{ __typename }"}]'],
    ['nothing', ''],
    ['no JSON', '{"query":'],
  ])('give the same answer to %s', async (_, body) => {
    const answers = ['application/json', 'application/json;q=0.9'].map(async (accept) => {
      const headers = { 'content-type': 'application/json', accept };
      const response = await fetch(`${shiplog.url}/graphql`, { method: 'POST', headers, body });
      const told = Object.fromEntries(response.headers);
      return { status: response.status, text: await response.text(), ...told, date: '' };
    });
    const [plain, yoga] = await Promise.all(answers);
    expect(yoga).toEqual(plain);
  });
});
