/**
 * Who asks, and what they may do. A request's token comes in `Authorization: Bearer`, a
 * websocket's there or in its `connection_init` payload; never in an address, which proxies and
 * browsers write down. The answer to an unknown token and to a wrong one is the same.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { ShiplogError } from '../domain/errors.ts';
import { findToken, parseTokens, SCOPES, type Scope, type TokenRecord } from '../domain/token.ts';
import { every, type GuardLog, guarded } from '../guarded.ts';

export interface Principal {
  /** null: the server runs without tokens. */
  tokenId: string | null;
  scopes: ReadonlySet<Scope>;
  /** Epoch milliseconds, or null: does not expire. */
  expiresAt: number | null;
  /** As the token was when it was shown; null: the server runs without tokens. */
  record: TokenRecord | null;
  /** Of the other end of the connection, for logs; null where it is not known. */
  address: string | null;
}

export type AuthFailure = 'missing' | 'wrong' | 'expired' | 'revoked' | 'scope' | 'in_url';

export type Standing = 'ok' | 'expired' | 'revoked' | 'changed';

export interface AuthRefusal {
  failure: AuthFailure;
  error: ShiplogError;
}

export interface Auth {
  /** false: everybody may do everything (loopback, or told to be insecure). */
  readonly required: boolean;
  readonly now: () => number;
  /** Who it is, or why not. `token`: null where none was given. */
  judge(token: string | null): Principal | AuthRefusal;
  /** Throws UNAUTHENTICATED. */
  authenticate(token: string | null): Principal;
  /** Whether it still holds, as it was shown: not expired, not revoked, no scope taken or given. */
  standing(principal: Principal): Standing;
  /** Throws UNAUTHENTICATED where it does not: for what goes on for long. */
  requireStanding(principal: Principal): void;
  /**
   * Calls `ended` once, within a second of the token's end: expired, revoked, or with other scopes
   * than it had when it was shown. Returns what stops that.
   */
  onEnd(principal: Principal, ended: (standing: Standing) => void): () => void;
  /** Watches over nothing any more. */
  close(): void;
  /** Throws FORBIDDEN. */
  requireScope(principal: Principal, scope: Scope): void;
  /** Counts a failure that was found elsewhere. */
  countFailure(reason: AuthFailure): void;
  failures(): Readonly<Record<AuthFailure, number>>;
}

const EVERYONE: Principal = {
  tokenId: null,
  scopes: new Set(SCOPES),
  expiresAt: null,
  record: null,
  address: null,
};

/** Tokens that are in use are looked at so often, and their file no more often than this. */
const LOOK_EVERY_MS = 500;

export interface AuthOptions {
  /** null: no tokens. Throws an Error at once where the file cannot be read. */
  tokensFile: string | null;
  now: () => number;
  /** Told when a changed file cannot be read; the tokens read before stay. */
  onProblem: (message: string) => void;
  log: GuardLog;
}

export function createAuth({ tokensFile, now, onProblem, log }: AuthOptions): Auth {
  const failures = { missing: 0, wrong: 0, expired: 0, revoked: 0, scope: 0, in_url: 0 };
  const records = tokensFile === null ? null : watchTokens(tokensFile, now, onProblem);

  function refuse(failure: AuthFailure, message: string): AuthRefusal {
    failures[failure]++;
    return { failure, error: new ShiplogError('UNAUTHENTICATED', message) };
  }

  function judge(token: string | null): Principal | AuthRefusal {
    if (records === null) return EVERYONE;
    if (token === null) {
      return refuse('missing', 'A token is needed: Authorization: Bearer shp_…');
    }
    const record = findToken(records.current(), token);
    if (record === null) {
      const wasOurs = findToken(records.revoked(), token) !== null;
      return refuse(wasOurs ? 'revoked' : 'wrong', 'The token is not known');
    }
    const expiresAt = expiryOf(record);
    if (expiresAt !== null && expiresAt <= now()) {
      return refuse('expired', `The token expired at ${record.expiresAt}`);
    }
    return { tokenId: record.id, scopes: scopesOf(record), expiresAt, record, address: null };
  }

  function standing({ record: shown }: Principal): Standing {
    if (shown === null || records === null) return 'ok';
    const record = records.current().get(shown.id);
    if (record === undefined || record.hash !== shown.hash) return 'revoked';
    const expiresAt = expiryOf(record);
    if (expiresAt !== null && expiresAt <= now()) return 'expired';
    return scopesOf(record).symmetricDifference(scopesOf(shown)).size === 0 ? 'ok' : 'changed';
  }

  const watched = new Set<{ principal: Principal; ended: (standing: Standing) => void }>();
  let looking: NodeJS.Timeout | null = null;

  /** Each token is judged once: ten thousand subscriptions are mostly of a few tokens. */
  function lookAtAll(): void {
    const standings = new Map<TokenRecord | null, Standing>();
    for (const watch of watched) {
      const { record } = watch.principal;
      const found = standings.get(record) ?? standing(watch.principal);
      standings.set(record, found);
      if (found === 'ok') continue;
      watched.delete(watch);
      // Where ending one throws, the others are ended all the same.
      guarded(log, 'ending what its token no longer allows', () => watch.ended(found))();
    }
  }

  return {
    required: records !== null,
    now,
    judge,
    authenticate(token) {
      const found = judge(token);
      if ('error' in found) throw found.error;
      return found;
    },
    standing,
    requireStanding(principal) {
      const found = standing(principal);
      if (found === 'ok') return;
      if (found !== 'changed') failures[found]++;
      throw new ShiplogError('UNAUTHENTICATED', `The token is ${found}`);
    },
    onEnd(principal, ended) {
      if (principal.record === null) return () => {};
      const watch = { principal, ended };
      watched.add(watch);
      looking ??= every(LOOK_EVERY_MS, log, 'looking at the tokens in use', lookAtAll);
      return () => void watched.delete(watch);
    },
    close() {
      if (looking !== null) clearInterval(looking);
      watched.clear();
    },
    requireScope(principal, scope) {
      if (principal.scopes.has(scope)) return;
      failures.scope++;
      throw new ShiplogError('FORBIDDEN', `The token lacks the scope "${scope}"`);
    },
    countFailure: (reason) => void failures[reason]++,
    failures: () => ({ ...failures }),
  };
}

