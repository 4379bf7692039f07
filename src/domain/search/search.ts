/**
 * The search text: a small syntax of our own, parsed here and compiled by each engine, never
 * handed to a query parser of somebody else's.
 *
 *     word  "a phrase"  prefix*  -not  level:error  host:web-1*  source:"agent/1.4.2"
 *
 * All terms must hold. What looks like a field but is none (`http://x`, `12:30`) is text, and so
 * is what begins with two dashes (`--force`). Words are those of `words.ts`.
 */
import { ShiplogError } from '../errors.ts';
import { LOG_LEVELS, LOG_STREAMS, type LogEvent, STEP_STATUSES } from '../event/event.ts';
import { withoutEscapeCodes } from '../text/escape-codes.ts';
import { eventWords } from './word-cache.ts';
import { words, wordsOf } from './words.ts';

export const SEARCH_FIELDS = [
  'level',
  'host',
  'step',
  'status',
  'service',
  'environment',
  'source',
  'stream',
] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** Consecutive words of one text, the last of them a beginning where `prefix`. Never empty. */
export interface WordsTerm {
  kind: 'words';
  words: string[];
  prefix: boolean;
  negated: boolean;
}
/** An exact value, or a beginning of it where `prefix`; values of enums are upper case already. */
export interface FieldTerm {
  kind: 'field';
  field: SearchField;
  value: string;
  prefix: boolean;
  negated: boolean;
}
export type SearchTerm = WordsTerm | FieldTerm;

/** All terms must hold. Never empty: a blank text is no search. */
export interface SearchQuery {
  text: string;
  terms: SearchTerm[];
}

/** UTF-16 offsets, `end` exclusive. */
export interface TextRange {
  start: number;
  end: number;
}

/** More is no search that a person types, and every term costs each engine a lookup. */
const SEARCH_TERMS_MAX = 32;
/** UTF-16 units. */
const SEARCH_LENGTH_MAX = 1_000;

const ENUM_VALUES: Partial<Record<SearchField, readonly string[]>> = {
  level: LOG_LEVELS,
  status: STEP_STATUSES,
  stream: LOG_STREAMS,
};

function syntaxError(what: string, at: number): ShiplogError {
  return new ShiplogError('SEARCH_SYNTAX', `search, column ${at + 1}: ${what}`, {
    field: 'search',
  });
}

/**
 * The terms of a search text; null where it is blank. What was copied from a terminal together with
 * its escape codes is read without them. Throws SEARCH_SYNTAX, whose message names
 * the column (from 1, in UTF-16 units).
 */
export function parseSearch(given: string): SearchQuery | null {
  if (given.length > SEARCH_LENGTH_MAX && given.trim() !== '') {
    throw syntaxError(`the text is longer than ${SEARCH_LENGTH_MAX} characters`, SEARCH_LENGTH_MAX);
  }
  const text = withoutEscapeCodes(given);
  if (text.trim() === '') return null;
  if (!text.isWellFormed()) throw syntaxError('half a surrogate pair', badSurrogate(text));
  const terms: SearchTerm[] = [];
  const space = /\s*/y;
  let at = 0;
  for (;;) {
    space.lastIndex = at;
    space.test(text);
    at = space.lastIndex;
    if (at >= text.length) return { text: text.trim(), terms };
    if (terms.length === SEARCH_TERMS_MAX) {
      throw syntaxError(`more than ${SEARCH_TERMS_MAX} terms`, at);
    }
    const { term, end } = readTerm(text, at);
    terms.push(term);
    at = end;
  }
}

function badSurrogate(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return at;
    if (point > 0xffff) at++;
  }
  return 0;
}

/** One piece of a term: bare or quoted, with or without `*` at its end. */
interface Piece {
  value: string;
  prefix: boolean;
  end: number;
}

function readTerm(text: string, begin: number): { term: SearchTerm; end: number } {
  const negated = text[begin] === '-' && text[begin + 1] !== '-';
  const at = negated ? begin + 1 : begin;
  if (negated && (at >= text.length || /\s/.test(text[at] ?? ''))) {
    throw syntaxError('"-" must stand directly before what is not wanted', begin);
  }
  const name = /[A-Za-z][\w.-]*:/y;
  name.lastIndex = at;
  const label = name.exec(text)?.[0];
  const field = SEARCH_FIELDS.find((known) => `${known}:` === label?.toLowerCase());
  if (field !== undefined && label !== undefined) {
    const piece = readPiece(text, at + label.length);
    return { term: fieldTerm(field, piece, negated, at, at + label.length), end: piece.end };
  }
  // `foo:"bar baz"` of an unknown field is the text `foo:bar baz`.
  const quotedAfterLabel = label !== undefined && text[at + label.length] === '"';
  const piece = readPiece(text, quotedAfterLabel ? at + label.length : at);
  const value = quotedAfterLabel ? label + piece.value : piece.value;
  return { term: wordsTerm({ ...piece, value }, negated, at), end: piece.end };
}

