/**
 * What a client sees of an error: a code from `domain/errors.ts` and, where it applies, `field`
 * and `retryAfterMs`. Anything unforeseen is logged once, with an id, and shown as INTERNAL with
 * that id and nothing else. Variables are never logged: they carry what people deploy.
 */
import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { type ErrorCode, ShiplogError } from '../domain/errors.ts';

/** Characters of a message about a request. */
const MESSAGE_MAX = 500;

/** The part of the logger that is used here. */
export interface ErrorLog {
  error(details: object, message: string): void;
}

/** `error` with a code; whatever position and path it has are kept. */
export function withCode(
  error: GraphQLError,
  code: ErrorCode,
  extensions: { field?: string; retryAfterMs?: number; requestId?: string } = {},
  message = error.message,
): GraphQLError {
  return new GraphQLError(message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: { code, ...extensions },
  });
}

/** A refusal before anything was executed. */
export function requestError(error: unknown, log: ErrorLog): GraphQLError {
  return toPublic(
    error instanceof GraphQLError
      ? error
      : new GraphQLError(messageOf(error), { originalError: error as Error }),
    log,
  );
}

/** What a client may know of an error that an execution ended with. */
export function toPublic(error: GraphQLError, log: ErrorLog): GraphQLError {
  if ('code' in error.extensions && isOurs(error)) return error;
  const cause = error.originalError;
  if (cause instanceof ShiplogError) return fromShiplog(error, cause);
  // graphql-js's own words about a value of the request, found only when a field was executed.
  if (isRequestFault(error)) return withCode(error, 'BAD_USER_INPUT');
  const requestId = randomUUID();
  log.error(
    { requestId, path: error.path?.join('.'), err: cause ?? error },
    'an operation failed unexpectedly',
  );
  return withCode(
    error,
    'INTERNAL',
    { requestId },
    `The server failed to answer; it is logged as ${requestId}.`,
  );
}

function fromShiplog(error: GraphQLError, cause: ShiplogError): GraphQLError {
  return withCode(error, cause.code, {
    ...(cause.field !== null && { field: cause.field }),
    ...(cause.retryAfterMs !== null && { retryAfterMs: cause.retryAfterMs }),
  });
}

/** Made by `withCode`: graphql-js never sets a code. */
function isOurs(error: GraphQLError): boolean {
  return error.originalError === undefined;
}

/** Errors about the document point into it; those about a resolver's result do not. */
function isRequestFault({ originalError: cause, nodes }: GraphQLError): boolean {
  if (cause === undefined) return nodes !== undefined;
  return cause instanceof GraphQLError && cause.nodes !== undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `Variable "$input" has invalid value at .steps[0].at: …` → `input.steps[0].at`. */
export function variableField(error: GraphQLError): string | null {
  const match = /^Variable "\$(\w+)" has invalid value(?: at ([^:\s]+))?:/.exec(error.message);
  return match === null ? null : `${match[1]}${match[2] ?? ''}${fieldOfObject(error.message)}`;
}

/** `.name` of the unknown or missing field, if the error is about an object; else empty. */
export function fieldOfObject(message: string): string {
  const match = /(?:not to include unknown|to include required) field "(\w+)"/.exec(message);
  return match === null ? '' : `.${match[1]}`;
}

/** graphql-js quotes the whole value: an event with its output, which helps nobody. */
export function shortened(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)}…`;
}
