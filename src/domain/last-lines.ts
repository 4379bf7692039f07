/** How much the last lines of many steps may be: they are all in memory at once. */
import { ShiplogError } from './errors.ts';

/** By `approximateBytes`; what the lines of all steps of one call weigh together. */
export const LAST_LINES_BYTES = 32 * 1_024 * 1_024;

export function tooHeavyLines(): ShiplogError {
  return new ShiplogError(
    'QUERY_TOO_COMPLEX',
    'the newest lines of so many steps are over 32 MiB: ask for fewer steps at a time',
  );
}
