/**
 * POST /v1/events: what `logSteps` takes, for senders that do not speak GraphQL. One JSON object,
 * an array, or NDJSON, which is read as it comes, stored in order, and slowed down to the speed
 * of the store. Every item has its own outcome; what stops the rest says how much was taken.
 */
import type { IncomingMessage } from 'node:http';
import { badInput, ERROR_CODES, type InputProblem, ShiplogError } from '../../domain/errors.ts';
import type { Ingest, StepOutcome } from '../../ingest/ingest.ts';
import {
  BODY_WAIT_MS,
  type BodyBudget,
  bodyChunks,
  parseJson,
  tooSlow,
  utf8,
  withBody,
} from '../body.ts';
import { type Line, LineSplitter } from '../lines.ts';
import { closeAfterAnswer, errorBody, errorHeaders, publicError, sendJson } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';

/** Items of one append. */
const BATCH = 1_000;
/** Items of one JSON array, and results that one answer lists. */
export const MAX_ITEMS = 10_000;
/** An event at all its limits, with every character escaped, is smaller. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** NDJSON is not held in memory, so more of it is taken than of other bodies. */
export const STREAM_FACTOR = 32;

interface Item {
  index: number;
  raw: unknown;
  /** Why it could not even be read; null: it could. */
  problem: InputProblem | null;
}

interface Result {
  index: number;
  outcome: StepOutcome['outcome'];
  eventId: string | null;
  error?: InputProblem;
}

export interface EventsOptions {
  ingest: Pick<Ingest, 'logSteps'>;
  maxBodyBytes: number;
  budget: BodyBudget;
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
      const kind = bodyKind(exchange.request);
      const listAll = wantsAll(exchange.url, kind === 'json');
      const intake = new Intake(options.ingest, listAll);
      try {
        if (kind === 'json') await takeJson(exchange.request, options, intake);
        else await takeLines(exchange, options, intake);
      } catch (error) {
        if (intake.taken === 0) throw error;
        if (!(error instanceof ShiplogError)) options.onFault(error);
        answerPartly(exchange, publicError(error), intake);
        return;
      }
      sendJson(exchange.response, 200, intake.answer());
    },
  };
}

/** Counts and lists outcomes; items go to the store a batch at a time, in order. */
class Intake {
  /** Items (NDJSON: lines) whose outcome is known: what need not be sent again. */
  taken = 0;
  readonly #ingest: Pick<Ingest, 'logSteps'>;
  readonly #listAll: boolean;
  readonly #counts = { stored: 0, duplicates: 0, rejected: 0 };
  readonly #results: Result[] = [];
  #truncated = false;

  constructor(ingest: Pick<Ingest, 'logSteps'>, listAll: boolean) {
    this.#ingest = ingest;
    this.#listAll = listAll;
  }

  /** Rejects where nothing of this batch was taken. */
  async store(items: readonly Item[], upTo: number): Promise<void> {
    const readable = items.filter((item) => item.problem === null);
    const outcomes = await this.#ingest.logSteps(readable.map(({ raw }) => raw));
    let next = 0;
    for (const { index, problem: unreadable } of items) {
      if (unreadable !== null) {
        this.#note({ index, outcome: 'REJECTED', eventId: null, error: unreadable });
        continue;
      }
      const { outcome, eventId, problem } = outcomes[next++] as StepOutcome;
      this.#note({ index, outcome, eventId, ...(problem === null ? {} : { error: problem }) });
    }
    this.taken = upTo;
  }

