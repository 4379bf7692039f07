/**
 * Times in every form that log programs send: RFC 3339 and its relatives (an offset without a
 * colon or none at all, a space or a comma), RFC 3164 without a year, Apache's, and epochs in
 * seconds, milliseconds, microseconds and nanoseconds, as text or number.
 */
import { parseDateTime } from '../../domain/event/date-time.ts';
import { ExactNumber } from '../../domain/event/exact-number.ts';
import type { Leaf } from './field-map.ts';

export const TIME_FORMATS = ['auto', 'epoch-s', 'epoch-ms', 'epoch-us', 'epoch-ns'] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

export interface TimeReading {
  /** `auto` tells epochs apart by their size: one unit is a thousand of the next. */
  format: TimeFormat;
  /** Minutes east of UTC, for texts that name no offset. */
  offsetMinutes: number;
  receivedAt: number;
}

export interface ReadTime {
  /** Epoch milliseconds. */
  at: number;
  /** Finer than a second: what tells two equal lines apart. */
  fine: boolean;
}

/** Dates before it are clocks that nobody set, and epochs in another unit than was meant. */
export const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(9999, 11, 31);

/** null: no time that can be meant. */
export function readForeignTime(leaf: Leaf, reading: TimeReading): ReadTime | null {
  const read = anyTime(leaf, reading);
  return read !== null && read.at >= EARLIEST && read.at <= LATEST ? read : null;
}

function anyTime(leaf: Leaf, reading: TimeReading): ReadTime | null {
  if (typeof leaf === 'number') return epoch(leaf, reading.format);
  if (leaf instanceof ExactNumber) return epoch(leaf.rounded, reading.format);
  if (typeof leaf !== 'string' || leaf.length > 64) return null;
  const text = leaf.trim();
  if (/^\d{9,}(\.\d+)?$/.test(text)) return epoch(Number(text), reading.format);
  return textTime(text, reading);
}

const PER_MILLISECOND: Readonly<Record<Exclude<TimeFormat, 'auto'>, number>> = {
  'epoch-s': 0.001,
  'epoch-ms': 1,
  'epoch-us': 1_000,
  'epoch-ns': 1_000_000,
};

function epoch(number: number, format: TimeFormat): ReadTime | null {
  if (!Number.isFinite(number)) return null;
  const unit = format === 'auto' ? unitOf(number) : format;
  // Seconds with a fraction: 1795742637.1 * 1000 is a hair below the millisecond that was meant.
  const at = Math.floor(Number((number / PER_MILLISECOND[unit]).toFixed(3)));
  return { at, fine: unit !== 'epoch-s' || !Number.isInteger(number) };
}

/** Seconds reach 1e11 in the year 5138, milliseconds are above it since 1973. */
function unitOf(number: number): Exclude<TimeFormat, 'auto'> {
  if (number < 1e11) return 'epoch-s';
  if (number < 1e14) return 'epoch-ms';
  return number < 1e17 ? 'epoch-us' : 'epoch-ns';
}

/** `2026-11-27T01:50:49.992+0000`, `2026-11-27 01:50:49,992`, `2026/11/27 01:50:49`. */
const ISO =
  /^(\d{4})[-/](\d\d)[-/](\d\d)[Tt_ ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(?:([Zz]|UTC|GMT)|([+-]\d\d):?(\d\d)?)?$/;
/** `Nov 27 02:09:19`, `Nov  7 2026 02:09:19.123`, `Nov 27 02:09:19 2026`. */
const MONTH_FIRST =
  /^([A-Z][a-z]{2}) +(\d{1,2})(?: (\d{4}))? (\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?: (\d{4}))?$/;
/** `27/Nov/2026:01:50:49 +0000`, `27 Nov 2026 01:50:49 GMT`, `Fri, 27 Nov 2026 01:50:49 +0000`. */
const DAY_FIRST =
  /^(?:[A-Z][a-z]{2}, )?(\d{1,2})[/ -]([A-Z][a-z]{2})[/ -](\d{4})[: ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?: *(?:(Z|UTC|GMT)|([+-]\d\d):?(\d\d)))?$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string | undefined;
  fraction: string | undefined;
  /** Null: none was written. */
  offset: string | null;
}

function textTime(text: string, reading: TimeReading): ReadTime | null {
  // As most programs write it.
  const at = parseDateTime(text);
  if (at !== null) return { at, fine: text.includes('.') };
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, year = '', month = '', day = '', hour = '', minute = '', second, fraction] = iso;
    const offset = offsetOf(iso[8], iso[9], iso[10]);
    return assembled({ year, month, day, hour, minute, second, fraction, offset }, reading);
  }
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst !== null) {
    const [, day = '', name = '', year = '', hour = '', minute = '', second, fraction] = dayFirst;
    const offset = offsetOf(dayFirst[8], dayFirst[9], dayFirst[10]);
    const month = monthOf(name);
    return assembled({ year, month, day, hour, minute, second, fraction, offset }, reading);
  }
  const monthFirst = MONTH_FIRST.exec(text);
  if (monthFirst === null) return null;
  const [, name = '', day = '', before, hour = '', minute = '', second, fraction, behind] =
    monthFirst;
  const parts = { month: monthOf(name), day, hour, minute, second, fraction, offset: null };
  const year = before ?? behind;
  return year === undefined ? withoutYear(parts, reading) : assembled({ ...parts, year }, reading);
}

/** The year in which it is nearest to when it was received: December's lines arrive in January. */
function withoutYear(parts: Omit<Parts, 'year'>, reading: TimeReading): ReadTime | null {
  const thisYear = new Date(reading.receivedAt).getUTCFullYear();
  let best: ReadTime | null = null;
  for (const year of [thisYear - 1, thisYear, thisYear + 1]) {
    const read = assembled({ ...parts, year: String(year) }, reading);
    if (read === null) continue;
    const distance = Math.abs(read.at - reading.receivedAt);
    if (best === null || distance < Math.abs(best.at - reading.receivedAt)) best = read;
  }
  return best;
}

function monthOf(name: string): string {
  return String(MONTHS.indexOf(name) + 1);
}

function offsetOf(
  utc: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): string | null {
  if (utc !== undefined) return 'Z';
  return hours === undefined ? null : `${hours}:${minutes ?? '00'}`;
}

function assembled(parts: Parts, { offsetMinutes }: TimeReading): ReadTime | null {
  const { year, month, day, hour, minute, second = '00', fraction, offset } = parts;
  const digits = fraction === undefined ? '' : `.${fraction}`;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = parseDateTime(`${date}T${hour}:${minute}:${second}${digits}${offset ?? 'Z'}`);
  if (at === null) return null;
  const shift = offset === null ? offsetMinutes * 60_000 : 0;
  return { at: at - shift, fine: fraction !== undefined };
}
