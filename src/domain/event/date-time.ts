/** Times as people and programs write them: RFC 3339 with any offset, or epoch milliseconds. */

/** 0000-01-01T00:00:00Z and the last millisecond of 9999: what RFC 3339 can write. */
const EARLIEST = -62_167_219_200_000;
const LATEST = 253_402_300_799_999;

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** No date needs more; the digits behind the third are cut anyway. */
const LONGEST = 64;

/**
 * Epoch milliseconds of a number or an RFC 3339 text; null where it is neither, no real date, or
 * outside the years 0000–9999. Fractions of a millisecond are cut. A leap second (:60) is the
 * last millisecond before it.
 */
export function parseDateTime(value: unknown): number | null {
  if (typeof value === 'number') return inRange(Math.floor(value));
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  const match = RFC_3339.exec(value);
  if (match === null) return null;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6]);
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return null;
  const millis =
    second === 60 ? 59_999 : second * 1_000 + Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -60_000 : 60_000);
  const days = daysSinceEpoch(year, month, day);
  return inRange(days * 86_400_000 + (hour * 60 + minute) * 60_000 + millis - offset);
}

function inRange(ms: number): number | null {
  return ms >= EARLIEST && ms <= LATEST ? ms : null;
}

/** 0 for a month that is none. */
function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

/** Date.UTC takes the years 0–99 for 1900–1999; counted 400 years (146,097 days) later it is right. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  return Date.UTC(year + 400, month - 1, day) / 86_400_000 - 146_097;
}

/** RFC 3339 in UTC with milliseconds. `ms` must be within the years 0000–9999. */
export function formatDateTime(ms: number): string {
  return new Date(ms).toISOString();
}
