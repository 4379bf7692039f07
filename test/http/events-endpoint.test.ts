import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { MAX_ITEMS } from '../../src/http/endpoints/events.ts';
import { eventsSender, lines } from './events-sender.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from './support.ts';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ maxBodyBytes: 2_000_000 });
});
afterAll(() => shiplog.close());

const { post, stored } = eventsSender(() => shiplog);

describe('POST /v1/events', () => {
  it('takes one JSON object and tells what became of it', async () => {
    const answer = await post(JSON.stringify(stepEvents('t-one', 1)[0]), 'application/json');
    expect(answer).toEqual({
      status: 200,
      stored: 1,
      duplicates: 0,
      rejected: 0,
      results: [{ index: 0, outcome: 'STORED', eventId: 'e0' }],
    });
  });

  it('takes an array, and a value that is wrong harms none of its neighbours', async () => {
    const [first, second, third, fourth] = stepEvents('t-array', 4);
    const body = [first, { ...second, attempt: 0 }, { ...third, evntId: 'typo' }, fourth, 7];
    const answer = await post(JSON.stringify(body), 'application/json');
    expect(answer).toMatchObject({ stored: 2, rejected: 3 });
    expect(answer.results.map(({ outcome }) => outcome)).toEqual([
      'STORED',
      'REJECTED',
      'REJECTED',
      'STORED',
      'REJECTED',
    ]);
    expect(answer.results[1]?.error).toMatchObject({ field: 'attempt' });
    expect(answer.results[2]?.error).toMatchObject({ code: 'UNKNOWN_FIELD', field: 'evntId' });
  });

  it('takes NDJSON in order, and lists only what was not stored', async () => {
    const events = stepEvents('t-lines', 2_500);
    const answer = await post(lines(events));
    expect(answer).toEqual({ status: 200, stored: 2_500, duplicates: 0, rejected: 0, results: [] });
    expect(await stored('t-lines')).toEqual(events.slice(0, 1000).map(({ message }) => message));
    const again = await post(lines(events.slice(0, 3)));
    expect(again).toMatchObject({ stored: 0, duplicates: 3 });
    expect(again.results.map(({ index, outcome }) => [index, outcome])).toEqual([
      [0, 'DUPLICATE'],
      [1, 'DUPLICATE'],
      [2, 'DUPLICATE'],
    ]);
  });

  it('tells which hosts of a declaration it left out, of NDJSON too, where it lists problems', async () => {
    const task = { change: 'began', hosts: ['web-1', ' web-2'] };
    const sent = [{ taskId: 't-left-out', task }, ...stepEvents('t-left-out', 1)];
    const answer = await post(lines(sent));
    expect(answer).toMatchObject({ stored: 2, rejected: 0 });
    expect(answer.results).toEqual([
      {
        ...{ index: 0, outcome: 'STORED', eventId: expect.any(String) },
        leftOut: [
          {
            ...{ code: 'INVALID_VALUE', field: 'task.hosts[1]' },
            message: 'task.hosts[1] must not begin or end with white space',
          },
        ],
      },
    ]);
  });

  it('takes lines that say something of a task, once each, in their place among the others', async () => {
    const began = { change: 'began', service: 'shop', plan: ['a', 'b'], hosts: ['web-1', 'bad*'] };
    const at = '2026-11-20T10:00:00.000Z';
    const sent = [
      { taskId: 't-said', eventId: 'began-1', at, task: { ...began, hosts: ['web-1'] } },
      ...stepEvents('t-said', 1),
      { taskId: 't-said', eventId: 'ended-1', at, task: { change: 'ended', status: 'FAILED' } },
      { taskId: 't-said', at, task: began },
      { taskId: 't-said', at, task: { change: 'begun' } },
    ];
    const answer = await post(lines(sent));
    expect(answer).toMatchObject({ stored: 3, rejected: 2 });
    expect(answer.results.map(({ error }) => error?.field)).toEqual([
      'task.hosts[1]',
      'task.change',
    ]);
    expect(await post(lines(sent.slice(0, 3)))).toMatchObject({ duplicates: 3 });
    expect(await stored('t-said')).toEqual(['task began', 'line 0', 'task ended: failed']);
    const query =
      '{ task(id: "t-said") { service status plan events { nodes { service taskChange } } } }';
    const { data } = await shiplog.graphql({ query });
    expect(data).toEqual({
      task: {
        service: 'shop',
        status: 'FAILED',
        plan: ['a', 'b'],
        events: {
          nodes: [
            {
              service: 'shop',
              taskChange: { change: 'began', service: 'shop', plan: ['a', 'b'], hosts: ['web-1'] },
            },
            { service: 'shop', taskChange: null },
            { service: 'shop', taskChange: { change: 'ended', status: 'FAILED' } },
          ],
        },
      },
    });
  });

  it('lists all results where it is asked to', async () => {
    const answer = await post(lines(stepEvents('t-all', 3)), undefined, {
      path: '/v1/events?results=all',
    });
    expect(answer.results.map(({ eventId }) => eventId)).toEqual(['e0', 'e1', 'e2']);
  });

  it('rejects broken lines with their number while their neighbours are stored', async () => {
    const [first, second, third] = stepEvents('t-broken', 3).map((event) => JSON.stringify(event));
    const long = JSON.stringify({ taskId: 't', message: 'x'.repeat(1_100_000) });
    const body = [first, '{"taskId":', '', second, 'null', long, third].join('\n');
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 200, stored: 3, rejected: 3 });
    expect(answer.results.map(({ index, error }) => [index, error?.code])).toEqual([
      [1, 'BAD_JSON'],
      [4, expect.any(String)],
      [5, 'TOO_LONG'],
    ]);
    expect(await stored('t-broken')).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('rejects a line that is not UTF-8 and keeps the others', async () => {
    const [first, second] = stepEvents('t-bytes', 2).map((event) => JSON.stringify(event));
    const body = Buffer.concat([
      Buffer.from(`${first}\n{"message":"`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`"}\n${second}\n`),
    ]);
    expect(await post(body)).toMatchObject({
      stored: 2,
      results: [{ index: 1, error: { code: 'BAD_JSON' } }],
    });
  });

  it('rejects NUL characters, half surrogates and over-long texts by name of the field', async () => {
    const base = { taskId: 't-texts', host: 'h', step: 's' };
    const body = [
      `{"taskId":"t-texts","host":"h","step":"s","message":"a\\u0000b"}`,
      `{"taskId":"t-texts","host":"h","step":"s","message":"\\ud800"}`,
      JSON.stringify({ ...base, message: 'x'.repeat(65_537) }),
      JSON.stringify({ ...base, at: '9999-99-99' }),
      JSON.stringify({ ...base, at: '2099-01-01T00:00:00Z', message: 'absurd, but a time' }),
      `{"taskId":"t-texts","host":"h","step":"s","durationMs":1e400}`,
    ].join('\n');
    const answer = await post(body, undefined, { path: '/v1/events?longMessages=reject' });
    expect(answer.stored).toBe(1);
    expect(answer.results.map(({ index, error }) => [index, error?.code, error?.field])).toEqual([
      [0, 'INVALID_TEXT', 'message'],
      [1, 'INVALID_TEXT', 'message'],
      [2, 'TOO_LONG', 'message'],
      [3, expect.any(String), 'at'],
      [5, expect.any(String), 'durationMs'],
    ]);
  });

  it('cuts a message that is too long and marks it, and leaves no half of a character', async () => {
    const event = { taskId: 't-long', host: 'h', step: 's', message: '🎉'.repeat(40_000) };
    expect(await post(JSON.stringify(event), 'application/json')).toMatchObject({ stored: 1 });
    const [message] = await stored('t-long');
    expect(message?.length).toBeLessThanOrEqual(65_536);
    expect(message).toMatch(/🎉 … \[cut, it had 80,000 characters\]$/);
    expect(message?.isWellFormed()).toBe(true);
  });

  it('counts a request once that is sent again under its Idempotency-Key', async () => {
    const event = { taskId: 't-key', host: 'h', step: 's', message: 'same' };
    const body = lines([event, event, { ...event, eventId: 'mine' }]);
    const send = (key: string) => post(body, undefined, { headers: { 'idempotency-key': key } });
    expect(await send('one')).toMatchObject({ stored: 3, duplicates: 0 });
    expect(await send('one')).toMatchObject({ status: 200, stored: 0, duplicates: 3 });
    expect(await send('two')).toMatchObject({ stored: 2, duplicates: 1 });
    expect(await send('x'.repeat(256))).toMatchObject({
      status: 400,
      error: { field: 'idempotency-key' },
    });
  });

  it('takes compressed NDJSON that is many times as large as other bodies may be', async () => {
    const events = stepEvents('t-zip', 1_000).map((event) => ({
      ...event,
      message: 'x'.repeat(5_000),
    }));
    const answer = await post(gzipSync(lines(events)), undefined, {
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer).toMatchObject({ stored: 1_000, results: [] });
  });

  it('refuses an array that is too long, whole', async () => {
    const answer = await post(`[${'{},'.repeat(MAX_ITEMS)}{}]`, 'application/json');
    expect(answer).toMatchObject({ status: 400, error: { code: 'BAD_INPUT' } });
  });

  it('bounds the list of results, and says so', async () => {
    const answer = await post('x\n'.repeat(MAX_ITEMS + 5));
    expect(answer).toMatchObject({ rejected: MAX_ITEMS + 5, resultsTruncated: true });
    expect(answer.results).toHaveLength(MAX_ITEMS);
  });

  it.each([
    [415, 'text/plain', '{}', '/v1/events'],
    [415, 'application/x-www-form-urlencoded', 'a=b', '/v1/events'],
    [400, 'application/json', '{', '/v1/events'],
    [400, 'application/json', '{}', '/v1/events?result=all'],
    [400, 'application/json', '{}', '/v1/events?results=some'],
    [413, 'application/json', `"${'x'.repeat(2_100_000)}"`, '/v1/events'],
  ])('answers %i for %s', async (status, type, body, path) => {
    expect((await post(body, type, { path })).status).toBe(status);
  });

  it('takes an empty body as no events', async () => {
    expect(await post('')).toMatchObject({ status: 200, stored: 0, rejected: 0 });
    expect(await post('[]', 'application/json')).toMatchObject({ status: 200, stored: 0 });
  });

  it('stores the lines that arrived whole when the sender goes in the middle', async () => {
    const socket = connect(shiplog.port, '127.0.0.1');
    const [first, second] = stepEvents('t-gone', 2).map((event) => JSON.stringify(event));
    socket.write(
      'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n' +
        `Content-Length: 99999\r\n\r\n${first}\n${second?.slice(0, 20)}`,
    );
    await expect.poll(() => stored('t-gone')).toEqual(['line 0']);
    socket.destroy();
    expect(await stored('t-gone')).toEqual(['line 0']);
  });

  it('asks for a token with the scope ingest where there are tokens', async () => {
    const reader = makeToken('reader', ['read'], null, Date.now());
    const agent = makeToken('agent', ['ingest'], null, Date.now());
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-events-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([reader.record, agent.record]));
    const guarded = await startHttpFixture({ tokensFile, token: agent.token });
    const body = lines(stepEvents('t', 1));
    const asked = async (
      headers: Record<string, string>,
    ): Promise<[number, string | undefined]> => {
      const { status, error } = await post(body, undefined, { url: guarded.url, headers });
      return [status, error?.code];
    };
    expect(await asked({})).toEqual([401, 'UNAUTHENTICATED']);
    expect(await asked({ authorization: `Bearer ${reader.token}` })).toEqual([403, 'FORBIDDEN']);
    expect(await asked({ authorization: `Bearer ${agent.token}x` })).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
    expect(await asked({ authorization: `Bearer ${agent.token}` })).toEqual([200, undefined]);
    const query = { query: '{ tasks { nodes { id } } }' };
    const read = await guarded.graphql(query);
    expect(read.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    const metrics = await fetch(`${guarded.url}/metrics`);
    expect(metrics.status).toBe(401);
    expect(metrics.headers.get('www-authenticate')).toContain('Bearer');
    await guarded.close();
  });
});

describe('an answer', () => {
  const bad = (message: string) => ({ taskId: 't-422', host: 'h', step: 's', message, date: 1 });
  const good = { taskId: 't-422', host: 'h', step: 's', message: 'm', eventId: 'one' };

  it.each([
    ['an array', 'application/json', JSON.stringify([bad('a'), bad('b')])],
    ['lines', 'application/x-ndjson', lines([bad('a'), bad('b')])],
  ])(
    'of which nothing was taken is no success: 422 with what became of each of %s',
    async (_, type, body) => {
      const answer = await post(body, type);
      expect(answer).toMatchObject({ status: 422, stored: 0, duplicates: 0, rejected: 2 });
      expect(answer.results.map(({ error }) => error)).toEqual(
        Array(2).fill(expect.objectContaining({ code: 'UNKNOWN_FIELD', field: 'date' })),
      );
    },
  );

  it('is 200 where a part was taken, and where all was taken before', async () => {
    const partly = await post(JSON.stringify([good, bad('a')]), 'application/json');
    expect(partly).toMatchObject({ status: 200, stored: 1, rejected: 1 });
    const again = await post(JSON.stringify([good, bad('a')]), 'application/json');
    expect(again).toMatchObject({ status: 200, duplicates: 1, rejected: 1 });
    expect(await post('[]', 'application/json')).toMatchObject({ status: 200, stored: 0 });
  });

  it('names the field that was most likely meant', async () => {
    const hints: [string, string][] = [
      ['hostname', 'host'],
      ['timestamp', 'at'],
      ['mesage', 'message'],
    ];
    for (const [sent, meant] of hints) {
      const { results } = await post(JSON.stringify({ ...good, [sent]: 'x' }), 'application/json');
      expect(results[0]?.error).toMatchObject({
        field: sent,
        message: `there is no field "${sent}"; did you mean "${meant}"?`,
      });
    }
  });
});

describe('NDJSON that is sent as application/json', () => {
  it('is taken, line by line', async () => {
    const events = stepEvents('t-as-json', 3);
    const answer = await post(`${lines(events)}\n{"broken\n`, 'application/json');
    expect(answer).toMatchObject({ status: 200, stored: 3, rejected: 1 });
    expect(answer.results.at(-1)).toMatchObject({ index: 4, error: { code: 'BAD_JSON' } });
    expect(await stored('t-as-json')).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('is not seen in JSON that is broken', async () => {
    for (const body of ['{"taskId":\n"t"', '[{"taskId":"t"}\n{"taskId":"t"}]', 'hello\n{}']) {
      expect(await post(body, 'application/json')).toMatchObject({
        status: 400,
        error: { code: 'BAD_REQUEST' },
      });
    }
  });
});

describe('gzip that its headers do not tell of', () => {
  it.each(['application/json', 'application/x-ndjson'])(
    'is answered with what is missing, as %s',
    async (type) => {
      const answer = await post(gzipSync(lines(stepEvents('t-gzip', 2))), type);
      expect(answer).toMatchObject({
        status: 400,
        error: { code: 'BAD_REQUEST', field: 'content-encoding' },
      });
    },
  );
});