function readPiece(text: string, begin: number): Piece {
  if (text[begin] === '"') return readQuoted(text, begin);
  const bare = /\S*/y;
  bare.lastIndex = begin;
  const raw = bare.exec(text)?.[0] ?? '';
  const star = raw.indexOf('*');
  if (star >= 0 && star < raw.length - 1) {
    throw syntaxError('"*" is understood only at the end of a term', begin + star);
  }
  return {
    value: star < 0 ? raw : raw.slice(0, -1),
    prefix: star >= 0,
    end: begin + raw.length,
  };
}

/** In quotes `\"` is a quote and `\\` a backslash; any other backslash is itself. */
function readQuoted(text: string, begin: number): Piece {
  let value = '';
  let at = begin + 1;
  for (; text[at] !== '"'; at++) {
    if (at >= text.length) throw syntaxError('the quote is not closed', begin);
    if (text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) at++;
    value += text[at];
  }
  const prefix = text[at + 1] === '*';
  const end = at + (prefix ? 2 : 1);
  if (end < text.length && !/\s/.test(text[end] ?? '')) {
    throw syntaxError('a space is needed behind the closing quote', end);
  }
  return { value, prefix, end };
}

function fieldTerm(
  field: SearchField,
  { value, prefix }: Piece,
  negated: boolean,
  at: number,
  valueAt: number,
): FieldTerm {
  if (value === '') throw syntaxError(`"${field}:" needs a value`, at);
  const allowed = ENUM_VALUES[field];
  if (allowed === undefined) return { kind: 'field', field, value, prefix, negated };
  const upper = value.toUpperCase();
  if (prefix || !allowed.includes(upper)) {
    throw syntaxError(
      `"${value}${prefix ? '*' : ''}" is no ${field}: ${allowed.join(', ')}`,
      valueAt,
    );
  }
  return { kind: 'field', field, value: upper, prefix, negated };
}

function wordsTerm({ value, prefix }: Piece, negated: boolean, at: number): WordsTerm {
  if (value === '' && prefix) throw syntaxError('"*" needs the beginning of a word', at);
  const found = words(value);
  const last = found.at(-1);
  if (last === undefined) throw syntaxError('there is no letter or digit in this term', at);
  return {
    kind: 'words',
    words: found.map(({ word }) => word),
    // `10.0.0.*` asks for what begins with 10.0.0 and a dot: its last word is complete.
    prefix: prefix && last.end === value.length,
    negated,
  };
}

/** Whether every term holds for the event: what both engines must select. */
export function matchesSearch(query: SearchQuery, event: LogEvent): boolean {
  return query.terms.every((term) =>
    term.kind === 'field'
      ? matchesField(term, event) !== term.negated
      : inAnyText(term, eventWords(event)) !== term.negated,
  );
}

function matchesField({ field, value, prefix }: FieldTerm, event: LogEvent): boolean {
  const own = event[field];
  return own !== null && (prefix ? own.startsWith(value) : own === value);
}

function inAnyText(term: WordsTerm, texts: readonly string[][]): boolean {
  return texts.some((text) => findTerm(term, text, 0) >= 0);
}

/** Index of the first of the term's words in `text`, at or behind `from`; -1 where there is none. */
function findTerm(term: WordsTerm, text: readonly string[], from: number): number {
  const wanted = term.words;
  const last = wanted.length - 1;
  for (let at = from; at + last < text.length; at++) {
    let same = 0;
    while (same < last && text[at + same] === wanted[same]) same++;
    if (same < last) continue;
    const own = text[at + last] ?? '';
    const end = wanted[last] ?? '';
    if (term.prefix ? own.startsWith(end) : own === end) return at;
  }
  return -1;
}

/** Places that are shown of one term in one text: more is a text of nothing else. */
const HIGHLIGHTS_PER_TERM = 100;

/**
 * Where the wanted words are in a text: sorted, and merged where they touch; of each term the
 * first hundred places.
 */
export function highlights(query: SearchQuery, text: string): TextRange[] {
  const found = words(text);
  const plain = found.map(({ word }) => word);
  const ranges: TextRange[] = [];
  for (const term of query.terms) {
    if (term.kind === 'field' || term.negated) continue;
    let left = HIGHLIGHTS_PER_TERM;
    for (let at = findTerm(term, plain, 0); at >= 0; at = findTerm(term, plain, at + 1)) {
      if (left-- === 0) break;
      const start = found[at]?.start ?? 0;
      ranges.push({ start, end: found[at + term.words.length - 1]?.end ?? start });
    }
  }
  return merge(ranges);
}

function merge(ranges: TextRange[]): TextRange[] {
  const merged: TextRange[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

/**
 * The terms of a search over tasks, which have texts only: a field term asks there for the words
 * of its value (`environment:prod` finds the word prod). Engines compile these. A value without
 * letters and digits leaves `words` empty: such a term finds nothing.
 */
export function taskSearchTerms(query: SearchQuery): WordsTerm[] {
  return query.terms.map((term) =>
    term.kind === 'words'
      ? term
      : { kind: 'words', words: wordsOf(term.value), prefix: term.prefix, negated: term.negated },
  );
}
