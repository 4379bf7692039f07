/**
 * The graphql-ws server with our operations behind it. The library keeps the protocol: messages,
 * ids, `complete`, the codes of closes. Here is who may do what, and what is told of errors.
 */
import type { ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer, type Server } from 'graphql-ws';
import type { Operation } from '../../graphql/operation/documents.ts';
import { isStream } from '../../graphql/operation/graphql.ts';
import { bearerToken, type Principal } from '../auth.ts';
import { Close, type Connection } from './connection.ts';
import type { Asker } from './operations.ts';
import { Refused, Subscription } from './subscription.ts';
import { openingOf } from './text-frame.ts';
import type { WebsocketOptions } from './websockets.ts';

export function createSocketProtocol(options: WebsocketOptions): Server<Connection> {
  const { operations, auth, metrics } = options;

  function errorsOf(thrown: unknown): readonly GraphQLError[] {
    return thrown instanceof Refused ? thrown.errors : [operations.errorOf(thrown)];
  }

  async function subscribe(
    connection: Connection,
    id: string,
    operation: Operation,
    asker: Asker,
  ): Promise<Subscription> {
    metrics.subscriptions.inc({ transport: 'websocket' });
    const uncount = (): void => metrics.subscriptions.dec({ transport: 'websocket' });
    const stream = await operations.subscribe(operation, asker);
    if (isStream(stream)) {
      const opening = openingOf(id);
      const deliver = (result: ExecutionResult): Promise<void> =>
        connection.deliver(opening, operations.bytes(result));
      return new Subscription(connection, stream, deliver, uncount);
    }
    uncount();
    throw new Refused(stream);
  }

  return makeServer<Record<string, unknown> | undefined, Connection>({
    onConnect({ connectionParams, extra: connection }) {
      const token = tokenOf(connectionParams) ?? bearerToken(connection.authorization);
      const found = auth.judge(token);
      if ('error' in found) {
        // A client asks anew for a token after 4403; 4401 is final to it.
        throw new Close(found.failure === 'expired' ? 4403 : 4401, found.error.message);
      }
      connection.principal = { ...found, address: connection.raw.remoteAddress ?? null };
      connection.stopWatch = auth.onEnd(found, (standing) => connection.tokenEnded(standing));
    },
    async onSubscribe({ extra: connection }, id, asked) {
      const { query, operationName = null, variables = null } = asked;
      try {
        const principal = connection.principal as Principal;
        const standing = auth.standing(principal);
        if (standing !== 'ok') connection.tokenEnded(standing);
        connection.begin(id);
        const { operation, errors } = operations.prepare(query, operationName);
        if (operation === null) return errors;
        const asker = { variables, principal };
        const contextValue =
          operation.type === 'subscription'
            ? await subscribe(connection, id, operation, asker)
            : () => operations.execute(operation, asker, connection.gone.signal);
        const { document, node, template } = operation;
        return {
          schema: template.schema,
          document,
          operationName: node.name?.value ?? null,
          rootValue: undefined,
          contextValue,
        };
      } catch (error) {
        if (error instanceof Close) throw error;
        return errorsOf(error);
      }
    },
    execute: ({ contextValue }) => (contextValue as () => Promise<ExecutionResult>)(),
    subscribe: ({ contextValue }) => contextValue as Subscription,
    // The library wraps what a subscription threw in an error of its own: its cause is what is
    // told.
    onError: (_, __, ___, errors) => {
      const thrown = errors[0]?.originalError;
      return (thrown === undefined ? errors : errorsOf(thrown)).map((error) => error.toJSON());
    },
  });
}

/** The code and reason that a socket is closed with for what the library's handler threw. */
export function closeFor(error: unknown, onFault: (error: unknown) => void): [number, string] {
  if (error instanceof Close) return [error.code, error.message];
  // Nested deeper than the stack: it could be read but not be written.
  if (error instanceof RangeError) return [CloseCode.BadRequest, 'Invalid message received'];
  onFault(error);
  return [CloseCode.InternalServerError, 'Internal server error'];
}

/** Names under which clients send it, in small letters. */
const TOKEN_NAMES = new Set(['token', 'authtoken', 'accesstoken', 'access_token']);

/**
 * `{token}` or `{Authorization: "Bearer …"}`, in any case of letters, at the top or one level down
 * (`{headers: {Authorization}}`), where many clients put what they send over HTTP.
 */
function tokenOf(payload: Record<string, unknown> | undefined): string | null {
  const top = Object.entries(payload ?? {});
  const below = top.flatMap(([, value]) => (isMap(value) ? Object.entries(value) : []));
  for (const [name, value] of [...top, ...below]) {
    if (typeof value !== 'string') continue;
    if (TOKEN_NAMES.has(name.toLowerCase())) return bearerToken(value) ?? value;
    if (name.toLowerCase() === 'authorization') return bearerToken(value) ?? value;
  }
  return null;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
