/**
 * GraphQL and NDJSON over HTTP, as a command line needs them: a timeout on each call, and every
 * way to fail sorted into "try again" (busy, away) and "do not" (refused).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, renewToken } from './credentials.ts';
import { CliError, EXIT, type ExitCode, messageOf } from './exit.ts';
import type { TypedDocumentString } from './gen/graphql.ts';

export type FailureKind = 'unreachable' | 'busy' | 'auth' | 'too-large' | 'refused';

const EXIT_OF: Record<FailureKind, ExitCode> = {
  unreachable: EXIT.unreachable,
  busy: EXIT.unreachable,
  auth: EXIT.auth,
  'too-large': EXIT.failed,
  refused: EXIT.failed,
};

const TOKEN_HINT =
  'give a token with --token, SHIPLOG_TOKEN, or a file that SHIPLOG_TOKEN_FILE names; shiplog tokens create makes one';

interface CallDetails {
  code?: string | null;
  retryAfterMs?: number | null;
  partial?: PartialWrite | null;
  hint?: string | null;
}

/** A call that did not succeed. `retryAfterMs`: what the server asked for, else null. */
export class CallError extends CliError {
  readonly kind: FailureKind;
  readonly code: string | null;
  readonly retryAfterMs: number | null;
  /** What was taken before the failure; null where nothing was. */
  readonly partial: PartialWrite | null;

  constructor(kind: FailureKind, message: string, details: CallDetails = {}) {
    super(message, EXIT_OF[kind], details.hint ?? (kind === 'auth' ? TOKEN_HINT : null));
    this.kind = kind;
    this.code = details.code ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.partial = details.partial ?? null;
  }

  /** Whether the same call can succeed later. */
  get isTemporary(): boolean {
    return this.kind === 'unreachable' || this.kind === 'busy';
  }
}

export interface CallOptions {
  /** Of the whole call, in milliseconds. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;
const TOKEN_KNOWN_MS = 1_200;

/** What the server says about a rejected value. */
export interface Problem {
  code: string;
  message: string;
  field: string | null;
}

export interface WriteResult {
  stored: number;
  duplicates: number;
  rejected: number;
  /** Of NDJSON only those that were not stored. */
  results: {
    index: number;
    eventId: string | null;
    outcome: string;
    error?: Problem | null | undefined;
  }[];
}

/** taken: how many items, from the first, need not be sent again. */
export interface PartialWrite extends WriteResult {
  taken: number;
}

export interface GraphQLProblem {
  message: string;
  path?: readonly (string | number)[] | undefined;
  extensions?: Record<string, unknown> | undefined;
}

export class Client {
  readonly #connection: Connection;
  #staleAfterMs: number | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** After so long without an event a running step is shown as stale; null: the server did not say. */
  get staleAfterMs(): number | null {
    return this.#staleAfterMs;
  }

  get hasTokenFile(): boolean {
    return this.#connection.tokenFile != null;
  }

  /** Whether SHIPLOG_TOKEN_FILE holds another token than the one that was shown. */
  renewToken(): boolean {
    return renewToken(this.#connection);
  }

  /** The data of an operation. Throws CallError. */
  async query<Data, Variables>(
    operation: TypedDocumentString<Data, Variables>,
    variables: NoInfer<Variables>,
    options: CallOptions = {},
  ): Promise<Data> {
    const body = JSON.stringify({ query: operation.toString(), variables });
    const answer = await this.#post('/graphql', 'application/json', body, options);
    const { data, errors } = answer as { data?: Data | null; errors?: GraphQLProblem[] };
    if (errors !== undefined && errors.length > 0) throw graphqlError(errors);
    if (data === undefined || data === null) {
      throw new CallError('refused', 'the server gave an answer that is not GraphQL');
    }
    return data;
  }

  /** Sends NDJSON lines to /v1/events. Throws CallError where nothing was taken. */
  async sendLines(lines: readonly string[], options: CallOptions = {}): Promise<WriteResult> {
    const body = `${lines.join('\n')}\n`;
    return (await this.#post('/v1/events', 'application/x-ndjson', body, options)) as WriteResult;
  }

  /** A token that no longer holds may have been replaced in its file. */
  async #post(path: string, type: string, body: string, options: CallOptions): Promise<unknown> {
    const shown = this.#connection.token;
    try {
      return await this.#call(path, type, body, options);
    } catch (error) {
      if (!(error instanceof CallError) || error.kind !== 'auth' || error.partial !== null) {
        throw error;
      }
      if (this.#connection.token === shown && !this.renewToken()) throw error;
      return await this.#call(path, type, body, options).catch(async (again: unknown) => {
        if (!(again instanceof CallError) || again.kind !== 'auth') throw again;
        // The server looks at its own file once a second.
        await wait(TOKEN_KNOWN_MS);
        return await this.#call(path, type, body, options);
      });
    }
  }

