/**
 * Load that knows what it was promised: writers that send a batch until it is acknowledged, tails
 * that resume by their cursor for as long as it takes, and what the store holds in the end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { CallError, Client, withRetry } from '../../src/cli/client.ts';
import {
  LogStepsDocument,
  type StepEventInput,
  TypedDocumentString,
} from '../../src/cli/gen/graphql.ts';
import { live } from '../../src/cli/live.ts';
import { DEFAULT_PLAN } from '../../src/domain/event/event.ts';
import type { TaskMatrix } from '../../src/domain/fold/views.ts';
import { BoardFold } from '../board-fold.ts';
import { violations } from '../checker.ts';
import { logEvent } from '../events.ts';
import { Watchers } from './watchers.ts';

const BATCH = 20;
const HOSTS_PER_WRITER = 100;
/** Between the batches of a writer: the machine has other work too. */
const PAUSE_MS = 10;
const CALL_TIMEOUT_MS = 20_000;
const SETTLE_MS = 120_000;

const TAIL = new TypedDocumentString<
  { tail: { cursor: string; events: { eventId: string }[] } },
  { filter: { taskId: string }; after: string }
>(
  `subscription ($filter: EventFilter!, $after: String) {
    tail(filter: $filter, after: $after) { cursor events { eventId } } }`,
);
const PAGE = new TypedDocumentString<
  {
    events: {
      nodes: { eventId: string }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
      tailCursor: string;
    };
  },
  { filter: { taskId: string }; after: string | null; first: number }
>(
  `query ($filter: EventFilter!, $after: String, $first: Int) {
    events(filter: $filter, order: LOG, after: $after, first: $first) {
      nodes { eventId } pageInfo { hasNextPage endCursor } tailCursor } }`,
);
const BOARD = new TypedDocumentString<{ task: { matrix: TaskMatrix } }, { id: string }>(
  'query ($id: ID!) { task(id: $id) { matrix { hosts steps cells } } }',
);

/** One task: every writer and every tail is given the server that it talks to. */
export class SoakLoad {
  readonly #taskId: string;
  readonly #fold: BoardFold;
  readonly #acknowledged = new Set<string>();
  readonly #delivered: string[][] = [];
  readonly #problems: string[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #stopTails = new AbortController();
  readonly #watchers: Watchers;
  #writing = true;

  constructor(taskId: string) {
    this.#taskId = taskId;
    this.#fold = new BoardFold(taskId);
    this.#watchers = new Watchers(taskId, this.#fold);
  }

