/**
 * What a task's folded state means, given how its runs stand.
 */
import { DEFAULT_PLAN, type RunStatus, type TaskStatus } from '../event/event.ts';
import { labelsOf, type TaskState } from './fold-task.ts';
import { greatest } from './joins.ts';
import type { TaskView } from './views.ts';

/** How many of a task's runs have each base status (`baseRunStatus`), and the last end of one. */
export interface RunTotals {
  total: number;
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  lastFinishedAt: number | null;
}

export const NO_RUNS: Readonly<RunTotals> = {
  total: 0,
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  lastFinishedAt: null,
};

const STANDARD_STEPS: ReadonlySet<string> = new Set(DEFAULT_PLAN);

/** Neither declared nor the seven standard steps: it is what was reported so far. */
function isPlanReported({ plan, reported }: TaskState): boolean {
  return plan === null && reported.some(({ step }) => !STANDARD_STEPS.has(step));
}

/**
 * What was declared; where nothing was, the seven standard steps if all that was reported is among
 * them, else what was reported, in the order of first appearance.
 */
export function planOf(task: TaskState): readonly string[] {
  if (task.plan !== null) return task.plan.value;
  return isPlanReported(task) ? task.reported.map(({ step }) => step) : DEFAULT_PLAN;
}

export function isSamePlan(a: TaskState, b: TaskState): boolean {
  if (a.plan === b.plan && a.reported === b.reported) return true;
  const one = planOf(a);
  const other = planOf(b);
  return one.length === other.length && one.every((step, i) => step === other[i]);
}

/**
 * The greatest seq of an event that may have changed more than its own run (by its task's fields,
 * its plan, or by ending it); 0: none. Behind it nothing but single runs changed.
 */
export function lastChangeOfAll(task: TaskState, over: boolean): number {
  let last = task.said?.seq ?? 0;
  if (over) last = greatest(last, task.position?.seq ?? 0);
  if (task.plan === null) for (const { seq } of task.reported) last = greatest(last, seq);
  return last;
}

function expectedHostsOf(task: TaskState): number | null {
  return task.expectedHosts?.value ?? task.hosts?.value.length ?? null;
}

/** `totals` with one run moved from one base status to another (null: not there). */
export function moveRun(
  totals: RunTotals,
  from: RunStatus | null,
  to: RunStatus | null,
): RunTotals {
  const next = { ...totals };
  const add = (status: RunStatus | null, n: number) => {
    if (status === null || status === 'NOT_RUN') return;
    next[status.toLowerCase() as 'pending'] += n;
    next.total += n;
  };
  add(from, -1);
  add(to, 1);
  return next;
}

/**
 * Ended by finishTask; or all expected hosts ended; or idle, for as long as nothing came since.
 * A task that does not say how many hosts it has cannot end by its hosts: more may come.
 */
export function isOver(task: TaskState, runs: RunTotals): boolean {
  return task.end !== null || allEnded(task, runs) || isIdle(task);
}

function allEnded(task: TaskState, runs: RunTotals): boolean {
  const expected = expectedHostsOf(task);
  // If the plan is only what was reported so far, another step may follow one that succeeded.
  const succeeded = isPlanReported(task) ? 0 : runs.succeeded;
  const ended = succeeded + runs.failed + runs.cancelled;
  return expected !== null && expected > 0 && ended >= expected && ended === runs.total;
}

function isIdle(task: TaskState): boolean {
  return task.idleSince !== null && (task.lastEventAt ?? 0) <= task.idleSince;
}

function derivedEnd(task: TaskState, runs: RunTotals): TaskStatus {
  const whole = Math.max(runs.total, expectedHostsOf(task) ?? 0);
  if (runs.succeeded > 0) return runs.succeeded === whole ? 'SUCCEEDED' : 'PARTIAL';
  return runs.failed > 0 ? 'FAILED' : 'CANCELLED';
}

function finishedAt(task: TaskState, runs: RunTotals): number | null {
  if (task.end !== null) return task.end.t;
  return allEnded(task, runs) ? runs.lastFinishedAt : task.lastEventAt;
}

/** Times of one clock only: the release service's, else ours, else the hosts' own. */
function duration(task: TaskState, runs: RunTotals): number | null {
  let span: number | null = null;
  if (task.end !== null) {
    span =
      task.begunAt !== null
        ? task.end.t - task.begunAt
        : task.end.receivedAt - (task.firstReceivedAt ?? task.end.receivedAt);
  } else {
    const end = finishedAt(task, runs);
    span = end === null || task.startedAt === null ? null : end - task.startedAt;
  }
  return span === null || span < 0 ? null : span;
}

/** The task as it is shown. */
export function deriveTask(task: TaskState, runs: RunTotals): TaskView {
  const over = isOver(task, runs);
  const begun: TaskStatus = task.startedAt === null ? 'PENDING' : 'RUNNING';
  return {
    id: task.id,
    service: task.service?.value ?? null,
    version: task.version?.value ?? null,
    environment: task.environment?.value ?? null,
    title: task.title?.value ?? null,
    createdBy: task.createdBy?.value ?? null,
    labels: labelsOf(task.labels),
    plan: [...planOf(task)],
    status: over ? (task.end?.status ?? derivedEnd(task, runs)) : begun,
    over,
    message: task.end?.message ?? null,
    createdAt: task.begunAt ?? task.firstAt ?? 0,
    startedAt: task.startedAt,
    finishedAt: over ? finishedAt(task, runs) : null,
    durationMs: over ? duration(task, runs) : null,
    expectedHosts: expectedHostsOf(task),
    lastEventAt: task.lastEventAt ?? 0,
    position: task.position ?? { shard: '', seq: 0 },
  };
}
