/**
 * Access tokens: `shp_<id>_<secret>`. The file holds one JSON object per line and only the
 * SHA-256 of each secret, which is enough for 192 random bits; the id finds the line.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `admin` may do everything; `read` queries and follows; `ingest` reports. */
export const SCOPES = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface TokenRecord {
  id: string;
  /** SHA-256 of the secret, in hex. */
  hash: string;
  /** For people: whose it is. */
  name: string;
  scopes: readonly Scope[];
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339, or null: does not expire. */
  expiresAt: string | null;
}

const TOKEN = /^shp_([0-9a-z]{8})_([0-9A-Za-z_-]{32})$/;

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

export interface NewToken {
  /** Shown once; only its hash is kept. */
  token: string;
  record: TokenRecord;
}

export function makeToken(
  name: string,
  scopes: readonly Scope[],
  expiresAt: number | null,
  now: number,
): NewToken {
  const id = randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0').slice(-8);
  const secret = randomBytes(24).toString('base64url');
  return {
    token: `shp_${id}_${secret}`,
    record: {
      id,
      hash: hashOf(secret).toString('hex'),
      name,
      scopes: [...scopes],
      createdAt: new Date(now).toISOString(),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    },
  };
}

const NO_HASH = Buffer.alloc(32);

/**
 * The record of a token, or null where it is malformed, unknown or wrong: all three take the same
 * work. Expiry is the caller's to judge.
 */
export function findToken(
  records: ReadonlyMap<string, TokenRecord>,
  token: string,
): TokenRecord | null {
  const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
  const record = records.get(id);
  const expected = record === undefined ? NO_HASH : Buffer.from(record.hash, 'hex');
  const same = timingSafeEqual(hashOf(secret), expected);
  return same && record !== undefined ? record : null;
}

/** The records of a file's text. Throws an Error that names the line. */
export function parseTokens(text: string): TokenRecord[] {
  const records: TokenRecord[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const problem = (reason: string): Error => new Error(`line ${index + 1}: ${reason}`);
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      throw problem('not JSON');
    }
    if (!isTokenRecord(record)) {
      throw problem('must be {"id","hash","name","scopes","createdAt","expiresAt"} of a token');
    }
    records.push(record);
  }
  return records;
}

export function formatTokens(records: readonly TokenRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

function isTokenRecord(value: unknown): value is TokenRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { id, hash, name, scopes, createdAt, expiresAt } = value as Record<string, unknown>;
  return (
    matches(id, /^[0-9a-z]{8}$/) &&
    matches(hash, /^[0-9a-f]{64}$/) &&
    typeof name === 'string' &&
    Array.isArray(scopes) &&
    scopes.length > 0 &&
    scopes.every((scope) => (SCOPES as readonly unknown[]).includes(scope)) &&
    isTime(createdAt) &&
    (expiresAt === null || isTime(expiresAt))
  );
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
