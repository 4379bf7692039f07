/** An operation that is answered at once, over HTTP: what it may be, and when it is given up. */
import type { ServerResponse } from 'node:http';
import { ShiplogError } from '../../domain/errors.ts';
import type { Operation, OperationType } from '../../graphql/operation/documents.ts';
import { type AnswerType, EVENT_STREAM } from './answer.ts';

/** Why this method or this type of answer does not fit the operation; null: it fits. */
export function refusedKind(
  kind: OperationType,
  method: string | undefined,
  type: AnswerType,
): ShiplogError | null {
  if (method !== 'POST' && kind === 'mutation') {
    return new ShiplogError('METHOD_NOT_ALLOWED', 'Mutations are taken by POST only');
  }
  if (type !== EVENT_STREAM && kind === 'subscription') {
    return new ShiplogError(
      'BAD_REQUEST',
      'A subscription needs a websocket (graphql-transport-ws) or Accept: text/event-stream',
    );
  }
  return null;
}

/** Aborted when the asker of a query has gone; a mutation runs to its end. */
export function goneSignal({ type }: Operation, response: ServerResponse): AbortSignal | undefined {
  if (type !== 'query') return undefined;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
