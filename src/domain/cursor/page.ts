/**
 * Pages of a list, by key: a cursor holds the sort values of its row, so that a page neither
 * skips nor repeats rows when others come or go. The same text works on every engine.
 */
import { ShiplogError } from '../errors.ts';

/** The sort values of one row, the last of them unique. */
export type PageKey = (string | number)[];

export interface PageRequest {
  /** Number of rows, already bounded. */
  limit: number;
  /** true: the last rows of the range (Relay's `last`); rows still come in the list's order. */
  backward: boolean;
  after: PageKey | null;
  before: PageKey | null;
  /** Events only: the page whose middle is this row (or its place); excludes after and before. */
  around: PageKey | null;
  /** Count the whole list too (exact up to 10,000). */
  withTotal: boolean;
}

export interface PageRow<T> {
  key: PageKey;
  node: T;
}

export interface Page<T> {
  rows: PageRow<T>[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  /** null where the request did not ask. */
  total: number | null;
  totalIsExact: boolean;
}

/** Counting stops here: beyond it `total` is this number and not exact. */
export const TOTAL_CAP = 10_000;

/** What a key holds has changed with it: a cursor of another version is none of ours. */
const VERSION = 2;

export function encodePageCursor(list: string, key: PageKey): string {
  return Buffer.from(JSON.stringify([VERSION, list, ...key])).toString('base64url');
}

/** `list` names the list and its order: a cursor of another one is refused. */
export function decodePageCursor(list: string, text: string, field: string): PageKey {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    parsed = null;
  }
  if (
    !Array.isArray(parsed) ||
    parsed[0] !== VERSION ||
    typeof parsed[1] !== 'string' ||
    parsed.length < 3 ||
    !parsed.slice(2).every((part) => typeof part === 'string' || typeof part === 'number')
  ) {
    throw new ShiplogError('CURSOR_INVALID', `${field} is not a cursor of this server`, { field });
  }
  if (parsed[1] !== list) {
    throw new ShiplogError(
      'CURSOR_MISMATCH',
      `${field} is a cursor of "${parsed[1]}", this list is "${list}"`,
      { field },
    );
  }
  return parsed.slice(2) as PageKey;
}
