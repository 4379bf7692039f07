/**
 * Lists of documents that are in memory, by the very queries and sorts that the cluster is asked with
 * when they are stored: no filter, order or page key has a second meaning here.
 */
import type { Page, PageKey, PageRequest } from '../../../domain/cursor/page.ts';
import type { Query } from './dsl.ts';
import {
  type Answered,
  compareKeys,
  type ListSearch,
  type PageSearch,
  pageSearches,
  readPage,
  sortOf,
} from './page.ts';

/** What a document is searched by, as it would be stored, and what it stands for. */
export interface Candidate<T> {
  fields: Fields;
  node: T;
}

export type Fields = Record<string, unknown>;

export interface Found<T> {
  sort: PageKey;
  node: T;
}

/** The page that searches would give of these documents. */
export function pageInMemory<T>(
  list: ListSearch,
  request: PageRequest,
  candidates: readonly Candidate<T>[],
): Page<T> {
  const answers = pageSearches(list, request).map((search) => searchInMemory(search, candidates));
  const page = readPage<Found<T>>(list, request, answers);
  return { ...page, rows: page.rows.map(({ key, node }) => ({ key, node: node.node })) };
}

/** What the search would find among these documents. */
export function searchInMemory<T>(
  search: PageSearch,
  candidates: readonly Candidate<T>[],
): Answered<Found<T>> {
  const { query, size, search_after: after } = search;
  const matches = predicateOf(query);
  const sort = sortOf(search).map((by) => ({ ...by, valuesOf: valuesOf(by.field) }));
  const all = candidates
    .filter(({ fields }) => matches(fields))
    .map(({ fields, node }): Found<T> => {
      const key = sort.map(({ valuesOf, missing }) => valuesOf(fields)[0] ?? missing);
      return { sort: key as PageKey, node };
    });
  const behind =
    after === undefined ? all : all.filter((found) => compareKeys(sort, found.sort, after) > 0);
  behind.sort((a, b) => compareKeys(sort, a.sort, b.sort));
  return { hits: behind.slice(0, size), total: all.length };
}

type Predicate = (fields: Fields) => boolean;
type Bool = Partial<Record<'filter' | 'must_not' | 'should', readonly Query[]>>;
type Range = Partial<Record<'gte' | 'gt' | 'lte' | 'lt', number>>;

/** Understands the queries that `dsl.ts` makes for views. */
export function predicateOf(query: Query): Predicate {
  const [kind, body] = Object.entries(query)[0] as [string, Record<string, unknown>];
  if (kind === 'match_all') return () => true;
  if (kind === 'bool') return bool(body as Bool);
  if (kind === 'exists') {
    const values = valuesOf(body.field as string);
    return (fields) => values(fields).length > 0;
  }
  const [field, wanted] = Object.entries(body)[0] as [string, unknown];
  const values = valuesOf(field);
  const is = valueTest(kind, wanted);
  return (fields) => values(fields).some(is);
}

function bool({ filter = [], must_not = [], should = [] }: Bool): Predicate {
  const [all, none, some] = [filter, must_not, should].map((queries) => queries.map(predicateOf));
  return (fields) =>
    all?.every((holds) => holds(fields)) === true &&
    none?.some((holds) => holds(fields)) === false &&
    (some?.length === 0 || some?.some((holds) => holds(fields)) === true);
}

function valueTest(kind: string, wanted: unknown): (value: unknown) => boolean {
  switch (kind) {
    case 'term':
      return (value) => value === wanted;
    case 'terms': {
      const list = new Set(wanted as readonly unknown[]);
      return (value) => list.has(value);
    }
    case 'prefix':
      return (value) => String(value).startsWith(wanted as string);
    case 'range': {
      const { gte = -Infinity, gt = -Infinity, lte = Infinity, lt = Infinity } = wanted as Range;
      return (value) => {
        const number = Number(value);
        return number >= gte && number > gt && number <= lte && number < lt;
      };
    }
    default:
      throw new Error(`Documents in memory cannot be asked by ${kind}`);
  }
}

/** A field by its whole name; of a list each of its values, of nothing none. */
function valuesOf(field: string): (fields: Fields) => readonly unknown[] {
  const path = field.split('.');
  return (fields) => {
    let value: unknown = fields;
    for (const name of path) value = (value as Fields | undefined)?.[name];
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value : [value];
  };
}
