/** What a board must show: a fold of the raw events, kept in memory as they are sent. */
import type { LogEvent } from '../src/domain/event/event.ts';
import { deriveRun, emptyRun, emptyTask, foldRun, type RunState } from '../src/domain/fold/fold.ts';
import { cellLetter, type TaskMatrix } from '../src/domain/fold/views.ts';

export class BoardFold {
  readonly #taskId: string;
  readonly #states = new Map<string, RunState>();
  #seq = 0;

  constructor(taskId: string) {
    this.#taskId = taskId;
  }

  add(event: LogEvent): void {
    const host = event.host as string;
    const stored = { ...event, position: { shard: 'raw', seq: ++this.#seq } };
    const state = this.#states.get(host) ?? emptyRun(this.#taskId, host);
    this.#states.set(host, foldRun(state, stored));
  }

  /** How many hosts there are, and of each status that a task counts. */
  counts(): Record<'total' | 'running' | 'succeeded' | 'failed', number> {
    const task = emptyTask(this.#taskId);
    const counts = { total: 0, running: 0, succeeded: 0, failed: 0 };
    for (const state of this.#states.values()) {
      counts.total++;
      const { status } = deriveRun(state, task, false);
      if (status === 'RUNNING') counts.running++;
      else if (status === 'SUCCEEDED') counts.succeeded++;
      else if (status === 'FAILED') counts.failed++;
    }
    return counts;
  }

  /** How many cells of the board are others, or missing. `over`: the task has ended. */
  differences(matrix: TaskMatrix, over: boolean): number {
    const task = emptyTask(this.#taskId);
    const cells = new Map<string, string>();
    for (const state of this.#states.values()) {
      const { host, steps } = deriveRun(state, task, over);
      for (const { name, status } of steps) cells.set(`${host} ${name}`, cellLetter(status, false));
    }
    let different = 0;
    matrix.hosts.forEach((host, row) => {
      matrix.steps.forEach((step, column) => {
        const name = `${host} ${step}`;
        if (matrix.cells[row * matrix.steps.length + column] !== cells.get(name)) different++;
        cells.delete(name);
      });
    });
    return different + cells.size;
  }
}
