/**
 * How far a board goes. A task has as many hosts and names of steps as its events give it, but an
 * answer is one text in memory: what is beyond is left out of boards and summaries, and stays
 * there in the task's runs, which come in pages.
 */
import { ANSWER_MAX, tooHeavyBoards } from '../answer-bounds.ts';
import { compareText } from '../text/text-order.ts';
import type { TaskMatrix } from './views.ts';

/** Columns: the plan (at most 100), then others by name. */
export const MATRIX_STEPS_MAX = 1_000;
/** Rows, by name: as many hosts as a task can be declared to wait for. */
export const MATRIX_HOSTS_MAX = 100_000;
/** Bounds the whole board: the more columns, the fewer rows. */
export const MATRIX_CELLS_MAX = 10_000_000;

/** Planned steps in order, then others by name, as far as a board goes. */
export function stepOrder(plan: readonly string[], names: Iterable<string>): string[] {
  const planned = new Set(plan);
  const others = new Set([...names].filter((name) => !planned.has(name)));
  return [...planned, ...[...others].sort(compareText)].slice(0, MATRIX_STEPS_MAX);
}

/** How many hosts a board of so many steps shows. */
export function hostsShown(steps: number): number {
  return Math.min(MATRIX_HOSTS_MAX, Math.floor(MATRIX_CELLS_MAX / Math.max(steps, 1)));
}

/** Characters of a board's names and cells. */
export function matrixLength({ hosts, steps, cells }: TaskMatrix): number {
  let length = cells.length;
  for (const host of hosts) length += host.length;
  for (const step of steps) length += step.length;
  return length;
}

/** What the boards of one call are together: they are all in memory at once. */
export class MatrixWeight {
  #left = ANSWER_MAX;

  /** Throws QUERY_TOO_COMPLEX where the boards so far are too much. */
  add(matrix: TaskMatrix): void {
    this.#left -= matrixLength(matrix);
    if (this.#left < 0) throw tooHeavyBoards();
  }
}
