/** What passes by itself: a server that stops, starts or has too much to do. It is worth trying again. */
import type { AskError } from './ask.ts';

const PASSING_CODES = new Set([
  'UNREACHABLE',
  'SHUTTING_DOWN',
  'OVERLOADED',
  'STORE_UNAVAILABLE',
  'QUERY_TIMEOUT',
  'INTERNAL',
]);
const FIRST_WAIT_MS = 500;
/** A query that takes too long must not be all that a server does. */
const LONGEST_WAIT_MS = 15_000;

export function passes({ code }: AskError): boolean {
  return PASSING_CODES.has(code);
}

/** How long to wait after so many failures in a row, the first one being 1. */
export function waitAfter({ retryAfterMs }: AskError, failures: number): number {
  const wait = Math.max(retryAfterMs ?? 0, FIRST_WAIT_MS * 2 ** (failures - 1));
  // Not to the millisecond: many pages may wait for the same server.
  return Math.min(LONGEST_WAIT_MS, wait) * (1 + Math.random() / 4);
}
