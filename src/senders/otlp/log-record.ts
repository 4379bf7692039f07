/** A log record of OpenTelemetry, in whichever encoding it came, as a foreign document. */
import type { LogLevel } from '../../domain/event/event.ts';
import type { ForeignDocument, Said } from '../foreign-document.ts';
import { EARLIEST } from '../mapping/times.ts';
import { structuredMessage } from '../structured-message.ts';

export type Attributes = Record<string, unknown>;

export interface LogRecord {
  /** Nanoseconds since 1970; 0: not said. */
  time: bigint;
  observedTime: bigint;
  /** 1 to 24; 0: not said. */
  severityNumber: number;
  severityText: string;
  /** undefined: none. */
  body: unknown;
  attributes: Attributes;
  /** Hexadecimal; empty: none. */
  traceId: string;
  spanId: string;
  eventName: string;
}

/** Where records come from: what holds for many of them. */
export interface Origin {
  resource: Attributes;
  scope: Attributes;
}

export interface FoundRecord {
  origin: Origin;
  record: LogRecord;
}

export function emptyRecord(): LogRecord {
  return {
    time: 0n,
    observedTime: 0n,
    severityNumber: 0,
    severityText: '',
    body: undefined,
    attributes: {},
    traceId: '',
    spanId: '',
    eventName: '',
  };
}

/** `digest`: of the body that it came in; `ordinal`: its place there. */
export function documentOfRecord(
  { origin, record }: FoundRecord,
  digest: string,
  ordinal: number,
  receivedAt: number,
): ForeignDocument {
  const { body, message } = bodyOf(record.body);
  const fields: Attributes = {
    ...origin.resource,
    ...origin.scope,
    ...body,
    ...record.attributes,
  };
  if (record.severityText !== '') fields.severity_text = record.severityText;
  if (isId(record.traceId)) fields.trace_id = record.traceId;
  if (isId(record.spanId)) fields.span_id = record.spanId;
  if (record.eventName !== '') fields['event.name'] = record.eventName;
  const said: Said = { ...timeOf(record) };
  if (said.at === undefined) {
    // For the mapping, which tells what it cannot use, and keeps it.
    if (record.time !== 0n) fields.timeUnixNano = String(record.time);
    if (record.observedTime !== 0n) fields.observedTimeUnixNano = String(record.observedTime);
  }
  const level = levelOf(record.severityNumber);
  if (level !== null) said.level = level;
  if (message !== null) said.message = message;
  const identity = { by: 'body', digest, ordinal } as const;
  return { kind: 'otlp', index: null, identity, fields, said, receivedAt };
}

function bodyOf(body: unknown): { body: Attributes; message: string | null } {
  if (body === undefined || body === null) return { body: {}, message: null };
  if (typeof body === 'string') return { body: {}, message: body };
  const { fields, message } = structuredMessage(body);
  return { body: fields, message };
}

/** One of zeros means that there is none. */
function isId(hex: string): boolean {
  return /[^0]/.test(hex);
}

const PER_SECOND = 1_000_000_000n;

/** Times are nanoseconds, but a shipper that read them from a file has seconds alone. */
function timeOf({ time, observedTime }: LogRecord): Pick<Said, 'at' | 'atIsFine'> {
  const at = Number((time === 0n ? observedTime : time) / 1_000_000n);
  if (at < EARLIEST) return {};
  const atIsFine = time % PER_SECOND !== 0n || observedTime % PER_SECOND !== 0n;
  return { at, atIsFine };
}

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Four numbers for each level, from 1. */
function levelOf(severity: number): LogLevel | null {
  return severity < 1 ? null : (LEVELS[Math.floor((severity - 1) / 4)] ?? null);
}
