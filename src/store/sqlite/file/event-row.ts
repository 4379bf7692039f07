/**
 * Events as rows: what is filtered by has a column, all else is one JSON array in `rest`.
 */
import type { LogEvent, StoredEvent } from '../../../domain/event/event.ts';
import { errorText, indexedText } from '../../../domain/search/words.ts';
import { kinds, levels, stepStatuses, streams } from './codes.ts';
import type { Value } from './connection.ts';
import { SHARD } from './epochs.ts';

/** 48 bits of the id: what its index holds. */
export function idHash(id: string): number {
  let hash = 0;
  for (let at = 0; at < 8; at++) hash = hash * 64 + (SIXTY_FOUR[id.charCodeAt(at) & 127] ?? 0);
  return hash;
}
const SIXTY_FOUR = new Uint8Array(128);
for (const [value, char] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  SIXTY_FOUR[char.charCodeAt(0)] = value;
}

type Rest = [
  id: string,
  eventId: string,
  digest: string,
  command: LogEvent['command'],
  params: LogEvent['params'],
  exitCode: LogEvent['exitCode'],
  durationMs: LogEvent['durationMs'],
  progress: LogEvent['progress'],
  error: LogEvent['error'],
  task: LogEvent['task'],
  /** Absent: not replaced. */
  atReplaced?: true,
];

/** id and digest of a row's `rest`. */
export function identityOf(rest: string): { id: string; digest: string } {
  const [id, , digest] = JSON.parse(rest) as Rest;
  return { id, digest };
}

const COLUMNS = [
  'seq',
  'at',
  'received_at',
  'kind',
  'level',
  'status',
  'stream',
  'attempt',
  'sequence',
  'host',
  'step',
  'writer',
  'source',
  'service',
  'environment',
  'message',
  'labels',
  'rest',
];

export function insertEventSql(day: number): string {
  const columns = [...COLUMNS, 'task', 'run', 'id_hash'];
  return `INSERT INTO events_${day} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

export function insertWordsSql(day: number): string {
  return `INSERT INTO words_${day} (rowid, message, command, error) VALUES (?, ?, ?, ?)`;
}

/** Values for `insertEventSql`. */
export function eventValues(event: StoredEvent, task: number, run: number | null): Value[] {
  const rest: Rest = [
    event.id,
    event.eventId,
    event.digest,
    event.command,
    event.params,
    event.exitCode,
    event.durationMs,
    event.progress,
    event.error,
    event.task,
  ];
  if (event.atReplaced) rest.push(true);
  return [
    event.position.seq,
    event.at,
    event.receivedAt,
    kinds.code(event.kind),
    levels.code(event.level),
    stepStatuses.codeOrNull(event.status),
    streams.codeOrNull(event.stream),
    event.attempt,
    event.sequence,
    event.host,
    event.step,
    event.writer,
    event.source,
    event.service,
    event.environment,
    event.message,
    hasKeys(event.labels) ? JSON.stringify(event.labels) : null,
    JSON.stringify(rest),
    task,
    run,
    idHash(event.id),
  ];
}

function hasKeys(object: object): boolean {
  for (const _ in object) return true;
  return false;
}

/** Each searched text in its own column; null where the event has no text. */
export function wordValues(event: StoredEvent): Value[] | null {
  const { message, command, error } = event;
  if (message === null && command === null && error === null) return null;
  return [
    event.position.seq,
    message === null ? null : indexedText(message),
    command === null ? null : indexedText(command),
    error === null ? null : indexedText(errorText(error)),
  ];
}

/** The columns that `eventOf` reads, of alias `e` and with the task's id from alias `t`. */
export const EVENT_COLUMNS = [...COLUMNS.map((column) => `e.${column}`), 't.id'].join(', ');

export type EventRow = [
  seq: number,
  at: number,
  receivedAt: number,
  kind: number,
  level: number,
  status: number | null,
  stream: number | null,
  attempt: number | null,
  sequence: number | null,
  host: string | null,
  step: string | null,
  writer: string | null,
  source: string | null,
  service: string | null,
  environment: string | null,
  message: string | null,
  labels: string | null,
  rest: string,
  taskId: string,
];

/** `rowWeight` in bytes, told without reading the texts. */
export const ROW_WEIGHT =
  '400 + coalesce(octet_length(e.message), 0) + coalesce(octet_length(e.labels), 0) + octet_length(e.rest)';

/** Characters of a row's texts and what surrounds them, as its answer will weigh. */
export function rowWeight(row: EventRow): number {
  return 400 + (row[15]?.length ?? 0) + (row[16]?.length ?? 0) + row[17].length;
}

export function eventOf(row: EventRow): StoredEvent {
  const rest = JSON.parse(row[17]) as Rest;
  return {
    id: rest[0],
    eventId: rest[1],
    digest: rest[2],
    kind: kinds.name(row[3]),
    taskId: row[18],
    host: row[9],
    step: row[10],
    attempt: row[7],
    status: stepStatuses.nameOrNull(row[5]) as StoredEvent['status'],
    at: row[1],
    ...(rest[10] === true ? { atReplaced: true } : {}),
    receivedAt: row[2],
    writer: row[11],
    sequence: row[8],
    service: row[13],
    environment: row[14],
    message: row[15],
    level: levels.name(row[4]),
    stream: streams.nameOrNull(row[6]),
    command: rest[3],
    params: rest[4],
    exitCode: rest[5],
    durationMs: rest[6],
    progress: rest[7],
    error: rest[8],
    source: row[12],
    labels: row[16] === null ? {} : JSON.parse(row[16]),
    task: rest[9],
    position: { shard: SHARD, seq: row[0] },
  };
}
