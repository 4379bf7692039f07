/** POST /v1/logs: what exporters of OpenTelemetry send, and what they hear. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { protobufLogs } from '../senders/otlp/protobuf-writer.ts';
import { bodiesOf, recorded, replay } from '../senders/recorded.ts';
import { type HttpFixture, startHttpFixture } from './support.ts';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

async function eventsOf(taskId: string): Promise<StoredEvent[]> {
  const page = { limit: 200, backward: false, after: null, before: null, around: null };
  const [found] = await shiplog.store.events([
    { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
  ]);
  return (found?.rows ?? []).map(({ node }) => node);
}

/** Of a source, received since then: midnight may have passed. */
async function eventsOfDays(source: string, began: Date): Promise<StoredEvent[]> {
  const days = new Set([began, new Date()].map((at) => at.toISOString().slice(0, 10)));
  return (await Promise.all([...days].map((day) => eventsOf(`${source}/${day}`)))).flat();
}

const AT = 1_795_745_000_123;
const NANOSECONDS = `${AT}456789`;

function jsonLogs(task: string, ...records: unknown[]): object {
  const attributes = [
    { key: 'shiplog.task', value: { stringValue: task } },
    { key: 'service.name', value: { stringValue: 'shop' } },
    { key: 'host.name', value: { stringValue: 'web-1' } },
  ];
  return {
    resourceLogs: [
      { resource: { attributes }, scopeLogs: [{ scope: { name: 'app' }, logRecords: records }] },
    ],
  };
}

function line(text: string): object {
  return { timeUnixNano: NANOSECONDS, severityNumber: 17, body: { stringValue: text } };
}

function post(body: string | Buffer, headers: Record<string, string>): Promise<Response> {
  return fetch(`${shiplog.url}/v1/logs`, { method: 'POST', headers, body: body as BodyInit });
}

