/**
 * Bulk requests: what each item's answer means, and the sending of them until every item is
 * settled. The client's own helper drops what it should try again and the other way round.
 */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import { isCount, isObject } from './answer.ts';
import {
  type Answer,
  type Connection,
  FIRST_TRY,
  type Refusal,
  reasonOf,
  unavailable,
} from './connection.ts';

export interface BulkItem {
  /** The line that says what to do: `{"create":{…}}`. */
  action: string;
  /** Empty for a `delete`. */
  source: string;
}

export type ItemOutcome =
  | { state: 'done'; seq: number; term: number | null }
  /** create: the id is there; a version: a newer one is there. `again`: it was sent more than once. */
  | { state: 'conflict'; again: boolean }
  /** No such index. */
  | { state: 'missing' }
  /** This document cannot be taken, ever. */
  | { state: 'refused'; reason: string };

/** Given up: it may be stored or not. */
export interface UnsettledItem {
  state: 'unsettled';
  problem: ShiplogError;
}

interface ItemAnswer {
  op: string;
  status: number;
  /** Typed as it should be; where it is used it is checked. */
  _seq_no?: number;
  _primary_term?: number;
  error?: { type?: string; reason?: string };
}
interface BulkAnswer {
  items?: unknown;
}

/** How long Elasticsearch waits for a primary or a master; another node may have them at hand. */
const PRIMARY_WAIT = '1s';
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const NEIGHBOURS_WAIT_MS = 3_000;
const FILTER =
  'errors,items.*.status,items.*._seq_no,items.*._primary_term,items.*.error.type,items.*.error.reason';

export class Bulk {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #neighboursWaitMs: number;
  readonly #retries = new Map<string, number>();

  /**
   * @param timeoutMs how long one call goes on trying
   * @param neighboursWaitMs how long items that are settled wait for their neighbours
   */
  constructor(
    connection: Connection,
    timeoutMs: number,
    neighboursWaitMs: number = NEIGHBOURS_WAIT_MS,
  ) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#neighboursWaitMs = neighboursWaitMs;
  }

  get retries(): ReadonlyMap<string, number> {
    return this.#retries;
  }

  /**
   * Resolves when every item is settled, in the order of `items`. Throws STORE_UNAVAILABLE or
   * STORE_FULL when the time is over: then some items may be stored and others not.
   */
  async send(items: readonly BulkItem[]): Promise<ItemOutcome[]> {
    const outcomes = await this.#settleWithin(items, this.#timeoutMs);
    return outcomes.map((outcome) => {
      if (outcome.state === 'unsettled') throw outcome.problem;
      return outcome;
    });
  }

  /**
   * The same, where items concern nobody but themselves: those that are settled do not wait long
   * for the others. Throws only where the credentials were refused.
   */
  settleEach(items: readonly BulkItem[]): Promise<(ItemOutcome | UnsettledItem)[]> {
    return this.#settleWithin(items, this.#neighboursWaitMs);
  }

  async #settleWithin(
    items: readonly BulkItem[],
    neighboursWaitMs: number,
  ): Promise<(ItemOutcome | UnsettledItem)[]> {
    const outcomes: (ItemOutcome | UnsettledItem | null)[] = items.map(() => null);
    const deadline = performance.now() + this.#timeoutMs;
    /** The neighbours of the first that is settled are waited for from then on. */
    let patience = Infinity;
    let open = items.map((_, at) => at);
    let pause = FIRST_PAUSE_MS;
    let problem: ShiplogError | null = null;
    for (let attempt = 0; ; attempt++) {
      problem = await this.#attempt(items, open, outcomes, attempt > 0, deadline);
      open = open.filter((at) => outcomes[at] === null);
      if (open.length === 0 || problem?.code === 'SHUTTING_DOWN') break;
      const now = performance.now();
      if (open.length < items.length) patience = Math.min(patience, now + neighboursWaitMs);
      if (Math.min(deadline, patience) - now <= pause) break;
      await setTimeout(pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    if (open.length === 0) return outcomes as (ItemOutcome | UnsettledItem)[];
    const unsettled: UnsettledItem = {
      state: 'unsettled',
      problem: problem ?? unavailable('Elasticsearch did not take everything'),
    };
    return outcomes.map((outcome) => outcome ?? unsettled);
  }

  /** Sends the open items once, in parts where one request is too large. */
  async #attempt(
    items: readonly BulkItem[],
    open: readonly number[],
    outcomes: (ItemOutcome | UnsettledItem | null)[],
    again: boolean,
    deadline: number,
  ): Promise<ShiplogError | null> {
    const left = Math.max(1_000, deadline - performance.now());
    // The ids make it safe to send it again: a node that hangs leaves time for another.
    const timeoutMs = again ? left : left * FIRST_TRY;
    let body = '';
    for (const at of open) {
      const { action, source } = items[at] as BulkItem;
      body += source === '' ? `${action}\n` : `${action}\n${source}\n`;
    }
    let answer: Answer<BulkAnswer & Refusal>;
    try {
      answer = await this.#connection.ask<BulkAnswer>({
        method: 'POST',
        path: '/_bulk',
        query: { filter_path: `${FILTER},error`, timeout: PRIMARY_WAIT },
        body,
        timeoutMs,
      });
    } catch (error) {
      if (!(error instanceof ShiplogError) || error.message.includes('credentials')) throw error;
      this.#count('request');
      return error;
    }
    if (answer.status === 413) return await this.#split(items, open, outcomes, again, deadline);
    if (answer.status < 300) return this.#settle(answer.body, items, open, outcomes, again);
    this.#count('request');
    return unavailable(`Elasticsearch refused a bulk: ${reasonOf(answer.body)}`);
  }

  async #split(
    items: readonly BulkItem[],
    open: readonly number[],
    outcomes: (ItemOutcome | UnsettledItem | null)[],
    again: boolean,
    deadline: number,
  ): Promise<ShiplogError | null> {
    if (open.length === 1) {
      outcomes[open[0] as number] = { state: 'refused', reason: 'larger than a request may be' };
      return null;
    }
    const half = Math.ceil(open.length / 2);
    const first = await this.#attempt(items, open.slice(0, half), outcomes, again, deadline);
    // Order within a shard: what comes later is not sent before what comes first.
    if (first !== null) return first;
    return this.#attempt(items, open.slice(half), outcomes, again, deadline);
  }

  #settle(
    answer: BulkAnswer | null,
    items: readonly BulkItem[],
    open: readonly number[],
    outcomes: (ItemOutcome | UnsettledItem | null)[],
    again: boolean,
  ): ShiplogError | null {
    const told = answer?.items;
    // One that is left out moves all behind it: none of them is about what it stands for.
    if (!Array.isArray(told) || told.length !== open.length) {
      this.#count('damaged');
      return unavailable('Elasticsearch’s answer to a bulk is not about what was sent');
    }
    let problem: ShiplogError | null = null;
    for (const [i, at] of open.entries()) {
      const item = readItem(told[i], (items[at] as BulkItem).action);
      const outcome = item === null ? damaged() : outcomeOf(item, again);
      if (outcome instanceof ShiplogError) {
        if (outcome.code === 'STORE_FULL' || isBlocked(item)) {
          outcomes[at] = { state: 'unsettled', problem: outcome };
          continue;
        }
        problem = outcome;
        this.#count(item === null ? 'damaged' : String(item.status));
      } else outcomes[at] = outcome;
    }
    return problem;
  }

  #count(what: string): void {
    this.#retries.set(what, (this.#retries.get(what) ?? 0) + 1);
  }
}

