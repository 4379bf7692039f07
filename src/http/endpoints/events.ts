/**
 * POST /v1/events: what `logSteps` takes, for senders that do not speak GraphQL. One JSON object,
 * an array, or NDJSON, which is read as it comes, stored in order, and slowed down to the speed
 * of the store. Every item has its own outcome; what stops the rest says how much was taken.
 */
import type { IncomingMessage } from 'node:http';
import { badInput, ERROR_CODES, type InputProblem, ShiplogError } from '../../domain/errors.ts';
import type { Ingest, StepOutcome } from '../../ingest/ingest.ts';
import type { Reporter } from '../../ingest/rejections.ts';
import {
  BODY_WAIT_MS,
  type BodyBudget,
  bodyChunks,
  parseJson,
  refuseUntoldGzip,
  tooSlow,
  utf8,
  withBody,
} from '../body/body.ts';
import { ByteLines, type Line } from '../body/byte-lines.ts';
import { closeAfterAnswer, errorBody, errorHeaders, publicError, sendJson } from '../reply.ts';
import type { Exchange, Route } from '../route.ts';
import { type LongMessages, onTerms, type RequestTerms, readIdempotencyKey } from './sent-event.ts';

/** Items of one append, and bytes of its lines. */
const BATCH = 1_000;
const BATCH_BYTES = 512 * 1024;
/** How long lines wait for more of them to be stored with. */
const LINGER_MS = 5;
/** Items of one JSON array, and results that one answer lists. */
export const MAX_ITEMS = 10_000;
/** An event at all its limits, with every character escaped, is smaller. */
const MAX_LINE_BYTES = 1024 * 1024;
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
  ingest: Pick<Ingest, 'logSteps' | 'noteRejected'>;
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
      const intake = new Intake(options.ingest, principal, terms, listAll);
      try {
        if (kind === 'json') await takeJson(exchange, options, intake);
        else await takeLines(exchange, options, intake);
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

/** Counts and lists outcomes; items go to the store a batch at a time, in order. */
class Intake {
  /** Items (NDJSON: lines) whose outcome is known: what need not be sent again. */
  taken = 0;
  readonly #ingest: EventsOptions['ingest'];
  readonly #reporter: Reporter;
  readonly #terms: RequestTerms;
  readonly #listAll: boolean;
  readonly #counts = { stored: 0, duplicates: 0, rejected: 0 };
  readonly #results: Result[] = [];
  #truncated = false;

  constructor(
    ingest: EventsOptions['ingest'],
    reporter: Reporter,
    terms: RequestTerms,
    listAll: boolean,
  ) {
    this.#ingest = ingest;
    this.#reporter = reporter;
    this.#terms = terms;
    this.#listAll = listAll;
  }

  /** Events came, and of none can be said that it is stored: no success to anybody. */
  get nothingTaken(): boolean {
    const { stored, duplicates, rejected } = this.#counts;
    return rejected > 0 && stored === 0 && duplicates === 0;
  }

  /** Rejects where nothing of this batch was taken. */
  async store(items: readonly Item[], upTo: number): Promise<void> {
    if (items.length === 0) {
      this.taken = upTo;
      return;
    }
    const readable = items.filter((item) => item.problem === null);
    const raws = readable.map(({ raw, index }) => onTerms(raw, index, this.#terms));
    const outcomes = await this.#ingest.logSteps(raws, this.#reporter);
    let next = 0;
    for (const { index, problem: unreadable } of items) {
      if (unreadable !== null) {
        this.#ingest.noteRejected(unreadable, this.#reporter);
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

/** Of one object, of an array, or of lines: shippers send NDJSON as application/json, too. */
function itemsOf(text: string): Item[] {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (error) {
    const lines = linesOf(text);
    if (lines === null) throw error;
    return lines;
  }
  const raws = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  return raws.map((raw, index) => ({ index, raw, problem: null }));
}

/** null: its first line is no object by itself, so these are no lines. */
function linesOf(text: string): Item[] | null {
  const first = text.trimStart().split('\n', 1)[0] ?? '';
  if (!first.startsWith('{') || readLine(0, first).problem !== null) return null;
  return text
    .split('\n')
    .map((line, index) => (line.trim() === '' ? null : readLine(index, line)))
    .filter((item) => item !== null);
}

async function takeLines(
  exchange: Exchange,
  { maxBodyBytes, budget, waitMs = BODY_WAIT_MS }: EventsOptions,
  intake: Intake,
): Promise<void> {
  const splitter = new ByteLines(MAX_LINE_BYTES);
  const gathering = new Gathering(intake);
  // Only what has come is counted: a stream that waits for its sender takes nothing from others.
  const hold = budget.open(exchange.principal.tokenId);
  const count = (piece: Buffer): void =>
    hold.set(splitter.heldBytes + gathering.heldBytes + piece.length);
  // Only the sender's pauses count, not how long the store takes.
  let gaveUp = false;
  const giveUp = (): void => {
    gaveUp = true;
    answerPartly(exchange, tooSlow(waitMs), intake);
  };
  let pause: NodeJS.Timeout | undefined;
  const chunks = bodyChunks(exchange.request, maxBodyBytes * STREAM_FACTOR, Infinity);
  try {
    let next = chunks.next();
    let isFirst = true;
    for (;;) {
      pause = setTimeout(giveUp, waitMs);
      const arrived = await gathering.wait(next);
      clearTimeout(pause);
      if (gaveUp) return;
      if (arrived === null) {
        await gathering.flush();
        count(NOTHING);
      } else if (arrived.done === true) {
        break;
      } else {
        if (isFirst) refuseUntoldGzip(arrived.value);
        isFirst = false;
        count(arrived.value);
        for (const line of splitter.push(arrived.value)) await gathering.add(line);
        count(NOTHING);
        next = chunks.next();
      }
    }
    for (const line of splitter.end()) await gathering.add(line);
    await gathering.settle();
  } catch (error) {
    if (gaveUp) return;
    // What arrived whole is stored, though the sender went in the middle.
    await gathering.settle();
    throw error;
  } finally {
    clearTimeout(pause);
    hold.release();
    chunks.stop();
  }
}

const NOTHING = Buffer.alloc(0);

/**
 * Gathers the next batch of a stream while the one before it is stored: a stream in full flow is
 * stored in large batches, and a slow one does not wait for its batch to be full.
 */
class Gathering {
  readonly #intake: Intake;
  #items: Item[] = [];
  #bytes = 0;
  #seen = 0;
  #storing: Promise<void> = Promise.resolve();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  async add(line: Line): Promise<void> {
    const item = readBytes(line);
    if (item !== null) this.#items.push(item);
    this.#bytes += line.bytes?.length ?? 0;
    this.#seen = line.index + 1;
    if (this.#items.length >= BATCH || this.#bytes >= BATCH_BYTES) await this.flush();
  }

  /** Begins to store what there is, as soon as the batch before it is stored. */
  async flush(): Promise<void> {
    await this.#storing;
    const [items, upTo] = [this.#items, this.#seen];
    this.#items = [];
    this.#bytes = 0;
    this.#storing = this.#intake.store(items, upTo);
    // Told to whoever waits for anything next.
    this.#storing.catch(() => undefined);
  }

  /** Resolves when everything is stored; rejects when a batch was not, and tries none after it. */
  async settle(): Promise<void> {
    await this.flush();
    await this.#storing;
  }

  /** What comes, or null where it is time to store what there is. Rejects when a batch fails. */
  async wait<T>(next: Promise<T>): Promise<T | null> {
    let linger: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T | null>((resolve, reject) => {
        next.then(resolve, reject);
        this.#storing.catch(reject);
        if (this.#items.length === 0) return;
        // On a busy loop a timer is early: what lies in the socket is read first.
        linger = setTimeout(() => setImmediate(resolve, null), LINGER_MS);
      });
    } finally {
      clearTimeout(linger);
    }
  }
}

/** null: an empty line. */
function readBytes({ index, bytes }: Line): Item | null {
  if (bytes === null) {
    const message = `The line is longer than ${MAX_LINE_BYTES} bytes`;
    return { index, raw: null, problem: { code: 'TOO_LONG', message, field: null } };
  }
  try {
    const text = utf8(bytes);
    return text.trim() === '' ? null : readLine(index, text);
  } catch (error) {
    return badLine(index, error as Error);
  }
}

function readLine(index: number, text: string): Item {
  try {
    return { index, raw: parseJson(text), problem: null };
  } catch (error) {
    return badLine(index, error as Error);
  }
}

function badLine(index: number, error: Error): Item {
  const message = error.message.replace('The body', 'The line');
  return { index, raw: null, problem: { code: 'BAD_JSON', message, field: null } };
}

/** Something stopped the rest: the error, with what became of those before it. */
function answerPartly(exchange: Exchange, error: ShiplogError, intake: Intake): void {
  closeAfterAnswer(exchange.request, exchange.response);
  const body = { ...errorBody(error), taken: intake.taken, ...intake.answer() };
  sendJson(exchange.response, ERROR_CODES[error.code].status, body, errorHeaders(error));
}
