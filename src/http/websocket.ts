/**
 * Websockets at /graphql: the upgrade, keep-alive by ping frames, back-pressure, and the end.
 * What is said over them is `subscription-protocol.ts`.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Auth } from './auth.ts';
import type { HttpMetrics } from './metrics.ts';
import type { Operations } from './operations.ts';
import type { Upgrade } from './server.ts';
import { type ProtocolSocket, SubscriptionProtocol } from './subscription-protocol.ts';

export interface WebsocketOptions {
  operations: Operations;
  auth: Auth;
  metrics: HttpMetrics;
  /** A fault of ours, to be logged. */
  onFault: (error: unknown) => void;
}

export interface Websockets {
  upgrade: Upgrade;
  /** Ends all with 1012, after what is being executed was answered; cuts what is left then. */
  close(deadlineMs: number): Promise<void>;
}

const PROTOCOL = 'graphql-transport-ws';
const MAX_MESSAGE_BYTES = 1024 * 1024;
const PING_MS = 12_000;
/** A peer that takes so much between two pings is alive, though its pong is behind it all. */
const PROGRESS_BYTES = 64 * 1024;
/** Unsent bytes of one socket above which nothing is added to them. */
const HIGH_WATER_BYTES = 256 * 1024;

const SOCKET_OPTIONS = {
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_MESSAGE_BYTES,
  // A message in many small pieces takes many times its size.
  maxFragments: 256,
  maxBufferedChunks: 4_096,
  perMessageDeflate: false,
  /** Milliseconds that a peer has to answer a close; then the connection is cut. */
  closeTimeout: 3_000,
  handleProtocols: (offered: Set<string>) => (offered.has(PROTOCOL) ? PROTOCOL : false),
} as const;

interface Connection {
  socket: WebSocket;
  raw: Socket;
  protocol: SubscriptionProtocol;
  alive: boolean;
  flushed: number;
}

export function createWebsockets(options: WebsocketOptions): Websockets {
  const { metrics } = options;
  const connections = new Set<Connection>();
  const server = new WebSocketServer(SOCKET_OPTIONS);
  let drained: (() => void) | null = null;

  function opened(socket: WebSocket, request: IncomingMessage): void {
    if (socket.protocol !== PROTOCOL) {
      socket.on('error', () => {});
      socket.close(4406, 'Subprotocol not acceptable');
      return;
    }
    const raw = request.socket;
    const protocol = new SubscriptionProtocol(protocolSocket(socket, raw), {
      operations: options.operations,
      auth: options.auth,
      authorization: request.headers.authorization,
      countSubscriptions: (change) => metrics.subscriptions.inc({ transport: 'websocket' }, change),
    });
    const connection = { socket, raw, protocol, alive: true, flushed: flushedBytes(raw) };
    connections.add(connection);
    metrics.websocketConnections.inc();
    socket.on('pong', () => {
      connection.alive = true;
    });
    socket.on('message', (data, isBinary) => {
      protocol.receive(isBinary ? textOf(data as Buffer) : String(data)).catch((error: unknown) => {
        options.onFault(error);
        socket.close(4500, 'Internal server error');
      });
    });
    // A frame that breaks the rules: ws closes with the code for it, `close` follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      connections.delete(connection);
      metrics.websocketConnections.dec();
      protocol.closed();
      if (connections.size === 0) drained?.();
    });
  }

  const pings = setInterval(() => {
    for (const connection of connections) keepAlive(connection);
  }, PING_MS);
  pings.unref();

  return {
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (opening) => opened(opening, request));
    },
    async close(deadlineMs) {
      for (const { protocol } of connections) protocol.drain();
      if (connections.size > 0) {
        await new Promise<void>((resolve) => {
          drained = resolve;
          setTimeout(resolve, deadlineMs).unref();
        });
      }
      clearInterval(pings);
      for (const { socket } of connections) socket.terminate();
      server.close();
    },
  };
}

/** ws checks text frames alone: a replaced character would be stored for ever. */
function textOf(data: Buffer): string {
  return isUtf8(data) ? String(data) : '';
}

function flushedBytes(raw: Socket): number {
  return raw.bytesWritten - raw.writableLength;
}

function keepAlive(connection: Connection): void {
  const { socket, raw, protocol } = connection;
  const flushed = flushedBytes(raw);
  if (!connection.alive && flushed - connection.flushed < PROGRESS_BYTES) {
    socket.terminate();
    return;
  }
  connection.alive = false;
  connection.flushed = flushed;
  protocol.checkStanding();
  if (socket.readyState === socket.OPEN) socket.ping();
}

/**
 * Sends in order; above the high water mark each sender waits until the one before has left.
 * Frames go to the connection itself: without compression ws writes at once, so order holds.
 *
 * Results wait for their turn and are few. Replies (pongs, refusals) are as many as the peer
 * cares to ask for: while one waits, a peer that does not take its answers is not read.
 */
function protocolSocket(socket: WebSocket, raw: Socket): ProtocolSocket {
  let last: Promise<void> = Promise.resolve();
  const sent = (write: (done: () => void) => void): Promise<void> =>
    new Promise((resolve) => {
      if (socket.readyState === socket.OPEN) write(resolve);
      else resolve();
    });
  const inTurn = (write: (done: () => void) => void): Promise<void> => {
    last = socket.bufferedAmount > HIGH_WATER_BYTES ? last.then(() => sent(write)) : sent(write);
    return last;
  };
  let waiting = 0;
  const answered = (): void => {
    waiting--;
    if (waiting === 0) socket.resume();
  };
  const reply = (text: string): Promise<void> => {
    const left = inTurn((done) => socket.send(text, done));
    if (socket.bufferedAmount > HIGH_WATER_BYTES) {
      waiting++;
      socket.pause();
      void left.then(answered);
    }
    return left;
  };
  return {
    send: reply,
    sendFrame: (frame) => inTurn((done) => raw.write(frame, () => done())),
    close: (code, reason) => socket.close(code, reason),
  };
}
