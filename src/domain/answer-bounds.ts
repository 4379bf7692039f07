/**
 * What one question may make a server hold and write, on every engine. It is parsed or written in
 * one go, and nobody else is served meanwhile.
 */
import { ShiplogError } from './errors.ts';

/** What one answer may hold: rows, the newest lines, boards, each of them. */
export const ANSWER_MAX = 32 * 1_024 * 1_024;
/** The bound as messages name it. */
export const ANSWER_MAX_TEXT = '32 MiB';

/** What an engine may hand over for one question: JSON, in characters or bytes. */
export const ROWS_MAX = 64 * 1_024 * 1_024;

export function tooManyRows(): ShiplogError {
  return tooComplex('What was asked for is over 64 MiB of rows: ask for fewer rows at a time');
}

export function tooLargeAnswer(): ShiplogError {
  return tooComplex(
    `what this answer holds is over ${ANSWER_MAX_TEXT}: ask for fewer rows at a time`,
  );
}

/** The error for last lines whose `approximateBytes`, over all steps of one call, are too many. */
export function tooHeavyLines(): ShiplogError {
  return tooComplex(
    `the newest lines of so many steps are over ${ANSWER_MAX_TEXT}: ask for fewer steps at a time`,
  );
}

/** The same for the boards of one call. */
export function tooHeavyBoards(): ShiplogError {
  return tooComplex(
    `the boards of so many tasks are over ${ANSWER_MAX_TEXT}: ask for fewer tasks at a time`,
  );
}

function tooComplex(message: string): ShiplogError {
  return new ShiplogError('QUERY_TOO_COMPLEX', message);
}