  async #call(path: string, type: string, body: string, options: CallOptions): Promise<unknown> {
    const { url, token, unusable = null } = this.#connection;
    if (unusable !== null) throw new CallError('refused', unusable);
    const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, {
        method: 'POST',
        headers: {
          'content-type': type,
          accept: 'application/graphql-response+json, application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
        signal,
        redirect: 'error',
      });
      text = await response.text();
    } catch (error) {
      if (options.signal?.aborted) throw new CallError('unreachable', 'the call was given up');
      throw noAnswer(url, error);
    }
    const staleAfterMs = Number(response.headers.get('shiplog-stale-after-ms') ?? Number.NaN);
    if (staleAfterMs > 0) this.#staleAfterMs = staleAfterMs;
    return readAnswer(response, text, url);
  }
}

export function noAnswer(url: string, error: unknown, what = 'no answer from'): CallError {
  const reason = reasonOf(error);
  if (url.startsWith('https:') && /wrong version number|packet length too long/i.test(reason)) {
    const plain = url.replace('https:', 'http:');
    return new CallError('unreachable', `${what} ${url}: it does not speak TLS; try ${plain}`);
  }
  const hint = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(reason)
    ? 'is it running? shiplog serve starts one; --url or SHIPLOG_URL names another'
    : null;
  return new CallError('unreachable', `${what} ${url}: ${reason}`, { hint });
}

/** fetch hides what went wrong in `cause`. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it took too long';
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError) return messageOf(cause.errors[0]);
  return messageOf(cause ?? error);
}

function readAnswer(response: Response, text: string, url: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const known = typeof answer === 'object' && answer !== null ? answer : undefined;
  if (response.ok && known !== undefined) return known;
  // Nothing of it was taken, and the results say why of each event.
  if (response.status === 422 && known !== undefined && 'results' in known) return known;
  const errors = known !== undefined && 'errors' in known ? known.errors : undefined;
  if (Array.isArray(errors) && errors.length > 0) {
    throw graphqlError(errors as GraphQLProblem[], response);
  }
  const error = known !== undefined && 'error' in known ? known.error : undefined;
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: string;
    message?: string;
  };
  throw new CallError(
    kindOf(response.status, code),
    message ?? `${url} answered ${response.status} ${response.statusText}`.trimEnd(),
    { code: code ?? null, retryAfterMs: retryAfter(response), partial: partialOf(known) },
  );
}

function partialOf(answer: object | undefined): PartialWrite | null {
  const isPartial = answer !== undefined && 'taken' in answer && Number(answer.taken) > 0;
  return isPartial ? (answer as PartialWrite) : null;
}

const TEMPORARY_CODES = new Set([
  'OVERLOADED',
  'BODY_TIMEOUT',
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'SHUTTING_DOWN',
  'QUERY_TIMEOUT',
]);
const TEMPORARY_STATUSES = new Set([408, 425, 429, 502, 503, 504]);

function kindOf(status: number | null, code: string | undefined): FailureKind {
  if (status === 413 || code === 'BODY_TOO_LARGE') return 'too-large';
  if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return 'auth';
  if (code !== undefined && TEMPORARY_CODES.has(code)) return 'busy';
  if (status === 401 || status === 403) return 'auth';
  return status !== null && TEMPORARY_STATUSES.has(status) ? 'busy' : 'refused';
}

/** The first error of an answer as one that says what to do. */
export function graphqlError(errors: readonly GraphQLProblem[], response?: Response): CallError {
  const { message, path, extensions } = errors[0] as GraphQLProblem;
  const code = typeof extensions?.code === 'string' ? extensions.code : undefined;
  const asked = extensions?.retryAfterMs;
  return new CallError(
    kindOf(response?.status ?? null, code),
    path === undefined || code !== undefined ? message : `${path.join('.')}: ${message}`,
    {
      code: code ?? null,
      retryAfterMs:
        typeof asked === 'number' ? asked : response === undefined ? null : retryAfter(response),
    },
  );
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;

/** Milliseconds to wait before try number `attempt` (from 1), jittered so that fleets spread. */
export function backoff(attempt: number, askedMs: number | null, random = Math.random): number {
  const own = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 10));
  const jittered = own * (0.5 + random() / 2);
  return askedMs === null ? jittered : Math.min(60_000, askedMs) + jittered / 2;
}

export interface RetryOptions {
  signal?: AbortSignal;
  /** How many calls in all; then the last error is thrown. */
  attempts?: number;
  onRetry?: (error: CallError, attempt: number) => void;
}

/**
 * Calls again while the failure is temporary. The call must be idempotent: the same ids again.
 * Throws the last CallError, at once if it is not temporary or the signal is aborted.
 */
export async function withRetry<T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CallError) || !error.isTemporary) throw error;
      if (attempt >= (options.attempts ?? Number.POSITIVE_INFINITY)) throw error;
      if (options.signal?.aborted) throw error;
      options.onRetry?.(error, attempt);
      await wait(
        backoff(attempt, error.retryAfterMs),
        undefined,
        options.signal ? { signal: options.signal } : {},
      ).catch(() => {
        throw error;
      });
    }
  }
}