  answer(): { stored: number; duplicates: number; rejected: number; results: Result[] } {
    return {
      ...this.#counts,
      results: this.#results,
      ...(this.#truncated ? { resultsTruncated: true } : {}),
    };
  }

  #note(result: Result): void {
    if (result.outcome === 'STORED') this.#counts.stored++;
    else if (result.outcome === 'DUPLICATE') this.#counts.duplicates++;
    else this.#counts.rejected++;
    if (result.outcome === 'STORED' && !this.#listAll) return;
    if (this.#results.length < MAX_ITEMS) this.#results.push(result);
    else this.#truncated = true;
  }
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

function wantsAll(url: URL, fallback: boolean): boolean {
  for (const name of url.searchParams.keys()) {
    if (name !== 'results') throw badInput(`There is no parameter "${name.slice(0, 60)}"`, name);
  }
  const results = url.searchParams.get('results');
  if (results === null) return fallback;
  if (results === 'all') return true;
  if (results === 'problems') return false;
  throw badInput('results must be "all" or "problems"', 'results');
}

async function takeJson(
  request: IncomingMessage,
  { maxBodyBytes, budget }: EventsOptions,
  intake: Intake,
): Promise<void> {
  await withBody(request, maxBodyBytes, budget, async (text) => {
    const parsed = parseJson(text);
    const items = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
    if (items.length > MAX_ITEMS) {
      throw badInput(
        `The array has ${items.length} items; at most ${MAX_ITEMS} are taken, NDJSON has no such limit`,
      );
    }
    for (let from = 0; from < items.length; from += BATCH) {
      const batch = items
        .slice(from, from + BATCH)
        .map((raw, at) => ({ index: from + at, raw, problem: null }));
      await intake.store(batch, from + batch.length);
    }
  });
}

async function takeLines(
  exchange: Exchange,
  { maxBodyBytes, budget, waitMs = BODY_WAIT_MS }: EventsOptions,
  intake: Intake,
): Promise<void> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  let batch: Item[] = [];
  let seen = 0;
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = [];
    if (full.length > 0) await intake.store(full, seen);
    intake.taken = seen;
  };
  const add = async (line: Line): Promise<void> => {
    const item = readLine(line);
    if (item !== null) batch.push(item);
    seen = line.index + 1;
    if (batch.length >= BATCH) await flush();
  };
  // Only the sender's pauses count, not how long the store takes.
  let gaveUp = false;
  const giveUp = (): void => {
    gaveUp = true;
    answerPartly(exchange, tooSlow(waitMs), intake);
  };
  budget.take(MAX_LINE_BYTES);
  let pause = setTimeout(giveUp, waitMs);
  try {
    // Stored at the end of each piece, so that a slow stream does not wait for a full batch.
    const limit = maxBodyBytes * STREAM_FACTOR;
    for await (const chunk of bodyChunks(exchange.request, limit, Infinity)) {
      if (gaveUp) return;
      clearTimeout(pause);
      for (const line of splitter.push(chunk)) await add(line);
      await flush();
      pause = setTimeout(giveUp, waitMs);
    }
    if (gaveUp) return;
    for (const line of splitter.end()) await add(line);
    await flush();
  } finally {
    clearTimeout(pause);
    budget.release(MAX_LINE_BYTES);
  }
}

/** null: an empty line. */
function readLine({ index, bytes }: Line): Item | null {
  if (bytes === null) {
    const message = `The line is longer than ${MAX_LINE_BYTES} bytes`;
    return { index, raw: null, problem: { code: 'TOO_LONG', message, field: null } };
  }
  try {
    const text = utf8(bytes).trim();
    return text === '' ? null : { index, raw: parseJson(text), problem: null };
  } catch (error) {
    const message = (error as Error).message.replace('The body', 'The line');
    return { index, raw: null, problem: { code: 'BAD_JSON', message, field: null } };
  }
}

/** Something stopped the rest: the error, with what became of those before it. */
function answerPartly(exchange: Exchange, error: ShiplogError, intake: Intake): void {
  closeAfterAnswer(exchange.request, exchange.response);
  const body = { ...errorBody(error), taken: intake.taken, ...intake.answer() };
  sendJson(exchange.response, ERROR_CODES[error.code].status, body, errorHeaders(error));
}
