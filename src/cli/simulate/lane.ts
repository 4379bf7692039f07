/**
 * One connection of the simulator: a bounded queue that is sent in batches, in order, one batch
 * at a time. All events of a host go through the same lane, so each host's log is in order.
 */
import { CallError, type Client, type WriteResult, withRetry } from '../client.ts';
import { LogStepsDocument, type StepEventInput } from '../gen/graphql.ts';

/** A batch that is not full is sent after this time. */
const LINGER_MS = 50;

export interface Tally {
  sent: number;
  stored: number;
  duplicates: number;
  rejected: number;
  retries: number;
  /** Of the rejected ones, the first few. */
  problems: string[];
}

export function newTally(): Tally {
  return { sent: 0, stored: 0, duplicates: 0, rejected: 0, retries: 0, problems: [] };
}

const PROBLEMS_KEPT = 5;

function count(tally: Tally, events: number, result: WriteResult): void {
  tally.sent += events;
  tally.stored += result.stored;
  tally.duplicates += result.duplicates;
  tally.rejected += result.rejected;
  for (const { error } of result.results) {
    if (!error || tally.problems.length >= PROBLEMS_KEPT) continue;
    tally.problems.push(`${error.code}: ${error.message}`);
  }
}

export class Lane {
  readonly #client: Client;
  readonly #batch: number;
  readonly #retries: number;
  readonly #tally: Tally;
  readonly #signal: AbortSignal;
  #queue: StepEventInput[] = [];
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown = null;

  /** batch: events per request. retries: of one request, before the lane ends. */
  constructor(
    client: Client,
    { batch, retries }: { batch: number; retries: number },
    tally: Tally,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#batch = batch;
    this.#retries = retries;
    this.#tally = tally;
    this.#signal = signal;
  }

  /** Resolves when there is room again (four batches). Throws what ended the lane. */
  async push(event: StepEventInput): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    this.#queue.push(event);
    if (this.#queue.length >= this.#batch) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), LINGER_MS);
    while (this.#queue.length >= 4 * this.#batch && this.#failure === null) await this.#sending;
  }

  /** Sends what is left. Throws what ended the lane. */
  async close(): Promise<void> {
    while (this.#failure === null && (this.#queue.length > 0 || this.#sending !== null)) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(this.#timer);
    if (this.#failure !== null) throw this.#failure;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== null || this.#queue.length === 0) return;
    this.#sending = this.#deliver()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#sending = null;
        if (this.#failure === null && this.#queue.length >= this.#batch) this.#send();
        else if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#send(), LINGER_MS);
      });
  }

  async #deliver(): Promise<void> {
    const inputs = this.#queue.splice(0, this.#batch);
    await this.#post(inputs);
  }

  async #post(inputs: StepEventInput[]): Promise<void> {
    try {
      const { logSteps } = await withRetry(
        () => this.#client.query(LogStepsDocument, { inputs }, { signal: this.#signal }),
        {
          signal: this.#signal,
          attempts: this.#retries + 1,
          onRetry: () => this.#tally.retries++,
        },
      );
      count(this.#tally, inputs.length, logSteps);
    } catch (error) {
      const isTooLarge = error instanceof CallError && error.kind === 'too-large';
      if (!isTooLarge || inputs.length === 1) throw error;
      const half = Math.ceil(inputs.length / 2);
      await this.#post(inputs.slice(0, half));
      await this.#post(inputs.slice(half));
    }
  }
}
