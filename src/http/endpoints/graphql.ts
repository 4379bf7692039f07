/**
 * /graphql over HTTP, as "GraphQL over HTTP" says: POST with JSON, GET for queries; and over SSE
 * ("distinct connections") where the client accepts `text/event-stream`. Only JSON is taken as a
 * body: a page of another site can send other types without being asked first.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, type ErrorCode, ShiplogError } from '../../domain/errors.ts';
import { type BodyBudget, parseJson, withBody } from '../body.ts';
import type { EventStreams } from '../event-streams.ts';
import {
  type OperationErrors,
  type OperationRequest,
  type OperationResult,
  type Operations,
  readOperation,
  readOperationFromUrl,
} from '../operations.ts';
import { sendText } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';

export interface GraphQLRouteOptions {
  operations: Operations;
  streams: EventStreams;
  maxBodyBytes: number;
  budget: BodyBudget;
}

const RESPONSE_JSON = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';
const EVENT_STREAM = 'text/event-stream';
type Answer = typeof RESPONSE_JSON | typeof JSON_TYPE | typeof EVENT_STREAM;

export function graphqlRoute(options: GraphQLRouteOptions): Route {
  return {
    name: '/graphql',
    methods: ['GET', 'POST'],
    access: 'any',
    errors: 'graphql',
    async handle(exchange) {
      const answer = answerType(exchange.request.headers.accept);
      if (exchange.request.method !== 'POST') {
        const request = readOperationFromUrl(exchange.url);
        // A stream has no length to be told, and nobody would read it.
        const head = exchange.request.method === 'HEAD' && answer === EVENT_STREAM;
        await run(exchange, request, head ? JSON_TYPE : answer, options);
        return;
      }
      requireJson(exchange.request);
      const { request } = exchange;
      const operation = await withBody(request, options.maxBodyBytes, options.budget, (text) =>
        readOperation(parseJson(text)),
      );
      await run(exchange, operation, answer, options);
    },
  };
}

/** The best of what we can answer with; JSON where the client does not say. */
function answerType(accept: string | undefined): Answer {
  if (accept === undefined || accept === '') return JSON_TYPE;
  let best: Answer | null = null;
  let weight = 0;
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    const offered = ANSWERS[range];
    if (offered !== undefined && quality > weight) {
      best = offered;
      weight = quality;
    }
  }
  return best ?? JSON_TYPE;
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  [RESPONSE_JSON]: RESPONSE_JSON,
  [JSON_TYPE]: JSON_TYPE,
  [EVENT_STREAM]: EVENT_STREAM,
  'application/*': JSON_TYPE,
  '*/*': JSON_TYPE,
};

function requireJson(request: IncomingMessage): void {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
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

async function run(
  { request, response, principal }: Exchange,
  operation: OperationRequest,
  answer: Answer,
  { operations, streams }: GraphQLRouteOptions,
): Promise<void> {
  const prepared = operations.prepare(operation);
  if (!('errors' in prepared)) {
    if (request.method !== 'POST' && prepared.kind === 'mutation') {
      response.setHeader('allow', 'POST');
      throw new ShiplogError('METHOD_NOT_ALLOWED', 'Mutations are taken by POST only');
    }
    if (answer !== EVENT_STREAM && prepared.kind === 'subscription') {
      throw new ShiplogError(
        'BAD_REQUEST',
        'A subscription needs a websocket (graphql-transport-ws) or Accept: text/event-stream',
      );
    }
  }
  if (answer === EVENT_STREAM) return streams.open(response, principal, prepared);
  if ('errors' in prepared) return sendRefusal(response, answer, prepared);
  const signal = prepared.kind === 'query' ? goneSignal(response) : undefined;
  sendResult(response, answer, await prepared.run(principal, signal));
}

/** A query whose asker has gone is given up. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

const TYPES = {
  [RESPONSE_JSON]: `${RESPONSE_JSON}; charset=utf-8`,
  [JSON_TYPE]: `${JSON_TYPE}; charset=utf-8`,
};

/** In plain JSON a well-formed request is a 200, whatever its errors: so the draft has it. */
function sendRefusal(
  response: ServerResponse,
  answer: Exclude<Answer, typeof EVENT_STREAM>,
  { errors }: OperationErrors,
): void {
  const status = answer === JSON_TYPE ? 200 : (statusOf(errors) ?? 400);
  send(response, answer, status, JSON.stringify({ errors }), errors);
}

function sendResult(
  response: ServerResponse,
  answer: Exclude<Answer, typeof EVENT_STREAM>,
  { text, hasData, errors }: OperationResult,
): void {
  const status = answer === JSON_TYPE || hasData ? 200 : (statusOf(errors) ?? 400);
  send(response, answer, status, text, errors);
}

function send(
  response: ServerResponse,
  answer: Exclude<Answer, typeof EVENT_STREAM>,
  status: number,
  text: string,
  errors: OperationErrors['errors'],
): void {
  const wait = errors.find(({ extensions }) => extensions?.retryAfterMs !== undefined);
  const seconds = Math.ceil(Number(wait?.extensions?.retryAfterMs ?? 0) / 1000);
  sendText(response, status, TYPES[answer], text, {
    'cache-control': 'no-store',
    ...(wait === undefined ? {} : { 'retry-after': String(Math.max(1, seconds)) }),
  });
}

/** The status of the first error that has a code of ours. */
function statusOf(errors: OperationErrors['errors']): number | null {
  for (const { extensions } of errors) {
    const code = extensions?.code;
    if (typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)) {
      return ERROR_CODES[code as ErrorCode].status;
    }
  }
  return null;
}
