/**
 * Exact reads of the log. A range of sequence numbers is whole when the primary's own copy counts
 * as many events in it as it has numbers; nothing is passed over on a guess.
 *
 * Only the primary is asked: a replica may be a stale one that was cut off. A count that is short
 * is a refresh that has not happened, or numbers that were never used (a promoted primary fills
 * holes with no-ops). The second is believed only after that very primary has completed two
 * refreshes since: one may have begun before the events came, and a refresh sent by way of a node
 * that was cut off refreshes nothing but its own copies and reports no failure.
 */
import type { StoredEvent } from '../../../domain/event/event.ts';
import { approximateBytes } from '../../../domain/event/event-weight.ts';
import type { EventFilter } from '../../../domain/search/filter.ts';
import type { LogSlice } from '../../store.ts';
import { damaged, isCount, isObject } from '../cluster/answer.ts';
import type { Connection } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import { eventQuery } from '../query/event-query.ts';
import { type EventDocument, storedEvent } from './event-document.ts';

/** Numbers proven by one search where a filter makes most of them uninteresting. */
const FILTERED_WINDOW = 50_000;
const ATTEMPTS = 6;
/** Events of one answer: few where they are heavy, for a message may have 64 KiB. */
const FIRST_CAP = 500;
const LEAST_CAP = 10;
const MOST_CAP = 2_000;
const ANSWER_BYTES = 8 * 1024 * 1024;

interface Hit {
  _source: EventDocument;
  _seq_no: number;
}
interface SearchAnswer {
  timed_out?: boolean;
  _shards?: { total: number; successful: number };
  hits?: { total?: { value: number }; hits: Hit[] };
  aggregations?: { count?: { value: number } };
}

export class LogReader {
  readonly #connection: Connection;
  readonly #shards: Shards;
  readonly #refresher: Refresher;
  /** Up to where a primary's copy is proven to show everything. */
  readonly #visible = new Map<string, { node: string; history: number; seq: number }>();
  readonly #caps = new Map<string, number>();
  noops = 0;
  shortReads = 0;

  constructor(connection: Connection, shards: Shards, refresher: Refresher) {
    this.#connection = connection;
    this.#shards = shards;
    this.#refresher = refresher;
  }

  /** Events with seq in (after, to] that match; `through` is `after` where nothing can be proven. */
  async read(
    shard: ShardInfo,
    after: number,
    to: number,
    filter: EventFilter | null,
    limit: number,
  ): Promise<Omit<LogSlice, 'droppedThrough'>> {
    const cap = this.#caps.get(shard.shard) ?? FIRST_CAP;
    const size = Math.min(limit, cap);
    const window = filter === null ? size : Math.max(FILTERED_WINDOW, size);
    const last = Math.min(to, after + window);
    if (last <= after) return { events: [], through: after };
    const proven = await this.#prove(shard, after, last, logSearch(after, last, filter, size));
    if (proven === null) {
      // It may have been too much for one answer.
      this.#caps.set(shard.shard, Math.max(LEAST_CAP, Math.floor(size / 8)));
      return { events: [], through: after };
    }
    const { answer, through } = proven;
    const hits = answer.hits?.hits ?? [];
    const events = hits.map((hit) => toEvent(shard.shard, hit));
    this.#weigh(shard.shard, cap, events);
    const light = withinBytes(events);
    if (light.length < events.length) {
      return { events: light, through: (light.at(-1) as StoredEvent).position.seq };
    }
    const full = hits.length === size && filter !== null;
    return { events, through: full ? (events.at(-1) as StoredEvent).position.seq : through };
  }

