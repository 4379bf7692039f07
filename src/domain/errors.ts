/**
 * Every error code that a user can meet, in one place; a test holds the documentation to it.
 *
 * A ShiplogError is expected and its message is for the user. Anything else that is thrown is a
 * fault of ours: it is logged once and shown as INTERNAL.
 */

/** Codes of a request that was refused whole (`extensions.code` in GraphQL, `error.code` in HTTP). */
export const ERROR_CODES = {
  BAD_REQUEST: {
    status: 400,
    meaning: 'The request could not be read: malformed JSON, a wrong content type, no query.',
  },
  GRAPHQL_PARSE_FAILED: { status: 400, meaning: 'The GraphQL document has a syntax error.' },
  GRAPHQL_VALIDATION_FAILED: {
    status: 400,
    meaning: 'The GraphQL document does not fit the schema, or names no operation to run.',
  },
  BAD_USER_INPUT: {
    status: 400,
    meaning: 'A GraphQL variable is of another type than declared; the message has its path.',
  },
  BAD_INPUT: { status: 400, meaning: 'A value cannot be taken; the message names the field.' },
  SEARCH_SYNTAX: {
    status: 400,
    meaning: 'The search text could not be parsed; the message names the column.',
  },
  CURSOR_INVALID: {
    status: 400,
    meaning: 'The cursor was not made by this server, or is damaged.',
  },
  CURSOR_MISMATCH: {
    status: 400,
    meaning:
      'The cursor belongs to something else: one of a page to another list, another order or, where the list is of one task, another task; one of a subscription to another filter.',
  },
  CURSOR_EXPIRED: {
    status: 400,
    meaning:
      'The log that the cursor points into is no longer there: it was restored from a backup, or deleted. Begin again without a cursor.',
  },
  QUERY_TOO_COMPLEX: {
    status: 400,
    meaning:
      'The operation is over a limit of tokens, depth, breadth, aliases or cost, or its answer is over 32 MiB.',
  },
  UNAUTHENTICATED: { status: 401, meaning: 'No token, an unknown one, or an expired one.' },
  FORBIDDEN: { status: 403, meaning: 'The token lacks the scope, or the Origin is not allowed.' },
  NOT_FOUND: { status: 404, meaning: 'No such address.' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'The address does not take this HTTP method.' },
  BODY_TOO_LARGE: {
    status: 413,
    meaning: 'The body is over the limit, before or after decompression. Send smaller batches.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    meaning: 'Only the documented content types and encodings are read.',
  },
  OVERLOADED: {
    status: 429,
    meaning:
      'The queue is full and nothing was taken, or the boards that are followed live hold all that they may. Try again after `retryAfterMs`.',
  },
  BODY_TIMEOUT: {
    status: 503,
    meaning: 'The body did not arrive in time. Send it again: nothing may be wrong with it.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    meaning:
      'The store cannot be written or read now. What was acknowledged is safe; try again after `retryAfterMs`.',
  },
  STORE_FULL: {
    status: 503,
    meaning:
      'The disk is full. What was acknowledged is safe; nothing new is taken until there is room.',
  },
  QUERY_TIMEOUT: {
    status: 503,
    meaning: 'The query took longer than the limit and was stopped. Narrow it.',
  },
  SHUTTING_DOWN: {
    status: 503,
    meaning: 'The server is stopping. Connect again; a cursor resumes exactly.',
  },
  INTERNAL: { status: 500, meaning: 'A fault of ours, logged on the server.' },
} as const;
export type ErrorCode = keyof typeof ERROR_CODES;

/** Codes of one event that was REJECTED while its neighbours were taken. */
export const PROBLEM_CODES = {
  REQUIRED: 'A field that must be there is missing.',
  INVALID_TYPE: 'The value is of another type than the field.',
  INVALID_VALUE: 'The value is not one that the field can have.',
  INVALID_TEXT: 'The text holds a NUL character or half a surrogate pair.',
  TOO_LONG: 'The text, list or object is over its documented cap.',
  OUT_OF_RANGE: 'The number or time is outside its documented range.',
  UNKNOWN_FIELD: 'There is no such field: a misspelt name must not be dropped in silence.',
  BAD_JSON: 'The line is not a JSON object.',
  ID_CONFLICT: 'The eventId was used before in this task, with other content.',
  TASK_EXPIRED: 'The task was removed by retention; it takes no more events.',
  TASK_FULL:
    'The task has reached the cap on events per task (`SHIPLOG_MAX_EVENTS_PER_TASK`); it can still be finished.',
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** Why one event was REJECTED. `field` is a path such as `error.message`. */
export interface InputProblem {
  code: ProblemCode;
  message: string;
  field: string | null;
}

export class ShiplogError extends Error {
  override readonly name = 'ShiplogError';
  readonly code: ErrorCode;
  readonly field: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

export function badInput(message: string, field?: string): ShiplogError {
  return new ShiplogError('BAD_INPUT', message, field === undefined ? {} : { field });
}
