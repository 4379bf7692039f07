/** What bodies beyond their limits cost: a real server is measured while it refuses them. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const MEBIBYTE = 1024 * 1024;
/** Of one body, when it is unpacked. */
const HUGE = 64 * MEBIBYTE;
/** All of them would be 2 GiB. The budget of bodies is 256 MiB; until garbage is collected as much again stands around. */
const MOST = 768 * MEBIBYTE;

const ENDPOINTS: readonly (readonly [path: string, type: string])[] = [
  ['/graphql', 'application/json'],
  ['/v1/events', 'application/json'],
  ['/v1/logs', 'application/x-protobuf'],
  ['/v1/logs', 'application/json'],
  ['/es/_bulk', 'application/x-ndjson'],
  ['/es/shop/_doc', 'application/json'],
  ['/services/collector', 'application/json'],
  ['/services/collector/raw', 'text/plain'],
];

const spaces = Buffer.alloc(HUGE, ' ');
const PACKED: readonly (readonly [coding: string, body: Buffer])[] = [
  ['gzip', gzipSync(spaces, { level: 1 })],
  ['deflate', deflateSync(spaces, { level: 1 })],
  ['br', brotliCompressSync(spaces, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
];

it.skipIf(process.platform !== 'linux')(
  'bodies that are huge, or unpack to something huge, are refused on every endpoint in bounded memory',
  { timeout: 120_000 },
  async () => {
    await using server = await startServer();
    const before = await peakBytes(server.pid);
    const statuses = await Promise.all(
      ENDPOINTS.flatMap(([path, type]) => [
        ...PACKED.map(async ([coding, body]) => [
          `${path} ${type} ${coding}`,
          await post(server.url + path, { 'content-type': type, 'content-encoding': coding }, body),
        ]),
        (async () => [
          `${path} ${type} in chunks`,
          await post(server.url + path, { 'content-type': type, 'transfer-encoding': 'chunked' }),
        ])(),
      ]),
    );
    // 429: all of them together are too much before each is.
    const others = statuses.filter(([, status]) => status !== 413 && status !== 429);
    expect(others).toEqual([]);
    expect(statuses.filter(([, status]) => status === 413).length).toBeGreaterThan(0);
    expect((await peakBytes(server.pid)) - before).toBeLessThan(MOST);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  },
);

/** The most that a process ever held. */
async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Without a body: as much as is taken. */
function post(url: string, headers: Record<string, string>, body?: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers });
    let answered = false;
    request.on('response', (response) => {
      answered = true;
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
    });
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    if (body !== undefined) {
      request.end(body);
      return;
    }
    let left = HUGE / MEBIBYTE;
    const more = (): void => {
      while (left-- > 0 && !answered) {
        if (!request.write(spaces.subarray(0, MEBIBYTE))) {
          request.once('drain', more);
          return;
        }
      }
      request.end();
    };
    more();
  });
}
