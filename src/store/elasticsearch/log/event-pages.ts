/** Pages of events. */

import type { PageKey, PageRequest } from '../../../domain/cursor/page.ts';
import type { Position, StoredEvent } from '../../../domain/event/event.ts';
import type { EventOrder, EventPage, EventQuery } from '../../store.ts';
import { AnswerTooLong } from '../cluster/connection.ts';
import type { Search, Searcher } from '../cluster/searcher.ts';
import type { Days } from '../indices/days.ts';
import { type Names, shardName, shardOf } from '../indices/names.ts';
import { eventQuery } from '../query/event-query.ts';
import {
  type Hit,
  type ListSearch,
  merged,
  pageSearches,
  readPage,
  type SortField,
} from '../query/page.ts';
import { type EventDocument, storedEvent } from './event-document.ts';
import { type Scope, type Scopes, searchOn } from './event-scope.ts';

const SEQ: SortField = { field: '_seq_no', desc: false };

/**
 * Lines of one millisecond stand by time as they do in the log. Two shards may have the same
 * number for events of the same moment, which the id then tells apart.
 */
export const EVENT_SORTS: Record<EventOrder, readonly SortField[]> = {
  LOG: [SEQ],
  TIME: [{ field: '@timestamp', desc: false }, SEQ, { field: 'shiplog.id', desc: false }],
};

/** Bytes of one answer with all pages of a call. Documents hold each text twice, once as words. */
const PAGES_BYTES = 32 * 1_024 * 1_024;

export interface EventPagesParts {
  searcher: Searcher;
  scopes: Scopes;
  names: Names;
  days: Days;
}

export class EventPages {
  readonly #parts: EventPagesParts;

  constructor(parts: EventPagesParts) {
    this.#parts = parts;
  }

  /**
   * Read again where a row is beyond `at`, or may have been counted: a tail from there would tell it
   * once more.
   */
  async read(queries: readonly EventQuery[]): Promise<EventPage[]> {
    for (let tries = 1; ; tries++) {
      const read = await this.#read(queries);
      const pages = read.map(({ page }) => page);
      let beyond = pages.flatMap(rowsBeyond);
      if (beyond.length === 0) {
        const counted = read.find(({ page, quiet }) => page.totalIsExact && quiet.length > 0);
        beyond = await this.#parts.scopes.cameInto(counted?.quiet ?? []);
      }
      if (beyond.length === 0) return pages;
      this.#parts.scopes.follow(beyond, tries);
    }
  }

  /** If the pages would be too heavy together, all of them get fewer rows. */
  async #read(queries: readonly EventQuery[]): Promise<Read[]> {
    const scopes = await this.#parts.scopes.ofEach(queries.map(({ filter }) => filter.taskId));
    for (let most = Math.max(...queries.map(({ page }) => page.limit)); ; ) {
      const plans = queries.map((query, i) => plan(query, scopes[i] as Scope, most));
      try {
        // A page of one row must be passed, however heavy that is.
        return await this.#pages(queries, plans, scopes, most > 1 ? PAGES_BYTES : undefined);
      } catch (error) {
        if (!(error instanceof AnswerTooLong)) throw error;
        most = Math.floor(most / 2);
      }
    }
  }

  async #pages(
    queries: readonly EventQuery[],
    plans: readonly Plan[],
    scopes: readonly Scope[],
    maxBytes: number | undefined,
  ): Promise<Read[]> {
    const answers = await this.#parts.searcher.search<EventDocument>(
      plans.flatMap(({ searches }) => searches.flat()),
      maxBytes,
    );
    let next = 0;
    return Promise.all(
      plans.map(async ({ list, request, searches }, i) => {
        const parts = searches.map((perTarget, which) => {
          const some = answers.slice(next, next + perTarget.length);
          next += perTarget.length;
          const backward = request.around === null ? request.backward : which === 0;
          return merged(list.sort, backward, some);
        });
        const { rows, ...page } = readPage(list, request, parts);
        const nodes = await this.events(rows.map(({ node }) => node));
        const order = (queries[i] as EventQuery).order;
        const { at, quiet } = scopes[i] as Scope;
        const shown = rows.map(({ key }, row) => ({
          key: shifted(order, key, 1) as PageKey,
          node: nodes[row] as StoredEvent,
        }));
        return { page: { ...page, rows: shown, at }, quiet };
      }),
    );
  }

  /** Hits as events: the shard of each is that of its task. */
  async events(hits: readonly Hit<EventDocument>[]): Promise<StoredEvent[]> {
    const { names, days } = this.#parts;
    const counts = new Map<string, number>();
    for (const { _index } of hits) {
      const day = names.dayOf(_index) ?? '';
      if (!counts.has(day)) counts.set(day, (await days.shardCount(day)) ?? 1);
    }
    return hits.map((hit) => {
      const doc = hit._source as EventDocument;
      const day = names.dayOf(hit._index) ?? '';
      const shard = shardName(day, shardOf(doc.shiplog.task.id, counts.get(day) ?? 1));
      return storedEvent(doc, { shard, seq: (hit._seq_no ?? -1) + 1 });
    });
  }
}

/** A page, and where it was searched without a bound. */
interface Read extends Pick<Scope, 'quiet'> {
  page: EventPage;
}

interface Plan {
  list: ListSearch;
  request: PageRequest;
  /** For each search of the page, one per target. */
  searches: Search[][];
}

function plan({ filter, order, page }: EventQuery, scope: Scope, most: number): Plan {
  const list = { query: eventQuery(filter), sort: EVENT_SORTS[order] };
  const request: PageRequest = {
    ...page,
    limit: Math.min(page.limit, most),
    after: shifted(order, page.after, -1),
    before: shifted(order, page.before, -1),
    around: shifted(order, page.around, -1),
  };
  const searches = pageSearches(list, request).map(({ query, ...body }) =>
    scope.targets.map((target) =>
      searchOn(target, query as Record<string, unknown>, { ...body, seq_no_primary_term: true }),
    ),
  );
  return { list, request, searches };
}

/** The positions of rows that are beyond the heads of the snapshot. */
function rowsBeyond({ rows, at }: EventPage): Position[] {
  const heads = new Map(at.map(({ shard, seq }) => [shard, seq]));
  return rows.flatMap(({ node: { position } }) =>
    position.seq > (heads.get(position.shard) ?? 0) ? position : [],
  );
}

/** `_seq_no` begins at 0, the seq in our keys at 1. */
function shifted(order: EventOrder, key: PageKey | null, by: number): PageKey | null {
  const place = EVENT_SORTS[order].indexOf(SEQ);
  return key?.map((value, i) => (i === place ? Number(value) + by : value)) ?? null;
}
