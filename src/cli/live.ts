/**
 * A subscription that outlives its connection: it reconnects for ever, and the variables of each
 * new connection are asked for anew, so that the caller can resume by its cursor. (The websocket
 * client's own retries would repeat the first variables, and so the first events.)
 *
 * Bounded: while the caller is busy, the socket is not read.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Signal } from '../signal.ts';
import { backoff, CallError, type GraphQLProblem, graphqlError, noAnswer } from './client.ts';
import { type Connection, renewToken } from './credentials.ts';
import { messageOf } from './exit.ts';
import type { TypedDocumentString } from './gen/graphql.ts';

export interface LiveOptions<Variables> {
  connection: Connection;
  /** Asked before each connection. */
  variables: () => Variables;
  signal: AbortSignal;
  /** False: the first lost connection, or none at all, ends it with a CallError. */
  retry: boolean;
  /** For the person at the terminal: once per outage, and once when it is over. */
  onState?: (state: { connected: boolean; reason: string }) => void;
}

/** Beyond this many undelivered answers the socket rests. */
const PAUSE_AT = 32;
const RESUME_AT = 8;
const HANDSHAKE_MS = 10_000;
const PING_MS = 5_000;
const PONG_MS = 5_000;
/** A token that held and no longer does is being replaced, most likely, here or at the server. */
const TOKEN_WAIT_MS = 30_000;
const TOKEN_LOOK_MS = 1_000;

/**
 * Answers of a subscription, across connections, until the signal (then it just ends) or a
 * failure that would come again: CallError.
 */
export async function* live<Data, Variables>(
  operation: TypedDocumentString<Data, Variables>,
  options: LiveOptions<NoInfer<Variables>>,
): AsyncGenerator<Data, void, undefined> {
  const { signal, retry, onState } = options;
  let attempt = 0;
  let isOutage = false;
  let hasHeld = false;
  let givenUpAt: number | null = null;
  while (!signal.aborted) {
    let failure: CallError;
    const shown = options.connection.token;
    const session = new Session(operation, options);
    try {
      for await (const data of session) {
        if (isOutage) onState?.({ connected: true, reason: '' });
        isOutage = false;
        attempt = 0;
        hasHeld = true;
        givenUpAt = null;
        yield data;
      }
      failure = new CallError('unreachable', 'the server ended the subscription');
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      failure = error;
    } finally {
      session.end();
    }
    if (signal.aborted) return;
    if (failure.kind === 'auth') {
      const { connection } = options;
      if (connection.token !== shown || renewToken(connection)) continue;
      givenUpAt ??= performance.now() + TOKEN_WAIT_MS;
      if (hasHeld && connection.tokenFile != null && performance.now() < givenUpAt) {
        await wait(TOKEN_LOOK_MS, undefined, { signal }).catch(() => {});
        continue;
      }
    }
    if (!failure.isTemporary || !retry) throw failure;
    if (!isOutage) onState?.({ connected: false, reason: failure.message });
    isOutage = true;
    attempt++;
    await wait(backoff(attempt, failure.retryAfterMs), undefined, { signal }).catch(() => {});
  }
}

/** One connection with one subscription. */
class Session<Data, Variables> implements AsyncIterable<Data> {
  readonly #queue: Data[] = [];
  #failure: CallError | null = null;
  #ended = false;
  #socket: WebSocket | null = null;
  readonly #news = new Signal();
  #pongTimer: NodeJS.Timeout | undefined;
  readonly #dispose: () => void;

  constructor(operation: TypedDocumentString<Data, Variables>, options: LiveOptions<Variables>) {
    const { connection, signal } = options;
    const client = createClient({
      url: `${connection.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: authorizedSocket(connection.token),
      retryAttempts: 0,
      keepAlive: PING_MS,
      connectionAckWaitTimeout: HANDSHAKE_MS,
      on: {
        opened: (socket) => {
          this.#socket = socket as WebSocket;
        },
        ping: (received) => {
          // A connection that is open and dead is found by the missing answer.
          if (!received) this.#pongTimer ??= setTimeout(() => client.terminate(), PONG_MS);
        },
        message: () => {
          clearTimeout(this.#pongTimer);
          this.#pongTimer = undefined;
        },
      },
    });
    const variables = options.variables() as Record<string, unknown>;
    const unsubscribe = client.subscribe<Data>(
      { query: operation.toString(), variables },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined && errors.length > 0) {
            this.#fail(graphqlError(errors as unknown as GraphQLProblem[]));
          } else if (data != null) this.#add(data);
        },
        error: (error) => this.#fail(connectionError(error, connection.url)),
        complete: () => this.#finish(),
      },
    );
    const abort = () => this.#finish();
    signal.addEventListener('abort', abort, { once: true });
    this.#dispose = () => {
      signal.removeEventListener('abort', abort);
      clearTimeout(this.#pongTimer);
      unsubscribe();
      // Rejects with what ended a connection that was still being made.
      Promise.resolve(client.dispose()).catch(() => {});
      this.#socket?.resume();
    };
  }

  /** Closes the connection. */
  end(): void {
    this.#finish();
    this.#dispose();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Data> {
    for (;;) {
      const data = this.#queue.shift();
      if (data !== undefined) {
        if (this.#queue.length === RESUME_AT) this.#socket?.resume();
        yield data;
      } else if (this.#failure !== null) throw this.#failure;
      else if (this.#ended) return;
      else await this.#news.wait();
    }
  }

  #add(data: Data): void {
    this.#queue.push(data);
    if (this.#queue.length === PAUSE_AT) {
      this.#socket?.pause();
      // A resting socket hears no answer to a ping either.
      clearTimeout(this.#pongTimer);
      this.#pongTimer = undefined;
    }
    this.#news.wake();
  }

  #fail(failure: CallError): void {
    this.#failure ??= failure;
    this.#news.wake();
  }

  #finish(): void {
    this.#ended = true;
    this.#news.wake();
  }
}

/** The token goes where a proxy expects it: into the upgrade request. */
function authorizedSocket(token: string | null) {
  return class extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols, {
        handshakeTimeout: HANDSHAKE_MS,
        perMessageDeflate: false,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      });
    }
  };
}

/** A subscription ends by GraphQL errors, by a close event, or by an error of the socket. */
function connectionError(error: unknown, url: string): CallError {
  if (Array.isArray(error)) return graphqlError(error as GraphQLProblem[]);
  const { code, reason, message } = error as { code?: number; reason?: string; message?: string };
  if (typeof code === 'number') {
    const text = `connection to ${url} closed: ${code}${reason ? ` ${reason}` : ''}`;
    if (code === 4401 || code === 4403) return new CallError('auth', text);
    // What the protocol itself refuses would be refused again.
    const isRefused = code === 4400 || code === 4406 || code === 4409;
    return new CallError(isRefused ? 'refused' : 'unreachable', text);
  }
  const text = message ?? messageOf(error);
  if (/Unexpected server response: 40[13]/.test(text)) {
    return new CallError('auth', `${url} refused the connection: ${text}`);
  }
  if (/Unexpected server response: 4(?!08|29)/.test(text)) {
    return new CallError('refused', `${url} refused the connection: ${text}`);
  }
  return noAnswer(url, new Error(text), 'no connection to');
}
