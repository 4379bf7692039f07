/**
 * What is folded from the log and shown: task, run, step, host. Field meanings are those of the
 * GraphQL types of the same names; times are epoch milliseconds, null means not known.
 *
 * Staleness is not in a view, for it changes without an event: see `isStale`.
 */
import type {
  JsonObject,
  Labels,
  Position,
  Progress,
  RunStatus,
  StepError,
  StepStatus,
  TaskStatus,
} from '../event/event.ts';

export interface TaskView {
  id: string;
  service: string | null;
  version: string | null;
  environment: string | null;
  title: string | null;
  createdBy: string | null;
  labels: Labels;
  /** Planned steps in order; steps that were reported without being planned are not in it. */
  plan: string[];
  status: TaskStatus;
  /** Ended: by finishTask, because all expected hosts ended, or idle. */
  over: boolean;
  /** What finishTask said. */
  message: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  durationMs: number | null;
  expectedHosts: number | null;
  /** When the newest event was received, on the receiver's clock. */
  lastEventAt: number;
  /** Where the newest event stands that is folded into this view. */
  position: Position;
}

export interface AttemptView {
  attempt: number;
  status: StepStatus;
  startedAt: number | null;
  finishedAt: number | null;
  durationMs: number | null;
  exitCode: number | null;
  error: StepError | null;
}

export interface StepView extends AttemptView {
  taskId: string;
  host: string;
  name: string;
  /** In the task's plan, from 0; null for a step outside it. */
  index: number | null;
  /** All attempts, lowest first; the step itself shows the highest. */
  attempts: AttemptView[];
  progress: Progress | null;
  command: string | null;
  params: JsonObject | null;
  source: string | null;
  lastEventAt: number | null;
  /** If it failed or timed out: its failure in one text, and the group that it belongs to. */
  failure: { text: string; fingerprint: string } | null;
  /** The task's, for filters and grouping. */
  service: string | null;
  environment: string | null;
  version: string | null;
}

export interface RunView {
  taskId: string;
  host: string;
  status: RunStatus;
  currentStep: string | null;
  /** Planned steps in order, then others in the order of their beginning. */
  steps: StepView[];
  startedAt: number | null;
  finishedAt: number | null;
  durationMs: number | null;
  lastEventAt: number | null;
  outOfRotationSince: number | null;
  /** The task's, for filters. */
  service: string | null;
  environment: string | null;
  version: string | null;
  /** Where the newest event stands that is folded in; null for a host that only the plan names. */
  position: Position | null;
}

export interface HostView {
  name: string;
  labels: Labels;
  firstSeenAt: number;
  lastSeenAt: number;
  agent: string | null;
}

export interface HostReliability {
  runs: number;
  failed: number;
  failureRate: number | null;
  worstStep: string | null;
}

export interface RunCounts {
  total: number;
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  notRun: number;
  stale: number;
}

export interface StepSummary {
  step: string;
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  skipped: number;
  timedOut: number;
  cancelled: number;
  notRun: number;
  p50Ms: number | null;
  p95Ms: number | null;
  maxMs: number | null;
}

/** Counts of one task. Apart from its view, for they are computed on demand. */
export interface TaskStats {
  runCounts: RunCounts;
  /** Planned steps in order, then others by name: at most 1,000 (`board-bounds.ts`). */
  stepSummaries: StepSummary[];
}

export interface TaskMatrix {
  steps: string[];
  hosts: string[];
  /** One letter per host × step, row by row; lower case where stale. '-' where a host has no such step. */
  cells: string;
}

export interface Completeness {
  received: number;
  /** null where no writer numbers its events. */
  complete: boolean | null;
  /** At most 100 ranges. */
  missing: { writer: string; from: number; to: number }[];
}

export interface StepStats {
  key: string;
  step: string | null;
  host: string | null;
  service: string | null;
  day: number | null;
  count: number;
  succeeded: number;
  failed: number;
  p50Ms: number | null;
  p90Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
  avgMs: number | null;
}

export interface EventHistogram {
  intervalMs: number;
  total: number;
  /** Every bucket of the range in order, empty ones too. Levels that do not occur are left out. */
  buckets: { at: number; total: number; byLevel: { level: string; count: number }[] }[];
}

export interface FailureGroup {
  fingerprint: string;
  /** The normalised text that the group shares. */
  message: string;
  count: number;
  hostCount: number;
  /** hosts, steps, tasks: at most 20 of each, newest first. */
  hosts: string[];
  steps: string[];
  tasks: string[];
  firstAt: number;
  lastAt: number;
  sample: StepView;
}

/** A running thing that has been silent for longer than `staleAfterMs`. */
export function isStale(
  view: { status: string; lastEventAt: number | null },
  now: number,
  staleAfterMs: number,
): boolean {
  return (
    view.status === 'RUNNING' && view.lastEventAt !== null && view.lastEventAt < now - staleAfterMs
  );
}

const CELL_LETTERS: Record<StepStatus, string> = {
  PENDING: 'P',
  RUNNING: 'R',
  SUCCEEDED: 'S',
  FAILED: 'F',
  SKIPPED: 'K',
  TIMED_OUT: 'T',
  CANCELLED: 'C',
  NOT_RUN: 'N',
};

/** The matrix letter of a step; lower case where stale. */
export function cellLetter(status: StepStatus, stale: boolean): string {
  return stale ? CELL_LETTERS[status].toLowerCase() : CELL_LETTERS[status];
}
