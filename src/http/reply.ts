/** How every answer leaves: JSON, security headers, one shape of error. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, ShiplogError } from '../domain/errors.ts';

const NOSNIFF = { 'x-content-type-options': 'nosniff' };
const PLAIN_HEADERS = { ...NOSNIFF, 'cross-origin-resource-policy': 'same-origin' };

/**
 * What every answer says about itself. One object for `writeHead`, for each header that is set by
 * itself costs; `origin.ts` sets those of other sites, which are few.
 */
export function securityHeaders(response: ServerResponse): Record<string, string> {
  return response.hasHeader('cross-origin-resource-policy') ? NOSNIFF : PLAIN_HEADERS;
}

/** What a page says further about itself; `policy` is its content security policy. */
export function pageHeaders(policy: string): Record<string, string> {
  return {
    'content-security-policy': policy,
    'cache-control': 'no-cache',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  };
}

export function sendPage(response: ServerResponse, html: string, policy: string): void {
  sendText(response, 200, 'text/html; charset=utf-8', html, pageHeaders(policy));
}

/** Sends the whole body with its length; nothing where the client has gone. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string | Buffer,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...securityHeaders(response),
    ...headers,
  });
  const dropped = unread.get(response);
  if (dropped === undefined) {
    response.end(text);
    return;
  }
  response.write(text);
  void dropped.then(() => response.end());
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const all = { 'cache-control': 'no-store', ...headers };
  sendText(response, status, 'application/json; charset=utf-8', JSON.stringify(body), all);
}

/** What of an error is for the client: a fault of ours shows nothing of itself. */
export function publicError(error: unknown): ShiplogError {
  return error instanceof ShiplogError
    ? error
    : new ShiplogError('INTERNAL', 'Something went wrong on the server; its log says what.');
}

/** Headers that go with an error: when to try again, and how to authenticate. */
export function errorHeaders(error: ShiplogError): Record<string, string> {
  const headers: Record<string, string> = {};
  const { status } = ERROR_CODES[error.code];
  if (error.retryAfterMs !== null || status === 429 || status === 503) {
    headers['retry-after'] = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000)));
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="shiplog"';
  return headers;
}

/** What of an error is told, in every protocol. */
export function errorFields({ code, message, field, retryAfterMs }: ShiplogError): {
  code: string;
  message: string;
  field?: string;
  retryAfterMs?: number;
} {
  return {
    code,
    message,
    ...(field === null ? {} : { field }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}

/** The shape of all errors but GraphQL's. */
export function errorBody(error: ShiplogError): Record<string, unknown> {
  return { error: errorFields(error) };
}

export function sendError(response: ServerResponse, error: ShiplogError, extra: object = {}): void {
  const { status } = ERROR_CODES[error.code];
  sendJson(response, status, { ...errorBody(error), ...extra }, errorHeaders(error));
}

/** How much of a refused body is read and thrown away, so that the client gets to our answer. */
const LINGER_BYTES = 16 * 1024 * 1024;
const LINGER_MS = 2_000;

/** Answers whose requests are still being read; resolved when nothing more comes. */
const unread = new WeakMap<ServerResponse, Promise<void>>();

/**
 * For an answer given before the body was read: most clients read no answer until they have
 * sent everything, so some of the rest is taken and dropped. Only then does the answer end, for
 * with its end the connection is closed, and what still arrives would turn it into a reset.
 */
export function closeAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  if (!response.headersSent) response.setHeader('connection', 'close');
  const { promise, resolve } = Promise.withResolvers<void>();
  unread.set(response, promise);
  let left = LINGER_BYTES;
  const giveUp = setTimeout(() => request.destroy(), LINGER_MS);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.once('error', () => {});
  for (const over of ['end', 'close']) {
    request.once(over, () => {
      clearTimeout(giveUp);
      resolve();
    });
  }
  request.resume();
}
