/**
 * GraphQL Yoga: GET, `application/graphql-response+json`, event streams ("distinct connections" of
 * GraphQL over SSE) and persisted queries. A plugin of Yoga's is added here, in `PLUGINS`; what it
 * sees is every request but the plain POST of JSON (`endpoints/graphql.ts` says which those are).
 *
 * What was asked has been read before, so that bodies have the same bounds everywhere, and one
 * plugin of ours leads it into the pipeline of `src/graphql`.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { useAPQ } from '@graphql-yoga/plugin-apq';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { createYoga, getSSEProcessor, type Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { GraphQLServer } from '../../graphql/operation/graphql.ts';
import { securityHeaders } from '../reply.ts';
import type { Exchange } from '../route.ts';
import {
  type Answer,
  type AnswerType,
  acceptedTypes,
  answerOf,
  EVENT_STREAM,
  JSON_TYPE,
  refusalOf,
} from './answer.ts';
import { asText } from './event-frames.ts';
import type { EventStreams } from './event-streams.ts';
import type { OperationRequest, Operations } from './operations.ts';
import { goneSignal, refusedKind } from './single-result.ts';

export interface YogaTransport {
  /** Resolves when it was answered, or when its stream has begun. Never rejects for the request. */
  serve(exchange: Exchange, asked: OperationRequest): Promise<void>;
}

export interface YogaOptions {
  graphql: GraphQLServer;
  operations: Operations;
  streams: EventStreams;
}

/** What Yoga hands through to the hooks. */
interface Carried extends Exchange {
  asked: OperationRequest;
  /** What the client takes, the best first. */
  accepted: readonly AnswerType[];
  type: AnswerType;
  /** Refused for what it is, whatever would have come of it. */
  refused: GraphQLError | null;
}

/** Texts of persisted queries that are remembered, with their hashes, in bytes. */
const PERSISTED_BYTES = 4 * 1024 * 1024;
/** Yoga switches off the time limit of a stream's socket; afterwards it is set to this. */
const SOCKET_IDLE_MS = 120_000;

/** Plugins of Yoga's. They come before ours, so what they make of a request is what is run. */
const PLUGINS: (() => Plugin)[] = [
  // Apollo's clients send the hash of a text first, and the text where it is not known.
  () => {
    const texts = new LRUCache<string, string>({
      maxSize: PERSISTED_BYTES,
      sizeCalculation: (text, hash) => 2 * (text.length + hash.length) + 256,
    });
    const store = {
      get: (hash: string) => texts.get(hash),
      set: (hash: string, text: string) => texts.set(hash, text),
    };
    return useAPQ({ store });
  },
];

