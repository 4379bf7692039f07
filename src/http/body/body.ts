/**
 * Request bodies, bounded: the bytes on the wire, the bytes after decompression, and the bytes
 * that all requests hold at a time, counted as what they cost. Node's own stream of a request
 * closes the connection when it is left early, which would lose our answer: the iterators here
 * never do that.
 */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ShiplogError } from '../../domain/errors.ts';
import { parseExactJson } from '../../domain/event/exact-number.ts';
import { Arrivals } from './arrivals.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/**
 * All bodies together that are held in memory; over it new ones are told to come back. One sender
 * (a token) gets a share only, so that others are served whatever it does.
 */
export class BodyBudget {
  readonly #limit: number;
  readonly #share: number;
  readonly #bySender = new Map<string, number>();
  #held = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
    this.#share = limitBytes * SHARE_OF_ONE_SENDER;
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** What one request holds; nothing at first. `sender` null: nobody knows who it is. */
  open(sender: string | null): BodyHold {
    let held = 0;
    const change = (by: number): void => {
      this.#held += by;
      held += by;
      if (sender === null) return;
      const sum = (this.#bySender.get(sender) ?? 0) + by;
      if (sum === 0) this.#bySender.delete(sender);
      else this.#bySender.set(sender, sum);
    };
    return {
      set: (bytes) => {
        const more = bytes - held;
        if (more > 0) this.#checkRoom(more, sender);
        if (more !== 0) change(more);
      },
      release: () => change(-held),
    };
  }

  #checkRoom(more: number, sender: string | null): void {
    const shared = sender === null ? 0 : (this.#bySender.get(sender) ?? 0) + more;
    if (this.#held + more <= this.#limit && shared <= this.#share) return;
    throw new ShiplogError('OVERLOADED', 'Too many large requests at a time; try again.', {
      retryAfterMs: 1000,
    });
  }
}

export interface BodyHold {
  /** Throws OVERLOADED where there is no room for more; then it holds what it held before. */
  set(bytes: number): void;
  release(): void;
}

const SHARE_OF_ONE_SENDER = 0.5;

/** `first`: byte of the body. */
type Decompressor = (first: number) => Transform;

/** In the first byte of a body in zlib's format, which no compressor begins raw data with. */
const ZLIB_METHOD = 8;

function decompressor(encoding: string): Decompressor | null {
  switch (encoding) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return () => createGunzip();
    case 'deflate':
      // The name means zlib's format, and some leave that out, as Elasticsearch lets them.
      return (first) => ((first & 0x0f) === ZLIB_METHOD ? createInflate() : createInflateRaw());
    case 'br':
      return () => createBrotliDecompress();
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

/** Time within which a body that is held whole must arrive; also the longest pause of a stream. */
export const BODY_WAIT_MS = 60_000;

/** An error that says "try again": at a 400 senders would drop the batch. */
export function tooSlow(waitMs: number): ShiplogError {
  return new ShiplogError(
    'BODY_TIMEOUT',
    `The body was waited for for ${waitMs / 1000} seconds and did not come`,
  );
}

/** Refuses by its headers alone what need not be read. */
export function checkDeclaredBody(request: IncomingMessage, limit: number): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
}

function unreadable(reason: string): ShiplogError {
  return new ShiplogError('BAD_REQUEST', `The body could not be read: ${reason}`);
}

export interface BodyChunks extends AsyncIterable<Buffer> {
  next(): Promise<IteratorResult<Buffer, void>>;
  /** Reads no more, also while `next` is being waited for. */
  stop(): void;
}

/**
 * The body in pieces, decompressed. `waitMs`: a compressed one is given up after it; pass Infinity
 * where the caller watches over it. Throws and rejects with BODY_TOO_LARGE,
 * UNSUPPORTED_MEDIA_TYPE, or BAD_REQUEST where the compression is damaged or the client went away
 * in the middle. To be stopped in the end.
 */
export function bodyChunks(request: IncomingMessage, limit: number, waitMs: number): BodyChunks {
  const create = decompressor((request.headers['content-encoding'] ?? '').trim().toLowerCase());
  checkDeclaredBody(request, limit);
  const arriving = new Arrivals(request, limit, () => tooLarge(limit));
  let inflate: Transform | null = null;
  const giveUp = (): void => {
    arriving.fail(tooSlow(waitMs));
    inflate?.destroy(tooSlow(waitMs));
  };
  const late = create !== null && waitMs !== Infinity;
  const timer = late ? setTimeout(giveUp, waitMs) : undefined;
  const begin = (decompress: Decompressor) => (first: number) => {
    inflate = decompress(first);
    return inflate;
  };
  const chunks = create === null ? arriving : inflated(arriving, begin(create), limit);
  return {
    async next() {
      try {
        return await chunks.next();
      } catch (error) {
        throw error instanceof ShiplogError ? error : unreadable((error as Error).message);
      }
    },
    stop() {
      clearTimeout(timer);
      arriving.stop();
      inflate?.destroy();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* inflated(
  arriving: Arrivals,
  begin: Decompressor,
  limit: number,
): AsyncGenerator<Buffer, void, undefined> {
  const { value } = await arriving.next();
  const first = value ?? null;
  const inflate = begin(first?.[0] ?? ZLIB_METHOD);
  // The reading below ends with the same error, and tells it.
  pipeline(withFirst(first, arriving), inflate).catch(() => undefined);
  let total = 0;
  for await (const chunk of inflate as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > limit) throw tooLarge(limit);
    yield chunk;
  }
}

async function* withFirst(
  first: Buffer | null,
  rest: Arrivals,
): AsyncGenerator<Buffer, void, undefined> {
  if (first === null) return;
  yield first;
  yield* rest;
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
      else reject(error);
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
    const failed = (error: Error): void => end(unreadable(error.message));
    const cut = (): void => end(unreadable('the connection was closed'));
    const whole = (): void => end();
    const timer = setTimeout(() => end(tooSlow(waitMs)), waitMs);
    request.on('data', data);
    request.on('end', whole);
    request.on('error', failed);
    request.on('close', cut);
  });
}

export interface BodyOptions {
  /** Bytes on the wire, and after decompression. */
  limit: number;
  budget: BodyBudget;
  /** Whose share of the budget it is; null: nobody knows who it is. */
  sender: string | null;
  waitMs?: number;
}

/** The whole body as text; the budget holds its bytes until `use` is done. */
export function withBody<T>(
  request: IncomingMessage,
  options: BodyOptions,
  use: (text: string) => T | Promise<T>,
): Promise<T> {
  return withBytes(request, options, (bytes) => use(utf8(bytes)));
}

/** The body as bytes, for formats that are not one text: one bad byte must not harm its neighbours. */
export async function withBytes<T>(
  request: IncomingMessage,
  { limit, budget, sender, waitMs = BODY_WAIT_MS }: BodyOptions,
  use: (bytes: Buffer) => T | Promise<T>,
): Promise<T> {
  const hold = budget.open(sender);
  const body = new GrowingBuffer();
  const keep = (chunk: Buffer): void => {
    body.add(chunk);
    hold.set(body.heldBytes);
  };
  try {
    if (request.headers['content-encoding'] === undefined) {
      await plainChunks(request, limit, waitMs, keep);
    } else {
      const chunks = bodyChunks(request, limit, waitMs);
      try {
        for await (const chunk of chunks) keep(chunk);
      } finally {
        chunks.stop();
      }
    }
    return await use(body.take());
  } finally {
    hold.release();
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes that are not UTF-8 are refused: replaced characters would be stored for ever. */
export function utf8(bytes: Buffer): string {
  refuseUntoldGzip(bytes);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new ShiplogError('BAD_REQUEST', 'The body is not UTF-8 text');
  }
}

/** Gzip is known by its first two bytes, which no UTF-8 text has. Throws BAD_REQUEST that says what to send. */
export function refuseUntoldGzip(bytes: Buffer): void {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return;
  throw new ShiplogError(
    'BAD_REQUEST',
    'The body is compressed with gzip and does not say so; send Content-Encoding: gzip with it',
    { field: 'content-encoding' },
  );
}

/** JSON with every number as it was sent, or BAD_REQUEST with the parser's own words. */
export function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new ShiplogError('BAD_REQUEST', `The body is not JSON: ${(error as Error).message}`);
  }
}
