/** The runs of a task as they are in memory: what is counted there instead of being searched for. */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { deriveRun, planOf } from '../../../domain/fold/fold.ts';
import { countRuns, summariseSteps } from '../../../domain/fold/task-stats.ts';
import type { RunView, TaskStats } from '../../../domain/fold/views.ts';
import { compareText } from '../../../domain/text/text-order.ts';
import type { HeldRuns } from '../keeper/held-runs.ts';

const RUNS_AT_A_TIME = 100;

/** By host, as searches have them. */
export async function runsOf({ task, over, runs }: HeldRuns): Promise<RunView[]> {
  const views: RunView[] = [];
  for (const run of runs) {
    if (views.length % RUNS_AT_A_TIME === RUNS_AT_A_TIME - 1) await othersTurn();
    views.push(deriveRun(run, task, over));
  }
  return views.sort((a, b) => compareText(a.host, b.host));
}

export async function statsOf(
  whole: HeldRuns,
  now: number,
  staleAfterMs: number,
): Promise<TaskStats> {
  const runs = await runsOf(whole);
  const steps = runs.flatMap((run) => run.steps);
  return {
    runCounts: countRuns(runs, now, staleAfterMs),
    stepSummaries: summariseSteps(steps, planOf(whole.task)),
  };
}
