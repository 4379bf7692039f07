/**
 * From what a sender sent to an event that can be appended, or the reason why not. The same for
 * GraphQL input (scalars are coerced already) and raw JSON (times are texts or numbers); null is
 * absent in both. Hand-written, because a schema library costs several times the whole append.
 */
import type { InputProblem } from '../errors.ts';
import {
  type JsonObject,
  type Labels,
  LOG_LEVELS,
  LOG_STREAMS,
  type LogEvent,
  type LogLevel,
  type Progress,
  type ReportedStepStatus,
  type StepError,
  TERMINAL_STEP_STATUSES,
} from './event.ts';
import {
  type InputObject,
  Refused,
  readEnum,
  readHost,
  readInteger,
  readName,
  readNumber,
  readObject,
  readText,
  refusable,
  required,
} from './fields.ts';
import { contentDigest, eventIdentity, uuidV7, writerEventId } from './identity.ts';
import { readLabels, readParams } from './json-fields.ts';
import { LIMITS } from './limits.ts';
import { readReportedTime } from './reported-time.ts';

/** What is applied to texts, params and labels before anything is hashed or stored. */
export interface Redaction {
  text(text: string): string;
  json(value: JsonObject, command?: string | null): JsonObject;
  labels(labels: Labels): Labels;
}
/** Secrets of several lines: what is stored of a message depends on those before it. */
export interface LineRedaction {
  message(origin: readonly (string | null)[], sent: string, redacted: string): string;
}
export interface InputOptions {
  redact?: Redaction;
  lines?: LineRedaction;
  /** The id alone says what is the same event, whatever else changed: its content has no digest. */
  idAlone?: boolean;
}
/** generatedId: the id is ours and new, so the same event sent again is not recognised. */
export type ParsedEvent =
  | { ok: true; event: LogEvent; generatedId: boolean }
  | { ok: false; problem: InputProblem };

export const STEP_EVENT_FIELDS: ReadonlySet<string> = new Set(
  `eventId taskId host step attempt status at writer sequence message level stream command params
   exitCode durationMs progress error source labels`.split(/\s+/),
);
const PROGRESS_FIELDS = new Set(['done', 'total', 'unit']);
const ERROR_FIELDS = new Set(['code', 'message']);
const REPORTED_STATUSES: readonly ReportedStepStatus[] = ['RUNNING', ...TERMINAL_STEP_STATUSES];

/** One StepEventInput. Never throws for a bad value; `problem.field` is its path. */
export function parseStepEvent(
  raw: unknown,
  receivedAt: number,
  options: InputOptions = {},
): ParsedEvent {
  return refusable(() => stepEvent(raw, receivedAt, options));
}