  /** How many subscriptions begin and resume at random moments. */
  get watchers(): number {
    return this.#watchers.count;
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Writers and tails begin behind one event, so that a tail has to deliver all the others. */
  async start(writers: readonly string[], tails: readonly string[]): Promise<void> {
    const first = tails[0] ?? (writers[0] as string);
    const marker = { taskId: this.#taskId, host: 'soak', step: 'backup', eventId: 'begin' };
    await this.#send(first, [{ ...marker, status: 'SUCCEEDED' }]);
    const { tailCursor } = await this.#page(first, null, 1);
    for (const url of tails) void this.#follow(url, tailCursor);
    this.#watchers.start(tails);
    for (const [index, url] of writers.entries()) this.#running.push(this.#write(url, index));
  }

  /** Resolves when everything that was begun is acknowledged. */
  async stopWriting(): Promise<void> {
    this.#writing = false;
    await Promise.all(this.#running);
    await this.#watchers.stopLeaving();
  }

  /** Waits for the tails, then says what promise was broken; empty: none. */
  async verdict(url: string): Promise<{ stored: number; broken: string[] }> {
    const stored: string[] = [];
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo } = await this.#page(url, after, 1_000);
      stored.push(...nodes.map(({ eventId }) => eventId));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    const behind = stored.slice(1);
    const deadline = performance.now() + SETTLE_MS;
    while (
      this.#delivered.some((ids) => ids.length < behind.length) &&
      performance.now() < deadline
    ) {
      await pause(50);
    }
    // What would come twice comes now.
    await pause(1_000);
    const untrue = await this.#watchers.verdict(behind, SETTLE_MS);
    this.#stopTails.abort();
    const acknowledged = new Set(this.#acknowledged);
    acknowledged.delete('begin');
    const broken = [
      ...this.#problems,
      ...untrue,
      ...violations({ acknowledged, stored: behind, delivered: this.#delivered }),
    ];
    const different = await this.#boardDifference(url);
    if (different > 0) broken.push(`${different} cells of the board are not what the events say`);
    return { stored: stored.length, broken };
  }

  async #boardDifference(url: string): Promise<number> {
    const ask = () => new Client({ url, token: null }).query(BOARD, { id: this.#taskId });
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const { task } = await withRetry(ask, { attempts: 10 });
      const different = this.#fold.differences(task.matrix, false);
      // Views may lag behind the log, for a while.
      if (different === 0 || performance.now() > deadline) return different;
      await pause(500);
    }
  }

  async #write(url: string, writer: number): Promise<void> {
    try {
      for (let batch = 0; this.#writing; batch++) {
        await this.#send(url, this.#batch(writer, batch));
        await pause(PAUSE_MS);
      }
    } catch (error) {
      this.#problems.push(`writer ${writer + 1} was refused: ${String(error)}`);
    }
  }

  /** The whole of one step on one host; later turns are later attempts. */
  #batch(writer: number, batch: number): StepEventInput[] {
    const turn = Math.floor(batch / DEFAULT_PLAN.length);
    const place = {
      taskId: this.#taskId,
      host: `web-${writer}-${turn % HOSTS_PER_WRITER}`,
      step: DEFAULT_PLAN[batch % DEFAULT_PLAN.length] as string,
      attempt: 1 + Math.floor(turn / HOSTS_PER_WRITER),
      at: new Date().toISOString(),
    };
    return Array.from({ length: BATCH }, (_, i): StepEventInput => {
      const event = { ...place, eventId: `${writer}-${batch}-${i}` };
      if (i === 0) return { ...event, status: 'RUNNING', command: `do ${place.step}` };
      if (i < BATCH - 1) return { ...event, message: `line ${i} of batch ${batch}` };
      return { ...event, status: batch % 40 === 0 ? 'FAILED' : 'SUCCEEDED' };
    });
  }

  /** The same ids again until they are acknowledged. */
  async #send(url: string, inputs: StepEventInput[]): Promise<void> {
    const client = new Client({ url, token: null });
    const { logSteps } = await withRetry(() =>
      client.query(LogStepsDocument, { inputs }, { timeoutMs: CALL_TIMEOUT_MS }),
    );
    for (const { outcome, eventId, index, error } of logSteps.results) {
      if (outcome === 'REJECTED') this.#problems.push(`${eventId} was rejected: ${error?.message}`);
      else {
        this.#acknowledged.add(eventId as string);
        this.#fold.add(logEvent(inputs[index] as StepEventInput, Date.now()));
      }
    }
  }

  async #follow(url: string, from: string): Promise<void> {
    const delivered: string[] = [];
    this.#delivered.push(delivered);
    let after = from;
    const batches = live(TAIL, {
      connection: { url, token: null },
      variables: () => ({ filter: { taskId: this.#taskId }, after }),
      signal: this.#stopTails.signal,
      retry: true,
    });
    try {
      for await (const { tail } of batches) {
        for (const { eventId } of tail.events) delivered.push(eventId);
        after = tail.cursor;
      }
    } catch (error) {
      const reason = error instanceof CallError ? error.message : String(error);
      this.#problems.push(`a tail ended: ${reason}`);
    }
  }

  async #page(url: string, after: string | null, first: number) {
    const client = new Client({ url, token: null });
    const variables = { filter: { taskId: this.#taskId }, after, first };
    return (await withRetry(() => client.query(PAGE, variables))).events;
  }
}
