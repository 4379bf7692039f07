/**
 * The listener: time limits, who may, which endpoint, how it ends. Nothing here knows GraphQL.
 *
 * Every request passes the same gate, in this order: the Host and Origin rules, no token in the
 * address, the route, the method, the token. What an endpoint throws is answered in its shape.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERROR_CODES, ShiplogError } from '../domain/errors.ts';
import { type GuardLog, guarded } from '../guarded.ts';
import { type Auth, bearerToken, foreignToken, type Principal, refuseTokenInUrl } from './auth.ts';
import { checkDeclaredBody } from './body/body.ts';
import type { HttpMetrics } from './metrics.ts';
import { checkHost, checkOrigin, judgeOrigin, type OriginRules, setCorsHeaders } from './origin.ts';
import {
  closeAfterAnswer,
  errorFields,
  errorHeaders,
  publicError,
  sendError,
  sendJson,
} from './reply.ts';
import type { Route } from './route.ts';

/** Takes over an upgraded connection. Throws a ShiplogError to refuse it. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface ServerOptions {
  host: string;
  port: number;
  /** Bodies that declare more are refused before a byte is sent (`Expect: 100-continue`). */
  maxDeclaredBytes: number;
  routes: ReadonlyMap<string, Route>;
  /** For addresses that are not in `routes` (folders of files); null: not found. */
  fallback: (path: string) => Route | null;
  /** Websockets, by path. */
  upgrades: ReadonlyMap<string, Upgrade>;
  origins: OriginRules;
  auth: Auth;
  metrics: HttpMetrics;
  log: GuardLog;
  /** A fault of ours, to be logged. */
  onFault: (error: unknown) => void;
}