/** What is said of one item: null where it cannot be read, or is not about this one. */
function readItem(told: unknown, action: string): ItemAnswer | null {
  const [entry] = isObject(told) ? Object.entries(told) : [];
  if (entry === undefined) return null;
  const [op, item] = entry;
  if (!action.startsWith(`{"${op}":`) || !isObject(item)) return null;
  const { status, error } = item;
  if (!Number.isInteger(status) || (error !== undefined && !isObject(error))) return null;
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  return isText(error?.type) && isText(error?.reason) ? ({ op, ...item } as ItemAnswer) : null;
}

function damaged(): ShiplogError {
  return unavailable('Elasticsearch’s answer about an item of a bulk cannot be read');
}

function outcomeOf(item: ItemAnswer, again: boolean): ItemOutcome | ShiplogError {
  const { op, status, error } = item;
  const isDone = status >= 200 && status < 300;
  // A `delete` of what is not there has done what it should.
  if (isDone || (op === 'delete' && status === 404 && error === undefined)) {
    const { _seq_no: seq, _primary_term: term = null } = item;
    // Without its place in the log nothing can be acknowledged: sent again, it is found there.
    if (isCount(seq)) return { state: 'done', seq: seq + 1, term: isCount(term) ? term : null };
    return unavailable('Elasticsearch does not say where it stored an item');
  }
  if (status === 409) return { state: 'conflict', again };
  const reason = error?.reason ?? `status ${status}`;
  if (error?.type === 'index_not_found_exception') return { state: 'missing' };
  if (reason.includes('flood-stage') || reason.includes('read-only / allow delete')) {
    return new ShiplogError(
      'STORE_FULL',
      'The disk of Elasticsearch is full: it takes no writes until there is room',
      { retryAfterMs: 10_000 },
    );
  }
  if (status === 401 || status === 403) {
    return new ShiplogError('STORE_UNAVAILABLE', `Elasticsearch takes no writes: ${reason}`, {
      retryAfterMs: 5_000,
    });
  }
  if (error?.type === 'index_closed_exception') {
    return new ShiplogError('STORE_UNAVAILABLE', `An index is closed: ${reason}`, {
      retryAfterMs: 5_000,
    });
  }
  if (status === 400 || status === 413) return { state: 'refused', reason };
  return unavailable(`Elasticsearch could not store an item now (${status}): ${reason}`);
}

/** Waiting a second will not help: somebody has to do something. */
function isBlocked(item: ItemAnswer | null): boolean {
  return (
    item?.status === 401 || item?.status === 403 || item?.error?.type === 'index_closed_exception'
  );
}

/** The two lines of one document. */
export function bulkItem(
  op: 'create' | 'index',
  meta: Record<string, unknown>,
  source: object,
): BulkItem {
  return { action: JSON.stringify({ [op]: meta }), source: JSON.stringify(source) };
}

/** What is not there, or has another version than is asked for, is not removed. */
export function bulkDelete(meta: Record<string, unknown>): BulkItem {
  return { action: JSON.stringify({ delete: meta }), source: '' };
}
