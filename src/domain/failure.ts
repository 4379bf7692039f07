/**
 * What a failed step says in one text, and which failures are the same one: "connection to
 * 10.0.0.7:443 refused" and "connection to 10.0.0.9:443 refused" are one cause on two hosts.
 */
import { hash } from 'node:crypto';

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

const ESCAPE = String.fromCharCode(0x1b);
/** Colours and cursor movements of a terminal. */
const ANSI = new RegExp(`${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\x07${ESCAPE}]*\\x07?)`, 'g');
const UUID = /(?<![\da-f])[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\da-f])/gi;
const DATE_TIME =
  /(?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?(?!\d)/g;
const CLOCK_TIME = /(?<![\d:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![\d:])/g;
const IPV4 = /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?!\.?\d)/g;
const IPV6 =
  /\[(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}\](?::\d{1,5})?|(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{1,4}(?![\w:])/gi;
const TEMPORARY = /(?:\/var)?\/tmp\/[^\s'"<>:,;)]+|\btmp[._-]?(?=\w*\d)\w{6,}/g;
const HEX = /\b0x[\da-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{8,}\b/gi;
const DURATION = /(?<![\w.])(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+(?!\w)/g;
/** Not the digits of a code such as E1234 or TS2304: they say what is wrong. */
const NUMBER = /(?<![A-Z])(?<![A-Z]\d+)\d+(?:[.,]\d+)*/g;
/** A number behind one of these is the cause itself: `exit code 137`, `HTTP 503`. */
const MEANT = /(?:\bcode|\bstatus|\bsignal|\berrno|\bhttp(?:\/\d(?:\.\d)?)?)[ :=]{1,2}$/i;

/**
 * The text without what differs from one occurrence to the next: times, addresses, ids, numbers
 * and the host's own name become placeholders. An error `code` that the text begins with stays.
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
  return withoutHost(text.replace(ANSI, ''), host)
    .replace(UUID, '<uuid>')
    .replace(DATE_TIME, '<time>')
    .replace(CLOCK_TIME, '<time>')
    .replace(IPV4, '<ip>')
    .replace(IPV6, '<ip>')
    .replace(TEMPORARY, '/tmp/<n>')
    .replace(HEX, '<hex>')
    .replace(DURATION, '<time>')
    .replace(NUMBER, (number, at: number, whole: string) =>
      number.length <= 3 && MEANT.test(whole.slice(Math.max(0, at - 12), at)) ? number : '<n>',
    )
    .replace(/\s+/g, ' ')
    .trimEnd();
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
