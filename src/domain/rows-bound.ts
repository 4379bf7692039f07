/** What one question may make the main thread read, on every engine. */
import { ShiplogError } from './errors.ts';

/** Of JSON, in characters or bytes. It is parsed in one go, and nobody is served meanwhile. */
export const ROWS_MAX = 64 * 1_024 * 1_024;

export function tooManyRows(): ShiplogError {
  return new ShiplogError(
    'QUERY_TOO_COMPLEX',
    'What was asked for is over 64 MiB of rows: ask for fewer rows at a time',
  );
}