function expiryOf({ expiresAt }: TokenRecord): number | null {
  return expiresAt === null ? null : Date.parse(expiresAt);
}

function scopesOf(record: TokenRecord): Set<Scope> {
  return new Set(record.scopes.includes('admin') ? SCOPES : record.scopes);
}

interface WatchedTokens {
  /** By id, read again when the file changed. */
  current(): ReadonlyMap<string, TokenRecord>;
  /** Those that were taken from the file since the start, so that their use can be told apart. */
  revoked(): ReadonlyMap<string, TokenRecord>;
}

/** How many revoked tokens are remembered. */
const REVOKED_MAX = 10_000;

function watchTokens(
  file: string,
  now: () => number,
  onProblem: (message: string) => void,
): WatchedTokens {
  const load = (): Map<string, TokenRecord> =>
    new Map(parseTokens(readFileSync(file, 'utf8')).map((record) => [record.id, record]));
  const signOf = (stats: Stats): string => `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
  let sign = signOf(statSync(file));
  let current = load();
  const revoked = new Map<string, TokenRecord>();
  let lookedAt = now();
  const noteRevoked = (after: ReadonlyMap<string, TokenRecord>): void => {
    for (const [id, record] of current) {
      if (after.get(id)?.hash !== record.hash && revoked.size < REVOKED_MAX)
        revoked.set(id, record);
    }
    for (const id of after.keys())
      if (after.get(id)?.hash === revoked.get(id)?.hash) revoked.delete(id);
  };
  const look = (): ReadonlyMap<string, TokenRecord> => {
    if (Math.abs(now() - lookedAt) < LOOK_EVERY_MS) return current;
    lookedAt = now();
    try {
      const found = signOf(statSync(file));
      if (found === sign) return current;
      const after = load();
      noteRevoked(after);
      current = after;
      sign = found;
    } catch (error) {
      onProblem(`the tokens file cannot be read, its former content stays: ${String(error)}`);
    }
    return current;
  };
  return { current: look, revoked: () => revoked };
}

/** The token of `Authorization: Bearer …`, or null. Other schemes count as none. */
export function bearerToken(header: string | undefined): string | null {
  const match = /^Bearer +(\S+) *$/i.exec(header ?? '');
  return match?.[1] ?? null;
}

/**
 * The token of whatever scheme a client of others has: `Basic` with it as the password (or the
 * name), `ApiKey` with it as the key, as it is or behind an id in base64, `Splunk`, `Bearer`.
 */
export function foreignToken(header: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(header ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic': {
      const [name = '', password = ''] = pairOf(value);
      return password || name || null;
    }
    case 'apikey': {
      if (value.startsWith('shp_')) return value;
      const [id = '', key = ''] = pairOf(value);
      return key || id || null;
    }
    case 'splunk':
      return value;
    default:
      return bearerToken(header);
  }
}

/** `name:secret` in base64. */
function pairOf(encoded: string): [string, string] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

const URL_TOKEN = /[?&](token|access_token|authorization|api_key)=|shp_[0-9a-z]{8}_/i;

/** Throws BAD_REQUEST for a token in the address: it would end in logs and histories. */
export function refuseTokenInUrl(request: IncomingMessage, auth: Auth): void {
  if (!URL_TOKEN.test(request.url ?? '')) return;
  auth.countFailure('in_url');
  throw new ShiplogError(
    'BAD_REQUEST',
    'A token must not be in the address; send it as Authorization: Bearer … (and replace it, for it has been written down on its way)',
    { field: 'token' },
  );
}
