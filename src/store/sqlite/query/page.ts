/**
 * Pages by key, for every list: a list is a statement and the columns that it is sorted by, the
 * last of them unique.
 */

import {
  type Page,
  type PageKey,
  type PageRequest,
  TOTAL_CAP,
} from '../../../domain/cursor/page.ts';
import { badInput } from '../../../domain/errors.ts';
import type { Sql, Value } from '../file/connection.ts';

export interface SortColumn {
  expr: string;
  desc: boolean;
  /**
   * A rowid of a full-text index, which goes straight to a bound that is an integer and walks to
   * one that is not; numbers are bound as reals.
   */
  fullText?: true;
}

export interface Bound {
  key: PageKey;
  inclusive: boolean;
}

/** `backward`: from the end of the range, in reverse order of the list. */
export interface Range {
  backward: boolean;
  after: Bound | null;
  before: Bound | null;
  limit: number;
}

export interface Row<R> {
  key: PageKey;
  row: R;
}

export type Fetch<R> = (range: Range) => Row<R>[];

/** Rows behind (or, for `before`, ahead of) a key in the order of the list. */
function keyset(sort: readonly SortColumn[], bound: Bound, side: 'after' | 'before'): Sql {
  if (bound.key.length !== sort.length) throw badInput('The cursor does not belong to this list');
  const params: Value[] = [];
  const build = (at: number): string => {
    const { expr, desc, fullText } = sort[at] as SortColumn;
    const parameter = fullText ? 'CAST(? AS INTEGER)' : '?';
    const value = bound.key[at] as Value;
    const less = desc === (side === 'after');
    if (at === sort.length - 1) {
      params.push(value);
      return `${expr} ${less ? '<' : '>'}${bound.inclusive ? '=' : ''} ${parameter}`;
    }
    params.push(value, value);
    // The first half is what an index can use.
    return `(${expr} ${less ? '<=' : '>='} ? AND (${expr} ${less ? '<' : '>'} ? OR ${build(at + 1)}))`;
  };
  return { sql: build(0), params };
}

/** The part of a statement behind its WHERE: both bounds, the order, the limit. */
export function rangeSql(sort: readonly SortColumn[], range: Range): Sql {
  const parts: Sql[] = [];
  if (range.after !== null) parts.push(keyset(sort, range.after, 'after'));
  if (range.before !== null) parts.push(keyset(sort, range.before, 'before'));
  const order = sort
    .map(({ expr, desc }) => `${expr} ${desc !== range.backward ? 'DESC' : 'ASC'}`)
    .join(', ');
  return {
    sql: `${parts.map(({ sql }) => `AND ${sql}\n`).join('')}ORDER BY ${order} LIMIT ?`,
    params: [...parts.flatMap(({ params }) => params), range.limit],
  };
}

/** What rows may weigh together: an answer is one text in memory, whatever was asked for. */
export interface Weight<R> {
  of: (row: R) => number;
  /** Bytes that are left; taken from as rows are. */
  left: number;
}

/** How many of the first rows fit in: at least one, or a page could not be passed. */
function fitting<R>(rows: readonly Row<R>[], weight: Weight<R> | null): number {
  if (weight === null) return rows.length;
  let count = 0;
  for (const { row } of rows) {
    weight.left -= weight.of(row);
    if (weight.left < 0 && count > 0) break;
    count++;
  }
  return count;
}

/**
 * `total`: counts up to TOTAL_CAP + 1; called only where the request asks. `node`: what rows stand
 * for; null: it cannot be understood, and the page is without it.
 */
export function readPage<R, T>(
  request: PageRequest,
  fetch: Fetch<R>,
  total: () => number,
  node: (rows: R[]) => (T | null)[],
  weight: Weight<R> | null = null,
): Page<T> {
  const { rows, hasNextPage, hasPreviousPage } =
    request.around === null
      ? oneWay(request, fetch, weight)
      : around(request.around, request.limit, fetch, weight);
  const nodes = node(rows.map(({ row }) => row));
  const counted = request.withTotal ? total() : null;
  return {
    rows: rows.flatMap(({ key }, at) => {
      const node = nodes[at] ?? null;
      return node === null ? [] : [{ key, node }];
    }),
    hasNextPage,
    hasPreviousPage,
    total: counted === null ? null : Math.min(counted, TOTAL_CAP),
    totalIsExact: counted !== null && counted <= TOTAL_CAP,
  };
}

interface Slice<R> {
  rows: Row<R>[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

function bound(key: PageKey | null): Bound | null {
  return key === null ? null : { key, inclusive: false };
}

function oneWay<R>(request: PageRequest, fetch: Fetch<R>, weight: Weight<R> | null): Slice<R> {
  const { limit, backward } = request;
  const after = bound(request.after);
  const before = bound(request.before);
  const found = fetch({ backward, after, before, limit: limit + 1 });
  const taken = Math.min(limit, fitting(found.slice(0, limit), weight));
  const more = found.length > taken;
  const rows = found.slice(0, taken);
  if (backward) rows.reverse();
  return {
    rows,
    hasNextPage: backward ? before !== null : more,
    hasPreviousPage: backward ? more : after !== null,
  };
}

/** Half of the page before the key, the rest from it on; where one side is short, the other fills. */
function around<R>(
  key: PageKey,
  limit: number,
  fetch: Fetch<R>,
  weight: Weight<R> | null,
): Slice<R> {
  const ahead = fetch({
    backward: true,
    after: null,
    before: { key, inclusive: false },
    limit: limit + 1,
  });
  const behind = fetch({
    backward: false,
    after: { key, inclusive: true },
    before: null,
    limit: limit + 1,
  });
  const half = Math.floor(limit / 2);
  const wantAhead = Math.min(ahead.length, Math.max(half, limit - behind.length), limit);
  const wantBehind = Math.min(behind.length, limit - wantAhead);
  // From the middle outwards, first behind, where the row itself is.
  const takeBehind = fitting(behind.slice(0, wantBehind), weight);
  const takeAhead = fitting(ahead.slice(0, wantAhead), weight);
  return {
    rows: [...ahead.slice(0, takeAhead).reverse(), ...behind.slice(0, takeBehind)],
    hasNextPage: behind.length > takeBehind,
    hasPreviousPage: ahead.length > takeAhead,
  };
}

/** Compares two keys in the order of the list. */
export function compareKeys(sort: readonly SortColumn[], a: PageKey, b: PageKey): number {
  for (const [at, { desc }] of sort.entries()) {
    const left = a[at] as string | number;
    const right = b[at] as string | number;
    if (left !== right) return left < right === desc ? 1 : -1;
  }
  return 0;
}
