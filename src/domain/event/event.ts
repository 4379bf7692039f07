/**
 * The event: one thing that was reported about a step or a task.
 *
 * Events are append-only and immutable; everything else Shiplog shows is a fold over them
 * (`domain/fold/`). All times are epoch milliseconds.
 */

export const STEP_STATUSES = [
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'TIMED_OUT',
  'CANCELLED',
  'NOT_RUN',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export const TERMINAL_STEP_STATUSES = [
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'TIMED_OUT',
  'CANCELLED',
] as const;
export type TerminalStepStatus = (typeof TERMINAL_STEP_STATUSES)[number];

/** What a sender may report; PENDING and NOT_RUN are conclusions of ours. */
export type ReportedStepStatus = 'RUNNING' | TerminalStepStatus;

export const RUN_STATUSES = [
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'NOT_RUN',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const TASK_STATUSES = [
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'PARTIAL',
  'FAILED',
  'CANCELLED',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** In order of severity. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_STREAMS = ['STDOUT', 'STDERR'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

export const EVENT_KINDS = ['TASK', 'STEP', 'OUTPUT', 'PROGRESS'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const DEFAULT_PLAN = [
  'backup',
  'download',
  'unpack',
  'env-init',
  'nginx-offline',
  'service-start',
  'nginx-online',
] as const;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
/** Labels are flat: a filter compares the value's text. */
export type Labels = { [key: string]: string | number | boolean };

export interface Progress {
  done: number;
  total: number | null;
  unit: string | null;
}

export interface StepError {
  code: string | null;
  message: string;
}

/** What a TASK event says about its task; null means "not said". */
export interface TaskChange {
  change: 'began' | 'ended' | 'idle';
  service: string | null;
  version: string | null;
  environment: string | null;
  title: string | null;
  createdBy: string | null;
  plan: string[] | null;
  hosts: string[] | null;
  expectedHosts: number | null;
  labels: Labels | null;
  /** `ended`: the status that finishTask gave; null: derived from the runs. */
  status: TaskStatus | null;
  /** `ended`: what finishTask said. */
  message: string | null;
  /** `idle`: holds only while no event was received after this moment. */
  idleSince: number | null;
}

/** An event as it is appended: complete, validated, redacted. */
export interface LogEvent {
  /** hash(taskId, eventId): unique across everything, and the same for a retry. */
  id: string;
  /** Unique within its task. */
  eventId: string;
  /**
   * Of what the sender sent, after redaction: tells a retry from another event of the same id. Empty
   * where the id alone tells.
   */
  digest: string;
  kind: EventKind;
  taskId: string;
  /** host, step, attempt: null on TASK events and only there. */
  host: string | null;
  step: string | null;
  attempt: number | null;
  status: ReportedStepStatus | null;
  at: number;
  /** Only where the sender said a time that nothing can have happened at: `at` is `receivedAt`. */
  atReplaced?: true;
  receivedAt: number;
  writer: string | null;
  sequence: number | null;
  /** The task's, as known when the event was taken in (filled in by the engine). */
  service: string | null;
  environment: string | null;
  message: string | null;
  level: LogLevel;
  stream: LogStream | null;
  command: string | null;
  params: JsonObject | null;
  exitCode: number | null;
  durationMs: number | null;
  progress: Progress | null;
  error: StepError | null;
  source: string | null;
  labels: Labels;
  /** On TASK events and only there. */
  task: TaskChange | null;
}

/** Where an event stands in the log: `seq` is dense from 1 within its shard, in commit order. */
export interface Position {
  shard: string;
  seq: number;
}

export interface StoredEvent extends LogEvent {
  position: Position;
}

/** The time that folds use: a clock in 2099 must not win for ever. */
export function foldTime(event: Pick<LogEvent, 'at' | 'receivedAt'>): number {
  return Math.min(event.at, event.receivedAt);
}

export function isTerminal(status: string | null): status is TerminalStepStatus {
  return status !== null && (TERMINAL_STEP_STATUSES as readonly string[]).includes(status);
}

export function formatPosition(position: Position): string {
  return `${position.shard}:${position.seq}`;
}