export interface Listener {
  /** `http://127.0.0.1:4000`: the address as it was bound. */
  readonly url: string;
  /** Takes no more connections; resolves when all requests are answered, or cut at `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common load balancers, or they meet closed connections. */
const KEEP_ALIVE_MS = 65_000;
/** No byte in either direction; streams send something more often than this. */
const SOCKET_IDLE_MS = 120_000;
const MAX_CONNECTIONS = 20_000;

const EVERYBODY: Principal = {
  tokenId: null,
  scopes: new Set(),
  expiresAt: null,
  record: null,
  address: null,
};

/** Rejects where the address cannot be listened on. */
export async function listen(options: ServerOptions): Promise<Listener> {
  let closing = false;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Bodies have limits of their own: a stream of events may take as long as the store needs.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
      // Java offers HTTP/2 (`Upgrade: h2c`) with an ordinary request: that is answered as one.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    guarded(options.log, 'serving a request', serve),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(SOCKET_IDLE_MS);
  const serveExpecting = guarded(
    options.log,
    'serving a request',
    (request: IncomingMessage, response: ServerResponse) => {
      try {
        checkDeclaredBody(request, options.maxDeclaredBytes);
        response.writeContinue();
      } catch {
        // The endpoint refuses it by the same header, before it reads.
      }
      return serve(request, response);
    },
  );
  server.on('checkContinue', serveExpecting);
  const takeOver: Upgrade = (request, socket, head) => {
    try {
      gate(request, options, true);
      const path = addressOf(request)?.pathname ?? '/';
      const upgrade = options.upgrades.get(path);
      if (upgrade === undefined) throw new ShiplogError('NOT_FOUND', `No websocket at ${path}`);
      if (closing) throw new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
      asking.delete(request.socket);
      upgrade(request, socket, head);
    } catch (error) {
      if (!(error instanceof ShiplogError)) options.onFault(error);
      refuseUpgrade(socket, publicError(error), options.metrics);
    }
  };
  server.on('upgrade', guarded(options.log, 'taking over a connection', takeOver));
  server.on('clientError', refuseGarbage);
  // Node's own closeIdleConnections passes over connections that have not asked anything yet.
  const asking = new Map<Socket, number>();
  server.on('connection', (socket) => {
    asking.set(socket, 0);
    socket.once('close', () => asking.delete(socket));
  });

  const over = guarded(
    options.log,
    'ending a request',
    (
      request: IncomingMessage,
      response: ServerResponse,
      route: Route | null,
      startedAt: number,
    ) => {
      const { socket } = request;
      const left = (asking.get(socket) ?? 1) - 1;
      if (!socket.destroyed) asking.set(socket, left);
      if (closing && left === 0) socket.destroySoon();
      options.metrics.activeRequests.dec();
      const seconds = (performance.now() - startedAt) / 1000;
      const method = STANDARD_METHODS.has(request.method ?? '') ? (request.method ?? '') : 'other';
      options.metrics.observe(route?.name ?? 'none', method, response.statusCode, seconds);
    },
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    let route: Route | null = null;
    const { socket } = request;
    asking.set(socket, (asking.get(socket) ?? 0) + 1);
    options.metrics.activeRequests.inc();
    response.once('close', () => over(request, response, route, startedAt));
    response.on('error', () => {});
    if (closing) response.setHeader('connection', 'close');
    try {
      setCorsHeaders(request, response, options.origins);
      const url = addressOf(request);
      // Some clients name the whole address, as to a proxy. What follows expects the path alone.
      if (url !== null && request.url?.startsWith('/') === false) {
        request.url = url.pathname + url.search;
      }
      // Found first, so that a refusal at the gate has the shape of what was asked for.
      if (url !== null) route = options.routes.get(url.pathname) ?? options.fallback(url.pathname);
      gate(request, options, !isSafe(request));
      if (url === null) throw new ShiplogError('BAD_REQUEST', 'The address cannot be read');
      if (route === null) throw notFound(url.pathname);
      if (request.method === 'OPTIONS' && !route.methods.includes('OPTIONS')) {
        return preflight(request, response, route, options);
      }
      checkMethod(request, response, route);
      const principal = admit(request, route, options.auth);
      await route.handle({ request, response, url, principal });
      if (!request.complete && response.writableEnded) closeAfterAnswer(request, response);
    } catch (error) {
      if (!(error instanceof ShiplogError)) options.onFault(error);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      closeAfterAnswer(request, response);
      answerError(response, publicError(error), route);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve);
  });
  return {
    url: urlOf(server),
    async close(deadlineMs) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [socket, requests] of asking) if (requests === 0) socket.destroySoon();
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

const STANDARD_METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']);

function isSafe(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
}

/** null: it cannot be read. `//graphql` is a path of ours, and no other server's name. */
function addressOf({ url = '/' }: IncomingMessage): URL | null {
  return url.startsWith('/') ? URL.parse(`http://shiplog${url}`) : URL.parse(url);
}

function gate(request: IncomingMessage, options: ServerOptions, writes: boolean): void {
  try {
    checkHost(request, options.origins);
    checkOrigin(request, options.origins, writes);
  } catch (error) {
    options.metrics.rejectedConnections.inc({ reason: 'origin' });
    throw error;
  }
  refuseTokenInUrl(request, options.auth);
}

function notFound(path: string): ShiplogError {
  return new ShiplogError('NOT_FOUND', `Nothing is at ${path.slice(0, 200)}`);
}

function checkMethod(request: IncomingMessage, response: ServerResponse, route: Route): void {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (route.methods.some((allowed) => allowed === method)) return;
  response.setHeader('allow', route.methods.join(', '));
  throw new ShiplogError(
    'METHOD_NOT_ALLOWED',
    `${route.name} takes ${route.methods.join(' and ')}, not ${request.method}`,
  );
}

function admit(request: IncomingMessage, route: Route, auth: Auth): Principal {
  if (route.access === 'open' || request.method === 'OPTIONS') return EVERYBODY;
  const { authorization } = request.headers;
  const token = route.anyScheme === true ? foreignToken(authorization) : bearerToken(authorization);
  const principal = auth.authenticate(token);
  if (route.access !== 'any') auth.requireScope(principal, route.access);
  return { ...principal, address: request.socket.remoteAddress ?? null };
}

function preflight(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  options: ServerOptions,
): void {
  if (judgeOrigin(request, options.origins) === 'foreign') {
    throw new ShiplogError('FORBIDDEN', 'This Origin is not in SHIPLOG_ALLOWED_ORIGINS', {
      field: 'origin',
    });
  }
  response.writeHead(204, { allow: ['OPTIONS', ...route.methods].join(', ') }).end();
}

function answerError(response: ServerResponse, error: ShiplogError, route: Route | null): void {
  const shape = route?.errors ?? 'plain';
  if (typeof shape === 'function') {
    shape(response, error);
    return;
  }
  if (shape === 'plain') {
    sendError(response, error);
    return;
  }
  const { message, ...extensions } = errorFields(error);
  const body = { errors: [{ message, extensions }] };
  sendJson(response, ERROR_CODES[error.code].status, body, errorHeaders(error));
}

function refuseUpgrade(socket: Duplex, error: ShiplogError, metrics: HttpMetrics): void {
  metrics.rejectedConnections.inc({ reason: 'upgrade' });
  const { status } = ERROR_CODES[error.code];
  const body = JSON.stringify({ error: { code: error.code, message: error.message } });
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Answers what Node could not read as HTTP, or what was too slow or too long. */
function refuseGarbage(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 408
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? 431
        : 400;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`, () =>
    (socket as Socket).destroy(),
  );
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
