/**
 * Readers of single input fields. Each takes a value that nobody has looked at yet and gives what
 * the field can hold; absent and null are null; anything else throws `Refused`, which says which
 * field and why. Plain functions, for this is on the hot path of every event.
 */

import type { InputProblem, ProblemCode } from '../errors.ts';
import { nearest } from '../text/nearest.ts';
import { parseDateTime } from './date-time.ts';
import { asMeasure, ExactNumber } from './exact-number.ts';
import { LIMITS } from './limits.ts';

/** Thrown inside validation and caught at its border; not an Error, for nobody needs its stack. */
export class Refused {
  readonly problem: InputProblem;
  constructor(code: ProblemCode, field: string | null, message: string) {
    this.problem = { code, message, field };
  }
}

export type InputObject = Readonly<Record<string, unknown>>;

/** Runs a parser; what it refuses is the answer. */
export function refusable<T extends object>(
  parse: () => T,
): ({ ok: true } & T) | { ok: false; problem: InputProblem } {
  try {
    return { ok: true, ...parse() };
  } catch (thrown) {
    if (thrown instanceof Refused) return { ok: false, problem: thrown.problem };
    throw thrown;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof ExactNumber) return 'number';
  return Array.isArray(value) ? 'list' : typeof value;
}

function withArticle(name: string): string {
  if (name === 'null') return name;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

export function wrongType(field: string | null, wanted: string, value: unknown): Refused {
  const subject = field ?? 'the input';
  return new Refused(
    'INVALID_TYPE',
    field,
    `${subject} must be ${wanted}, not ${withArticle(typeName(value))}`,
  );
}

/** Names that other systems have for our fields, and that no search for a near spelling finds. */
const ALSO_CALLED: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  hostname: 'host',
  hostName: 'host',
  node: 'host',
  task: 'taskId',
  id: 'taskId',
  time: 'at',
  date: 'at',
  timestamp: 'at',
  '@timestamp': 'at',
  log: 'message',
  msg: 'message',
  text: 'message',
  severity: 'level',
  tags: 'labels',
});

/** Longer names are no misspelt ones of ours, and comparing them takes its time. */
const GUESSED_LENGTH_MAX = 32;

function hintFor(name: string, known: ReadonlySet<string>): string {
  if (name.length > GUESSED_LENGTH_MAX) return '';
  const guess = ALSO_CALLED[name] ?? nearest(name, [...known]);
  return guess !== null && known.has(guess) ? `; did you mean "${guess}"?` : '';
}

/** An object with no other keys than `known`: a misspelt name must not be dropped in silence. */
export function readObject(
  value: unknown,
  field: string | null,
  known: ReadonlySet<string>,
): InputObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(field, 'an object', value);
  }
  for (const key of Object.keys(value)) {
    if (!known.has(key)) {
      const name = key.slice(0, LIMITS.labelKey).toWellFormed();
      const path = field === null ? name : `${field}.${name}`;
      throw new Refused(
        'UNKNOWN_FIELD',
        path,
        `there is no field ${JSON.stringify(path)}${hintFor(name, known)}`,
      );
    }
  }
  return value as InputObject;
}

/** Any text up to `max` UTF-16 units, without NUL and half surrogate pairs. */
export function readText(value: unknown, field: string, max: number): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw wrongType(field, 'a text', value);
  if (value.length > max) {
    throw new Refused('TOO_LONG', field, `${field} is longer than ${max} characters`);
  }
  checkText(value, field);
  return value;
}

export function checkText(value: string, field: string): void {
  if (value.includes('\0')) {
    throw new Refused('INVALID_TEXT', field, `${field} holds a NUL character`);
  }
  if (!value.isWellFormed()) {
    throw new Refused('INVALID_TEXT', field, `${field} holds half a surrogate pair`);
  }
}

const CONTROL = /\p{Cc}/u;

/** A text that people refer to: not empty, no control characters, no white space at its ends. */
export function readName(value: unknown, field: string, max: number): string | null {
  const name = readText(value, field, max);
  if (name === null) return null;
  if (name === '') throw new Refused('INVALID_VALUE', field, `${field} must not be empty`);
  if (name.trim() !== name) {
    throw new Refused('INVALID_VALUE', field, `${field} must not begin or end with white space`);
  }
  if (CONTROL.test(name)) {
    throw new Refused('INVALID_VALUE', field, `${field} must not hold control characters`);
  }
  return name;
}

