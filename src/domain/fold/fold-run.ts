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
} from '../event/event.ts';
import { FAILURE_TEXT_MAX } from '../failure/failure.ts';
import {
  type Entry,
  greatest,
  isLater,
  latest,
  least,
  lookUp,
  type Register,
  withEntry,
} from './joins.ts';
import {
  cutParams,
  cutText,
  errorAtDepth,
  MAX_SOURCES_PER_RUN,
  MAX_STEPS_PER_RUN,
  type RunBounds,
  runBounds,
  shortId,
  shortSource,
} from './run-bounds.ts';

/** The latest end of an attempt, and what ends of its kind said. */
export interface EndState {
  status: TerminalStepStatus;
  t: number;
  by: string;
  source: string;
  exitCode: Register<number> | null;
  durationMs: Register<number> | null;
}

export interface AttemptState {
  attempt: number;
  firstAt: number;
  lastEventAt: number;
  /** Earliest time by source, of what is not an end. */
  starts: Entry<number>[];
  /** Latest time by source, of ends. */
  stops: Entry<number>[];
  /** SUCCEEDED or SKIPPED. */
  done: EndState | null;
  /** FAILED, TIMED_OUT or CANCELLED: two reporters of one failure complete each other. */
  broken: EndState | null;
  /** Why it did not end well; kept of the highest attempts only. */
  error: Register<StepError> | null;
  /** From here on: kept of the highest attempt only. */
  message: Register<string> | null;
  command: Register<string> | null;
  params: Register<JsonObject> | null;
  source: Register<string> | null;
  progress: Register<Progress> | null;
}

export interface StepState {
  /** The earliest time of all attempts, including those that are no longer kept. */
  firstAt: number;
  /** Lowest first. */
  attempts: AttemptState[];
}

export interface RunState {
  taskId: string;
  host: string;
  /** The earliest time of all attempts of all steps. */
  firstAt: number | null;
  lastEventAt: number | null;
  position: Position | null;
  /** Earliest time by source. */
  sources: Entry<number>[];
  steps: Entry<StepState>[];
}

export function emptyRun(taskId: string, host: string): RunState {
  return {
    taskId,
    host,
    firstAt: null,
    lastEventAt: null,
    position: null,
    sources: [],
    steps: [],
  };
}

function emptyAttempt(attempt: number, event: StoredEvent): AttemptState {
  return {
    attempt,
    firstAt: foldTime(event),
    lastEventAt: event.receivedAt,
    starts: [],
    stops: [],
    done: null,
    broken: null,
    error: null,
    message: null,
    command: null,
    params: null,
    source: null,
    progress: null,
  };
}

/** What a failure is told by; the whole line stays in the log. */
function failureMessage({ status, message }: StoredEvent): string | null {
  if (status !== 'FAILED' && status !== 'TIMED_OUT') return null;
  if (message === null || message.length <= FAILURE_TEXT_MAX) return message;
  return message.slice(0, FAILURE_TEXT_MAX).toWellFormed();
}

function isDone(status: TerminalStepStatus): boolean {
  return status === 'SUCCEEDED' || status === 'SKIPPED';
}

function foldEnd(
  end: EndState | null,
  status: TerminalStepStatus,
  event: StoredEvent,
  by: string,
): EndState {
  const t = foldTime(event);
  const last =
    end === null || isLater(t, by, end)
      ? { status, t, by, source: shortSource(event.source) }
      : { status: end.status, t: end.t, by: end.by, source: end.source };
  return {
    ...last,
    exitCode: latest(end?.exitCode ?? null, event.exitCode, t, by),
    durationMs: latest(end?.durationMs ?? null, event.durationMs, t, by),
  };
}

/** `depth`: how many attempts are above it. */
function foldAttempt(
  state: AttemptState,
  event: StoredEvent,
  depth: number,
  bounds: RunBounds,
): AttemptState {
  const t = foldTime(event);
  const by = shortId(event.eventId);
  const source = shortSource(event.source);
  const next = { ...state };
  next.firstAt = least(state.firstAt, t);
  next.lastEventAt = greatest(state.lastEventAt, event.receivedAt);
  let error: StepError | null = null;
  if (isTerminal(event.status)) {
    const stop = greatest(lookUp(state.stops, source), t);
    next.stops = withEntry(state.stops, source, stop, bounds.sources);
    if (isDone(event.status)) next.done = foldEnd(state.done, event.status, event, by);
    else {
      next.broken = foldEnd(state.broken, event.status, event, by);
      error = event.error;
    }
  } else {
    const start = least(lookUp(state.starts, source), t);
    next.starts = withEntry(state.starts, source, start, bounds.sources);
  }
  next.error = latest(state.error, error, t, by);
  next.message = latest(state.message, failureMessage(event), t, by);
  next.command = latest(state.command, event.command, t, by);
  next.params = latest(state.params, event.params, t, by);
  next.source = latest(state.source, event.source, t, by);
  next.progress = latest(state.progress, event.progress, t, by);
  return boundedAttempt(next, depth, bounds, state);
}