function stepEvent(
  raw: unknown,
  receivedAt: number,
  { redact, lines, idAlone = false }: InputOptions,
): { event: LogEvent; generatedId: boolean } {
  const input = readObject(raw, null, STEP_EVENT_FIELDS);
  const taskId = required(readName(input.taskId, 'taskId', LIMITS.taskId), 'taskId');
  const host = required(readHost(input.host, 'host'), 'host');
  const step = required(readName(input.step, 'step', LIMITS.step), 'step');
  const givenId = readName(input.eventId, 'eventId', LIMITS.eventId);
  // The default is said here, not later: GraphQL fills it in, and a retry may come by another way.
  const attempt = readInteger(input.attempt, 'attempt', 1, LIMITS.attempt) ?? 1;
  const status = readEnum(input.status, 'status', REPORTED_STATUSES);
  const time = readReportedTime(input.at, receivedAt);
  const writer = readName(input.writer, 'writer', LIMITS.writer);
  const sequence = readInteger(input.sequence, 'sequence', 1, LIMITS.sequence);
  if (sequence !== null && writer === null) {
    throw new Refused('REQUIRED', 'writer', 'writer is required where sequence is given');
  }
  const level = readEnum(input.level, 'level', LOG_LEVELS);
  const stream = readEnum(input.stream, 'stream', LOG_STREAMS);
  const exitCode = readExitCode(input.exitCode);
  const durationMs = readNumber(input.durationMs, 'durationMs', 0, LIMITS.durationMs);
  const progress = readProgress(input.progress);
  const source = readName(input.source, 'source', LIMITS.source);
  const sent = readText(input.message, 'message', LIMITS.message);
  let message = sent;
  let command = readText(input.command, 'command', LIMITS.command);
  let params = readParams(input.params, 'params');
  let error = readError(input.error);
  let labels = readLabels(input.labels, 'labels');
  if (
    status === null &&
    message === null &&
    progress === null &&
    command === null &&
    params === null &&
    exitCode === null &&
    durationMs === null &&
    error === null
  ) {
    throw new Refused('REQUIRED', 'message', 'the event says nothing: no status, no message, …');
  }
  if (redact !== undefined) {
    if (message !== null) message = redact.text(message);
    if (params !== null) params = redact.json(params, command);
    if (command !== null) command = redact.text(command);
    if (error !== null) {
      const code = error.code === null ? null : redact.text(error.code);
      error = { code, message: redact.text(error.message) };
    }
    if (labels !== null) labels = redact.labels(labels);
  }
  // What is said as it would be anyway counts as not said: so an exported event is the same again.
  const digest = idAlone
    ? ''
    : contentDigest(
        JSON.stringify([
          taskId,
          host,
          step,
          attempt,
          status,
          time.said,
          writer,
          sequence,
          message,
          level === defaultLevel(status) ? null : level,
          stream,
          command,
          params === null || isEmpty(params) ? null : canonical(params),
          exitCode,
          durationMs,
          progress,
          error,
          source,
          canonical(labels),
        ]),
      );
  // After the digest is made, for a retry may come when the lines before it are forgotten.
  if (lines !== undefined && sent !== null && message !== null) {
    message = lines.message([taskId, host, step, stream, source, writer], sent, message);
  }
  let eventId = givenId;
  if (eventId === null && writer !== null && sequence !== null) {
    eventId = writerEventId(host, writer, sequence);
  }
  const generatedId = eventId === null;
  eventId ??= uuidV7(receivedAt);
  const event: LogEvent = {
    id: eventIdentity(taskId, eventId),
    eventId,
    digest,
    kind: status !== null ? 'STEP' : progress !== null ? 'PROGRESS' : 'OUTPUT',
    taskId,
    host,
    step,
    attempt,
    status,
    at: time.at,
    ...(time.replaced ? { atReplaced: true } : {}),
    receivedAt,
    writer,
    sequence,
    service: null,
    environment: null,
    message,
    level: level ?? defaultLevel(status),
    stream,
    command,
    params,
    exitCode,
    durationMs,
    progress,
    error,
    source,
    labels: labels ?? {},
    task: null,
  };
  return { event, generatedId };
}

function isEmpty(params: JsonObject): boolean {
  return Object.keys(params).length === 0;
}

/** The level of an event that does not say one. */
export function defaultLevel(status: string | null): LogLevel {
  if (status === 'FAILED' || status === 'TIMED_OUT') return 'ERROR';
  return status === 'CANCELLED' || status === 'PARTIAL' ? 'WARN' : 'INFO';
}

/** 32 bits; Windows reports codes such as 0xC0000005 unsigned, we keep them signed. */
function readExitCode(value: unknown): number | null {
  const code = readInteger(value, 'exitCode', -(2 ** 31), 2 ** 32 - 1);
  return code === null ? null : code | 0;
}

function readProgress(value: unknown): Progress | null {
  if (value === null || value === undefined) return null;
  const input: InputObject = readObject(value, 'progress', PROGRESS_FIELDS);
  const done = readNumber(input.done, 'progress.done', 0, Number.MAX_VALUE);
  return {
    done: required(done, 'progress.done'),
    total: readNumber(input.total, 'progress.total', 0, Number.MAX_VALUE),
    unit: readName(input.unit, 'progress.unit', LIMITS.progressUnit),
  };
}

function readError(value: unknown): StepError | null {
  if (value === null || value === undefined) return null;
  const input: InputObject = readObject(value, 'error', ERROR_FIELDS);
  const message = readText(input.message, 'error.message', LIMITS.errorMessage);
  return {
    code: readName(input.code, 'error.code', LIMITS.errorCode),
    message: required(message, 'error.message'),
  };
}

/** The same JSON whatever the order of keys: objects become lists of pairs, marked as such. */
export function canonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  const pairs = Object.keys(value)
    .sort()
    .map((key) => [key, canonical((value as InputObject)[key])]);
  return { pairs };
}
