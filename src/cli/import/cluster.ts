/**
 * The cluster that documents are read from. Plain HTTP, and only what Elasticsearch 7, 8 and 9 and
 * OpenSearch have in common: their clients refuse one another's servers.
 */
import { parseExactJson } from '../../domain/event/exact-number.ts';
import { CallError, reasonOf, withRetry } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { say } from '../output.ts';

export interface ClusterAccess {
  url: string;
  username?: string;
  password?: string;
  apiKey?: string;
}

export interface Hit {
  _index: string;
  _id: string;
  _source?: unknown;
  sort?: [number];
}

export interface SearchAnswer {
  _scroll_id?: string;
  _shards: { total: number; failed: number };
  hits: { hits: Hit[] };
  aggregations?: { indices: { buckets: { key: string; doc_count: number }[] } };
}

export interface Answered {
  answer: SearchAnswer;
  /** Of the answer: they tell how many documents to ask for. */
  bytes: number;
}

const TIMEOUT_MS = 120_000;
/** Whoever interrupts waits for it. */
const REMOVE_TIMEOUT_MS = 3_000;
const FIRST_ATTEMPTS = 3;
const HINT =
  'SHIPLOG_ELASTICSEARCH_USERNAME and _PASSWORD, or SHIPLOG_ELASTICSEARCH_API_KEY, say who reads; it needs the privilege "read" on the index';

/** What the cluster answers that no waiting changes. */
export class ClusterError extends CliError {
  override readonly name = 'CliError';
  readonly status: number;

  constructor(status: number, message: string, hint: string | null = null) {
    super(message, status === 401 || status === 403 ? EXIT.auth : EXIT.failed, hint);
    this.status = status;
  }
}

export class Cluster {
  /** Without credentials. */
  readonly url: string;
  readonly #authorization: string | null;
  readonly #signal: AbortSignal;
  #hasAnswered = false;

  constructor(access: ClusterAccess, signal: AbortSignal) {
    const url = new URL(access.url);
    const name = access.username ?? decodeURIComponent(url.username);
    const password = access.password ?? decodeURIComponent(url.password);
    url.username = '';
    url.password = '';
    this.url = url.href.replace(/\/+$/, '');
    this.#authorization = authorizationOf(access.apiKey ?? '', name, password);
    this.#signal = signal;
  }

  async post(path: string, body: object): Promise<Answered> {
    const text = await this.#call('POST', path, JSON.stringify(body));
    return read(text);
  }

  /** For what must not be sent twice: throws the CallError of the first attempt. */
  async postOnce(path: string, body: object): Promise<Answered> {
    return read(await this.#send('POST', path, JSON.stringify(body), this.#signal));
  }

  /** For what need not succeed; also when nothing else is asked any more. */
  async remove(path: string, body: object): Promise<void> {
    const timeout = AbortSignal.timeout(REMOVE_TIMEOUT_MS);
    await this.#send('DELETE', path, JSON.stringify(body), timeout).catch(() => undefined);
  }

  /** A cluster that is busy or away is waited for, once it has answered at all. */
  async #call(method: string, path: string, body: string): Promise<string> {
    const text = await withRetry(() => this.#send(method, path, body, this.#signal), {
      signal: this.#signal,
      attempts: this.#hasAnswered ? Number.POSITIVE_INFINITY : FIRST_ATTEMPTS,
      onRetry: ({ message }) => say(`${message}; trying again`),
    });
    this.#hasAnswered = true;
    return text;
  }

  async #send(method: string, path: string, body: string, signal: AbortSignal): Promise<string> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.url}/${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(this.#authorization === null ? {} : { authorization: this.#authorization }),
        },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        redirect: 'error',
      });
      text = await response.text();
    } catch (error) {
      throw new CallError('unreachable', `no answer from ${this.url}: ${reasonOf(error)}`);
    }
    if (response.ok) return text;
    const message = `${this.url} answered ${response.status}: ${reasonIn(text)}`;
    if ([408, 429, 502, 503, 504].includes(response.status)) throw new CallError('busy', message);
    const isDenied = response.status === 401 || response.status === 403;
    throw new ClusterError(response.status, message, isDenied ? HINT : null);
  }
}

function read(text: string): Answered {
  return { answer: parseExactJson(text) as SearchAnswer, bytes: text.length };
}

function authorizationOf(apiKey: string, name: string, password: string): string | null {
  if (apiKey !== '') return `ApiKey ${apiKey}`;
  if (name === '') return null;
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

const REASON_MAX = 300;

function reasonIn(text: string): string {
  let reason: unknown;
  try {
    const { error } = JSON.parse(text) as { error?: { reason?: unknown } | string };
    reason = typeof error === 'object' ? error.reason : error;
  } catch {
    // A proxy's page, most likely.
  }
  return (typeof reason === 'string' ? reason : text.trim()).slice(0, REASON_MAX).toWellFormed();
}
