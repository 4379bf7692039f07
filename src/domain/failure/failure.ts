/**
 * What a failed step says in one text, and which failures are the same one: "connection to
 * 10.0.0.7:443 refused" and "connection to 10.0.0.9:443 refused" are one cause on two hosts.
 */
import { hash } from 'node:crypto';
import { withoutEscapeCodes } from '../text/escape-codes.ts';
import { hexTells, listens, numberTells } from './telling-numbers.ts';

/** Enough to read and to tell causes apart; the whole text stays in the event. UTF-16 units. */
export const FAILURE_TEXT_MAX = 1_000;

/** The end of a step: a status with what was said along with it. */
export interface StepEnd {
  status: string;
  message: string | null;
  error: { code: string | null; message: string } | null;
  exitCode: number | null;
  host: string | null;
}

/** The failure of a FAILED or TIMED_OUT end; null for any other status. Equal input, equal answer. */
export function failureOf(end: StepEnd): { text: string; fingerprint: string } | null {
  if (end.status !== 'FAILED' && end.status !== 'TIMED_OUT') return null;
  const code = end.error?.code ?? null;
  const text = failureText(end, code).slice(0, FAILURE_TEXT_MAX).toWellFormed();
  const normalised = normaliseFailure(text, end.host, code);
  return { text, fingerprint: hash('sha256', normalised, 'hex').slice(0, 16) };
}

function failureText(end: StepEnd, code: string | null): string {
  const said = [end.error?.message, end.message].find((text) => text && text.trim() !== '');
  if (said !== undefined && said !== null) return code === null ? said : `${code}: ${said}`;
  if (code !== null) return code;
  if (end.exitCode !== null) return `exit code ${end.exitCode}`;
  return end.status === 'TIMED_OUT' ? 'timed out' : 'failed';
}

const UUID = /(?<![\da-f])[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\da-f])/gi;
const DATE_TIME =
  /(?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?(?!\d)/g;
const CLOCK_TIME = /(?<![\d:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![\d:])/g;
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}';
/** `Nov 24 03:04:05`, `Tue, 24 Nov 2026 03:04:05 GMT` */
const CALENDAR = new RegExp(
  `\\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? {1,2})?(?:${MONTH} {1,2}\\d{1,2}|\\d{1,2}[ -]${MONTH})(?:,?[ -]\\d{4})?(?: \\d\\d:\\d\\d:\\d\\d)?(?: \\d{4})?(?: (?:GMT|UTC|[+-]\\d{4}))?(?!\\w)`,
  'g',
);
const IPV4 = /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d{1,5})?(?!\.?\d)/g;
const IPV6 =
  /\[(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}\](:\d{1,5})?|(?<![\w:])::(:\d{1,5})(?![\w:])|(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{1,4}(?![\w:])/gi;
const TEMPORARY =
  /(?:\/var)?\/tmp\/[^\s'"<>:,;)]+|\/var\/folders\/[^\s'"<>:,;)]+|\b[A-Z]:\\[^\s'"<>:,;)]{1,200}\\Temp\\[^\s'"<>:,;)]+|\btmp[._-]?(?=\w*\d)\w{6,}/gi;
/** The end of a pod's name: a hash of its template and five characters of its own, or these alone. */
const POD =
  /-(?:(?=(?:[a-z]*\d){3})(?=(?:\d*[a-z]){3})[a-z\d]{8,10}-[a-z\d]{5}|[bcdfghjklmnp-tv-xz2-9]{5,10}-[bcdfghjklmnp-tv-xz24-9]{5}|(?!http2)(?=[a-z]*\d)(?=\d*[a-z])[bcdfghjklmnp-tv-xz24-9]{5})(?![\w-])/g;
const HEX = /\b0x[\da-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{7,}\b/gi;
/** ULIDs, request ids, random names: letters and at least three digits, mixed. */
const ID = /\b(?=(?:[A-Za-z]*\d){3})(?=\d*[A-Za-z])[A-Za-z\d]{16,}\b/g;
const DURATION =
  /(?<![\w.])(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+(?!\w)|(?<![\w.])\d+(?:\.\d+)? (?:(?:milli|micro|nano)?sec(?:ond)?s?|ms|s|min(?:ute)?s?|hours?|days?)(?!\w)/g;
/** Not the digits of a code such as E1234 or TS2304: they say what is wrong. */
const NUMBER = /(?<![A-Z])(?<![A-Z]\d+)\d+(?:[.,]\d+)*/g;

/**
 * The text without what differs from one occurrence to the next: times, addresses, ids, generated
 * names, numbers and the host's own name become placeholders. What a number says of the cause stays
 * (`telling-numbers.ts`), and so does an error `code` that the text begins with.
 */
export function normaliseFailure(
  text: string,
  host: string | null = null,
  code: string | null = null,
): string {
  const cut = text.slice(0, FAILURE_TEXT_MAX).toWellFormed();
  if (code !== null && cut.startsWith(code)) return code + normalise(cut.slice(code.length), host);
  return normalise(cut, host).trimStart();
}

function normalise(text: string, host: string | null): string {
  const seen = withoutHosts(withoutEscapeCodes(text), host);
  const ports = listens(seen);
  const address = (_: string, port = '', other = '') => `<ip>${ports ? port || other : ''}`;
  return seen
    .replace(UUID, '<uuid>')
    .replace(DATE_TIME, '<time>')
    .replace(CALENDAR, '<time>')
    .replace(CLOCK_TIME, '<time>')
    .replace(IPV4, address)
    .replace(IPV6, address)
    .replace(TEMPORARY, '/tmp/<n>')
    .replace(POD, '-<id>')
    .replace(HEX, (hex, at: number, whole: string) => (hexTells(whole, at, hex) ? hex : '<hex>'))
    .replace(ID, '<id>')
    .replace(DURATION, '<time>')
    .replace(NUMBER, (number, at: number, whole: string) =>
      isInHexCode(whole, at) || numberTells(whole, at, number) ? number : '<n>',
    )
    .replace(/\s+/g, ' ')
    .trimEnd();
}

/** A code that was left as it is is not taken apart. */
function isInHexCode(text: string, at: number): boolean {
  return /\b0x[\da-f]{0,16}$/i.test(text.slice(Math.max(0, at - 18), at)) || text[at + 1] === 'x';
}

/** Both names of a host: `web-1.example.net` calls itself `web-1` too. */
function withoutHosts(text: string, host: string | null): string {
  const whole = withoutHost(text, host);
  const label = host?.split('.', 1)[0] ?? '';
  return label !== host && /^\S{2,}[\d-]/.test(label) ? withoutHost(whole, label) : whole;
}

/** The host's name where it stands as a whole word: host "a" must not touch every a. */
function withoutHost(text: string, host: string | null): string {
  if (host === null || host === '') return text;
  let out = '';
  let from = 0;
  for (let at = text.indexOf(host); at >= 0; at = text.indexOf(host, at + host.length)) {
    const end = at + host.length;
    if (/[\w-]/.test(text[at - 1] ?? '') || /[\w-]/.test(text[end] ?? '')) continue;
    out += `${text.slice(from, at)}<host>`;
    from = end;
  }
  return out + text.slice(from);
}
