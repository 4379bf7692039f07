/**
 * POST /v1/events: what `logSteps` takes, for senders that do not speak GraphQL. One JSON object,
 * an array, or NDJSON. Every item has its own outcome; what stops the rest says how much was taken.
 */
import type { IncomingMessage } from 'node:http';
import { badInput, ERROR_CODES, ShiplogError } from '../../domain/errors.ts';
import type { Auth } from '../auth.ts';
import { type BodyBudget, withBody } from '../body/body.ts';
import { closeAfterAnswer, errorBody, errorHeaders, publicError, sendJson } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';
import { type EventSink, Intake } from './events/intake.ts';
import { type Item, itemsOf } from './events/items.ts';
import { takeLines } from './events/lines.ts';
import { type LongMessages, readIdempotencyKey } from './sent-event.ts';

/** Items of one append. */
const BATCH = 1_000;
/** Items of one JSON array. */
export const MAX_ITEMS = 10_000;

export interface EventsOptions {
  ingest: EventSink;
  /** Asked before each append: a stream may outlive its token. */
  auth: Pick<Auth, 'requireStanding'>;
  maxBodyBytes: number;
  budget: BodyBudget;
  /** Where the sender does not say. */
  longMessages: LongMessages;
  /** Told with each answer: how often a sender has to be heard of follows from it. */
  staleAfterMs: number;
  /** A fault of ours, to be logged. */
  onFault: (error: unknown) => void;
  /** The longest pause of a stream. */
  waitMs?: number;
}

export function eventsRoute(options: EventsOptions): Route {
  return {
    name: '/v1/events',
    methods: ['POST'],
    access: 'ingest',
    errors: 'plain',
    async handle(exchange) {
      exchange.response.setHeader('shiplog-stale-after-ms', options.staleAfterMs);
      const kind = bodyKind(exchange.request);
      const { request, url, principal } = exchange;
      checkParameters(url);
      const terms = {
        key: readIdempotencyKey(request.headers['idempotency-key']),
        longMessages: chosen(url, 'longMessages', ['cut', 'reject']) ?? options.longMessages,
      };
      const results = chosen(url, 'results', ['all', 'problems']);
      const listAll = (results ?? (kind === 'json' ? 'all' : 'problems')) === 'all';
      const intake = new Intake(options, principal, terms, listAll);
      try {
        if (kind === 'json') await takeJson(exchange, options, intake);
        else {
          const onTooSlow = (error: ShiplogError): void => answerPartly(exchange, error, intake);
          await takeLines(exchange, { ...options, onTooSlow }, intake);
        }
      } catch (error) {
        if (intake.taken === 0) throw error;
        if (!(error instanceof ShiplogError)) options.onFault(error);
        answerPartly(exchange, publicError(error), intake);
        return;
      }
      sendJson(exchange.response, intake.nothingTaken ? 422 : 200, intake.answer());
    },
  };
}

const NDJSON_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
];

function bodyKind(request: IncomingMessage): 'json' | 'ndjson' {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return 'json';
  if (NDJSON_TYPES.includes(type)) return 'ndjson';
  throw new ShiplogError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Type ${JSON.stringify(type.slice(0, 60))} is not read; send application/json or application/x-ndjson`,
    { field: 'content-type' },
  );
}

const PARAMETERS = ['results', 'longMessages'] as const;

function checkParameters(url: URL): void {
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.some((known) => known === name)) {
      throw badInput(`There is no parameter "${name.slice(0, 60)}"`, name);
    }
  }
}

function chosen<const T extends string>(
  url: URL,
  name: (typeof PARAMETERS)[number],
  values: readonly [T, T],
): T | null {
  const text = url.searchParams.get(name);
  if (text === null) return null;
  const value = values.find((one) => one === text);
  if (value !== undefined) return value;
  throw badInput(`${name} must be "${values.join('" or "')}"`, name);
}

async function takeJson(
  { request, principal }: Exchange,
  { maxBodyBytes, budget }: EventsOptions,
  intake: Intake,
): Promise<void> {
  const options = { limit: maxBodyBytes, budget, sender: principal.tokenId };
  await withBody(request, options, async (text) => {
    const items = itemsOf(text);
    if (items.length > MAX_ITEMS) {
      throw badInput(
        `The array has ${items.length} items; at most ${MAX_ITEMS} are taken, NDJSON (application/x-ndjson) has no such limit`,
      );
    }
    for (let from = 0; from < items.length; from += BATCH) {
      const batch = items.slice(from, from + BATCH);
      await intake.store(batch, (batch.at(-1) as Item).index + 1);
    }
  });
}

/** Something stopped the rest: the error, with what became of those before it. */
function answerPartly(exchange: Exchange, error: ShiplogError, intake: Intake): void {
  closeAfterAnswer(exchange.request, exchange.response);
  const body = { ...errorBody(error), taken: intake.taken, ...intake.answer() };
  sendJson(exchange.response, ERROR_CODES[error.code].status, body, errorHeaders(error));
}
