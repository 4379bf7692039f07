/**
 * The way to the cluster: one method that asks and tells what came back.
 *
 * The official client does the connections (a pool of nodes, TLS, credentials). Its defaults are
 * not ours: it has no time limit, and its retries know nothing of what is asked; so every call
 * here has a limit, and only calls that change nothing are sent again: the first time with less
 * than half of the limit, so that a node that hangs leaves time for another.
 */
import { Client, type ClientOptions, errors } from '@elastic/elasticsearch';
import type { z } from 'zod';
import { ShiplogError } from '../../../domain/errors.ts';
import { readAnswer } from './answer.ts';
import type { ElasticsearchConfig } from './config.ts';
import { NodePool } from './node-pool.ts';
import { unavailable } from './unavailable.ts';

export { unavailable };

export interface Ask {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';
  path: string;
  query?: Record<string, string | number | boolean>;
  /** An object is sent as JSON, a text as lines of JSON. */
  body?: object | string;
  /** Default: the connection's. */
  timeoutMs?: number;
  /** Changes nothing, so it may be sent again to another node. Default: GET and HEAD. */
  safe?: boolean;
  /** An answer that is longer is not read to its end: AnswerTooLong is thrown. */
  maxBytes?: number;
  /** What a time-out means: a query that took too long, or a store that is away (default). */
  timeoutIs?: 'QUERY_TIMEOUT' | 'STORE_UNAVAILABLE';
  /** Asks whether there is an answer at all, so it is also sent while there is none. */
  isLook?: boolean;
}

export interface Answer<T> {
  status: number;
  body: T;
}

/** What Elasticsearch says when it refuses. */
export interface Refusal {
  error?: { type?: string; reason?: string; root_cause?: { type?: string; reason?: string }[] };
}

/** The answer to an `Ask` was longer than its `maxBytes`. */
export class AnswerTooLong extends Error {}

const TRIES = 3;
/** Share of the time limit that the first try has of a call that may be sent again. */
export const FIRST_TRY = 0.3;

export class Connection {
  readonly #client: Client;
  readonly #timeoutMs: number;
  #closed = false;
  #answeredAt = performance.now();
  /**
   * Ends the reads that wait for a cluster that hangs. Each has its own: the client tells a time-out
   * to the signal that it was given, and so to everybody who shares it.
   */
  readonly #reads = new Set<AbortController>();
  #isSilent = false;

  constructor(config: ElasticsearchConfig, timeoutMs: number) {
    const options: ClientOptions = {
      nodes: config.urls,
      ConnectionPool: NodePool,
      maxRetries: 0,
      requestTimeout: timeoutMs,
      enableMetaHeader: false,
      // It would copy what it redacts, all of it: `withoutRequest` leaves out what nobody needs.
      redaction: { type: 'off' },
    };
    if (config.apiKey !== undefined) options.auth = { apiKey: config.apiKey };
    else if (config.username !== undefined) {
      options.auth = { username: config.username, password: config.password ?? '' };
    }
    if (config.ca !== undefined) options.tls = { ca: config.ca };
    this.#client = new Client(options);
    this.#timeoutMs = timeoutMs;
  }

  /** When anything was answered last, by performance.now(). */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Nothing is answered: reads end at once, until something is. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  setSilent(): void {
    this.#isSilent = true;
    for (const read of this.#reads) read.abort();
  }

  #hear(): void {
    this.#answeredAt = performance.now();
    this.#isSilent = false;
  }

  /**
   * Any answer below 500 other than 401, 403 and 429 is returned; the rest is thrown. What is no
   * refusal is held against `schema`; whoever names a type instead has to look at the answer itself.
   */
  async ask<T>(ask: Ask, schema?: z.ZodType<T>): Promise<Answer<T & Refusal>> {
    const answer = await this.#askUntil<T>(ask);
    if (schema === undefined || answer.status >= 300) return answer;
    const body = readAnswer(schema, answer.body, `${ask.method} ${ask.path}`);
    return { ...answer, body: body as T & Refusal };
  }

