/**
 * A search as SQLite reads it: words as an FTS5 expression, field terms as conditions. Every word
 * is quoted, so nothing that a user types is syntax.
 */
import type {
  FieldTerm,
  SearchField,
  SearchQuery,
  WordsTerm,
} from '../../../domain/search/search.ts';
import { levels, stepStatuses, streams } from '../file/codes.ts';
import type { Value } from '../file/connection.ts';
import type { Where } from './where.ts';

export interface Match {
  /** What must match; null where no words are wanted. */
  wanted: string | null;
  /** Where nothing is wanted: what must not match. */
  unwanted: string | null;
}

function phrase({ words, prefix }: WordsTerm): string {
  // A term without words finds nothing; the empty phrase would find everything.
  if (words.length === 0) return NOTHING;
  return `"${words.join(' ').replaceAll('"', '""')}"${prefix ? ' *' : ''}`;
}
/** A word that no event has: it is longer than any word may be. */
const NOTHING = `"${'x'.repeat(1_024)}"`;

export function matchOf(terms: readonly WordsTerm[]): Match {
  const wanted = terms.filter(({ negated }) => !negated).map(phrase);
  const unwanted = terms.filter(({ negated }) => negated).map(phrase);
  const without = unwanted.length === 0 ? null : unwanted.join(' OR ');
  if (wanted.length === 0) return { wanted: null, unwanted: without };
  const all = wanted.join(' AND ');
  return { wanted: without === null ? all : `(${all}) NOT (${without})`, unwanted: null };
}

export function wordsTerms(query: SearchQuery | undefined): WordsTerm[] {
  return query?.terms.filter((term) => term.kind === 'words') ?? [];
}

export function fieldTerms(query: SearchQuery | undefined): FieldTerm[] {
  return query?.terms.filter((term) => term.kind === 'field') ?? [];
}

const CODES: Partial<Record<SearchField, { code: (name: string) => number }>> = {
  level: levels,
  status: stepStatuses,
  stream: streams,
};

/** The field terms as conditions on the events of alias `e`. */
export function addFieldTerms(where: Where, query: SearchQuery | undefined): void {
  for (const { field, value, prefix, negated } of fieldTerms(query)) {
    const column = `e.${field}`;
    const codes = CODES[field];
    const params: Value[] =
      codes !== undefined ? [codes.code(value)] : prefix ? [value, `${value}\u{10ffff}`] : [value];
    const condition = params.length === 2 ? `(${column} >= ? AND ${column} < ?)` : `${column} = ?`;
    where.add(negated ? `(${column} IS NULL OR NOT ${condition})` : condition, ...params);
  }
}
