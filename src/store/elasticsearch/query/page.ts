/**
 * Pages by key, as `search_after`: a list is a query and what it is sorted by, the last of it
 * unique. What a page needs is planned first, so that many pages go in one `_msearch`.
 */

import {
  type Page,
  type PageKey,
  type PageRequest,
  TOTAL_CAP,
} from '../../../domain/cursor/page.ts';
import { badInput } from '../../../domain/errors.ts';
import { compareText } from '../../../domain/text/text-order.ts';
import { all, any, MATCH_ALL, type Query } from './dsl.ts';

export interface SortField {
  field: string;
  desc: boolean;
  /** Stands in for a value that is missing: beyond every other, so that such rows come last. */
  missing?: number;
}

/** Beyond every time and duration; the same in a page's key. */
export const NEVER = 9e15;

export interface Hit<S> {
  _index: string;
  _id: string;
  _source?: S;
  _seq_no?: number;
  _primary_term?: number;
  sort: PageKey;
  fields?: Record<string, unknown[]>;
}

export interface Answered<H> {
  hits: H[];
  total: number;
}

export type Searched<S> = Answered<Hit<S>>;

export interface ListSearch {
  query: Query;
  sort: readonly SortField[];
}

/** One of a page's searches, as the cluster is asked. */
export interface PageSearch {
  query: Query;
  sort: Record<string, { order: 'asc' | 'desc'; missing?: number }>[];
  size: number;
  search_after?: PageKey;
  track_total_hits: number | boolean;
}

/** Searches of one page, in the order that `readPage` wants their answers. */
export function pageSearches(list: ListSearch, request: PageRequest): PageSearch[] {
  const { limit, around } = request;
  const track = request.withTotal ? TOTAL_CAP + 1 : false;
  const body = (backward: boolean, after: PageKey | null, query: Query) => ({
    query,
    sort: sortJson(list.sort, backward),
    size: limit + 1,
    ...(after === null ? {} : { search_after: checked(list.sort, after) }),
  });
  if (around !== null) {
    checked(list.sort, around);
    const behind = all([list.query, atOrBehind(list.sort, around)]);
    return [
      { ...body(true, around, list.query), track_total_hits: track },
      { ...body(false, null, behind), track_total_hits: false },
    ];
  }
  const after = request.backward ? request.before : request.after;
  return [{ ...body(request.backward, after, list.query), track_total_hits: track }];
}

function sortJson(sort: readonly SortField[], backward: boolean): PageSearch['sort'] {
  return sort.map(({ field, desc, missing }) => ({
    [field]: {
      order: desc !== backward ? 'desc' : 'asc',
      ...(missing === undefined ? {} : { missing }),
    },
  }));
}

function checked(sort: readonly SortField[], key: PageKey): PageKey {
  if (key.length !== sort.length) throw badInput('The cursor does not belong to this list');
  return key;
}

/** What it sorts by, in its own direction. */
export function sortOf({ sort }: PageSearch): SortField[] {
  return sort.map((by) => {
    const [[field, { order, missing }]] = Object.entries(by) as [[string, (typeof by)[string]]];
    return { field, desc: order === 'desc', ...(missing === undefined ? {} : { missing }) };
  });
}

/** Rows that are the key's, or behind it. Only of ascending lists: events. */
function atOrBehind(sort: readonly SortField[], key: PageKey): Query {
  const [first, ...rest] = sort;
  const [value, ...values] = key;
  if (first === undefined) return MATCH_ALL;
  const { field } = first;
  if (rest.length === 0) return { range: { [field]: { gte: value } } };
  const same = { range: { [field]: { gte: value, lte: value } } };
  return any([{ range: { [field]: { gt: value } } }, all([same, atOrBehind(rest, values)])]);
}

/** The page from the answers to `pageSearches`; rows still as hits. */
export function readPage<H extends Keyed>(
  list: ListSearch,
  request: PageRequest,
  answers: readonly Answered<H>[],
): Page<H> {
  const [one, other] = answers;
  const slice =
    request.around === null
      ? oneWay(list.sort, request, one?.hits ?? [])
      : aroundKey(request.limit, one?.hits ?? [], other?.hits ?? []);
  const total = request.withTotal ? (one?.total ?? 0) : null;
  return {
    rows: slice.hits.map((node) => ({ key: node.sort, node })),
    hasNextPage: slice.hasNextPage,
    hasPreviousPage: slice.hasPreviousPage,
    total: total === null ? null : Math.min(total, TOTAL_CAP),
    totalIsExact: total !== null && total <= TOTAL_CAP,
  };
}

interface Keyed {
  sort: PageKey;
}

interface Slice<H> {
  hits: H[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

function oneWay<H extends Keyed>(
  sort: readonly SortField[],
  { limit, backward, after, before }: PageRequest,
  found: readonly H[],
): Slice<H> {
  const end = backward ? after : before;
  const kept = found.filter((hit) => {
    const order = end === null ? 0 : compareKeys(sort, hit.sort, end);
    return end === null || (backward ? order > 0 : order < 0);
  });
  const more = kept.length > limit;
  const hits = kept.slice(0, limit);
  if (backward) hits.reverse();
  return {
    hits,
    hasNextPage: backward ? before !== null : more,
    hasPreviousPage: backward ? more : after !== null,
  };
}

/** Half of the page before the key, the rest from it on; where one side is short, the other fills. */
function aroundKey<H>(limit: number, ahead: H[], behind: H[]): Slice<H> {
  const half = Math.floor(limit / 2);
  const takeAhead = Math.min(ahead.length, Math.max(half, limit - behind.length), limit);
  const takeBehind = Math.min(behind.length, limit - takeAhead);
  return {
    hits: [...ahead.slice(0, takeAhead).reverse(), ...behind.slice(0, takeBehind)],
    hasNextPage: behind.length > takeBehind,
    hasPreviousPage: ahead.length > takeAhead,
  };
}

/** Compares two keys in the order of the list. */
export function compareKeys(
  sort: readonly Pick<SortField, 'desc'>[],
  a: PageKey,
  b: PageKey,
): number {
  for (const [at, { desc }] of sort.entries()) {
    const order = compare(a[at] as string | number, b[at] as string | number);
    if (order !== 0) return desc ? -order : order;
  }
  return 0;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return Number(a) - Number(b);
}

/** One answer of several that searched different documents for the same page. */
export function merged<H extends Keyed>(
  sort: readonly SortField[],
  backward: boolean,
  answers: readonly Answered<H>[],
): Answered<H> {
  if (answers.length === 1) return answers[0] as Answered<H>;
  const hits = answers.flatMap((answer) => answer.hits);
  hits.sort((a, b) => compareKeys(sort, a.sort, b.sort) * (backward ? -1 : 1));
  return { hits, total: answers.reduce((sum, { total }) => sum + total, 0) };
}
