/**
 * Websockets at /graphql: the upgrade, keep-alive by ping frames, and the end. What is said over
 * them is graphql-ws's; what may be done over them is `socket-protocol.ts`.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { mayBeRounded, parseExactJson } from '../../domain/event/exact-number.ts';
import { every, type GuardLog, guarded } from '../../guarded.ts';
import { Signal } from '../../signal.ts';
import type { Auth } from '../auth.ts';
import type { HttpMetrics } from '../metrics.ts';
import type { Upgrade } from '../server.ts';
import { Connection } from './connection.ts';
import type { Operations } from './operations.ts';
import { closeFor, createSocketProtocol } from './socket-protocol.ts';

export interface WebsocketOptions {
  operations: Operations;
  auth: Auth;
  metrics: HttpMetrics;
  log: GuardLog;
  /** A fault of ours, to be logged. */
  onFault: (error: unknown) => void;
}

export interface Websockets {
  upgrade: Upgrade;
  /** Ends all with 1012, after what is being executed was answered; cuts what is left then. */
  close(deadlineMs: number): Promise<void>;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;
const PING_MS = 12_000;
/**
 * A peer that takes this much between two pings is alive: its pong waits behind what it still
 * reads.
 */
const PROGRESS_BYTES = 64 * 1024;

const SOCKET_OPTIONS = {
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_MESSAGE_BYTES,
  // A message in many small pieces takes many times its size.
  maxFragments: 256,
  maxBufferedChunks: 4_096,
  // We write frames to the connection ourselves. Their order holds only while ws writes at once,
  // too.
  perMessageDeflate: false,
  // One message a turn: graphql-ws awaits its hooks, and the next message must find them done.
  allowSynchronousEvents: false,
  /** Milliseconds that a peer has to answer a close; then the connection is cut. */
  closeTimeout: 3_000,
  handleProtocols,
} as const;

interface Peer {
  socket: WebSocket;
  raw: Socket;
  connection: Connection;
  alive: boolean;
  flushed: number;
}

export function createWebsockets(options: WebsocketOptions): Websockets {
  const { metrics, log, onFault } = options;
  const peers = new Set<Peer>();
  const server = new WebSocketServer(SOCKET_OPTIONS);
  const protocol = createSocketProtocol(options);
  const drained = new Signal();

  function opened(socket: WebSocket, request: IncomingMessage): void {
    const raw = request.socket;
    const connection = new Connection(socket, raw, request.headers.authorization);
    const peer = { socket, raw, connection, alive: true, flushed: flushedBytes(raw) };
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) => connection.reply(text),
        close: (code, reason) => connection.close(code, reason),
        onMessage: (receive) => readMessages(socket, connection, receive),
      },
      connection,
    );
    if (socket.protocol === GRAPHQL_TRANSPORT_WS_PROTOCOL) {
      peers.add(peer);
      metrics.websocketConnections.inc();
    }
    socket.on('pong', () => {
      peer.alive = true;
    });
    // A frame that breaks the rules: ws closes with the code for it, `close` follows.
    socket.on('error', () => {});
    socket.once(
      'close',
      guarded(log, 'ending a websocket', (code, reason) => {
        if (peers.delete(peer)) metrics.websocketConnections.dec();
        if (peers.size === 0) drained.wake();
        connection.end();
        closed(code, String(reason)).catch(onFault);
      }),
    );
  }

  function readMessages(
    socket: WebSocket,
    connection: Connection,
    receive: (text: string) => Promise<void>,
  ): void {
    const read = guarded(
      log,
      'reading a message of a websocket',
      async (data: Buffer, isBinary: boolean) => {
        // After a close was sent ws still hands on what comes, and it would be run.
        if (socket.readyState !== socket.OPEN) return;
        const text = isBinary ? textOf(data) : String(data);
        try {
          await connection.handle(() => receive(exact(text)));
        } catch (error) {
          const [code, reason] = closeFor(error, onFault);
          connection.close(code, reason);
        }
      },
    );
    socket.on('message', read);
  }

  const pings = every(PING_MS, log, 'keeping websockets alive', () => {
    for (const peer of peers) keepAlive(peer);
  });

  return {
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (opening) => opened(opening, request));
    },
    async close(deadlineMs) {
      for (const { connection } of peers) connection.drain();
      if (peers.size > 0) await drained.wait(deadlineMs);
      clearInterval(pings);
      for (const { socket } of peers) socket.terminate();
      server.close();
    },
  };
}

/**
 * A message whose numbers JSON.parse would round is read here: graphql-ws takes one that is read
 * already as it is, though its types do not say so.
 */
function exact(text: string): string {
  if (!mayBeRounded(text)) return text;
  try {
    return parseExactJson(text) as string;
  } catch {
    return text;
  }
}

/** ws checks text frames alone: a replaced character would be stored for ever. */
function textOf(data: Buffer): string {
  return isUtf8(data) ? String(data) : '';
}

function flushedBytes(raw: Socket): number {
  return raw.bytesWritten - raw.writableLength;
}

function keepAlive(peer: Peer): void {
  const { socket, raw } = peer;
  const flushed = flushedBytes(raw);
  if (!peer.alive && flushed - peer.flushed < PROGRESS_BYTES) {
    socket.terminate();
    return;
  }
  peer.alive = false;
  peer.flushed = flushed;
  if (socket.readyState === socket.OPEN) socket.ping();
}
