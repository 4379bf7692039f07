/**
 * Bytes of all kinds for GraphQL, /v1/events, OTLP, Splunk's collector and syslog: no answer is a
 * fault of ours, and no good neighbour is lost. SHIPLOG_TEST_FUZZ sets how many of each.
 */
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { listenSyslog, type SyslogListener } from '../../src/senders/syslog/listener.ts';
import { protobufLogs } from '../senders/otlp/protobuf-writer.ts';
import { bodiesOf, recorded } from '../senders/recorded.ts';
import { mutated, pick, type Random, randomOf } from './fuzz.ts';
import { type HttpFixture, startHttpFixture } from './support.ts';

const REQUESTS = Number(process.env.SHIPLOG_TEST_FUZZ ?? 1_000);
const SEED = Number(process.env.SHIPLOG_TEST_SEED ?? 34);
/** Each connection brings many messages. */
const CONNECTIONS = Math.ceil(REQUESTS / 5);
const LANES = 8;
const GOOD_EVERY = 20;

let shiplog: HttpFixture;
let syslog: SyslogListener;
const faults: unknown[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: LANES });
beforeAll(async () => {
  shiplog = await startHttpFixture({ maxBodyBytes: 131_072 });
  const { senders } = shiplog;
  syslog = await listenSyslog({
    host: '127.0.0.1',
    port: 0,
    senders,
    now: Date.now,
    log: { warn: () => {}, error: (fault: unknown) => void faults.push(fault) },
  });
});
afterAll(async () => {
  agent.destroy();
  await syslog.close();
  await shiplog.close();
});

/** The status; 0 where the server closed without an answer, 500 where one of its errors says INTERNAL. */
function send(path: string, body: Buffer, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const request = httpRequest(shiplog.url + path, { method: 'POST', headers, agent });
    request.on('error', () => resolve(0));
    request.on('response', (response) => {
      let answer = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        answer += text;
      });
      const isFault = () => answer.includes('"code":"INTERNAL"');
      response.on('end', () => resolve(isFault() ? 500 : (response.statusCode ?? 0)));
      response.on('error', () => resolve(0));
    });
    request.end(body);
  });
}

async function countOf(taskId: string): Promise<number | null | undefined> {
  const page = { limit: 0, backward: false, after: null, before: null, around: null };
  const [found] = await shiplog.store.events([
    { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: true } },
  ]);
  return found?.total;
}

const bodyOf = (name: string): Buffer => {
  const body = bodiesOf(recorded(name)).findLast(({ length }) => length > 0) as Buffer;
  return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
};

const RECORD = {
  time: 1_795_745_000_123_456_789n,
  severityNumber: 9,
  body: { message: 'm', list: [1, true, 0.5, { a: 'b' }] },
  attributes: { 'k8s.pod.name': 'p', n: -1 },
  traceId: '5b8efff798038103d269b633813fc60c',
};

/** Three say as much as fifty, and are read sooner. */
function fewRecords(body: Buffer): unknown {
  return JSON.parse(body.toString(), (key, value: unknown) =>
    key === 'logRecords' ? (value as unknown[]).slice(0, 3) : value,
  );
}

interface Protocol {
  name: string;
  paths: string[];
  seeds: Buffer[];
  types: string[];
  good: (number: number) => [path: string, body: string, type: string];
}

const json = (text: string) => ({ stringValue: text });

const EVENT = {
  taskId: 't',
  host: 'h',
  step: 's',
  at: '2026-11-27T02:07:03.983Z',
  level: 'WARN',
  stream: 'STDERR',
  message: 'm',
  labels: { a: 'b' },
  params: { n: 1.5, list: [1, null, 'x'] },
  progress: { done: 1, total: 2, unit: 'files' },
  writer: 'w',
  sequence: 3,
};
const EVENT_TEXT = JSON.stringify(EVENT);
const LOG_STEPS = `mutation ($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) { stored results { outcome error { code field } } } }`;

