/** An event as a document of an events index, and back. */
import type {
  JsonObject,
  Labels,
  LogEvent,
  Position,
  Progress,
  StoredEvent,
  TaskChange,
} from '../../../domain/event/event.ts';
import { isTerminal } from '../../../domain/event/event.ts';
import { searchedTexts, wordsOf } from '../../../domain/search/words.ts';

/** Absent fields are null in the event. */
export interface EventDocument {
  '@timestamp': number;
  event: {
    id: string;
    ingested: number;
    action?: string;
    outcome?: 'success' | 'failure' | 'unknown';
    sequence?: number;
    duration?: number;
  };
  log: { level: LogEvent['level'] };
  host?: { name: string };
  service?: { name?: string; environment?: string };
  process?: { command_line?: string; exit_code?: number };
  error?: { code?: string; message: string };
  message?: string;
  labels?: Labels;
  shiplog: {
    id: string;
    digest: string;
    kind: LogEvent['kind'];
    task: { id: string; change?: TaskChange };
    attempt?: number;
    status?: NonNullable<LogEvent['status']>;
    stream?: NonNullable<LogEvent['stream']>;
    source?: string;
    writer?: string;
    duration_ms?: number;
    progress?: Progress;
    params?: JsonObject;
    at_replaced?: true;
    words?: string[];
  };
}

const NS_PER_MS = 1e6;

export function eventDocument(event: LogEvent): EventDocument {
  const doc: EventDocument = {
    '@timestamp': event.at,
    event: { id: event.eventId, ingested: event.receivedAt },
    log: { level: event.level },
    shiplog: {
      id: event.id,
      digest: event.digest,
      kind: event.kind,
      task: { id: event.taskId },
    },
  };
  const { event: ecs, shiplog } = doc;
  if (event.atReplaced) shiplog.at_replaced = true;
  if (event.step !== null) ecs.action = event.step;
  if (isTerminal(event.status)) ecs.outcome = outcome(event.status);
  if (event.sequence !== null) ecs.sequence = event.sequence;
  if (event.host !== null) doc.host = { name: event.host };
  if (event.service !== null || event.environment !== null) {
    doc.service = {};
    if (event.service !== null) doc.service.name = event.service;
    if (event.environment !== null) doc.service.environment = event.environment;
  }
  if (event.command !== null || event.exitCode !== null) {
    doc.process = {};
    if (event.command !== null) doc.process.command_line = event.command;
    if (event.exitCode !== null) doc.process.exit_code = event.exitCode;
  }
  if (event.error !== null) {
    const { code, message } = event.error;
    doc.error = code === null ? { message } : { code, message };
  }
  if (event.message !== null) doc.message = event.message;
  if (Object.keys(event.labels).length > 0) doc.labels = event.labels;
  if (event.attempt !== null) shiplog.attempt = event.attempt;
  if (event.status !== null) shiplog.status = event.status;
  if (event.stream !== null) shiplog.stream = event.stream;
  if (event.source !== null) shiplog.source = event.source;
  if (event.writer !== null) shiplog.writer = event.writer;
  if (event.durationMs !== null) {
    shiplog.duration_ms = event.durationMs;
    ecs.duration = Math.round(event.durationMs * NS_PER_MS);
  }
  if (event.progress !== null) shiplog.progress = event.progress;
  if (event.params !== null) shiplog.params = event.params;
  if (event.task !== null) shiplog.task.change = event.task;
  const texts = searchedTexts(event).map((text) => wordsOf(text).join(' '));
  if (texts.length > 0) shiplog.words = texts;
  return doc;
}

function outcome(status: string): 'success' | 'failure' | 'unknown' {
  if (status === 'SUCCEEDED') return 'success';
  return status === 'FAILED' || status === 'TIMED_OUT' ? 'failure' : 'unknown';
}

export function storedEvent(doc: EventDocument, position: Position): StoredEvent {
  const { shiplog } = doc;
  return {
    id: shiplog.id,
    eventId: doc.event.id,
    digest: shiplog.digest,
    kind: shiplog.kind,
    taskId: shiplog.task.id,
    host: doc.host?.name ?? null,
    step: doc.event.action ?? null,
    attempt: shiplog.attempt ?? null,
    status: shiplog.status ?? null,
    at: doc['@timestamp'],
    ...(shiplog.at_replaced === true ? { atReplaced: true } : {}),
    receivedAt: doc.event.ingested,
    writer: shiplog.writer ?? null,
    sequence: doc.event.sequence ?? null,
    service: doc.service?.name ?? null,
    environment: doc.service?.environment ?? null,
    message: doc.message ?? null,
    level: doc.log.level,
    stream: shiplog.stream ?? null,
    command: doc.process?.command_line ?? null,
    params: shiplog.params ?? null,
    exitCode: doc.process?.exit_code ?? null,
    durationMs: shiplog.duration_ms ?? null,
    progress: shiplog.progress ?? null,
    error:
      doc.error === undefined ? null : { code: doc.error.code ?? null, message: doc.error.message },
    source: shiplog.source ?? null,
    labels: doc.labels ?? {},
    task: shiplog.task.change ?? null,
    position,
  };
}