function postJson(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return post(JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

/** That each of the recorded bodies holds. */
const LINES = 50;

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

describe('the bytes of real exporters', () => {
  it.for(['collector', 'otel-java', 'otel-python', 'pino-otel', 'telemetrygen'])(
    '%s are stored once each, also when they come again',
    async (name) => {
      const before = await shiplog.metric('shiplog_ingest_stored_total');
      const request = recorded(`otlp/${name}.request`);
      const answer = await replay(shiplog.port, request);
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      const stored = Number(await shiplog.metric('shiplog_ingest_stored_total')) - Number(before);
      expect(stored).toBe(LINES);
      const rejected = await shiplog.metric('shiplog_ingest_rejected_total{code="BAD_JSON"}');
      expect(rejected).toBe(0);
      await replay(shiplog.port, request);
      expect(Number(await shiplog.metric('shiplog_ingest_stored_total')) - Number(before)).toBe(
        LINES,
      );
      const type = name.startsWith('pino') ? 'application/json' : 'application/x-protobuf';
      expect(answer.toString('latin1').toLowerCase()).toContain(`content-type: ${type}\r\n`);
      expect(bodiesOf(answer)[0]?.toString()).toBe(name.startsWith('pino') ? '{}' : '');
    },
  );
});

describe('log records', () => {
  it('become events of their task with level, host, labels and the attributes that nobody knows', async () => {
    const record = {
      ...line('disk is full'),
      traceId: '5B8EFFF798038103D269B633813FC60C',
      spanId: 'eee19b7ec3c1b174',
      attributes: [
        { key: 'k8s.pod.name', value: { stringValue: 'shop-7' } },
        { key: 'log.iostream', value: { stringValue: 'stderr' } },
        { key: 'retries', value: { intValue: '9007199254740993' } },
        { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 2 }] } } },
      ],
    };
    expect((await postJson(jsonLogs('otlp-mapped', record))).status).toBe(200);
    const [event] = await eventsOf('otlp-mapped');
    expect(event).toMatchObject({
      host: 'web-1',
      at: AT,
      level: 'ERROR',
      stream: 'STDERR',
      message: 'disk is full',
      labels: {
        service: 'shop',
        pod: 'shop-7',
        trace_id: '5b8efff798038103d269b633813fc60c',
        span_id: 'eee19b7ec3c1b174',
      },
      params: { retries: '9007199254740993', tags: ['a', 2], otel: { scope: { name: 'app' } } },
    });
  });

  it('say the same in protobuf as in JSON', async () => {
    const request = (task: string) => ({
      resource: { 'shiplog.task': task, 'host.name': 'web-1', 'service.name': 'shop' },
      records: [
        {
          time: BigInt(NANOSECONDS),
          severityNumber: 17,
          body: 'disk is full',
          attributes: { 'k8s.pod.name': 'shop-7', retries: -5, ratio: 0.5, deep: { a: [true] } },
          traceId: '5b8efff798038103d269b633813fc60c',
        },
      ],
    });
    const answer = await post(protobufLogs(request('otlp-protobuf')), PROTOBUF);
    expect(answer.status).toBe(200);
    expect((await answer.arrayBuffer()).byteLength).toBe(0);
    const [event] = await eventsOf('otlp-protobuf');
    expect(event).toMatchObject({
      host: 'web-1',
      at: AT,
      level: 'ERROR',
      message: 'disk is full',
      labels: { service: 'shop', pod: 'shop-7', trace_id: '5b8efff798038103d269b633813fc60c' },
      params: { retries: -5, ratio: 0.5, deep: { a: [true] } },
    });
  });

  it('with an object for a body have its text for a message, or else its JSON', async () => {
    const value = (text: string) => ({ stringValue: text });
    const body = (...values: object[]) => ({
      timeUnixNano: NANOSECONDS,
      body: { kvlistValue: { values } },
    });
    await postJson(
      jsonLogs(
        'otlp-objects',
        body({ key: 'msg', value: value('hello') }, { key: 'user', value: value('ann') }),
        body({ key: 'a', value: { intValue: 1 } }),
      ),
    );
    const events = await eventsOf('otlp-objects');
    expect(events.map(({ message }) => message)).toEqual(['hello', '{"a":1}']);
    expect(events[0]?.params).toMatchObject({ user: 'ann' });
  });

  it('that are equal and in one body are all kept, and a repeated body adds none', async () => {
    const body = jsonLogs('otlp-equal', line('same'), line('same'), line('same'));
    await postJson(body);
    await postJson(body);
    expect(await eventsOf('otlp-equal')).toHaveLength(3);
    // The exporter may compress at one try and not at the other.
    await post(gzipSync(JSON.stringify(body)), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(await eventsOf('otlp-equal')).toHaveLength(3);
  });

  it('that are none are told as partial success, and their neighbours are stored', async () => {
    const answer = await postJson(jsonLogs('otlp-partial', line('before'), 7, line('behind')));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      partialSuccess: {
        rejectedLogRecords: '1',
        errorMessage: 'BAD_JSON: Log record 1 is not an object',
      },
    });
    expect((await eventsOf('otlp-partial')).map(({ message }) => message)).toEqual([
      'before',
      'behind',
    ]);
  });

  it('before damage in a protobuf body are stored, and partial success says where it is', async () => {
    const record = (text: string) => ({ time: BigInt(NANOSECONDS), body: text });
    const whole = protobufLogs({
      resource: { 'shiplog.task': 'otlp-damaged' },
      records: [record('first'), record('second')],
    });
    // The last field of the last record says to be longer than the body.
    whole[whole.length - 'second'.length - 1] = 0x7f;
    const answer = await post(whole, PROTOBUF);
    expect(answer.status).toBe(200);
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    expect(text).toMatch(/at byte \d+ it ends too early/);
    expect((await eventsOf('otlp-damaged')).map(({ message }) => message)).toEqual(['first']);
  });
});

describe('a time that cannot be meant', () => {
  it.for(['1000', '946684799999000000', '18446744073709551616'])(
    '(%s) is kept and told, and its record stands at the time of its receipt',
    async (time) => {
      const name = `unset-${time}`;
      const misfits = () => shiplog.metric('shiplog_sender_misfits_total{reason="time"}');
      const before = Number(await misfits());
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: name } }] };
      const logRecords = [{ timeUnixNano: time, body: { stringValue: name } }];
      const began = new Date();
      await postJson({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
      const [event] = await eventsOfDays(`service/${name}`, began);
      expect(event).toMatchObject({ message: name });
      // What no 64 bits hold is not even a number of nanoseconds.
      const isNumber = BigInt(time) < 2n ** 64n;
      expect(event?.params).toEqual(isNumber ? { timeUnixNano: time } : null);
      expect(Number(await misfits()) - before).toBe(isNumber ? 1 : 0);
    },
  );

  it('gives way to the one at which its record was observed', async () => {
    const record = { ...line('observed'), timeUnixNano: '1', observedTimeUnixNano: NANOSECONDS };
    await postJson(jsonLogs('otlp-observed', record));
    expect(await eventsOf('otlp-observed')).toMatchObject([{ at: AT }]);
  });
});