const PROTOCOLS: Protocol[] = [
  {
    name: 'graphql',
    paths: ['/graphql'],
    seeds: [
      {
        query: LOG_STEPS,
        variables: { inputs: [EVENT, { ...EVENT, status: 'FAILED', exitCode: 1 }] },
      },
      {
        query:
          'query Q($f: EventFilter!, $n: Int = 3) { events(filter: $f, first: $n) { nodes { id message labels host { name } } pageInfo { endCursor } } }',
        variables: { f: { search: 'a "b c" -d* level:error', levels: ['WARN'], from: EVENT.at } },
        operationName: 'Q',
      },
      {
        query:
          '{ task(id: "t") { status runs(first: 2) { nodes { hostName } } } __schema { types { name } } }',
        extensions: { a: 1 },
      },
    ].map((one) => Buffer.from(JSON.stringify(one))),
    types: ['application/json', 'application/json; charset=utf-8', 'application/graphql', ''],
    good(number) {
      const input = {
        taskId: 'good-graphql',
        host: 'h',
        step: 's',
        message: 'm',
        eventId: `e${number}`,
      };
      const body = { query: LOG_STEPS, variables: { inputs: [input] } };
      return ['/graphql', JSON.stringify(body), 'application/json'];
    },
  },
  {
    name: 'events',
    paths: ['/v1/events', '/v1/events?longMessages=reject', '/v1/events?longMessages=x&a=%ff'],
    seeds: [
      EVENT_TEXT,
      `[${EVENT_TEXT},${EVENT_TEXT}]`,
      `${EVENT_TEXT}\n\n${EVENT_TEXT}\r\n${EVENT_TEXT}`,
    ].map((text) => Buffer.from(text)),
    types: ['application/json', 'application/x-ndjson', 'text/plain', ''],
    good(number) {
      const event = {
        taskId: 'good-events',
        host: 'h',
        step: 's',
        message: 'm',
        eventId: `e${number}`,
      };
      return ['/v1/events', JSON.stringify(event), 'application/json'];
    },
  },
  {
    name: 'otlp',
    paths: ['/v1/logs'],
    seeds: [
      bodyOf('otlp/collector.request'),
      protobufLogs({ resource: { 'host.name': 'h' }, records: [RECORD, { body: 'b' }, RECORD] }),
      Buffer.from(JSON.stringify(fewRecords(bodyOf('otlp/pino-otel.request')))),
    ],
    types: ['application/x-protobuf', 'application/json'],
    good(number) {
      const attributes = [
        { key: 'task', value: json('good-otlp') },
        { key: 'shiplog.task', value: json('good-otlp') },
      ];
      const logRecords = [
        { timeUnixNano: `1795745000${String(number).padStart(9, '0')}`, body: json('x') },
      ];
      const body = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] };
      return ['/v1/logs', JSON.stringify(body), 'application/json'];
    },
  },
  {
    name: 'splunk',
    paths: [
      '/services/collector/event/1.0',
      '/services/collector',
      '/services/collector/raw?host=a&time=x',
      '/services/collector/ack',
    ],
    seeds: ['labels-and-tag', 'format-json', 'format-raw', 'plain'].map((name) =>
      bodyOf(`splunk/${name}.request`),
    ),
    types: ['', 'application/json'],
    good(number) {
      const event = {
        event: { message: `x ${number}`, task: 'x' },
        fields: { task: 'good-splunk' },
      };
      return ['/services/collector', JSON.stringify({ ...event, time: 1_795_745_000.5 }), ''];
    },
  },
];

function requestOf({ seeds, paths, types }: Protocol, random: Random) {
  let body = pick(random, seeds);
  for (let times = random(6); times > 0; times--) body = mutated(body, random);
  const coding = random(10);
  const headers: Record<string, string> = {};
  const type = pick(random, types);
  if (type !== '') headers['content-type'] = type;
  if (random(10) === 0) headers['idempotency-key'] = String(random(1_000));
  if (coding < 2) {
    headers['content-encoding'] = 'gzip';
    body = gzipSync(body);
    if (coding === 1) body = mutated(body, random);
  }
  return { path: pick(random, paths), body, headers };
}

describe(`${REQUESTS} requests of mutated bytes`, () => {
  it.for(PROTOCOLS)(
    'to $name get no 5xx and harm no neighbour',
    { timeout: 1_800_000 },
    async (protocol) => {
      const wrong: unknown[] = [];
      let good = 0;
      let left = REQUESTS;
      const lane = async (number: number): Promise<void> => {
        const random = randomOf(SEED * 1_000 + number);
        for (let sent = 0; left-- > 0; sent++) {
          const { path, body, headers } = requestOf(protocol, random);
          const status = await send(path, body, headers);
          if (status === 0 || status >= 500) wrong.push([status, number, sent]);
          if (sent % GOOD_EVERY !== 0) continue;
          const [to, text, type] = protocol.good(good++);
          const answer = await send(
            to,
            Buffer.from(text),
            type === '' ? {} : { 'content-type': type },
          );
          if (answer !== 200) wrong.push([answer, 'good']);
        }
      };
      await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
      expect(wrong).toEqual([]);
      expect(await countOf(`good-${protocol.name}`)).toBe(good);
      expect(good).toBeGreaterThanOrEqual(REQUESTS / GOOD_EVERY / 2);
    },
  );
});

describe(`${CONNECTIONS} connections of mutated syslog`, () => {
  it('harm neither the server nor a line of another connection', {
    timeout: 1_800_000,
  }, async () => {
    const port = Number(syslog.address.split(':')[1]);
    const seeds = ['docker', 'rsyslog', 'winston-syslog', 'logger'].map((name) =>
      recorded(`syslog/${name}.bytes`).subarray(0, 1_500),
    );
    const neighbour = connect(port, '127.0.0.1');
    await once(neighbour, 'connect');
    let good = 0;
    let left = CONNECTIONS;
    const lane = async (number: number): Promise<void> => {
      const random = randomOf(SEED * 2_000 + number);
      for (let sent = 0; left-- > 0; sent++) {
        let bytes = pick(random, seeds);
        for (let times = random(6); times > 0; times--) bytes = mutated(bytes, random);
        const socket = connect(port, '127.0.0.1');
        const at = random(bytes.length + 1);
        socket.write(bytes.subarray(0, at));
        socket.end(bytes.subarray(at));
        await once(socket.resume(), 'close');
        if (sent % GOOD_EVERY === 0) neighbour.write(`<14>1 - n good - - - ${good++}\n`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    const day = new Date().toISOString().slice(0, 10);
    await vi.waitFor(async () => expect(await countOf(`program/good/${day}`)).toBe(good), 20_000);
    expect(faults).toEqual([]);
    neighbour.destroy();
  });
});