/** A name that a filter can mean exactly: `*` stands for any ending there. */
export function readHost(value: unknown, field: string): string | null {
  const host = readName(value, field, LIMITS.host);
  if (host?.includes('*')) {
    throw new Refused('INVALID_VALUE', field, `${field} must not hold "*"`);
  }
  return host;
}

export function required<T>(value: T | null, field: string): T {
  if (value === null) throw new Refused('REQUIRED', field, `${field} is required`);
  return value;
}

/** One of the values, exactly as they are written. */
export function readEnum<T extends string>(
  value: unknown,
  field: string,
  values: readonly T[],
): T | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw wrongType(field, 'a text', value);
  if (!(values as readonly string[]).includes(value)) {
    throw new Refused('INVALID_VALUE', field, `${field} must be one of ${values.join(', ')}`);
  }
  return value as T;
}

export function readInteger(
  value: unknown,
  field: string,
  min: number,
  max: number,
): number | null {
  const number = readNumber(value, field, min, max);
  if (number !== null && !Number.isInteger(number)) {
    throw new Refused('INVALID_VALUE', field, `${field} must be a whole number`);
  }
  return number;
}

/** A finite number within the range, both ends included. */
export function readNumber(value: unknown, field: string, min: number, max: number): number | null {
  if (value === null || value === undefined) return null;
  if (value instanceof ExactNumber) {
    const measure = asMeasure(value);
    if (measure === null) {
      throw new Refused(
        'OUT_OF_RANGE',
        field,
        `${field} must be from ${min} to ${max}, and no number above 2^53`,
      );
    }
    return readNumber(measure, field, min, max);
  }
  if (typeof value !== 'number') throw wrongType(field, 'a number', value);
  if (!(value >= min && value <= max)) {
    throw new Refused('OUT_OF_RANGE', field, `${field} must be from ${min} to ${max}`);
  }
  return value;
}

/** Epoch milliseconds of a number or an RFC 3339 text. */
export function readTime(value: unknown, field: string): number | null {
  if (value === null || value === undefined) return null;
  if (value instanceof ExactNumber) return readTime(value.rounded, field);
  const time = parseDateTime(value);
  if (time !== null) return time;
  if (typeof value === 'number') {
    throw new Refused('OUT_OF_RANGE', field, `${field} must be within the years 0000 to 9999`);
  }
  if (typeof value !== 'string') throw wrongType(field, 'a time', value);
  throw new Refused(
    'INVALID_VALUE',
    field,
    `${field} must be an RFC 3339 time such as 2026-01-31T09:30:00Z, or epoch milliseconds, in the years 0000 to 9999`,
  );
}

/** Names in order, each once: what is wrong with one of them is wrong with the order. */
export function readNames(
  value: unknown,
  field: string,
  max: number,
  read: (value: unknown, field: string) => string | null,
): string[] | null {
  const names = new Set<string>();
  for (const [index, entry] of readList(value, field, max).entries()) {
    const path = `${field}[${index}]`;
    const name = required(read(entry, path), path);
    if (names.has(name)) {
      throw new Refused('INVALID_VALUE', path, `${path} repeats ${JSON.stringify(name)}`);
    }
    names.add(name);
  }
  return value === null || value === undefined ? null : [...names];
}

/**
 * Hosts in any order. What no host can be called goes to `leftOut`, and the others are taken; but a
 * pattern means hosts that it does not name, so it is not clear which are meant.
 */
export function readHosts(
  value: unknown,
  field: string,
  max: number,
  leftOut: InputProblem[],
): string[] | null {
  const names = new Set<string>();
  for (const [index, entry] of readList(value, field, max).entries()) {
    const path = `${field}[${index}]`;
    try {
      names.add(required(readHost(entry, path), path));
    } catch (thrown) {
      const isPattern = typeof entry === 'string' && entry.includes('*');
      if (!(thrown instanceof Refused) || isPattern) throw thrown;
      leftOut.push(thrown.problem);
    }
  }
  return value === null || value === undefined ? null : [...names];
}

function readList(value: unknown, field: string, max: number): unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw wrongType(field, 'a list', value);
  if (value.length > max) {
    throw new Refused('TOO_LONG', field, `${field} has more than ${max} entries`);
  }
  return value;
}
