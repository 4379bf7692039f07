/**
 * Bytes of all kinds on the Elasticsearch endpoints: no answer is a fault of ours, and no good
 * neighbour is lost. SHIPLOG_TEST_FUZZ sets how many requests (100,000 take some minutes).
 */
import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mutated, pick, type Random, randomOf } from './fuzz.ts';
import { type HttpFixture, startHttpFixture } from './support.ts';

const REQUESTS = Number(process.env.SHIPLOG_TEST_FUZZ ?? 2_000);
const SEED = Number(process.env.SHIPLOG_TEST_SEED ?? 9);
const LANES = 8;
const GOOD_EVERY = 20;

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture({ maxBodyBytes: 65_536 });
});
afterAll(() => shiplog.close());

const DOCUMENTS = [
  '{"@timestamp":"2026-11-27T02:07:03.983Z","message":"m","log":{"level":"info"},"host":{"name":"h"}}',
  '{"taskId":"t","host":"h","step":"s","status":"ok","exitCode":0,"attempt":2,"at":1795742637100}',
  '{"date":1795742637.1,"log":"m","kubernetes":{"pod_name":"p","labels":{"a.b/c":"d"}},"tags":["a","b"]}',
  '{"message":"m","n":9007199254740993,"labels":{"x":1e400,"y":null,"z":"\\u0000"},"error":{"message":"e"}}',
  '{"__proto__":{"a":1},"constructor":{"prototype":{}},"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}',
];
const ACTIONS = [
  '{"index":{"_index":"fuzz"}}',
  '{"create":{"_index":"fuzz","_id":"1"}}',
  '{"update":{"_index":"fuzz","_id":"1"}}',
  '{"delete":{"_index":"fuzz","_id":"1"}}',
  '{"index":{"_index":"fuzz","pipeline":null},"attempts":0}',
];
const PATHS = [
  '/es/_bulk',
  '/es/fuzz/_bulk',
  '/es/fuzz/_doc',
  '/es/fuzz/_doc/1',
  '/es/fuzz/_create/2',
  '/es/_bulk?filter_path=errors,items.*.error,items.*.status',
  '/es/_bulk?filter_path=**.status,-x,*.*.*.*,a*b*c',
  '/es/_index_template/x',
  '/es/fuzz/_search',
  '/es/%7f%C3%A9/_bulk',
];
const AGENTS = [
  'elasticsearch-js/9.5.1',
  'Elastic-filebeat/7.17.29',
  'Fluent-Bit',
  'Java/17',
  'x'.repeat(200),
];
const TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/vnd.elasticsearch+json; compatible-with=9',
  'text/plain',
];

/** What breaks this protocol in particular: its lines and what stands in them. */
const TOKENS = ['\r\n', '-', 'null', '\u2028', '"_id":', '"_index":""', '{"index":{}}\n'];

function bodyOf(random: Random): Buffer {
  const lines = Array.from({ length: 1 + random(6) }, () => [
    pick(random, ACTIONS),
    pick(random, DOCUMENTS),
  ]).flat();
  let body: Buffer = Buffer.from(`${lines.join('\n')}\n`);
  for (let times = random(6); times > 0; times--) body = mutated(body, random, TOKENS);
  return body;
}

const agent = new Agent({ keepAlive: true, maxSockets: LANES });

/** The status; 0 where the server closed without an answer. */
function send(
  path: string,
  body: Buffer,
  headers: Record<string, string>,
  method = 'POST',
): Promise<number> {
  return new Promise((resolve) => {
    const request = httpRequest(shiplog.url + path, { method, headers, agent });
    request.on('error', () => resolve(0));
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    request.end(body);
  });
}

async function fuzzOnce(random: Random): Promise<number> {
  const plain = bodyOf(random);
  const coding = random(10);
  const compressed = coding < 2 ? gzipSync(plain) : plain;
  const body = coding === 1 ? mutated(compressed, random, TOKENS) : compressed;
  const headers: Record<string, string> = {
    'content-type': pick(random, TYPES),
    'user-agent': pick(random, AGENTS),
    ...(coding < 2 || random(50) === 0 ? { 'content-encoding': 'gzip' } : {}),
  };
  return send(pick(random, PATHS), body, headers, pick(random, ['POST', 'POST', 'PUT']));
}

it(`${REQUESTS} requests of random and mutated bytes get no 5xx and harm no neighbour`, {
  timeout: 1_800_000,
}, async () => {
  const wrong: number[] = [];
  let good = 0;
  let left = REQUESTS;
  const lane = async (number: number): Promise<void> => {
    const random = randomOf(SEED * 1_000 + number);
    for (let sent = 0; left-- > 0; sent++) {
      const status = await fuzzOnce(random);
      if (status === 0 || status >= 500) wrong.push(status);
      if (sent % GOOD_EVERY !== 0) continue;
      const body = `{"create":{"_index":"good","_id":"${good++}"}}\n{"@timestamp":"2026-11-27T02:07:03.983Z","message":"m"}\n`;
      const status2 = await send('/es/_bulk', Buffer.from(body), {
        'content-type': 'application/json',
      });
      if (status2 !== 200) wrong.push(status2);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  agent.destroy();
  expect(wrong).toEqual([]);
  const page = { limit: 0, backward: false, after: null, before: null, around: null };
  const [found] = await shiplog.store.events([
    {
      filter: { taskId: 'index/good/2026-11-27' },
      order: 'LOG',
      page: { ...page, withTotal: true },
    },
  ]);
  expect(found?.total).toBe(good);
  expect(good).toBeGreaterThanOrEqual(REQUESTS / GOOD_EVERY / 2);
});
