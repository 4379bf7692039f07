/** How the runs and steps of a task stand, in numbers: for engines that have them at hand. */
import type { RunStatus, StepStatus } from '../event/event.ts';
import { percentileMs, wholeMs } from '../percentile.ts';
import { stepOrder } from './board-bounds.ts';
import { isStale, type RunCounts, type RunView, type StepSummary } from './views.ts';

/** Which count a run of each status is in. */
export const RUN_COUNTS = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  NOT_RUN: 'notRun',
} as const satisfies Record<RunStatus, keyof RunCounts>;

/** Like `RUN_COUNTS`, but for a step. */
export const STEP_COUNTS = {
  PENDING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  SKIPPED: 'skipped',
  TIMED_OUT: 'timedOut',
  CANCELLED: 'cancelled',
  NOT_RUN: 'notRun',
} as const satisfies Record<StepStatus, keyof StepSummary>;

export interface StepFigures {
  name: string;
  status: StepStatus;
  durationMs: number | null;
}

export function noRuns(): RunCounts {
  return {
    ...{ total: 0, pending: 0, running: 0, succeeded: 0 },
    ...{ failed: 0, cancelled: 0, notRun: 0, stale: 0 },
  };
}

export function noSteps(step: string): StepSummary {
  return {
    ...{ step, pending: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, timedOut: 0 },
    ...{ cancelled: 0, notRun: 0, p50Ms: null, p95Ms: null, maxMs: null },
  };
}

export function countRuns(runs: readonly RunView[], now: number, staleAfterMs: number): RunCounts {
  const counts = noRuns();
  for (const run of runs) {
    counts.total++;
    counts[RUN_COUNTS[run.status]]++;
    if (isStale(run, now, staleAfterMs)) counts.stale++;
  }
  return counts;
}

/** Planned steps in order, also those that nothing is known of, then others by name. */
export function summariseSteps(
  steps: Iterable<StepFigures>,
  plan: readonly string[],
): StepSummary[] {
  const found = new Map<string, { summary: StepSummary; durations: number[] }>();
  for (const { name, status, durationMs } of steps) {
    let entry = found.get(name);
    if (entry === undefined) {
      entry = { summary: noSteps(name), durations: [] };
      found.set(name, entry);
    }
    entry.summary[STEP_COUNTS[status]]++;
    if (durationMs !== null) entry.durations.push(durationMs);
  }
  return stepOrder(plan, found.keys()).map((name) => {
    const { summary, durations } = found.get(name) ?? { summary: noSteps(name), durations: [] };
    const sorted = Float64Array.from(durations).sort();
    return {
      ...summary,
      p50Ms: percentileMs(sorted, 50),
      p95Ms: percentileMs(sorted, 95),
      maxMs: wholeMs(sorted.at(-1) ?? null),
    };
  });
}
