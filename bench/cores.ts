/**
 * Which cores a process may use (Linux, `taskset`). An engine that shares its cores with the server before it
 * has fewer left than it has alone: on two cores that says more of the machine than of the server.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The cores as `taskset` names them: half for an engine, the others for the server and its load. */
export interface Halves {
  engine: string;
  others: string;
  all: string;
}

/** null: this machine cannot keep processes apart. */
export function halves(): Halves | null {
  const cores = availableParallelism();
  if (cores < 2) return null;
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const half = Math.floor(cores / 2);
  const range = (from: number, to: number) => (from === to ? `${from}` : `${from}-${to}`);
  return { engine: range(0, half - 1), others: range(half, cores - 1), all: range(0, cores - 1) };
}

/** All threads of the process; those that it starts later inherit it. */
export function keepTo(cores: string, pid: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)], {
    stdio: 'ignore',
  });
}
