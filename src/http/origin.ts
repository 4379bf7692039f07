/**
 * Which web pages may use this server. A browser names the page in `Origin`; other clients send
 * none. Tokens travel in a header, never in a cookie, but a server without tokens trusts whoever
 * reaches it: so a foreign page may not write, whatever the content type, nor open a websocket,
 * and (where there are no tokens) no name but this machine's own may be used to reach it, or a
 * page could point its own name at 127.0.0.1 and read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ShiplogError } from '../domain/errors.ts';

export interface OriginRules {
  allowed: readonly string[];
  /** The address that is listened on. */
  host: string;
  /** true: reached by the names of this machine only (no tokens, not `--insecure`). */
  localNamesOnly: boolean;
}

export type OriginVerdict = 'none' | 'same' | 'listed' | 'foreign';

export function judgeOrigin(request: IncomingMessage, rules: OriginRules): OriginVerdict {
  const { origin } = request.headers;
  if (origin === undefined) return 'none';
  if (rules.allowed.includes(origin)) return 'listed';
  const page = URL.parse(origin);
  const { host } = request.headers;
  if (page === null || page.host === '' || host === undefined) return 'foreign';
  // Some proxies add the port that the page's address leaves out.
  const own = URL.parse(`${page.protocol}//${host}`);
  return page.host === own?.host ? 'same' : 'foreign';
}

function nameOf(hostHeader: string): string {
  return (URL.parse(`http://${hostHeader}`)?.hostname ?? '').replace(/^\[|\]$/g, '');
}

/** A name or an address, and a port. Anything else would be read as part of the request's path. */
const HOST = /^(\[[0-9a-f:.]*\]|[^\s/?#@[\]\\:]*)(:\d*)?$/i;

/**
 * Throws BAD_REQUEST where the Host header is none, FORBIDDEN where it is a name that this machine
 * does not call itself.
 */
export function checkHost(request: IncomingMessage, rules: OriginRules): void {
  const header = request.headers.host ?? '';
  if (!HOST.test(header) || (header !== '' && !URL.canParse(`http://${header}`))) {
    throw new ShiplogError('BAD_REQUEST', 'The Host header is not the name of a host', {
      field: 'host',
    });
  }
  if (!rules.localNamesOnly) return;
  const name = nameOf(header);
  const local =
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === rules.host ||
    name === '::1' ||
    /^127(\.\d{1,3}){3}$/.test(name);
  if (!local) {
    throw new ShiplogError(
      'FORBIDDEN',
      `Host ${JSON.stringify(header.slice(0, 120))} is not this machine's: without tokens the server is reached as localhost only`,
      { field: 'host' },
    );
  }
}

/** Throws FORBIDDEN where a page of another site may not do this. */
export function checkOrigin(request: IncomingMessage, rules: OriginRules, writes: boolean): void {
  if (writes && judgeOrigin(request, rules) === 'foreign') {
    throw new ShiplogError(
      'FORBIDDEN',
      `Origin ${JSON.stringify(request.headers.origin?.slice(0, 120))} is not in SHIPLOG_ALLOWED_ORIGINS`,
      { field: 'origin' },
    );
  }
}

/** CORS, for listed origins only: all others get no such header. */
export function setCorsHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  rules: OriginRules,
): void {
  if (rules.allowed.length === 0) return;
  const asked = request.headers['access-control-request-headers'];
  response.setHeader(
    'vary',
    asked === undefined ? 'Origin' : 'Origin, Access-Control-Request-Headers',
  );
  if (judgeOrigin(request, rules) !== 'listed') return;
  response.setHeader('access-control-allow-origin', request.headers.origin ?? '');
  response.setHeader('access-control-expose-headers', 'Retry-After');
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
  if (request.method !== 'OPTIONS') return;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  // A listed page is trusted: with whatever headers its libraries add, such as those for tracing.
  response.setHeader('access-control-allow-headers', asked ?? 'authorization, content-type');
  response.setHeader('access-control-max-age', '600');
}
