/**
 * The fold of a task and of a host: which of two reports holds, whatever order they came in.
 */
import {
  foldTime,
  type Labels,
  type Position,
  type StoredEvent,
  type TaskStatus,
} from '../event/event.ts';
import { LIMITS } from '../event/limits.ts';
import { laterPosition } from './fold-run.ts';
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
import type { HostView } from './views.ts';

/** A step of which something was reported: when first, and by which event of the log. */
export interface ReportedStep {
  step: string;
  t: number;
  seq: number;
}

type LabelValue = Labels[string];

/** JSON-serialisable. `hosts` may be long: an engine may keep it apart (same reference = unchanged). */
export interface TaskState {
  id: string;
  service: Register<string> | null;
  version: Register<string> | null;
  environment: Register<string> | null;
  title: Register<string> | null;
  createdBy: Register<string> | null;
  plan: Register<string[]> | null;
  /** In the order of their first events; the first of them, as many as a plan may have. */
  reported: ReportedStep[];
  hosts: Register<string[]> | null;
  expectedHosts: Register<number> | null;
  labels: Entry<Register<LabelValue>>[];
  /** Earliest startTask. */
  begunAt: number | null;
  /** Earliest of all, by the reporters' clocks and by ours. */
  firstAt: number | null;
  firstReceivedAt: number | null;
  /** Earliest event of a step. */
  startedAt: number | null;
  lastEventAt: number | null;
  end: {
    status: TaskStatus | null;
    message: string | null;
    t: number;
    by: string;
    receivedAt: number;
  } | null;
  idleSince: number | null;
  position: Position | null;
  /** Where the newest TASK event stands. */
  said: Position | null;
}

export function emptyTask(id: string): TaskState {
  return {
    id,
    service: null,
    version: null,
    environment: null,
    title: null,
    createdBy: null,
    plan: null,
    reported: [],
    hosts: null,
    expectedHosts: null,
    labels: [],
    begunAt: null,
    firstAt: null,
    firstReceivedAt: null,
    startedAt: null,
    lastEventAt: null,
    end: null,
    idleSince: null,
    position: null,
    said: null,
  };
}

function foldLabels(
  labels: Entry<Register<LabelValue>>[],
  said: Labels | null,
  t: number,
  by: string,
): Entry<Register<LabelValue>>[] {
  let next = labels;
  for (const [key, value] of Object.entries(said ?? {})) {
    const before = lookUp(next, key);
    const after = latest(before, value, t, by);
    if (after !== null && after !== before) next = withEntry(next, key, after, LIMITS.labels);
  }
  return next;
}

function isBefore(a: ReportedStep, b: ReportedStep): boolean {
  return a.t < b.t || (a.t === b.t && a.seq < b.seq);
}

/** The same array where nothing changed. */
function foldReported(reported: ReportedStep[], event: StoredEvent): ReportedStep[] {
  if (event.step === null) return reported;
  const next = { step: event.step, t: foldTime(event), seq: event.position.seq };
  const known = reported.findIndex(({ step }) => step === next.step);
  const before = reported[known];
  if (before !== undefined && !isBefore(next, before)) return reported;
  const last = reported.at(-1);
  const full = reported.length >= LIMITS.planSteps;
  if (before === undefined && full && last !== undefined && !isBefore(next, last)) return reported;
  const others = reported.filter(({ step }) => step !== next.step);
  const at = others.findIndex((other) => isBefore(next, other));
  others.splice(at < 0 ? others.length : at, 0, next);
  return others.slice(0, LIMITS.planSteps);
}

/** The task with one more of its events: TASK events and those of its steps. */
export function foldTask(state: TaskState, event: StoredEvent): TaskState {
  if (event.taskId !== state.id) return state;
  const position = laterPosition(state.position, event.position);
  const said = event.task;
  if (said?.change === 'idle') {
    const marked = laterPosition(state.said, event.position);
    return {
      ...state,
      position,
      said: marked,
      idleSince: greatest(state.idleSince, said.idleSince ?? 0),
    };
  }
  const t = foldTime(event);
  const by = event.eventId;
  const next: TaskState = {
    ...state,
    position,
    firstAt: least(state.firstAt, t),
    firstReceivedAt: least(state.firstReceivedAt, event.receivedAt),
    lastEventAt: greatest(state.lastEventAt, event.receivedAt),
  };
  if (said === null) {
    next.startedAt = least(state.startedAt, t);
    next.reported = foldReported(state.reported, event);
    return next;
  }
  next.said = laterPosition(state.said, event.position);
  if (said.change === 'began') next.begunAt = least(state.begunAt, t);
  if (said.change === 'ended' && isLater(t, by, state.end)) {
    next.end = { status: said.status, message: said.message, t, by, receivedAt: event.receivedAt };
  }
  next.service = latest(state.service, said.service, t, by);
  next.version = latest(state.version, said.version, t, by);
  next.environment = latest(state.environment, said.environment, t, by);
  next.title = latest(state.title, said.title, t, by);
  next.createdBy = latest(state.createdBy, said.createdBy, t, by);
  next.plan = latest(state.plan, said.plan, t, by);
  next.hosts = latest(state.hosts, said.hosts, t, by);
  next.expectedHosts = latest(state.expectedHosts, said.expectedHosts, t, by);
  next.labels = foldLabels(state.labels, said.labels, t, by);
  return next;
}

export interface HostState {
  name: string;
  labels: Entry<Register<LabelValue>>[];
  firstSeenAt: number;
  lastSeenAt: number;
  agent: Register<string> | null;
}

/** The host with one more event about it; null before the first. */
export function foldHost(state: HostState | null, event: StoredEvent): HostState | null {
  if (event.host === null || (state !== null && state.name !== event.host)) return state;
  const t = foldTime(event);
  // Several tasks report of a host, and an eventId is unique in its task only.
  const by = event.id;
  const agent = event.source?.startsWith('agent') ? event.source : null;
  return {
    name: event.host,
    labels: foldLabels(state?.labels ?? [], event.labels, t, by),
    firstSeenAt: least(state?.firstSeenAt ?? null, event.receivedAt),
    lastSeenAt: greatest(state?.lastSeenAt ?? null, event.receivedAt),
    agent: latest(state?.agent ?? null, agent, t, by),
  };
}

export function labelsOf(labels: Entry<Register<LabelValue>>[]): Labels {
  return Object.fromEntries(labels.map(([key, register]) => [key, register.value]));
}

export function deriveHost(state: HostState): HostView {
  return {
    name: state.name,
    labels: labelsOf(state.labels),
    firstSeenAt: state.firstSeenAt,
    lastSeenAt: state.lastSeenAt,
    agent: state.agent?.value ?? null,
  };
}
