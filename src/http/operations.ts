/**
 * GraphQL as the transports see it: a request comes in as what was sent, an answer goes out as
 * text. HTTP, SSE and websockets share this, so that the same limits and the same errors hold.
 */
import type { ExecutionResult, GraphQLError } from 'graphql';
import { ShiplogError } from '../domain/errors.ts';
import { type GraphQLServer, isStream } from '../graphql/graphql.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Principal } from './auth.ts';
import { errorFields, publicError } from './reply.ts';

export interface OperationRequest {
  query: string;
  operationName: string | null;
  variables: Readonly<Record<string, unknown>> | null;
}

export interface PublicError {
  message: string;
  extensions?: Record<string, unknown>;
}

/** The operation was refused before anything was executed. */
export interface OperationErrors {
  errors: readonly PublicError[];
}

/** Parsed, valid and within the limits. */
export interface PreparedOperation {
  kind: 'query' | 'mutation' | 'subscription';
  run(principal: Principal, signal?: AbortSignal): Promise<OperationResult>;
  /** For a subscription only: its results, or why it could not begin. */
  subscribe(principal: Principal): Promise<OperationStream | OperationErrors>;
}

export interface OperationResult {
  /** The answer as JSON. */
  text: string;
  /** The same in UTF-8, made once for all that share this result. */
  bytes(): Buffer;
  /** false: nothing came of it, and `errors` says why. */
  hasData: boolean;
  errors: readonly PublicError[];
}

/** Results of a subscription, one at a time. Never rejects. */
export interface OperationStream {
  /** null: it has ended. A result without data is the last one. */
  next(): Promise<OperationResult | null>;
  /** Settles a pending `next` at once. */
  return(): Promise<void>;
}

export interface Operations {
  prepare(request: OperationRequest): PreparedOperation | OperationErrors;
  /** Anything that was thrown, as clients may see it. */
  errorsOf(error: unknown): OperationErrors;
}

export interface OperationsOptions {
  graphql: GraphQLServer;
  /** Told of what was thrown and is not for clients to see. */
  onFault: (error: unknown) => void;
  /** Told of each operation that its token has no scope for. */
  onForbidden: () => void;
}

export function createOperations({ graphql, onFault, onForbidden }: OperationsOptions): Operations {
  function noteForbidden(errors: readonly PublicError[] | undefined): void {
    if (errors?.[0]?.extensions?.code === 'FORBIDDEN') onForbidden();
  }
  /** Subscriptions that ask the same share an ExecutionResult, so they share this too. */
  const shared = new WeakMap<ExecutionResult, OperationResult>();
  function sharedResultOf(result: ExecutionResult): OperationResult {
    let known = shared.get(result);
    if (known === undefined) {
      known = resultOf(result, graphql.serialize(result));
      shared.set(result, known);
    }
    return known;
  }
  return {
    prepare({ query, operationName, variables }) {
      const { operation, errors } = graphql.prepare(query, operationName);
      if (operation === null) return { errors };
      return {
        kind: operation.type,
        async run(principal, signal) {
          const run = { variables, viewer: viewerOf(principal), signal };
          const result = await graphql.execute(operation, run);
          noteForbidden(result.errors);
          return resultOf(result, textOf(result));
        },
        async subscribe(principal) {
          const run = { variables, viewer: viewerOf(principal) };
          const stream = await graphql.subscribe(operation, run);
          if (!isStream(stream)) {
            noteForbidden(stream.errors);
            return { errors: stream.errors ?? NO_STREAM };
          }
          return {
            async next() {
              const { done, value } = await stream.next();
              return done === true || value === undefined ? null : sharedResultOf(value);
            },
            async return() {
              await stream.return();
            },
          };
        },
      };
    },
    errorsOf(error) {
      if (!(error instanceof ShiplogError)) onFault(error);
      const { message, ...extensions } = errorFields(publicError(error));
      return { errors: [{ message, extensions }] };
    },
  };
}

/** A text cannot be longer than some 500 MiB; who asks for more than that asked for too much. */
function textOf(result: ExecutionResult): string {
  try {
    return JSON.stringify(result);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ShiplogError(
      'QUERY_TOO_COMPLEX',
      'the answer is larger than can be sent: ask for fewer rows',
    );
  }
}

function resultOf(result: ExecutionResult, text: string): OperationResult {
  let bytes: Buffer | null = null;
  return {
    text,
    bytes() {
      bytes ??= Buffer.from(text);
      return bytes;
    },
    hasData: result.data !== undefined && result.data !== null,
    errors: result.errors ?? [],
  };
}

const NO_STREAM: readonly (PublicError | GraphQLError)[] = [{ message: 'Nothing to follow' }];

function viewerOf({ tokenId, scopes }: Principal): Viewer {
  return { id: tokenId ?? 'everyone', scopes };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badRequest(message: string, field: string): ShiplogError {
  return new ShiplogError('BAD_REQUEST', message, { field });
}

/** From a parsed JSON body. Throws BAD_REQUEST that names the parameter. */
export function readOperation(body: unknown): OperationRequest {
  if (Array.isArray(body)) {
    throw badRequest('Batches of operations are not taken; logSteps takes many events', 'body');
  }
  if (!isMap(body)) throw badRequest('The body must be a JSON object with "query"', 'body');
  const { query, operationName, variables, extensions } = body;
  if (typeof query !== 'string' || query === '') {
    throw badRequest('"query" must be the text of an operation', 'query');
  }
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw badRequest('"operationName" must be a text', 'operationName');
  }
  for (const [name, value] of Object.entries({ variables, extensions })) {
    if (value !== undefined && value !== null && !isMap(value)) {
      throw badRequest(`"${name}" must be an object`, name);
    }
  }
  return {
    query,
    operationName: operationName ?? null,
    variables: isMap(variables) ? variables : null,
  };
}

/** From the parameters of an address. Throws BAD_REQUEST that names the parameter. */
export function readOperationFromUrl(url: URL): OperationRequest {
  const json = (name: string): unknown => {
    const text = url.searchParams.get(name);
    if (text === null || text === '') return null;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw badRequest(`"${name}" is not JSON`, name);
    }
  };
  return readOperation({
    query: url.searchParams.get('query'),
    operationName: url.searchParams.get('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  });
}
