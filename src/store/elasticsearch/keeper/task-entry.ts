/** A task with its runs as a keeper folds into them: the states, how they are counted, their weight. */
import { heapBytes } from '../../../domain/event/event-weight.ts';
import type { RunStatus } from '../../../domain/event/event.ts';
import type { RunState, RunTotals, TaskState } from '../../../domain/fold/fold.ts';

export interface RunEntry {
  host: string;
  state: RunState;
  /** null: not counted, and not stored. */
  base: RunStatus | null;
  /** true: what is stored of its steps may be older than the run (a crash between the two). */
  unsure: boolean;
  /** About what its state takes in memory: as it was read, or laid out last. */
  bytes: number;
}

export interface TaskEntry {
  id: string;
  state: TaskState;
  totals: RunTotals;
  over: boolean;
  runs: Map<string, RunEntry>;
  /**
   * As what `totals` has the runs that are not in `runs`, where a keeper before this one may still
   * write; null: as they are stored.
   */
  counted: Map<string, RunStatus> | null;
  /** Every run of the task is in `runs`. */
  complete: boolean;
  /** Hosts whose stored runs cannot be read: they stay as they are. */
  unreadable: Set<string>;
  usedAt: number;
  /** About what `state` takes in memory. */
  bytes: number;
}

/** What a run takes that nothing is known of, and what a run takes that is only counted. */
const EMPTY_BYTES = 500;
const COUNTED_BYTES = 100;

/** About what it takes in memory, with its runs. */
export function entryBytes({ bytes: own, runs, counted }: TaskEntry): number {
  let bytes = own + (counted?.size ?? 0) * COUNTED_BYTES;
  for (const run of runs.values()) bytes += run.bytes;
  return bytes;
}

/** About what a state takes in memory that has so many characters as JSON. */
export function stateBytes(characters: number): number {
  return EMPTY_BYTES + characters;
}

/** The same of a task: what may be long of it are its labels, its plan and the hosts that it names. */
export function taskBytes({ hosts, plan, labels }: TaskState): number {
  return stateBytes(JSON.stringify([plan, labels]).length) + heapBytes(hosts);
}
