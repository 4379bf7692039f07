/** Runs and steps from their rows: the fold's states are stored, and what they mean is derived. */
import {
  deriveRun,
  emptyRun,
  emptyTask,
  type RunState,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import type { RunView, StepView } from '../../../domain/fold/views.ts';
import type { Connection } from '../file/connection.ts';
import { taskStateOf } from './task-row.ts';

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
  readonly #connection: Connection;
  readonly #tasks = new Map<number, TaskState>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  view(row: RunRow): RunView {
    const [key, host, state, taskId, taskState, over] = row;
    const { aside } = this.#connection;
    let task = this.#tasks.get(key);
    if (task === undefined) {
      const stored = aside.try({ taskId }, () => taskStateOf(taskState, null));
      task = stored ?? emptyTask(taskId);
      this.#tasks.set(key, task);
    }
    const derive = (run: RunState) => deriveRun(run, task, over === 1);
    // One that is set aside is shown as if nothing was reported of it.
    const view =
      state === null
        ? null
        : aside.try({ taskId, host }, () => derive(JSON.parse(state) as RunState));
    return view ?? derive(emptyRun(taskId, host));
  }

  /** null where the run has no such step. */
  step(row: RunRow, name: string): StepView | null {
    return this.view(row).steps.find((step) => step.name === name) ?? null;
  }
}
