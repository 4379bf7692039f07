/** Runs and steps from their rows: the fold's states are stored, and what they mean is derived. */
import { deriveRun, emptyRun, type RunState, type TaskState } from '../../../domain/fold/fold.ts';
import type { RunView, StepView } from '../../../domain/fold/views.ts';

export type RunRow = [
  task: number,
  host: string,
  state: string | null,
  taskId: string,
  taskState: string,
  over: number,
  ...rest: unknown[],
];

/** Derives runs; the state of a task that many of them share is parsed once. */
export class RunReader {
  readonly #tasks = new Map<number, TaskState>();

  view(row: RunRow): RunView {
    const [key, host, state, taskId, taskState, over] = row;
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = JSON.parse(taskState) as TaskState;
      this.#tasks.set(key, task);
    }
    const empty = emptyRun(taskId, host);
    if (state === null) return deriveRun(empty, task, over === 1);
    try {
      return deriveRun(JSON.parse(state) as RunState, task, over === 1);
    } catch {
      // Set aside, which the log names: those beside it are shown all the same.
      return deriveRun(empty, task, over === 1);
    }
  }

  /** null where the run has no such step. */
  step(row: RunRow, name: string): StepView | null {
    return this.view(row).steps.find((step) => step.name === name) ?? null;
  }
}

/** A task's state from the two columns that hold it. */
export function taskStateOf(state: string, hosts: string | null): TaskState {
  const parsed = JSON.parse(state) as TaskState;
  return hosts === null ? parsed : { ...parsed, hosts: JSON.parse(hosts) };
}