  async #askUntil<T>(ask: Ask): Promise<Answer<T & Refusal>> {
    if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
    const safe = ask.safe ?? (ask.method === 'GET' || ask.method === 'HEAD');
    const began = performance.now();
    const deadline = began + (ask.timeoutMs ?? this.#timeoutMs);
    const isRead = safe && ask.isLook !== true;
    for (let tries = safe ? TRIES : 1; ; tries--) {
      if (isRead && this.#isSilent) throw silence();
      const ends = isRead ? new AbortController() : null;
      const left = Math.max(1, deadline - performance.now());
      // The first try is short, so that a node that hangs leaves time for another; not that of a
      // query, which may need all of its time.
      const short = safe && tries === TRIES && ask.timeoutIs !== 'QUERY_TIMEOUT';
      try {
        const answer = await this.#askOnce<T>(ask, short ? left * FIRST_TRY : left, ends);
        this.#hear();
        return answer;
      } catch (error) {
        if (error instanceof errors.ResponseError) this.#hear();
        if (ends?.signal.aborted === true) throw silence(error);
        if (this.#closed) throw new ShiplogError('SHUTTING_DOWN', 'The store is closed');
        if (isTooLong(error)) throw new AnswerTooLong((error as Error).message);
        if (error instanceof errors.ResponseError) {
          const status = error.statusCode ?? 500;
          if (status < 500 && status !== 401 && status !== 403 && status !== 429) {
            return { status, body: error.body as T & Refusal };
          }
        }
        if (tries === 1 || performance.now() >= deadline || !isPassing(error)) {
          // Others were answered meanwhile: the query is too slow, the cluster is not away.
          const isSlow = ask.timeoutIs === 'QUERY_TIMEOUT' && this.#answeredAt > began;
          throw translate(error, isSlow);
        }
      }
    }
  }

  async #askOnce<T>(
    ask: Ask,
    requestTimeout: number,
    ends: AbortController | null,
  ): Promise<Answer<T & Refusal>> {
    // Sent as bytes: a long text would be encoded once to be measured and once to be sent.
    const params = {
      method: ask.method,
      path: ask.path,
      ...(ask.query === undefined ? {} : { querystring: ask.query }),
      ...(typeof ask.body === 'string' ? { bulkBody: Buffer.from(ask.body) } : {}),
      ...(typeof ask.body === 'object' ? { body: ask.body as Record<string, unknown> } : {}),
    };
    if (ends !== null) this.#reads.add(ends);
    try {
      const answer = await this.#client.transport.request<T & Refusal>(params, {
        meta: true,
        requestTimeout: Math.ceil(requestTimeout),
        maxRetries: 0,
        ...(ends === null ? {} : { signal: ends.signal }),
        ...(ask.maxBytes === undefined ? {} : { maxResponseSize: ask.maxBytes }),
      });
      return { status: answer.statusCode ?? 200, body: answer.body };
    } catch (error) {
      throw withoutRequest(error);
    } finally {
      if (ends !== null) this.#reads.delete(ends);
    }
  }

  /** The same where anything but success is unexpected. */
  async expect<T>(ask: Ask, schema?: z.ZodType<T>): Promise<T> {
    const { status, body } = await this.ask<T>(ask, schema);
    if (status >= 300) throw unavailable(`Elasticsearch refused: ${reasonOf(body)}`);
    return body;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }
}

export function typeOf(body: Refusal): string {
  return body.error?.type ?? '';
}

export function reasonOf(body: Refusal): string {
  const { type, reason, root_cause } = body.error ?? {};
  const root = root_cause?.[0];
  return root?.reason ?? reason ?? root?.type ?? type ?? 'without a reason';
}

/**
 * The client's errors hold the request: credentials, and bodies of megabytes. Its own redaction makes a property of
 * each byte of a body, which takes a second of the event loop whenever a large write fails. What was answered stays.
 */
function withoutRequest(error: unknown): unknown {
  if (error instanceof errors.ResponseError) {
    const { body, statusCode } = error.meta;
    Object.assign(error, { meta: { body, statusCode } });
  } else if (error instanceof errors.ElasticsearchClientError) {
    Object.assign(error, { meta: undefined });
  }
  return error;
}

/**
 * The client throws the same error for an answer that is too long and for one that broke off: only
 * their words differ.
 */
function isTooLong(error: unknown): boolean {
  return (
    error instanceof errors.RequestAbortedError && error.message.startsWith('The content length')
  );
}

/** Another node, or the same a moment later, may answer. */
function isPassing(error: unknown): boolean {
  if (error instanceof errors.ResponseError) return [502, 503, 504].includes(error.statusCode ?? 0);
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.ConnectionError ||
    error instanceof errors.RequestAbortedError
  );
}

function silence(cause?: unknown): ShiplogError {
  return unavailable('Elasticsearch does not answer', cause);
}

/** `isSlow`: it was only this query that was not answered in time. */
function translate(error: unknown, isSlow: boolean): ShiplogError {
  if (error instanceof errors.TimeoutError) {
    return isSlow ? queryTimeout() : unavailable('Elasticsearch did not answer in time', error);
  }
  if (error instanceof errors.ResponseError) {
    const reason = reasonOf((error.body ?? {}) as Refusal);
    if (error.statusCode === 401 || error.statusCode === 403) {
      return unavailable(`Elasticsearch refused these credentials: ${reason}`, error);
    }
    return unavailable(`Elasticsearch cannot answer now (${error.statusCode}): ${reason}`, error);
  }
  if (error instanceof errors.ProductNotSupportedError) {
    return unavailable('What answers there is not Elasticsearch', error);
  }
  if (error instanceof errors.ElasticsearchClientError) {
    return unavailable(`Elasticsearch cannot be reached: ${error.message}`, error);
  }
  return unavailable('Elasticsearch cannot be reached', error);
}

export function queryTimeout(): ShiplogError {
  return new ShiplogError(
    'QUERY_TIMEOUT',
    'The query took longer than the limit and was stopped. Narrow it.',
  );
}
