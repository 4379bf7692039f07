/**
 * Delivers what a command does, in order, without ever holding the command up: a bounded outbox,
 * one request at a time, retries with the same ids, and at the end only a limited wait.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { backoff, CallError, type CallOptions, type Client } from '../client.ts';
import { messageOf } from '../exit.ts';
import { LogStepsDocument, type StepEventInput } from '../gen/graphql.ts';
import { Outbox } from './outbox.ts';

const BATCH_EVENTS = 500;
const BATCH_BYTES = 512 * 1_024;
/** Lines that come close together go in one request. */
const LINGER_MS = 100;
const CALL_TIMEOUT_MS = 10_000;
/** Different ones; the rest is only counted. */
const REJECTIONS_KEPT = 5;

/** Between two tries after the command's end. */
const LONGEST_LAST_PAUSE_MS = 500;
/** When patience has run out with lines still waiting: how the step ended is tried once more. */
const LAST_WORD_MS = 1_000;

/** How long the end of a command may wait for deliveries, in milliseconds. */
export interface Patience {
  /** For a server that answered before, or has not refused the connection. */
  reached: number;
  /** For one that could not be reached at all: a command is not held up because it is away. */
  away: number;
}

export interface Undelivered {
  /** In order, with their ids: sending them later is a retry. */
  events: StepEventInput[];
  droppedLines: number;
  /** How many events the server took offence at, by what it said. */
  rejected: ReadonlyMap<string, number>;
  /** Why the rest was not delivered; null if all was. */
  reason: string | null;
}

export class Reporter {
  readonly #client: Client;
  readonly #identity: { taskId: string; host: string; step: string; attempt: number };
  readonly #writer: string;
  readonly #outbox: Outbox;
  readonly #stop = new AbortController();
  /** The command has ended. */
  readonly #end = new AbortController();
  readonly #rejected = new Map<string, number>();
  #sequence = 0;
  #inFlight: StepEventInput[] = [];
  #loop: Promise<void> | null = null;
  #hasStatus = false;
  #refused = false;
  #reason: string | null = null;
  /** Some call was answered, and be it with "busy". */
  #answered = false;
  /** Ends a wait for the first event, and a wait for company. */
  #onNews = () => {};
  #onUrgent = () => {};

  constructor(
    client: Client,
    identity: { taskId: string; host: string; step: string; attempt: number },
    writer: string,
    outbox = new Outbox(),
  ) {
    this.#client = client;
    this.#identity = identity;
    this.#writer = writer;
    this.#outbox = outbox;
  }

  /** Never throws and never waits. */
  report(said: Omit<StepEventInput, 'taskId' | 'host' | 'step'>): void {
    const sequence = ++this.#sequence;
    this.#outbox.add({
      eventId: `${this.#writer}.${sequence}`,
      ...this.#identity,
      at: new Date().toISOString(),
      writer: this.#writer,
      sequence,
      ...said,
    });
    if (said.status !== undefined) this.#hasStatus = true;
    this.#loop ??= this.#deliver();
    this.#onNews();
    // Lines can wait for company, a status should not.
    if (said.status !== undefined || this.#outbox.size >= BATCH_EVENTS) this.#onUrgent();
  }

  /**
   * Waits as long as `patience` says (or until the signal) for the rest, and says what is left.
   * Lines that did not get through in that time do not keep the step's end from being known.
   */
  async close(patience: Patience, signal?: AbortSignal): Promise<Undelivered> {
    this.#end.abort();
    this.#onNews();
    this.#onUrgent();
    const giveUp = () => this.#stop.abort();
    const timers = [
      setTimeout(giveUp, patience.reached),
      setTimeout(() => !this.#answered && this.#reason !== null && giveUp(), patience.away),
    ];
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    await this.#loop;
    for (const timer of timers) clearTimeout(timer);
    const left = [
      ...this.#inFlight,
      ...this.#outbox.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
    ];
    const isHopeless = this.#refused || !this.#answered || signal?.aborted === true;
    const events = isHopeless ? left : await this.#lastWord(left);
    return {
      events,
      droppedLines: this.#outbox.dropped,
      rejected: this.#rejected,
      reason: events.length === 0 ? null : (this.#reason ?? 'the server did not answer in time'),
    };
  }

  /** Sends statuses past the lines that wait before them; returns what is still left. */
  async #lastWord(left: StepEventInput[]): Promise<StepEventInput[]> {
    const statuses = left.filter((event) => event.status !== undefined);
    const lines = left.filter((event) => event.status === undefined);
    if (statuses.length === 0 || lines.length === 0) return left;
    try {
      await this.#send(statuses, { timeoutMs: LAST_WORD_MS });
      return lines;
    } catch {
      return left;
    }
  }

  async #send(inputs: StepEventInput[], options: CallOptions): Promise<void> {
    const { logSteps } = await this.#client.query(LogStepsDocument, { inputs }, options);
    for (const { error } of logSteps.results) {
      if (error) this.#reject(`${error.code}: ${error.message}`);
    }
  }

  #reject(problem: string): void {
    const isKept = this.#rejected.has(problem) || this.#rejected.size < REJECTIONS_KEPT;
    const key = isKept ? problem : 'for other reasons';
    this.#rejected.set(key, (this.#rejected.get(key) ?? 0) + 1);
  }

  async #deliver(): Promise<void> {
    while (!this.#stop.signal.aborted && !this.#refused) {
      if (this.#outbox.size === 0) {
        if (this.#end.signal.aborted) return;
        await this.#news();
        continue;
      }
      if (!this.#end.signal.aborted && this.#outbox.size < BATCH_EVENTS && !this.#hasStatus) {
        await this.#company();
      }
      this.#hasStatus = false;
      this.#inFlight = this.#outbox.take(BATCH_EVENTS, BATCH_BYTES);
      await this.#sendInFlight();
    }
  }

  /** A pause that was long while the command ran ends with it: the time left is for trying. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    const until = this.#end.signal.aborted ? signal : AbortSignal.any([signal, this.#end.signal]);
    const time = this.#end.signal.aborted ? Math.min(ms, LONGEST_LAST_PAUSE_MS) : ms;
    await wait(time, undefined, { signal: until }).catch(() => {});
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNews = resolve;
    });
  }

  #company(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LINGER_MS);
      this.#onUrgent = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #sendInFlight(): Promise<void> {
    const signal = this.#stop.signal;
    for (let attempt = 1; this.#inFlight.length > 0 && !signal.aborted; attempt++) {
      try {
        await this.#send(this.#inFlight, { signal, timeoutMs: CALL_TIMEOUT_MS });
        this.#inFlight = [];
        this.#answered = true;
        this.#reason = null;
      } catch (error) {
        if (!signal.aborted) this.#reason = messageOf(error);
        if (!(error instanceof CallError) || error.kind !== 'unreachable') this.#answered = true;
        if (!(error instanceof CallError) || !error.isTemporary) {
          // It would be refused again: the command goes on, its events are kept as long as they fit.
          this.#refused = true;
          return;
        }
        await this.#pause(backoff(attempt, error.retryAfterMs));
      }
    }
  }
}