  /** How many events fit into one answer, from how heavy the last ones were. */
  #weigh(shard: string, cap: number, events: readonly StoredEvent[]): void {
    const bytes = events.reduce((sum, event) => sum + approximateBytes(event), 0);
    const fits = bytes > ANSWER_BYTES ? (events.length * ANSWER_BYTES) / bytes : cap * 2;
    const next = Math.floor(Math.max(LEAST_CAP, Math.min(MOST_CAP, fits)));
    if (next !== cap) this.#caps.set(shard, next);
  }

  /** Makes searches on the primary see everything up to `seq`. false: cannot be proven now. */
  async show(shard: ShardInfo, seq: number): Promise<boolean> {
    const seen = this.#visible.get(shard.shard);
    const same = seen?.node === shard.node && seen.history === shard.history;
    if (same && seen.seq >= seq) return true;
    const from = same ? seen.seq : 0;
    // New events are nearly never visible yet: without a refresh the first count would be short.
    await this.#refresher.refresh(shard.index);
    return (await this.#prove(shard, from, seq, logSearch(from, seq, null, 0))) !== null;
  }

  async #prove(
    start: ShardInfo,
    after: number,
    last: number,
    body: object,
  ): Promise<{ answer: SearchAnswer; through: number } | null> {
    let info: ShardInfo | null = start;
    let base = start;
    for (let attempt = 0; attempt < ATTEMPTS && info !== null; attempt++) {
      if (info.history !== start.history) return null;
      if (info.node !== base.node) base = info;
      if (info.settled >= last) {
        const answer = await this.#search(info, body);
        const count = answer === null ? null : (countOf(answer) as number);
        const expected = last - after;
        if (answer !== null && count !== null) {
          if (count > expected) return null;
          // Only an answer that was asked for after the last statistics can tell no-ops.
          const settledTwice = attempt > 0 && info.refreshes >= base.refreshes + 2;
          if (count === expected || settledTwice) {
            this.noops += expected - count;
            this.#sawThrough(info, after, last);
            return { answer, through: last };
          }
        }
        this.shortReads++;
        await this.#refresher.refresh(info.index);
      }
      info = await this.#shards.one(info.day, info.number);
    }
    return null;
  }

  #sawThrough(info: ShardInfo, after: number, last: number): void {
    const { shard, node, history } = info;
    const seen = this.#visible.get(shard);
    const same = seen?.node === node && seen.history === history;
    if (same ? after <= seen.seq && last > seen.seq : after === 0) {
      this.#visible.set(shard, { node, history, seq: last });
    }
  }

  /** null: that copy cannot be searched now. */
  async #search(info: ShardInfo, body: object): Promise<SearchAnswer | null> {
    const path = `/${info.index}/_search`;
    const { status, body: answer } = await this.#connection
      .ask<SearchAnswer>({
        method: 'POST',
        path,
        query: {
          preference: primaryOnly(info),
          allow_partial_search_results: false,
          request_cache: false,
        },
        body,
        safe: true,
      })
      .catch((error: unknown) => {
        if (reasonOfThrown(error) === 'STORE_UNAVAILABLE')
          return { status: 503, body: {} as SearchAnswer };
        throw error;
      });
    if (status >= 300 || answer.timed_out === true) return null;
    if (answer._shards?.total !== 1 || answer._shards.successful !== 1) return null;
    if (!isWhole(answer)) throw damaged(`POST ${path}`, 'hits', 'they are not as they must be');
    return answer;
  }
}

/** The first of them, at least one, that are together what one answer should be. */
function withinBytes(events: readonly StoredEvent[]): StoredEvent[] {
  let bytes = 0;
  const heavy = events.findIndex((event) => {
    bytes += approximateBytes(event);
    return bytes > ANSWER_BYTES;
  });
  return heavy < 0 ? [...events] : events.slice(0, Math.max(1, heavy));
}

function reasonOfThrown(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}

export function primaryOnly(info: ShardInfo): string {
  return `_shards:${info.number}|_only_nodes:${info.node}`;
}

/** `_seq_no` begins at 0, `seq` at 1. */
export function logSearch(
  after: number,
  last: number,
  filter: EventFilter | null,
  limit: number,
): object {
  const range = { range: { _seq_no: { gte: after, lte: last - 1 } } };
  const matching = filter === null ? null : eventQuery(filter);
  return {
    query: { bool: { filter: [range] } },
    ...(matching === null
      ? { track_total_hits: true }
      : {
          post_filter: matching,
          track_total_hits: false,
          aggs: { count: { value_count: { field: '_seq_no' } } },
        }),
    size: limit,
    ...(limit > 0 ? { sort: [{ _seq_no: 'asc' }], seq_no_primary_term: true } : {}),
  };
}

/**
 * Whether it says how many events there are, and has each with its number. By hand, for every batch
 * that is followed is such an answer.
 */
function isWhole(answer: SearchAnswer): boolean {
  const { hits } = answer;
  if (!isCount(countOf(answer)) || !Array.isArray(hits?.hits)) return false;
  return hits.hits.every((hit) => isCount(hit?._seq_no) && isObject(hit._source));
}

function countOf({ aggregations, hits }: SearchAnswer): number | undefined {
  return aggregations === undefined ? hits?.total?.value : aggregations.count?.value;
}

function toEvent(shard: string, hit: Hit): StoredEvent {
  return storedEvent(hit._source, { shard, seq: hit._seq_no + 1 });
}
