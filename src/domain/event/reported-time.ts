/**
 * When something happened, as a sender says it. Unlike the ends of a filter, which may be any
 * moment, it is a moment of a deployment: what cannot be one is a wrong unit, which the sender has
 * to mend, or a clock that was never set, whose events are too good to be lost.
 */
import { parseDateTime } from './date-time.ts';
import { Refused, readTime } from './fields.ts';

/** Nothing was deployed with this before 2000: a clock that says so was never set. */
const EARLIEST_REPORT = Date.UTC(2000, 0, 1);
/**
 * Seconds of 2001 to 5138. Fewer are a clock that began in 1970 when its host did, in whichever
 * unit; as milliseconds these are 12 January 1970 to 3 March 1973.
 */
const SECONDS_FROM = 1e9;
const SECONDS_BELOW = 1e11;
/** The years 0000 to 9999 end below it; so many microseconds passed in 1978. */
const MICROSECONDS_FROM = 253_402_300_800_000;
/** Go's zero time, as milliseconds. */
const YEAR_ONE = -62_135_596_800_000;
/** An unset time of Go, .NET (which may leave out the zone) and others. */
const UNSET = /^0001-01-01[Tt ]00:00:00(?:\.0+)?(?:[Zz]|[+-]00:00)?$/;
const DIGITS = /^[+-]?\d+(?:\.\d+)?$/;

export interface ReportedTime {
  /** The time as the sender gave it, so that a retry counts as the same event; null: it gave none. */
  said: number | null;
  at: number;
  /** It said one that nothing can have happened at: `at` is when it was received. */
  replaced: boolean;
}

/** Takes what JSON holds, or what GraphQL has made of it: a text where that was before 2000. */
export function readReportedTime(value: unknown, receivedAt: number): ReportedTime {
  if (value === null || value === undefined) {
    return { said: null, at: receivedAt, replaced: false };
  }
  if (isUnset(value)) return { said: null, at: receivedAt, replaced: true };
  checkUnit(value);
  const said = readTime(value, 'at') as number;
  const replaced = said < EARLIEST_REPORT;
  return { said, at: replaced ? receivedAt : said, replaced };
}

function isUnset(value: unknown): boolean {
  if (typeof value === 'string') return value === '' || UNSET.test(value);
  return value === 0 || value === YEAR_ONE;
}

function checkUnit(value: unknown): void {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && DIGITS.test(value));
  if (!isNumber) return;
  const unit = unitOf(Number(value));
  if (unit === null) return;
  throw new Refused(
    'OUT_OF_RANGE',
    'at',
    `at must be epoch milliseconds or an RFC 3339 time; ${value} looks like ${unit}`,
  );
}

/** What it looks like where it is no number of milliseconds. */
function unitOf(value: number): string | null {
  const size = Math.abs(value);
  if (size >= MICROSECONDS_FROM) return 'microseconds';
  const isBegun = value >= 0 && value < SECONDS_FROM;
  return size < SECONDS_BELOW && !isBegun ? 'seconds' : null;
}

/** Whether a text names a moment before all reports: then what it is for says what it means. */
export function isBeforeReports(value: string): boolean {
  const ms = parseDateTime(value);
  return ms !== null && ms < EARLIEST_REPORT;
}
