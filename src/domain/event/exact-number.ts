/**
 * JSON whose numbers are what was sent. A double holds some 16 digits: JSON.parse makes of
 * 9007199254740993 another number, and so of one id another id, without a word. A number that it
 * would change is given as an `ExactNumber` instead, and whoever takes a value decides what that
 * means: an id, a label or a parameter keeps the digits, a measure is refused or rounded.
 */

import { randomBytes } from 'node:crypto';

/** A number of JSON that a double cannot hold as it was written. */
export class ExactNumber {
  /** As it was written: `9007199254740993`, `0.12345678901234567890`. */
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** The nearest number that there is. */
  get rounded(): number {
    return Number(this.source);
  }

  /** null: it has a fraction or an exponent. */
  get integer(): string | null {
    return /^-?\d+$/.test(this.source) ? this.source : null;
  }

  /** In JSON of ours it is the text of its digits. */
  toJSON(): string {
    return this.source;
  }

  toString(): string {
    return this.source;
  }
}

/** Up to here every whole number is a double: 2^53. */
const WHOLE_MAX = 2 ** 53;

/**
 * What a measure takes: a fraction's digits behind the 16th do not matter to it. null: the number
 * is so large that another whole number would be taken.
 */
export function asMeasure({ rounded }: ExactNumber): number | null {
  return Math.abs(rounded) < WHOLE_MAX ? rounded : null;
}

/**
 * Throws JSON.parse's SyntaxError. Costs no more than JSON.parse where no number is that long, and a
 * few times as much where one is: a reviver, which is told each number as it was written, takes fifty
 * times as long for all that stands beside it.
 */
export function parseExactJson(text: string): unknown {
  if (!mayBeRounded(text)) return JSON.parse(text) as unknown;
  let marked: unknown;
  try {
    marked = JSON.parse(withMarks(text));
  } catch {
    // It says what is wrong with what was sent.
    return JSON.parse(text) as unknown;
  }
  return withoutMarks(marked);
}

/** Whether JSON.parse may give another number than was written. Cheap where it does not. */
export function mayBeRounded(text: string): boolean {
  return mayHoldLong(text) && holdsLongNumber(text);
}

/** A double keeps every number that has fewer digits. */
const LONG_DIGITS = 16;
const LONG = /[\d.]{16}/;

/** A run of 16 digits covers one of every 16 places of the text, so only those are looked at. */
function mayHoldLong(text: string): boolean {
  for (let at = LONG_DIGITS - 1; at < text.length; at += LONG_DIGITS) {
    if (isDigit(text.charCodeAt(at)) && isLongAround(text, at)) return true;
  }
  return false;
}

function isLongAround(text: string, at: number): boolean {
  let from = at;
  let to = at + 1;
  while (isDigit(text.charCodeAt(from - 1))) from--;
  while (isDigit(text.charCodeAt(to))) to++;
  return to - from >= LONG_DIGITS;
}

/** A digit, or the point of a fraction. */
function isDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

/** Looks outside of texts only: most long rows of digits stand in messages. */
function holdsLongNumber(text: string): boolean {
  return !beyondTexts(text).next().done;
}

/** What stands outside of texts and may hold a long number, as [from, to). */
function* beyondTexts(text: string): Generator<[from: number, to: number], void> {
  for (let from = 0; from < text.length; ) {
    const opening = text.indexOf('"', from);
    const to = opening === -1 ? text.length : opening;
    if (to - from >= LONG_DIGITS && LONG.test(text.slice(from, to))) yield [from, to];
    if (opening === -1) return;
    from = endOfText(text, opening) + 1;
  }
}

/** The quotation mark that closes the text. */
function endOfText(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at === -1 ? text.length : at;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** Before a number that stands as a text; nobody else can know it. */
const MARK = randomBytes(12).toString('hex');
/** Not the name of a field, for which a number is no JSON. */
const LONG_NUMBER =
  /(?<![\w.+-])-?(?=[\d.]*[\d.]{16})(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.+-])(?!\s*:)/gi;

/** The same JSON, with a marked text in place of each number that a double cannot hold. */
function withMarks(text: string): string {
  const parts: string[] = [];
  let done = 0;
  for (const [from, to] of beyondTexts(text)) {
    parts.push(text.slice(done, from), text.slice(from, to).replace(LONG_NUMBER, markedNumber));
    done = to;
  }
  return parts.join('') + text.slice(done);
}

function markedNumber(source: string): string {
  const value = Number(source);
  // Too large for a double at all: as infinity it is refused everywhere.
  const isHeld = !Number.isFinite(value) || sameNumber(source, String(value));
  return isHeld ? source : `"${MARK}${source}"`;
}

/** Changes what JSON.parse made, however deep it is. */
function withoutMarks(value: unknown): unknown {
  const root = [value];
  const open: (unknown[] | Record<string, unknown>)[] = [root];
  const exact = (held: unknown): ExactNumber | null => {
    if (typeof held === 'string') {
      return held.startsWith(MARK) ? new ExactNumber(held.slice(MARK.length)) : null;
    }
    if (typeof held === 'object' && held !== null) open.push(held as Record<string, unknown>);
    return null;
  };
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (Array.isArray(holder)) {
      for (let at = 0; at < holder.length; at++) holder[at] = exact(holder[at]) ?? holder[at];
    } else for (const name in holder) holder[name] = exact(holder[name]) ?? holder[name];
  }
  return root[0];
}

function sameNumber(a: string, b: string): boolean {
  const [left, right] = [decimalOf(a), decimalOf(b)];
  return left.digits === right.digits && left.exponent === right.exponent;
}

/** 0.digits × 10^exponent without zeros at either end, so that equal numbers look equal. */
function decimalOf(text: string): { digits: string; exponent: number } {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const unsigned = mantissa.startsWith('-') ? mantissa.slice(1) : mantissa;
  const [whole = '', fraction = ''] = unsigned.split('.');
  const all = whole + fraction;
  let from = 0;
  while (all[from] === '0') from++;
  let to = all.length;
  while (to > from && all[to - 1] === '0') to--;
  if (from === to) return { digits: '', exponent: 0 };
  return { digits: all.slice(from, to), exponent: whole.length - from + Number(power) };
}
