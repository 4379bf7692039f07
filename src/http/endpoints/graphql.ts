/**
 * /graphql over HTTP: POST with JSON, GET for queries, event streams. Only JSON is taken as a body:
 * a page of another site can send other types without being asked first.
 *
 * The lane: a POST that wants plain JSON, which is what senders of events do all day, is answered
 * here. GraphQL Yoga, which costs a third more, serves everything else by the same functions.
 */
import type { IncomingMessage } from 'node:http';
import { ShiplogError } from '../../domain/errors.ts';
import { type BodyBudget, parseJson, withBody } from '../body/body.ts';
import type { Exchange, Route } from '../route.ts';
import { answerOf, JSON_TYPE, sendAnswer } from '../transports/answer.ts';
import {
  isPersisted,
  readOperation,
  readOperationFromUrl,
} from '../transports/operation-request.ts';
import type { OperationRequest, Operations } from '../transports/operations.ts';
import { goneSignal, refusedKind } from '../transports/single-result.ts';
import type { YogaTransport } from '../transports/yoga.ts';

export interface GraphQLRouteOptions {
  operations: Operations;
  yoga: YogaTransport;
  /** false: everything goes through Yoga. */
  lane: boolean;
  maxBodyBytes: number;
  budget: BodyBudget;
  /** Told with each answer: how often a sender has to be heard of follows from it. */
  staleAfterMs: number;
}

export function graphqlRoute(options: GraphQLRouteOptions): Route {
  const { operations, yoga, lane, maxBodyBytes, budget, staleAfterMs } = options;
  return {
    name: '/graphql',
    methods: ['GET', 'POST'],
    access: 'any',
    errors: 'graphql',
    async handle(exchange) {
      const { request, response, url } = exchange;
      response.setHeader('shiplog-stale-after-ms', staleAfterMs);
      if (request.method !== 'POST') return yoga.serve(exchange, readOperationFromUrl(url));
      requireJson(request);
      const body = { limit: maxBodyBytes, budget, sender: exchange.principal.tokenId };
      const asked = await withBody(request, body, (text) => readOperation(parseJson(text)));
      return lane && wantsPlainJson(request) && !isPersisted(asked)
        ? answer(exchange, asked, operations)
        : yoga.serve(exchange, asked);
    },
  };
}

function wantsPlainJson({ headers: { accept } }: IncomingMessage): boolean {
  return accept === undefined || accept === '*/*' || accept === JSON_TYPE;
}

async function answer(
  { request, response, principal }: Exchange,
  { query, operationName, variables }: OperationRequest,
  operations: Operations,
): Promise<void> {
  const { operation, errors } = operations.prepare(query ?? '', operationName);
  if (operation === null) {
    sendAnswer(response, answerOf({ errors }, JSON_TYPE));
    return;
  }
  const refused = refusedKind(operation.type, request.method, JSON_TYPE);
  if (refused !== null) throw refused;
  const signal = goneSignal(operation, response);
  const result = await operations.execute(operation, { variables, principal }, signal);
  sendAnswer(response, answerOf(result, JSON_TYPE));
}

function requireJson(request: IncomingMessage): void {
  const header = request.headers['content-type'] ?? '';
  if (header === JSON_TYPE) return;
  const [type = '', ...parameters] = header
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith('charset='))?.slice(8);
  const isUtf8 = charset === undefined || /^"?utf-?8"?$/.test(charset);
  if (type === JSON_TYPE && isUtf8) return;
  throw new ShiplogError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Send the operation as application/json in UTF-8; no other type is read',
    { field: 'content-type' },
  );
}
