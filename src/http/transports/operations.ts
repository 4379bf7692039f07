/**
 * GraphQL as the transports see it: an operation comes in as what was sent, its result goes out as
 * text. HTTP, event streams and websockets share this, so that the same limits and errors hold.
 */
import { type ExecutionResult, GraphQLError } from 'graphql';
import { ShiplogError } from '../../domain/errors.ts';
import type { Operation, Prepared } from '../../graphql/operation/documents.ts';
import { type GraphQLServer, isStream } from '../../graphql/operation/graphql.ts';
import type { ResultStream } from '../../graphql/operation/result-stream.ts';
import type { Viewer } from '../../graphql/viewer.ts';
import type { Principal } from '../auth.ts';
import { errorFields, publicError } from '../reply.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** What a client sent. `query` is null where `extensions` name a persisted one instead. */
export interface OperationRequest {
  query: string | null;
  operationName: string | null;
  variables: Variables | null;
  extensions: Readonly<Record<string, unknown>> | null;
}

/** Who asks, and with which values. */
export interface Asker {
  variables: Variables | null;
  principal: Principal;
}

export interface Operations {
  prepare(query: string, operationName: string | null): Prepared;
  /** A query or a mutation. Never rejects. */
  execute(operation: Operation, asker: Asker, signal?: AbortSignal): Promise<ExecutionResult>;
  /** Never rejects. */
  subscribe(operation: Operation, asker: Asker): Promise<ResultStream | ExecutionResult>;
  /** A result of a subscription as JSON: one text for all that share it. */
  text(result: ExecutionResult): string;
  /** The same in UTF-8. */
  bytes(result: ExecutionResult): Buffer;
  /** Anything that was thrown, as clients may see it. */
  errorOf(error: unknown): GraphQLError;
}

export interface OperationsOptions {
  graphql: GraphQLServer;
  /** Told of what was thrown and is not for clients to see. */
  onFault: (error: unknown) => void;
  /** Told of each operation that its token has no scope for. */
  onForbidden: () => void;
}

export function createOperations({ graphql, onFault, onForbidden }: OperationsOptions): Operations {
  const encoded = new WeakMap<ExecutionResult, Buffer>();

  function noted<T extends ExecutionResult>(result: T): T {
    if (result.errors?.[0]?.extensions?.code === 'FORBIDDEN') onForbidden();
    return result;
  }

  return {
    prepare: (query, operationName) => graphql.prepare(query, operationName),
    async execute(operation, { variables, principal }, signal) {
      const viewer = viewerOf(principal);
      return noted(await graphql.execute(operation, { variables, viewer, signal }));
    },
    async subscribe(operation, { variables, principal }) {
      const viewer = viewerOf(principal);
      const result = await graphql.subscribe(operation, { variables, viewer });
      return isStream(result) ? result : noted(result);
    },
    text: (result) => graphql.serialize(result),
    bytes(result) {
      let bytes = encoded.get(result);
      if (bytes === undefined) {
        bytes = Buffer.from(graphql.serialize(result));
        encoded.set(result, bytes);
      }
      return bytes;
    },
    errorOf(error) {
      if (!(error instanceof ShiplogError)) onFault(error);
      const { message, ...extensions } = errorFields(publicError(error));
      return new GraphQLError(message, { extensions });
    },
  };
}

function viewerOf({ tokenId, scopes, address }: Principal): Viewer {
  return { tokenId, scopes, address };
}
