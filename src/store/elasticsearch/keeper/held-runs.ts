/** Runs of one task as a keeper has them in memory, where searches do not show all of them as they are. */
import { planOf, type RunState, type TaskState } from '../../../domain/fold/fold.ts';
import type { ViewsAsked } from '../../store.ts';
import type { RunEntry, TaskEntry } from './task-entry.ts';

/** Runs of a task that is counted and listed in memory as a whole. */
export const WHOLE_RUNS_MAX = 500;
/** Runs of a larger task that are taken from memory while the others are searched for. */
export const CHANGED_RUNS_MAX = 5_000;
/** Characters of the names of their hosts, for searches name them all. */
const NAMES_MAX = 256 * 1024;
/** Steps of all runs of one task together; so many take milliseconds. */
const STEPS_MAX = 20_000;

export interface HeldRuns {
  task: TaskState;
  over: boolean;
  runs: RunState[];
  /** null: they are all there are. Else all there are on these hosts; searches show the others. */
  hosts: readonly string[] | null;
}

/** What they are held for. */
export type HeldFor = Exclude<ViewsAsked, 'BY_ID' | 'BY_SEARCH'>;

export function areTooMany(hosts: readonly string[]): boolean {
  const characters = hosts.reduce((sum, host) => sum + host.length, 0);
  return hosts.length > CHANGED_RUNS_MAX || characters > NAMES_MAX;
}

/** null: they have too many steps. */
export function heldRuns(
  { state: task, over }: TaskEntry,
  entries: readonly RunEntry[],
  hosts: HeldRuns['hosts'],
): HeldRuns | null {
  // What could not be laid out is in no view.
  const runs = entries.flatMap(({ base, state }) => (base === null ? [] : state));
  const plan = new Set(planOf(task));
  let count = plan.size * runs.length;
  for (const { steps } of runs) count += steps.filter(([name]) => !plan.has(name)).length;
  return count > STEPS_MAX ? null : { task, over, runs, hosts };
}
