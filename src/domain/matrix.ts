/**
 * How far a board goes. A task has as many hosts and names of steps as its events give it, but an
 * answer is one text in memory: what is beyond is left out of boards and summaries, and stays
 * there in the task's runs, which come in pages.
 */
import type { TaskMatrix } from './views.ts';

/** Columns: the plan (at most 100), then others by name. */
export const MATRIX_STEPS_MAX = 1_000;
/** Rows, by name: as many hosts as a task can be declared to wait for. */
export const MATRIX_HOSTS_MAX = 100_000;
/** Of many columns there are fewer rows. */
export const MATRIX_CELLS_MAX = 10_000_000;

/** Planned steps in order, then others by name, as far as a board goes. */
export function stepOrder(plan: readonly string[], names: Iterable<string>): string[] {
  const planned = new Set(plan);
  const others = new Set([...names].filter((name) => !planned.has(name)));
  return [...planned, ...[...others].sort()].slice(0, MATRIX_STEPS_MAX);
}

/** How many hosts a board of so many steps shows. */
export function hostsShown(steps: number): number {
  return Math.min(MATRIX_HOSTS_MAX, Math.floor(MATRIX_CELLS_MAX / Math.max(steps, 1)));
}

/** The first columns and rows of a board that is too large. */
export function boundedMatrix(matrix: TaskMatrix): TaskMatrix {
  const width = matrix.steps.length;
  const steps = matrix.steps.slice(0, MATRIX_STEPS_MAX);
  const hosts = matrix.hosts.slice(0, hostsShown(steps.length));
  if (steps.length === width && hosts.length === matrix.hosts.length) return matrix;
  const cells = hosts.map((_, row) => matrix.cells.slice(row * width, row * width + steps.length));
  return { steps, hosts, cells: cells.join('') };
}
