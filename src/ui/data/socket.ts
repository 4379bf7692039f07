/** The one websocket of the console, for all that is live. */
import {
  type Client,
  createClient,
  type Sink,
  type SubscribePayload,
  type FormattedExecutionResult,
} from 'graphql-ws';
import { Cell } from '../parts/cell.ts';
import { token, tokenRefused, tokenWanted } from './token.ts';

/** `reconnecting`: what is shown is true as of `since`. */
export type Connection = { state: 'live' | 'reconnecting' | 'offline' | 'idle'; since: number };

export const connection = new Cell<Connection>({ state: 'idle', since: Date.now() });

function change(state: Connection['state']): void {
  if (connection.value.state !== state) connection.value = { state, since: Date.now() };
}

/** Of the protocol: the token is missing or wrong, or it ended. */
const TOKEN_CODES = new Set([4401, 4403]);
const FIRST_WAIT_MS = 250;
/** Whoever watches a server come back should not have to reload. */
const LONGEST_WAIT_MS = 4_000;

/** A sleeping laptop or a proxy can lose a connection without a word: asked after so long a silence… */
const PING_MS = 12_000;
/** … it is given up after so long without an answer; and so is one that is not made in that time. */
const ANSWER_MS = 8_000;
const PING = JSON.stringify({ type: 'ping' });

let raw: WebSocket | null = null;
let unanswered: ReturnType<typeof setTimeout> | undefined;
/** Connections in a row that the server ended for good. */
let refusals = 0;
let client = connect();

export function subscribe<Result>(
  payload: SubscribePayload,
  sink: Sink<FormattedExecutionResult<Result, unknown>>,
): () => void {
  return client.subscribe<Result>(payload, sink);
}

function connect(allowed?: Promise<void>): Client {
  let given = token.value;
  const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`;
  return createClient({
    url: async () => {
      await allowed;
      awaitAnswer();
      return address;
    },
    connectionParams() {
      given = token.value;
      return given === null ? {} : { token: given };
    },
    // Kept open where a view follows nothing too: whether the server is there is shown everywhere.
    lazy: false,
    // What is final to the library need not be so to the server: a token is given, for example.
    onNonLazyError() {
      client = connect(connectionAllowed(++refusals));
    },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    keepAlive: PING_MS,
    async retryWait(attempt) {
      if (tokenWanted.value !== null) await tokenGiven();
      await waited(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt));
    },
    on: {
      opened(socket) {
        raw = socket as WebSocket;
      },
      connected() {
        clearTimeout(unanswered);
        change('live');
      },
      ping: (received) => received || awaitAnswer(),
      message() {
        clearTimeout(unanswered);
        refusals = 0;
      },
      closed(event) {
        clearTimeout(unanswered);
        raw = null;
        const { code, reason } = event as CloseEvent;
        if (TOKEN_CODES.has(code)) tokenRefused(given, reason || 'A token is needed');
        change(navigator.onLine ? 'reconnecting' : 'offline');
      },
    },
  });
}

function awaitAnswer(): void {
  clearTimeout(unanswered);
  unanswered = setTimeout(() => client.terminate(), ANSWER_MS);
}

/** Whoever comes back to the page wants to know now. */
function check(): void {
  if (document.visibilityState !== 'visible' || raw?.readyState !== WebSocket.OPEN) return;
  raw.send(PING);
  awaitAnswer();
}

/** Resolves when it is worth another attempt after the server ended the connection for good. */
export async function connectionAllowed(times = 1): Promise<void> {
  await waited(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** times));
  if (tokenWanted.value !== null) await tokenGiven();
}

/** Not to the millisecond: many pages may wait for the same server. */
function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random() / 2)));
}

function tokenGiven(): Promise<void> {
  return new Promise((resolve) => {
    const stop = tokenWanted.listen(() => {
      if (tokenWanted.value !== null) return;
      stop();
      resolve();
    });
  });
}

addEventListener('offline', () => change('offline'));
addEventListener('online', () => {
  if (connection.value.state !== 'offline') return;
  change('reconnecting');
  // A connection from before may be dead without knowing it: a new one goes on where it was.
  client.terminate();
});
document.addEventListener('visibilitychange', check);
addEventListener('pageshow', check);