export function createYogaTransport(options: YogaOptions): YogaTransport {
  const { graphql, operations, streams } = options;
  /** Makes an event stream of a single result: that of a query, or why there is no subscription. */
  const processSingle = getSSEProcessor();

  const pipeline: Plugin<object, Carried> = {
    onRequestParse({ serverContext, setRequestParser }) {
      const { query, operationName, variables, extensions } = serverContext.asked;
      setRequestParser(() => ({
        ...(query === null ? {} : { query }),
        ...(operationName === null ? {} : { operationName }),
        ...(variables === null ? {} : { variables }),
        ...(extensions === null ? {} : { extensions }),
      }));
    },
    onParams({ setParamsHandler }) {
      setParamsHandler(({ context, params }) =>
        run(context, {
          query: params.query ?? '',
          operationName: params.operationName ?? null,
          variables: params.variables ?? null,
        }),
      );
    },
    onResultProcess({ result, serverContext, setResult, setResultProcessor }) {
      const { type, response } = serverContext;
      if (type === EVENT_STREAM) {
        // `stringify` is how Yoga takes a text that is there already; errors it would make anew.
        if ('errors' in result) setResult(asText(JSON.stringify(result)));
        setResultProcessor(
          (executed, fetchAPI) =>
            isStream(executed)
              ? new fetchAPI.Response(bodyOf(streams.body(executed)))
              : processSingle(executed, fetchAPI, type),
          type,
        );
        return;
      }
      setResultProcessor((executed, fetchAPI) => {
        const { status, headers, text } = answerTo(executed as ExecutionResult, serverContext);
        // Headers as a plain object, with the length: only then the adapter writes the answer in
        // one piece.
        const length = String(Buffer.byteLength(text));
        const all = { ...headers, ...securityHeaders(response), 'content-length': length };
        return new fetchAPI.Response(text, { status, headers: all });
      }, type);
      if (serverContext.refused?.extensions.code === 'METHOD_NOT_ALLOWED') {
        response.setHeader('allow', 'POST');
      }
    },
    onResponse({ response, serverContext: { type } }) {
      if (type !== EVENT_STREAM) return;
      response.headers.delete('content-encoding');
      // Node says what becomes of the connection, as its client asked.
      response.headers.delete('connection');
      response.headers.set('content-type', `${EVENT_STREAM}; charset=utf-8`);
      response.headers.set('cache-control', 'no-cache, no-transform');
      response.headers.set('x-accel-buffering', 'no');
    },
  };

  const yoga = createYoga<Carried>({
    schema: graphql.schema,
    graphqlEndpoint: '/graphql',
    plugins: [...PLUGINS.map((make) => make()), pipeline],
    // What Yoga does by itself is off: the gate in `server.ts` and the pipeline do it, within
    // bounds. Each line has its test in `test/http/yoga-defaults.test.ts`.
    cors: false,
    graphiql: false,
    landingPage: false,
    // Yoga answers every address that ends with this text; no request line can hold a NUL.
    healthCheckEndpoint: '\0',
    logging: false,
    // What a hook throws would else be shown as it is, and logged nowhere.
    maskedErrors: { maskError: (error) => shown(error, operations) },
    batching: false,
    multipart: false,
    maxRequestBodySize: false,
    parserAndValidationCache: false,
  });

  async function run(
    carried: Carried,
    { query, operationName, variables }: Omit<OperationRequest, 'extensions'>,
  ): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
    const { accepted, principal, request, response } = carried;
    const { operation, errors } = operations.prepare(query ?? '', operationName);
    if (operation === null) return { errors };
    if (operation.type === 'subscription' && accepted.includes(EVENT_STREAM)) {
      carried.type = EVENT_STREAM;
    }
    const refused = refusedKind(operation.type, request.method, carried.type);
    if (refused !== null) {
      if (carried.type === EVENT_STREAM) carried.type = JSON_TYPE;
      carried.refused = operations.errorOf(refused);
      return { errors: [carried.refused] };
    }
    const asker = { variables, principal };
    if (operation.type === 'subscription') {
      return streams.open(operation, asker, response);
    }
    const result = await operations.execute(operation, asker, goneSignal(operation, response));
    return carried.type === EVENT_STREAM ? asText(operations.text(result)) : result;
  }

  function answerTo(result: ExecutionResult, { refused, type }: Carried): Answer {
    const json = type === EVENT_STREAM ? JSON_TYPE : type;
    if (refused !== null) return refusalOf(refused, json);
    try {
      return answerOf(result, json);
    } catch (error) {
      return refusalOf(operations.errorOf(error), json);
    }
  }

  return {
    async serve(exchange, asked) {
      const { request, response } = exchange;
      const head = request.method === 'HEAD';
      // A stream has no length to be told, and nobody would read it.
      const accepted = acceptedTypes(request.headers.accept).filter(
        (type) => !head || type !== EVENT_STREAM,
      );
      const type = accepted[0] ?? JSON_TYPE;
      const carried: Carried = { ...exchange, asked, accepted, type, refused: null };
      if (accepted.includes(EVENT_STREAM)) {
        for (const [name, value] of Object.entries(securityHeaders(response))) {
          response.setHeader(name, value);
        }
      }
      // Yoga knows no HEAD; Node sends it no body.
      await yoga(head ? asGet(request) : request, response, carried);
      if (carried.type === EVENT_STREAM) request.socket.setTimeout(SOCKET_IDLE_MS);
    },
  };
}

/** What a plugin of Yoga's refused is its to say; anything else is a fault of ours. */
function shown(error: unknown, operations: Operations): Error {
  if (error instanceof GraphQLError && isPlain(error.originalError)) {
    const { http: _, ...extensions } = error.extensions;
    return new GraphQLError(error.message, { extensions });
  }
  return operations.errorOf(error);
}

function isPlain(cause: Error | undefined): boolean {
  return cause === undefined || cause instanceof GraphQLError;
}

function isStream(result: object): result is AsyncIterable<ExecutionResult> {
  return Symbol.asyncIterator in result;
}

/** Yoga's `Response` takes Node's streams, which the type of the web's does not know. */
function bodyOf(body: Readable): BodyInit {
  return body as unknown as BodyInit;
}

function asGet(request: IncomingMessage): IncomingMessage {
  return Object.create(request, { method: { value: 'GET' } }) as IncomingMessage;
}
