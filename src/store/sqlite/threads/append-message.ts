/**
 * What an append says to the thread that writes, and back, as JSON text. Lists without names: of an
 * event's text its names are half, and both threads would spend a tenth of their time on them.
 */
import type { LogEvent } from '../../../domain/event/event.ts';
import type { AppendOutcome } from '../../store.ts';
import { SHARD } from '../file/epochs.ts';

type EventRow = [
  id: LogEvent['id'],
  eventId: LogEvent['eventId'],
  digest: LogEvent['digest'],
  kind: LogEvent['kind'],
  taskId: LogEvent['taskId'],
  host: LogEvent['host'],
  step: LogEvent['step'],
  attempt: LogEvent['attempt'],
  status: LogEvent['status'],
  at: LogEvent['at'],
  receivedAt: LogEvent['receivedAt'],
  writer: LogEvent['writer'],
  sequence: LogEvent['sequence'],
  service: LogEvent['service'],
  environment: LogEvent['environment'],
  message: LogEvent['message'],
  level: LogEvent['level'],
  stream: LogEvent['stream'],
  command: LogEvent['command'],
  params: LogEvent['params'],
  exitCode: LogEvent['exitCode'],
  durationMs: LogEvent['durationMs'],
  progress: LogEvent['progress'],
  error: LogEvent['error'],
  source: LogEvent['source'],
  labels: LogEvent['labels'],
  task: LogEvent['task'],
  /** Absent: not replaced. */
  atReplaced?: true,
];

export function textOfEvents(events: readonly LogEvent[]): string {
  return JSON.stringify(events.map(rowOf));
}

function rowOf(event: LogEvent): EventRow {
  const row: EventRow = [
    event.id,
    event.eventId,
    event.digest,
    event.kind,
    event.taskId,
    event.host,
    event.step,
    event.attempt,
    event.status,
    event.at,
    event.receivedAt,
    event.writer,
    event.sequence,
    event.service,
    event.environment,
    event.message,
    event.level,
    event.stream,
    event.command,
    event.params,
    event.exitCode,
    event.durationMs,
    event.progress,
    event.error,
    event.source,
    event.labels,
    event.task,
  ];
  if (event.atReplaced) row.push(true);
  return row;
}

export function eventsOfText(text: string): LogEvent[] {
  return (JSON.parse(text) as EventRow[]).map(eventOf);
}

function eventOf(row: EventRow): LogEvent {
  return {
    id: row[0],
    eventId: row[1],
    digest: row[2],
    kind: row[3],
    taskId: row[4],
    host: row[5],
    step: row[6],
    attempt: row[7],
    status: row[8],
    at: row[9],
    ...(row[27] === true ? { atReplaced: true } : {}),
    receivedAt: row[10],
    writer: row[11],
    sequence: row[12],
    service: row[13],
    environment: row[14],
    message: row[15],
    level: row[16],
    stream: row[17],
    command: row[18],
    params: row[19],
    exitCode: row[20],
    durationMs: row[21],
    progress: row[22],
    error: row[23],
    source: row[24],
    labels: row[25],
    task: row[26],
  };
}

/** The seq of an event that was stored; with its service and environment where it has one. */
type Told =
  | number
  | [seq: number, service: string | null, environment: string | null]
  | Exclude<AppendOutcome, { outcome: 'STORED' }>;

export interface AppendReply {
  told: Told[];
  lastSeq: number;
}

export function replyOf(outcomes: readonly AppendOutcome[], lastSeq: number): AppendReply {
  return { told: outcomes.map(toldOf), lastSeq };
}

function toldOf(outcome: AppendOutcome): Told {
  if (outcome.outcome !== 'STORED') return outcome;
  const { position, service, environment } = outcome;
  const isBare = service === null && environment === null;
  return isBare ? position.seq : [position.seq, service, environment];
}

export function outcomesOf({ told }: AppendReply): AppendOutcome[] {
  return told.map((one) => {
    if (typeof one === 'number') return stored(one, null, null);
    return Array.isArray(one) ? stored(...one) : one;
  });
}

function stored(seq: number, service: string | null, environment: string | null): AppendOutcome {
  return { outcome: 'STORED', position: { shard: SHARD, seq }, service, environment };
}