it('Bytes that are no UTF-8 are stored with those replaced, which is counted', async () => {
  const misfits = () => shiplog.metric('shiplog_sender_misfits_total{reason="text"}');
  const before = Number(await misfits());
  const body = JSON.stringify(jsonLogs('otlp-latin', line('gr\xfc\xdf')));
  await post(Buffer.from(body, 'latin1'), { 'content-type': 'application/json' });
  expect(await eventsOf('otlp-latin')).toMatchObject([{ message: 'gr\ufffd\ufffd' }]);
  expect(Number(await misfits()) - before).toBe(1);
});

it('An id of a trace in base64 is that trace, and one of zeros is none', async () => {
  const traceId = '5b8efff798038103d269b633813fc60c';
  const spanId = 'eee19b7ec3c1b174';
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  await postJson(
    jsonLogs(
      'otlp-ids',
      { ...line('hex'), traceId: traceId.toUpperCase(), spanId },
      { ...line('base64'), traceId: base64(traceId), spanId: base64(spanId) },
      { ...line('zeros'), traceId: '0'.repeat(32), spanId: '0'.repeat(16) },
    ),
  );
  const [hex, inBase64, zeros] = await eventsOf('otlp-ids');
  expect(hex?.labels).toMatchObject({ trace_id: traceId, span_id: spanId });
  expect(inBase64?.labels).toEqual(hex?.labels);
  expect(zeros?.labels).toEqual({ service: 'shop' });
});

describe('an exporter hears', () => {
  it('success for an empty request', async () => {
    expect((await post(Buffer.alloc(0), PROTOBUF)).status).toBe(200);
    expect((await postJson({})).status).toBe(200);
  });

  it.for(['[]', 'null', '7', '{"resourceLogs":7}', '{"resourceLogs":[{"scopeLogs":"x"}]}'])(
    '400 of %s: nothing of it was stored',
    async (body) => {
      const answer = await post(body, { 'content-type': 'application/json' });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: 3, message: /not an object/ });
    },
  );

  it('of a body that is none a google.rpc.Status in the encoding of its request', async () => {
    const json = await post('{"resourceLogs":', { 'content-type': 'application/json' });
    expect(json.status).toBe(400);
    expect(await json.json()).toMatchObject({ code: 3, message: /not JSON/ });
    const protobuf = await post(Buffer.from('not protobuf'), PROTOBUF);
    expect(protobuf.status).toBe(400);
    expect(protobuf.headers.get('content-type')).toBe('application/x-protobuf');
    const bytes = Buffer.from(await protobuf.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0x08, 3, 0x12]);
    const other = await post('x', { 'content-type': 'text/plain' });
    expect(other.status).toBe(415);
    expect(await other.json()).toMatchObject({ code: 3 });
  });

  it('413 of what is too large when it is unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(9 * 1024 * 1024, 0x20));
    const answer = await post(bomb, {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(answer.status).toBe(413);
  });
});

describe('a server that takes nothing now', () => {
  it('says 503 with Retry-After while it is stopping, never 500 and no closed connection', async () => {
    const stopping = await startHttpFixture();
    const agent = { 'content-type': 'application/json' };
    const url = `${stopping.url}/v1/logs`;
    const closed = stopping.http.close({ drainMs: 500 });
    const answer = await fetch(url, { method: 'POST', headers: agent, body: '{}' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 14 });
    await closed;
    await stopping.close();
  });

  it('says so too when its queue is closed already, and of a fault of its own', async () => {
    const broken = await startHttpFixture();
    const request = () =>
      fetch(`${broken.url}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(jsonLogs('x', line('y'))),
      });
    await broken.ingest.close();
    const closed = await request();
    expect(closed.status).toBe(503);
    expect(closed.headers.get('retry-after')).not.toBeNull();
    await broken.close();
  });
});

it.for([
  ['/v1/logs/', '{}'],
  ['/v1/events/', '[]'],
  ['/services/collector/', '{"event":"slash"}'],
  ['/services/collector/event/1.0/', '{"event":"slash"}'],
])(
  '%s, with the slash of who joins addresses, is the same as without it',
  async ([path = '', body = '']) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(shiplog.url + path, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
  },
);
