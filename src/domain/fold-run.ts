/**
 * The fold of one run (one task on one host): what its events say of its steps and attempts.
 *
 * Pure, commutative, idempotent; used to keep the stored views, the live boards, and to show the
 * past. `derive-run.ts` turns the state into what is shown.
 */
import {
  foldTime,
  isTerminal,
  type JsonObject,
  type Position,
  type Progress,
  type StepError,
  type StoredEvent,
  type TerminalStepStatus,
} from './event.ts';
import { FAILURE_TEXT_MAX } from './failure.ts';
import {
  type Entry,
  greatest,
  latest,
  least,
  lookUp,
  type Register,
  withEntry,
} from './register.ts';

/** Bounds on what one run remembers; beyond them the log still has everything. */
export const MAX_STEPS_PER_RUN = 500;
export const MAX_ATTEMPTS_PER_STEP = 100;
const MAX_SOURCES = 8;

/** What was reported under one terminal status of one attempt. */
export interface EndState {
  status: TerminalStepStatus;
  t: number;
  by: string;
  source: string;
  /** Latest time by source. */
  times: Entry<number>[];
  exitCode: Register<number> | null;
  error: Register<StepError> | null;
  message: Register<string> | null;
  durationMs: Register<number> | null;
}

export interface AttemptState {
  attempt: number;
  firstAt: number;
  lastEventAt: number;
  /** Earliest time by source, of what is not an end. */
  starts: Entry<number>[];
  /** At most one for each terminal status, by status. */
  ends: Entry<EndState>[];
  command: Register<string> | null;
  params: Register<JsonObject> | null;
  source: Register<string> | null;
  progress: Register<Progress> | null;
}

export interface StepState {
  name: string;
  /** Lowest first. */
  attempts: AttemptState[];
}

export interface RunState {
  taskId: string;
  host: string;
  lastEventAt: number | null;
  position: Position | null;
  steps: Entry<StepState>[];
}

export function emptyRun(taskId: string, host: string): RunState {
  return { taskId, host, lastEventAt: null, position: null, steps: [] };
}

function emptyAttempt(attempt: number, event: StoredEvent): AttemptState {
  return {
    attempt,
    firstAt: foldTime(event),
    lastEventAt: event.receivedAt,
    starts: [],
    ends: [],
    command: null,
    params: null,
    source: null,
    progress: null,
  };
}

/** What a failure is told by; the whole line stays in the log. */
function failureMessage({ message }: StoredEvent): string | null {
  if (message === null || message.length <= FAILURE_TEXT_MAX) return message;
  return message.slice(0, FAILURE_TEXT_MAX).toWellFormed();
}

function foldEnd(end: EndState | null, status: TerminalStepStatus, event: StoredEvent): EndState {
  const t = foldTime(event);
  const by = event.eventId;
  const source = event.source ?? '';
  const wins = end === null || t > end.t || (t === end.t && by > end.by);
  const last = greatest(end === null ? null : lookUp(end.times, source), t);
  return {
    status,
    t: wins ? t : end.t,
    by: wins ? by : end.by,
    source: wins ? source : end.source,
    times: withEntry(end?.times ?? [], source, last, MAX_SOURCES),
    exitCode: latest(end?.exitCode ?? null, event.exitCode, t, by),
    error: latest(end?.error ?? null, event.error, t, by),
    message: latest(end?.message ?? null, failureMessage(event), t, by),
    durationMs: latest(end?.durationMs ?? null, event.durationMs, t, by),
  };
}

function foldAttempt(state: AttemptState, event: StoredEvent): AttemptState {
  const t = foldTime(event);
  const by = event.eventId;
  const source = event.source ?? '';
  let { starts, ends } = state;
  if (isTerminal(event.status)) {
    const before = lookUp(ends, event.status);
    ends = withEntry(ends, event.status, foldEnd(before, event.status, event), 5);
  } else {
    starts = withEntry(starts, source, least(lookUp(starts, source), t), MAX_SOURCES);
  }
  return {
    attempt: state.attempt,
    firstAt: least(state.firstAt, t),
    lastEventAt: greatest(state.lastEventAt, event.receivedAt),
    starts,
    ends,
    command: latest(state.command, event.command, t, by),
    params: latest(state.params, event.params, t, by),
    source: latest(state.source, event.source, t, by),
    progress: latest(state.progress, event.progress, t, by),
  };
}

function foldStep(state: StepState | null, name: string, event: StoredEvent): StepState {
  const number = event.attempt ?? 1;
  const attempts = state?.attempts.slice() ?? [];
  let at = attempts.findIndex((attempt) => attempt.attempt >= number);
  if (at < 0) at = attempts.length;
  const present = attempts[at]?.attempt === number;
  const before = present ? (attempts[at] as AttemptState) : emptyAttempt(number, event);
  attempts.splice(at, present ? 1 : 0, foldAttempt(before, event));
  if (attempts.length > MAX_ATTEMPTS_PER_STEP) attempts.shift();
  return { name, attempts };
}

/** The run with one more of its events; TASK events and those of other runs change nothing. */
export function foldRun(state: RunState, event: StoredEvent): RunState {
  if (event.taskId !== state.taskId || event.host !== state.host || event.step === null) {
    return state;
  }
  const step = foldStep(lookUp(state.steps, event.step), event.step, event);
  return {
    taskId: state.taskId,
    host: state.host,
    lastEventAt: greatest(state.lastEventAt, event.receivedAt),
    position: laterPosition(state.position, event.position),
    steps: withEntry(state.steps, event.step, step, MAX_STEPS_PER_RUN),
  };
}

/** Events of one task are in one shard, so the greater seq is the later. */
export function laterPosition(current: Position | null, position: Position): Position {
  return current === null || position.seq > current.seq ? position : current;
}
