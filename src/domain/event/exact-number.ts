/**
 * JSON whose numbers are what was sent. A double holds some 16 digits: JSON.parse makes of
 * 9007199254740993 another number, and so of one id another id, without a word. A number that it
 * would change is given as an `ExactNumber` instead, and whoever takes a value decides what that
 * means: an id, a label or a parameter keeps the digits, a measure is refused or rounded.
 */

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

/** Throws JSON.parse's SyntaxError. Costs no more than JSON.parse where no number is that long. */
export function parseExactJson(text: string): unknown {
  return mayBeRounded(text)
    ? (JSON.parse(text, exactNumber as Reviver) as unknown)
    : (JSON.parse(text) as unknown);
}

/** Whether JSON.parse may give another number than was written. Cheap where it does not. */
export function mayBeRounded(text: string): boolean {
  return mayHoldLong(text) && holdsLongNumber(text);
}

/** As TypeScript knows it: without the text of a number, which Node gives as a third argument. */
type Reviver = (key: string, value: unknown) => unknown;

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
  let from = 0;
  while (from < text.length) {
    const opening = text.indexOf('"', from);
    if (LONG.test(text.slice(from, opening === -1 ? undefined : opening))) return true;
    if (opening === -1) return false;
    from = endOfText(text, opening) + 1;
  }
  return false;
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

function exactNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || source.length < 16) return value;
  // Too large for a double at all: as infinity it is refused everywhere.
  if (!Number.isFinite(value)) return value;
  return sameNumber(source, String(value)) ? value : new ExactNumber(source);
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
