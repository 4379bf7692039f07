/** Small pieces that the query builders share: pure functions from values to Elasticsearch's JSON. */
import type { LabelFilter } from '../../../domain/search/filter.ts';

export type Query = Record<string, unknown>;

export const MATCH_ALL: Query = { match_all: {} };

/** All of them, without scores. */
export function all(filters: readonly Query[], not: readonly Query[] = []): Query {
  if (filters.length === 0 && not.length === 0) return MATCH_ALL;
  return {
    bool: {
      ...(filters.length === 0 ? {} : { filter: filters }),
      ...(not.length === 0 ? {} : { must_not: not }),
    },
  };
}

export function any(queries: readonly Query[]): Query {
  return queries.length === 1
    ? (queries[0] as Query)
    : { bool: { should: queries, minimum_should_match: 1 } };
}

/** The value is one of the list; an empty list narrows nothing. */
export function oneOf(field: string, values: readonly (string | number)[] | undefined): Query[] {
  return values === undefined || values.length === 0 ? [] : [{ terms: { [field]: values } }];
}

/** Names, of which those that end in `*` stand for what begins so. */
export function names(field: string, patterns: readonly string[] | undefined): Query[] {
  if (patterns === undefined || patterns.length === 0) return [];
  const exact = patterns.filter((pattern) => !pattern.endsWith('*'));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*'));
  return [
    any([
      ...oneOf(field, exact),
      ...prefixes.map((pattern) => ({ prefix: { [field]: pattern.slice(0, -1) } })),
    ]),
  ];
}

/** from inclusive, to exclusive. */
export function between(field: string, from: number | undefined, to: number | undefined): Query[] {
  if (from === undefined && to === undefined) return [];
  return [
    {
      range: {
        [field]: {
          ...(from === undefined ? {} : { gte: from }),
          ...(to === undefined ? {} : { lt: to }),
        },
      },
    },
  ];
}

export function hasLabels(labels: readonly LabelFilter[] | undefined): Query[] {
  return (labels ?? []).map(({ key, value }) => ({ term: { [`labels.${key}`]: value } }));
}

/** Consecutive words of one text, the last of them a beginning where `prefix`. */
export function phrase(field: string, words: readonly string[], prefix: boolean): Query {
  const [only] = words;
  if (only === undefined) return { match_none: {} };
  if (words.length === 1) return { [prefix ? 'prefix' : 'term']: { [field]: only } };
  const query = words.join(' ');
  // Every expansion of the beginning counts: the default looks at 50 of them only.
  return prefix
    ? { match_phrase_prefix: { [field]: { query, max_expansions: 100_000 } } }
    : { match_phrase: { [field]: query } };
}
