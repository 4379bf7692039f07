/**
 * What a run's folded state means: the status of each step and of the run, under its task's plan.
 */

import type { RunStatus, StepStatus } from '../event/event.ts';
import { failureOf } from '../failure/failure.ts';
import { planOf } from './derive-task.ts';
import type { AttemptState, EndState, RunState, StepState } from './fold-run.ts';
import type { TaskState } from './fold-task.ts';
import { greatest, isLater, lookUp } from './joins.ts';
import type { AttemptView, RunView, StepView } from './views.ts';

/** If there are several terminal reports, the later time wins, then the greater event id. */
function winner({ done, broken }: AttemptState): EndState | null {
  if (done === null || broken === null) return done ?? broken;
  return isLater(done.t, done.by, broken) ? done : broken;
}

function attemptStatus(attempt: AttemptState): StepStatus {
  return winner(attempt)?.status ?? 'RUNNING';
}

/** The reporter's own figure, else the difference of two times of one source, else null. */
function attemptDuration(attempt: AttemptState, end: EndState): number | null {
  if (end.durationMs !== null) return end.durationMs.value;
  const sources = [end.source, ...attempt.stops.map(([source]) => source)];
  for (const source of sources) {
    const from = lookUp(attempt.starts, source);
    const to = source === end.source ? end.t : lookUp(attempt.stops, source);
    if (from !== null && to !== null && to >= from) return to - from;
  }
  return null;
}

function attemptView(attempt: AttemptState): AttemptView {
  const end = winner(attempt);
  return {
    attempt: attempt.attempt,
    status: end?.status ?? 'RUNNING',
    startedAt: attempt.firstAt,
    finishedAt: end?.t ?? null,
    durationMs: end === null ? null : attemptDuration(attempt, end),
    exitCode: end?.exitCode?.value ?? null,
    error: end !== null && end === attempt.broken ? (attempt.error?.value ?? null) : null,
  };
}

type TaskFields = Pick<StepView, 'service' | 'environment' | 'version'>;

function stepView(
  run: RunState,
  name: string,
  index: number | null,
  state: StepState | null,
  over: boolean,
  task: TaskFields,
): StepView {
  const attempts = state?.attempts.map(attemptView) ?? [];
  const shown = attempts.at(-1) ?? {
    attempt: 1,
    status: over ? ('NOT_RUN' as const) : ('PENDING' as const),
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    exitCode: null,
    error: null,
  };
  const last = state?.attempts.at(-1) ?? null;
  return {
    ...shown,
    taskId: run.taskId,
    host: run.host,
    name,
    index,
    attempts,
    progress: last?.progress?.value ?? null,
    command: last?.command?.value ?? null,
    params: last?.params?.value ?? null,
    source: last?.source?.value ?? null,
    lastEventAt: last?.lastEventAt ?? null,
    failure: failureOf({
      status: shown.status,
      message: last?.message?.value ?? null,
      error: shown.error,
      exitCode: shown.exitCode,
      host: run.host,
    }),
    ...task,
  };
}

/** The run's status as its own events have it, before the end of its task is considered. */
export function baseRunStatus(run: RunState, plan: readonly string[]): RunStatus {
  const statuses = new Map<string, StepStatus>();
  for (const [name, step] of run.steps) {
    const last = step.attempts.at(-1);
    if (last !== undefined) statuses.set(name, attemptStatus(last));
  }
  if (statuses.size === 0) return 'PENDING';
  const all = [...statuses.values()];
  if (all.some((status) => status === 'FAILED' || status === 'TIMED_OUT')) return 'FAILED';
  if (all.includes('CANCELLED')) return 'CANCELLED';
  if (all.includes('RUNNING')) return 'RUNNING';
  const done = plan.every((name) => {
    const status = statuses.get(name);
    return status === 'SUCCEEDED' || status === 'SKIPPED';
  });
  return done && plan.length > 0 ? 'SUCCEEDED' : 'RUNNING';
}

/** When the task is over, what never started was NOT_RUN and what stopped half-way CANCELLED. */
function finalRunStatus(base: RunStatus, over: boolean, steps: readonly StepView[]): RunStatus {
  if (!over) return base;
  if (base === 'PENDING') return 'NOT_RUN';
  const halfWay = base === 'RUNNING' && !steps.some((step) => step.status === 'RUNNING');
  return halfWay ? 'CANCELLED' : base;
}

/** From the first that a source said to the last end that it told: the widest of all sources. */
function runDuration(run: RunState): number | null {
  let widest = 0;
  for (const [, step] of run.steps) {
    for (const [source, to] of step.attempts.at(-1)?.stops ?? []) {
      const from = lookUp(run.sources, source);
      if (from !== null && to - from > widest) widest = to - from;
    }
  }
  return widest > 0 ? widest : null;
}

function lastFinish(steps: readonly StepView[]): number | null {
  let last: number | null = null;
  for (const { finishedAt } of steps) {
    if (finishedAt !== null) last = greatest(last, finishedAt);
  }
  return last;
}

function currentStep(status: RunStatus, steps: readonly StepView[]): string | null {
  if (status === 'FAILED') {
    return (
      steps.find((step) => step.status === 'FAILED' || step.status === 'TIMED_OUT')?.name ?? null
    );
  }
  if (status !== 'RUNNING') return null;
  const running = steps.filter((step) => step.status === 'RUNNING');
  const newest = running.reduce<StepView | null>(
    (best, step) => (best === null || (step.startedAt ?? 0) >= (best.startedAt ?? 0) ? step : best),
    null,
  );
  return (newest ?? steps.find((step) => step.status === 'PENDING'))?.name ?? null;
}

/** nginx-offline done, and nginx-online not done since. */
function outOfRotationSince(steps: readonly StepView[]): number | null {
  const offline = steps.find((step) => step.name === 'nginx-offline');
  if (offline?.status !== 'SUCCEEDED' || offline.finishedAt === null) return null;
  const online = steps.find((step) => step.name === 'nginx-online');
  const back = online?.status === 'SUCCEEDED' ? online.finishedAt : null;
  return back !== null && back >= offline.finishedAt ? null : offline.finishedAt;
}

/** The run as it is shown. `over`: its task has ended (`deriveTask`). */
export function deriveRun(run: RunState, task: TaskState, over: boolean): RunView {
  const plan = planOf(task);
  const fields: TaskFields = {
    service: task.service?.value ?? null,
    environment: task.environment?.value ?? null,
    version: task.version?.value ?? null,
  };
  const planned = plan.map((name, index) =>
    stepView(run, name, index, lookUp(run.steps, name), over, fields),
  );
  const inPlan = new Set(plan);
  const others = run.steps
    .filter(([name]) => !inPlan.has(name))
    .sort(([a, one], [b, other]) => one.firstAt - other.firstAt || (a < b ? -1 : 1))
    .map(([name, step]) => stepView(run, name, null, step, over, fields));
  const steps = [...planned, ...others];
  const base = baseRunStatus(run, plan);
  const ended = base === 'SUCCEEDED' || base === 'FAILED' || base === 'CANCELLED';
  const status = finalRunStatus(base, over, steps);
  return {
    taskId: run.taskId,
    host: run.host,
    status,
    currentStep: currentStep(status, steps),
    steps,
    startedAt: run.firstAt,
    finishedAt: ended ? lastFinish(steps) : null,
    durationMs: ended ? runDuration(run) : null,
    lastEventAt: run.lastEventAt,
    outOfRotationSince: outOfRotationSince(steps),
    ...fields,
    position: run.position,
  };
}
