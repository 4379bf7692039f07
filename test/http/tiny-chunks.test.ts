/** What a sender costs does not depend on how small it cuts what it sends. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

const HEAP_MIB = 64;
const BODY = Buffer.alloc(400_000, 'a');
/** Bytes whose pieces are made at a time. */
const AT_ONCE = 10_000;

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } });
});
afterAll(async () => {
  await server.stop();
});

/** MiB that the server's process has of the machine's memory. */
function memory(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

function inPieces(bytes: Buffer): Buffer {
  const wire = Buffer.alloc(bytes.length * 6, '1\r\n \r\n');
  for (const [at, byte] of bytes.entries()) wire[at * 6 + 3] = byte;
  return wire;
}

/** Each byte as a chunk of its own; resolves to the whole answer. */
function sendPieces(body: Buffer, headers: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let answer = '';
  let sent = 0;
  const more = (): void => {
    while (sent < body.length) {
      const pieces = inPieces(body.subarray(sent, sent + AT_ONCE));
      sent += AT_ONCE;
      if (!socket.write(pieces)) return void socket.once('drain', more);
    }
    socket.write('0\r\n\r\n');
  };
  socket.on('data', (data) => {
    answer += String(data);
  });
  socket.write(
    `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}` +
      'Transfer-Encoding: chunked\r\n\r\n',
  );
  more();
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}

const JSON_TYPE = 'Content-Type: application/json\r\n';
const LINES = 'Content-Type: application/x-ndjson\r\n';
const GZIP = 'Content-Encoding: gzip\r\n';

describe('bodies in pieces of one byte, several at a time, in a small heap', () => {
  it('cost their bytes, and the server lives', async () => {
    const before = memory();
    let most = before;
    const over = new AbortController();
    const watching = (async () => {
      while (!over.signal.aborted) {
        most = Math.max(most, memory());
        await wait(20);
      }
    })();
    const answers = await Promise.all([
      sendPieces(BODY, JSON_TYPE),
      sendPieces(BODY, LINES),
      sendPieces(gzipSync(BODY, { level: 0 }), LINES + GZIP),
    ]);
    over.abort();
    await watching;
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual([
      'HTTP/1.1 400',
      'HTTP/1.1 422',
      'HTTP/1.1 422',
    ]);
    expect(most - before).toBeLessThan(100);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});