/** `was`: what is bounded already. */
function cutRegister<T>(
  register: Register<T> | null,
  was: Register<T> | null | undefined,
  cut: (value: T) => T | null,
): Register<T> | null {
  if (register === null || register === was) return register;
  const value = cut(register.value);
  if (value === register.value) return register;
  return value === null ? null : { ...register, value };
}

/** What is kept of an attempt that has so many above it; `was`: as it was before an event. */
function boundedAttempt(
  state: AttemptState,
  depth: number,
  bounds: RunBounds,
  was?: AttemptState,
): AttemptState {
  const shown = depth === 0;
  const detailed = shown && bounds.command > 0;
  const message = (text: string) => cutText(text, bounds.text);
  const command = (text: string) => cutText(text, bounds.command);
  const params = (value: JsonObject) => cutParams(value, bounds.params);
  const progress = (value: Progress) => (detailed ? value : { ...value, unit: null });
  return {
    ...state,
    starts: firstOf(state.starts, bounds.sources),
    stops: firstOf(state.stops, bounds.sources),
    error: cutRegister(state.error, was?.error, (one) => errorAtDepth(one, depth, bounds.text)),
    message: shown ? cutRegister(state.message, was?.message, message) : null,
    command: detailed ? cutRegister(state.command, was?.command, command) : null,
    params: detailed ? cutRegister(state.params, was?.params, params) : null,
    source: detailed ? state.source : null,
    progress: shown ? cutRegister(state.progress, was?.progress, progress) : null,
  };
}

function firstOf<T>(entries: Entry<T>[], most: number): Entry<T>[] {
  return entries.length <= most ? entries : entries.slice(0, most);
}

function boundedStep(state: StepState, bounds: RunBounds): StepState {
  const attempts = state.attempts.slice(-bounds.attempts);
  const top = attempts.length - 1;
  return {
    firstAt: state.firstAt,
    attempts: attempts.map((attempt, at) => boundedAttempt(attempt, top - at, bounds)),
  };
}

function foldStep(state: StepState | null, event: StoredEvent, bounds: RunBounds): StepState {
  const number = event.attempt ?? 1;
  const attempts = state?.attempts.slice() ?? [];
  let at = attempts.findIndex((attempt) => attempt.attempt >= number);
  if (at < 0) at = attempts.length;
  const present = attempts[at]?.attempt === number;
  const before = present ? (attempts[at] as AttemptState) : emptyAttempt(number, event);
  if (!present) attempts.splice(at, 0, before);
  attempts[at] = foldAttempt(before, event, attempts.length - 1 - at, bounds);
  const next = { firstAt: least(state?.firstAt ?? null, foldTime(event)), attempts };
  // A new attempt may have pushed lower ones below the bounds.
  return present ? next : boundedStep(next, bounds);
}

/** The run with one more of its events; TASK events and those of other runs change nothing. */
export function foldRun(state: RunState, event: StoredEvent): RunState {
  if (event.taskId !== state.taskId || event.host !== state.host || event.step === null) {
    return state;
  }
  const t = foldTime(event);
  const source = shortSource(event.source);
  const before = lookUp(state.steps, event.step);
  const bounds = runBounds(state.steps.length + (before === null ? 1 : 0));
  let { steps } = state;
  if (bounds !== runBounds(steps.length)) {
    steps = steps.map(([name, step]) => [name, boundedStep(step, bounds)]);
  }
  const step = foldStep(before, event, bounds);
  return {
    taskId: state.taskId,
    host: state.host,
    firstAt: least(state.firstAt, t),
    lastEventAt: greatest(state.lastEventAt, event.receivedAt),
    position: laterPosition(state.position, event.position),
    sources: withEntry(
      state.sources,
      source,
      least(lookUp(state.sources, source), t),
      MAX_SOURCES_PER_RUN,
    ),
    steps: withEntry(steps, event.step, step, MAX_STEPS_PER_RUN),
  };
}

/** Events of one task are in one shard, so the greater seq is the later. */
export function laterPosition(current: Position | null, position: Position): Position {
  return current === null || position.seq > current.seq ? position : current;
}
