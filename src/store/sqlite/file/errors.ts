/**
 * SQLite's errors in the words of the port, and errors across the border of a worker thread,
 * where classes do not survive.
 */
import { type ErrorCode, ShiplogError } from '../../../domain/errors.ts';

const FULL = 13;
/** Primary result codes of a disk, a lock or a file that may be well again later. */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [5, 'the database is busy'],
  [6, 'the database is locked'],
  [8, 'the database cannot be written'],
  [10, 'the disk reported an error'],
  [11, 'the database is damaged'],
  [14, 'the database cannot be opened'],
  [26, 'the file is not a database'],
]);
const RETRY_AFTER_MS = 1_000;

/** What a failed statement means for the caller; anything unexpected is returned as it is. */
export function storeError(error: unknown): unknown {
  if (error instanceof ShiplogError) return error;
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof errcode !== 'number') return error;
  const primary = errcode & 0xff;
  if (primary === FULL) {
    return new ShiplogError('STORE_FULL', 'The disk of the database is full; nothing was stored', {
      cause: error,
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  const meaning = UNAVAILABLE.get(primary);
  if (meaning === undefined) return error;
  return new ShiplogError('STORE_UNAVAILABLE', `The store does not answer: ${meaning}`, {
    cause: error,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

export interface ErrorMessage {
  code: ErrorCode | null;
  message: string;
  field: string | null;
  retryAfterMs: number | null;
  detail: string;
}

export function errorMessage(thrown: unknown): ErrorMessage {
  const error = storeError(thrown);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof ShiplogError) {
    const { code, message, field, retryAfterMs } = error;
    return { code, message, field, retryAfterMs, detail };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: null, message, field: null, retryAfterMs: null, detail };
}

export function errorOf(sent: ErrorMessage): Error {
  if (sent.code === null) return new Error(sent.message, { cause: sent.detail });
  return new ShiplogError(sent.code, sent.message, {
    ...(sent.field === null ? {} : { field: sent.field }),
    ...(sent.retryAfterMs === null ? {} : { retryAfterMs: sent.retryAfterMs }),
    cause: sent.detail,
  });
}
