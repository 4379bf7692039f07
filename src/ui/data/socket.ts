/** The one websocket of the console, for all that is live. */
import { type Client, createClient } from 'graphql-ws';
import { Cell } from '../parts/cell.ts';
import { token, tokenWanted } from './token.ts';

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

export const socket: Client = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  connectionParams: () => (token.value === null ? {} : { token: token.value }),
  // Kept open where a view follows nothing too: whether the server is there is shown everywhere.
  lazy: false,
  onNonLazyError() {},
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  // A sleeping laptop notices within two of these that its connection has gone.
  keepAlive: 12_000,
  async retryWait(attempt) {
    if (tokenWanted.value !== null) await tokenGiven();
    await waited(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt));
  },
  on: {
    connected: () => change('live'),
    closed(event) {
      const { code, reason } = event as CloseEvent;
      if (TOKEN_CODES.has(code)) tokenWanted.value = reason || 'A token is needed';
      change(navigator.onLine ? 'reconnecting' : 'offline');
    },
  },
});

/** Resolves when it is worth another attempt after the server ended the connection for good. */
export async function connectionAllowed(): Promise<void> {
  await waited(FIRST_WAIT_MS * 2);
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
  socket.terminate();
});
