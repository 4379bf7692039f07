import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShiplogError } from '../../src/domain/errors.ts';
import { BodyBudget, withBody } from '../../src/http/body/body.ts';
import { ByteLines } from '../../src/http/body/byte-lines.ts';
import { closeAfterAnswer, sendError, sendJson } from '../../src/http/reply.ts';

const LIMIT = 100_000;
const budget = new BodyBudget(300_000);
const server = createServer((request, response) => {
  const wait = Number(URL.parse(request.url ?? '', 'http://x')?.searchParams.get('wait') ?? 0);
  const options = { limit: LIMIT, budget, sender: null, ...(wait > 0 && { waitMs: wait }) };
  withBody(request, options, (text) => text.length)
    .then((length) => sendJson(response, 200, { length }))
    .catch((error: unknown) => {
      closeAfterAnswer(request, response);
      if (error instanceof ShiplogError) sendError(response, error);
      else response.destroy(error as Error);
    });
});
let url = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function post(
  body: Uint8Array | ReadableStream,
  encoding?: string,
): Promise<{ status: number; body: { length?: number; error?: { code: string } } }> {
  const headers = encoding === undefined ? {} : { 'content-encoding': encoding };
  const sent = body instanceof ReadableStream ? { body, duplex: 'half' } : { body };
  const response = await fetch(url, { method: 'POST', headers, ...sent } as RequestInit);
  return { status: response.status, body: (await response.json()) as { length?: number } };
}

function pieces(count: number, size: number): ReadableStream {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(size).fill(97));
      else controller.close();
    },
  });
}

describe('a request body', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('may be compressed with %s', async (encoding, compress) => {
    const { body } = await post(compress(Buffer.from('ä'.repeat(1000))), encoding);
    expect(body.length).toBe(1000);
  });

  it('may be compressed with deflate without the frame of zlib, also in single bytes, and is refused where it is damaged', async () => {
    const raw = deflateRawSync(Buffer.from('ä'.repeat(1000)));
    expect((await post(raw, 'deflate')).body.length).toBe(1000);
    const bytes = [...raw];
    const single = new ReadableStream({
      pull(controller) {
        const byte = bytes.shift();
        if (byte === undefined) controller.close();
        else controller.enqueue(Uint8Array.of(byte));
      },
    });
    expect((await post(single, 'deflate')).body.length).toBe(1000);
    expect((await post(raw.subarray(0, -4), 'deflate')).status).toBe(400);
    expect((await post(Buffer.alloc(0), 'deflate')).status).toBe(400);
  });

  it('is refused with 415 where its encoding is unknown', async () => {
    const answer = await post(Buffer.from('x'), 'compress');
    expect(answer).toMatchObject({
      status: 415,
      body: { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } },
    });
  });

  it('is refused with 413 over the limit, by its declared length', async () => {
    const answer = await post(Buffer.alloc(LIMIT + 1, 97));
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
    expect((await post(Buffer.alloc(LIMIT, 97))).status).toBe(200);
  });

  it('is refused so that clients get to read it who first send all of a large body', async () => {
    for (let size = 9_000_000; size < 15_000_000; size += 500_000) {
      expect((await post(Buffer.alloc(size, 97))).status).toBe(413);
    }
  });

  it('is refused with 413 over the limit, also in chunks without a length', async () => {
    expect(await post(pieces(40, 10_000))).toMatchObject({ status: 413 });
  });

  it('is refused with 413 when it grows over the limit by decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(LIMIT);
    expect(await post(bomb, 'gzip')).toMatchObject({ status: 413 });
  });

  it.each([
    ['damaged', Buffer.from('not gzip at all')],
    ['cut short', gzipSync(Buffer.alloc(1000)).subarray(0, 20)],
  ])('is refused with 400 where its compression is %s', async (_, body) => {
    expect(await post(body, 'gzip')).toMatchObject({ status: 400 });
  });

  it('is refused with 400 where it is not UTF-8, before replaced characters are stored', async () => {
    expect(await post(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ status: 400 });
  });

  it('is waited for for a time only, compressed or not', async () => {
    for (const encoding of ['', 'Content-Encoding: gzip\r\n']) {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.write(`POST /?wait=200 HTTP/1.1\r\nHost: x\r\n${encoding}Content-Length: 9\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(String(answer)).toMatch(/^HTTP\/1\.1 503 .*waited for for 0\.2 seconds/s);
      socket.destroy();
    }
  });

  it('gives back its part of the common budget, also when the client goes in the middle', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const arrived = once(server, 'request');
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n${'a'.repeat(5000)}`);
    await arrived;
    await expect.poll(() => budget.heldBytes).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(() => budget.heldBytes).toBe(0);
  });

  it('is told to come back where all bodies together are over the budget', () => {
    const small = new BodyBudget(10);
    const [one, other] = [small.open(null), small.open(null)];
    one.set(8);
    expect(() => other.set(3)).toThrow('Too many large requests');
    one.release();
    other.set(10);
    expect(small.heldBytes).toBe(10);
  });

  it('leaves the half of the budget to others, whatever one token holds', () => {
    const small = new BodyBudget(10);
    const [one, again, other] = [small.open('a'), small.open('a'), small.open('b')];
    one.set(3);
    expect(() => again.set(3)).toThrow('Too many large requests');
    again.set(2);
    other.set(5);
    one.release();
    expect(() => other.set(6)).toThrow('Too many large requests');
    again.set(5);
  });

  it('says so where it is gzip and its headers do not', async () => {
    const { status, body } = await post(gzipSync(Buffer.from('{}')));
    expect([status, body.error]).toMatchObject([
      400,
      { code: 'BAD_REQUEST', field: 'content-encoding' },
    ]);
  });
});

describe('lines of a stream', () => {
  function split(limit: number, ...chunks: string[]): (string | null)[] {
    const splitter = new ByteLines(limit);
    const lines = chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))]);
    return [...lines, ...splitter.end()].map(({ bytes }) => bytes?.toString() ?? null);
  }

  it('are whole, wherever the pieces are cut', () => {
    expect(split(10, 'a', 'b\nc', '\n\nd')).toEqual(['ab', 'c', '', 'd']);
    expect(split(10, 'ab\n')).toEqual(['ab']);
  });

  it('are passed over when they are too long, and only they', () => {
    expect(split(3, 'ab\nabcd', 'efg\nabc\n', 'abcde')).toEqual(['ab', null, 'abc', null]);
  });
});
