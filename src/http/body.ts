/**
 * Request bodies, bounded: the bytes on the wire, the bytes after decompression, and the bytes
 * that all requests hold at a time. Node's own stream of a request closes the connection when
 * it is left early, which would lose our answer: the iterators here never do that.
 */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ShiplogError } from '../domain/errors.ts';

/** All bodies together that are held in memory; over it new ones are told to come back. */
export class BodyBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** Throws OVERLOADED where there is no room; then nothing was taken. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#limit) {
      throw new ShiplogError('OVERLOADED', 'Too many large requests at a time; try again.', {
        retryAfterMs: 1000,
      });
    }
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

function decompressor(encoding: string): Transform | null {
  switch (encoding) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new ShiplogError(
        'UNSUPPORTED_MEDIA_TYPE',
        `Content-Encoding ${JSON.stringify(encoding.slice(0, 60))} is not read; send gzip, deflate, br or none`,
        { field: 'content-encoding' },
      );
  }
}

function tooLarge(limit: number): ShiplogError {
  return new ShiplogError(
    'BODY_TOO_LARGE',
    `The body is over ${limit} bytes (SHIPLOG_MAX_BODY_BYTES); send smaller batches`,
  );
}

/** In which a body that is held whole must arrive; also the longest pause of a stream. */
export const BODY_WAIT_MS = 60_000;

export function tooSlow(waitMs: number): ShiplogError {
  return new ShiplogError(
    'BAD_REQUEST',
    `The body was waited for for ${waitMs / 1000} seconds and did not come`,
  );
}

/** Refuses by its headers alone what need not be read. */
export function checkDeclaredBody(request: IncomingMessage, limit: number): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
}

/**
 * The body in pieces, decompressed. `waitMs`: a compressed one is given up after it; pass Infinity
 * where the caller watches over it. Throws BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, or BAD_REQUEST
 * where the compression is damaged or the client went away in the middle.
 */
export async function* bodyChunks(
  request: IncomingMessage,
  limit: number,
  waitMs: number,
): AsyncGenerator<Buffer, void, undefined> {
  const inflate = decompressor((request.headers['content-encoding'] ?? '').trim().toLowerCase());
  checkDeclaredBody(request, limit);
  const source = inflate === null ? request : inflate;
  let compressed = 0;
  let total = 0;
  const count = (chunk: Buffer): void => {
    compressed += chunk.length;
    if (compressed > limit) inflate?.destroy(tooLarge(limit));
  };
  const fail = (error: Error): void => void inflate?.destroy(error);
  const cut = (): void => {
    if (!request.complete) inflate?.destroy(new Error('the connection was closed'));
  };
  const late = inflate !== null && waitMs !== Infinity;
  const timer = late ? setTimeout(() => fail(tooSlow(waitMs)), waitMs) : undefined;
  if (inflate !== null) {
    request.on('data', count);
    request.on('error', fail);
    request.on('close', cut);
    request.pipe(inflate);
  }
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      total += chunk.length;
      if (total > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ShiplogError) throw error;
    throw new ShiplogError(
      'BAD_REQUEST',
      `The body could not be read: ${(error as Error).message}`,
    );
  } finally {
    clearTimeout(timer);
    if (inflate !== null) {
      request.unpipe(inflate);
      request.off('data', count);
      request.off('error', fail);
      request.off('close', cut);
      inflate.on('error', () => {});
      inflate.destroy();
    }
  }
}

/**
 * `bodyChunks` without compression and back-pressure, which cost a small request more than all
 * else that is done with it.
 */
function plainChunks(
  request: IncomingMessage,
  limit: number,
  waitMs: number,
  keep: (chunk: Buffer) => void,
): Promise<void> {
  checkDeclaredBody(request, limit);
  return new Promise((resolve, reject) => {
    let total = 0;
    const end = (error?: Error): void => {
      clearTimeout(timer);
      request.off('data', data);
      request.off('end', whole);
      request.off('error', failed);
      request.off('close', cut);
      if (error === undefined) resolve();
      else {
        request.pause();
        reject(error);
      }
    };
    const data = (chunk: Buffer): void => {
      total += chunk.length;
      try {
        if (total > limit) throw tooLarge(limit);
        keep(chunk);
      } catch (error) {
        end(error as Error);
      }
    };
    const failed = (error: Error): void =>
      end(new ShiplogError('BAD_REQUEST', `The body could not be read: ${error.message}`));
    const cut = (): void => failed(new Error('the connection was closed'));
    const whole = (): void => end();
    const timer = setTimeout(() => end(tooSlow(waitMs)), waitMs);
    request.on('data', data);
    request.on('end', whole);
    request.on('error', failed);
    request.on('close', cut);
  });
}

/** The whole body as text; the budget holds its bytes until `use` is done. */
export async function withBody<T>(
  request: IncomingMessage,
  limit: number,
  budget: BodyBudget,
  use: (text: string) => T | Promise<T>,
  waitMs = BODY_WAIT_MS,
): Promise<T> {
  let taken = 0;
  const take = (bytes: number): void => {
    budget.take(bytes);
    taken += bytes;
  };
  try {
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => {
      take(chunk.length);
      chunks.push(chunk);
    };
    if (request.headers['content-encoding'] === undefined) {
      await plainChunks(request, limit, waitMs, keep);
    } else {
      for await (const chunk of bodyChunks(request, limit, waitMs)) keep(chunk);
    }
    return await use(utf8(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
  } finally {
    budget.release(taken);
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes that are not UTF-8 are refused: replaced characters would be stored for ever. */
export function utf8(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new ShiplogError('BAD_REQUEST', 'The body is not UTF-8 text');
  }
}

/** JSON, or BAD_REQUEST with the parser's own words. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ShiplogError('BAD_REQUEST', `The body is not JSON: ${(error as Error).message}`);
  }
}
