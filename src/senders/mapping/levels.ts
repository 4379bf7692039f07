/** Severities of others, as words and as numbers, in our six. */
import type { LogLevel, ReportedStepStatus } from '../../domain/event/event.ts';
import { type Leaf, numberOf, textOf } from './field-map.ts';

const WORDS: Readonly<Record<string, LogLevel>> = Object.assign(Object.create(null), {
  trace: 'TRACE',
  finest: 'TRACE',
  finer: 'TRACE',
  silly: 'TRACE',
  debug: 'DEBUG',
  dbg: 'DEBUG',
  fine: 'DEBUG',
  verbose: 'DEBUG',
  config: 'DEBUG',
  info: 'INFO',
  informational: 'INFO',
  information: 'INFO',
  notice: 'INFO',
  http: 'INFO',
  log: 'INFO',
  success: 'INFO',
  default: 'INFO',
  warn: 'WARN',
  warning: 'WARN',
  error: 'ERROR',
  err: 'ERROR',
  severe: 'ERROR',
  failure: 'ERROR',
  fatal: 'FATAL',
  critical: 'FATAL',
  crit: 'FATAL',
  alert: 'FATAL',
  emerg: 'FATAL',
  emergency: 'FATAL',
  panic: 'FATAL',
  dpanic: 'FATAL',
});

/** By code, from emergency to debug (RFC 5424). */
const SYSLOG: readonly LogLevel[] = [
  'FATAL',
  'FATAL',
  'FATAL',
  'ERROR',
  'WARN',
  'INFO',
  'INFO',
  'DEBUG',
];

/** `kern.warning`, `local0.info`: rsyslog's and journald's priorities hold the facility, too. */
const WITH_FACILITY = /^[a-z]+\d?\.([a-z]+)$/;
/** OpenTelemetry's and .NET's: `INFO2`, `ERROR4`. */
const WITH_NUMBER = /^([a-z]+)[1-4]$/;

/**
 * null: no level that we know. Numbers from 0 to 7 are syslog's, from 10 on those of pino and
 * bunyan (30 is info); texts of digits are read alike.
 */
export function readLevel(leaf: Leaf): LogLevel | null {
  const number = numberOf(leaf);
  if (number !== null) return levelOfNumber(number);
  const word = textOf(leaf)?.trim().toLowerCase();
  if (word === undefined || word.length > 32) return null;
  return (
    WORDS[word] ??
    WORDS[WITH_FACILITY.exec(word)?.[1] ?? ''] ??
    WORDS[WITH_NUMBER.exec(word)?.[1] ?? ''] ??
    null
  );
}

function levelOfNumber(number: number): LogLevel | null {
  if (number < 0) return null;
  if (number < SYSLOG.length) return SYSLOG[Math.floor(number)] ?? null;
  if (number < 10 || number > 99) return null;
  if (number < 20) return 'TRACE';
  if (number < 30) return 'DEBUG';
  if (number < 40) return 'INFO';
  if (number < 50) return 'WARN';
  return number < 60 ? 'ERROR' : 'FATAL';
}

const STATUSES: Readonly<Record<string, ReportedStepStatus>> = Object.assign(Object.create(null), {
  running: 'RUNNING',
  started: 'RUNNING',
  start: 'RUNNING',
  begin: 'RUNNING',
  in_progress: 'RUNNING',
  succeeded: 'SUCCEEDED',
  success: 'SUCCEEDED',
  successful: 'SUCCEEDED',
  ok: 'SUCCEEDED',
  done: 'SUCCEEDED',
  completed: 'SUCCEEDED',
  passed: 'SUCCEEDED',
  failed: 'FAILED',
  fail: 'FAILED',
  failure: 'FAILED',
  error: 'FAILED',
  skipped: 'SKIPPED',
  skip: 'SKIPPED',
  timed_out: 'TIMED_OUT',
  timeout: 'TIMED_OUT',
  cancelled: 'CANCELLED',
  canceled: 'CANCELLED',
  aborted: 'CANCELLED',
});

/** null: no status of a step that we know. */
export function readStatus(text: string): ReportedStepStatus | null {
  const word = text.trim().toLowerCase().replaceAll(/[ -]/g, '_');
  return word.length <= 32 ? (STATUSES[word] ?? null) : null;
}
