/**
 * Delivers what a command does, in order, without ever holding the command up: a bounded outbox,
 * one request at a time, retries with the same ids, and at the end only a limited wait.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Signal } from '../../signal.ts';
import { BatchSize } from '../batch-size.ts';
import { backoff, CallError, type CallOptions, type Client } from '../client.ts';
import { messageOf } from '../exit.ts';
import { LogStepsDocument, type StepEventInput } from '../gen/graphql.ts';
import { jsonBytes, Outbox } from './outbox.ts';
import { shortened } from './shorten.ts';

const BATCH_EVENTS = 500;
/** Lines that come close together go in one request. */
const LINGER_MS = 100;
const CALL_TIMEOUT_MS = 10_000;
/** A step without news is heard of so many times before it would be shown as stale. */
const SIGNS_BEFORE_STALE = 3;
/** The server says it with its answers; until then: */
const STALE_AFTER_MS = 300_000;
const LEAST_SIGN_MS = 1_000;
/** How often a token's file is looked at while the token in it is refused. */
const TOKEN_LOOK_MS = 1_000;
const TOKEN_LOOKS = 5;
/** How many different rejections are kept; the rest is only counted. */
const REJECTIONS_KEPT = 5;

/** Between two tries after the command's end. */
const LONGEST_LAST_PAUSE_MS = 500;
/** When patience has run out with lines still waiting: how the step ended is tried once more. */
const LAST_WORD_MS = 1_000;

/** How long the end of a command may wait for deliveries, in milliseconds. */
export interface Patience {
  /** In all, while the server takes what it is sent. */
  delivering: number;
  /** For the next delivery to a server that answered before, or has not refused the connection. */
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

/** What every event of a command says. */
interface Identity {
  taskId: string;
  host: string;
  step: string;
  attempt: number;
  source: string;
}

export class Reporter {
  readonly #client: Client;
  readonly #identity: Identity;
  readonly #writer: string;
  readonly #outbox: Outbox;
  readonly #stop = new AbortController();
  /** The command has ended. */
  readonly #end = new AbortController();
  readonly #size = new BatchSize();
  readonly #rejected = new Map<string, number>();
  readonly #began = performance.now();
  #sequence = 0;
  #inFlight: StepEventInput[] = [];
  #loop: Promise<void> | null = null;
  #hasStatus = false;
  #refused = false;
  #reason: string | null = null;
  /** Some call was answered, and be it with "busy". */
  #answered = false;
  readonly #news = new Signal();
  /** Of what is not to wait for company. */
  readonly #urgent = new Signal();
  /** Puts off the end of patience. */
  #onDelivered = () => {};

  constructor(client: Client, identity: Identity, writer: string, outbox = new Outbox()) {
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
    this.#news.wake();
    // Lines can wait for company, a status should not.
    if (said.status !== undefined || this.#outbox.size >= BATCH_EVENTS) this.#urgent.wake();
  }

  /**
   * Waits as long as `patience` says (or until the signal) for the rest, and says what is left.
   * Lines that did not get through in that time do not keep the step's end from being known.
   */
  async close(patience: Patience, signal?: AbortSignal): Promise<Undelivered> {
    this.#end.abort();
    this.#news.wake();
    this.#urgent.wake();
    const giveUp = () => this.#stop.abort();
    const next = setTimeout(giveUp, patience.reached);
    const timers = [
      next,
      setTimeout(giveUp, patience.delivering),
      setTimeout(() => !this.#answered && this.#reason !== null && giveUp(), patience.away),
    ];
    this.#onDelivered = () => next.refresh();
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    await this.#loop;
    this.#onDelivered = () => {};
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
      return [...statuses, ...lines].sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    }
  }

  /** Takes from `events` what was delivered, and what can never be. */
  async #send(events: StepEventInput[], options: CallOptions): Promise<void> {
    while (events.length > 0) {
      const { count, bytes } = this.#size.fitting(events.map(jsonBytes));
      const inputs = events.slice(0, count);
      try {
        const { logSteps } = await this.#client.query(LogStepsDocument, { inputs }, options);
        events.splice(0, count);
        this.#onDelivered();
        for (const { error } of logSteps.results) {
          if (error) this.#reject(`${error.code}: ${error.message}`);
        }
      } catch (error) {
        if (!(error instanceof CallError) || error.kind !== 'too-large') throw error;
        if (count > 1) this.#size.refused(bytes);
        else events.splice(0, 1, ...this.#shortened(inputs[0] as StepEventInput, error));
      }
    }
  }

  /** One event that is too large by itself. */
  #shortened(event: StepEventInput, error: CallError): StepEventInput[] {
    const shorter = shortened(event);
    if (shorter === null) this.#reject(error.message);
    return shorter === null ? [] : [shorter];
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
        // After a long silence a sign of life is what is sent.
        if (!(await this.#news.wait(this.#signMs()))) this.report(this.#signOfLife());
        continue;
      }
      if (!this.#end.signal.aborted && this.#outbox.size < BATCH_EVENTS && !this.#hasStatus) {
        await this.#urgent.wait(LINGER_MS);
      }
      this.#hasStatus = false;
      this.#inFlight = this.#outbox.take(BATCH_EVENTS, this.#size.bytes);
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

  /** That it began is known: what is new is the time of receipt. No line, for lines are output. */
  #signOfLife() {
    const durationMs = Math.round(performance.now() - this.#began);
    return { status: 'RUNNING', level: 'TRACE', durationMs } as const;
  }

  /** So that fleets do not speak at once, with some chance in it. */
  #signMs(): number {
    const staleAfterMs = this.#client.staleAfterMs ?? STALE_AFTER_MS;
    const share = (1 - Math.random() / 4) / SIGNS_BEFORE_STALE;
    return Math.max(LEAST_SIGN_MS, staleAfterMs * share);
  }

  async #sendInFlight(): Promise<void> {
    const signal = this.#stop.signal;
    for (let attempt = 1; this.#inFlight.length > 0 && !signal.aborted; attempt++) {
      try {
        await this.#send(this.#inFlight, { signal, timeoutMs: CALL_TIMEOUT_MS });
        this.#answered = true;
        this.#reason = null;
      } catch (error) {
        if (!signal.aborted) this.#reason = messageOf(error);
        if (!(error instanceof CallError) || error.kind !== 'unreachable') this.#answered = true;
        const isAuth = error instanceof CallError && error.kind === 'auth';
        if (isAuth && (await this.#tokenMayHold())) continue;
        if (!(error instanceof CallError) || !error.isTemporary) {
          // It would be refused again: the command goes on, its events are kept as long as they fit.
          this.#refused = true;
          return;
        }
        await this.#pause(backoff(attempt, error.retryAfterMs));
      }
    }
  }

  /**
   * Whether the refused token, if it came from a file, is to be shown again: at once when the file
   * has another one, and else now and then while the command runs, for the server may learn of it
   * later than we.
   */
  async #tokenMayHold(): Promise<boolean> {
    if (!this.#client.hasTokenFile) return false;
    const either = AbortSignal.any([this.#stop.signal, this.#end.signal]);
    for (let look = 0; look < TOKEN_LOOKS && !either.aborted; look++) {
      if (this.#client.renewToken()) return true;
      await wait(TOKEN_LOOK_MS, undefined, { signal: either }).catch(() => {});
    }
    return this.#client.renewToken() || !either.aborted;
  }
}
