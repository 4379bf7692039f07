/**
 * The writer's memory of tasks and runs: their folded states, with events in them that the stored
 * views do not have yet. What is dirty is held until it is written; the rest may be forgotten.
 */

import { LRUCache } from 'lru-cache';
import type { RunStatus } from '../../../domain/event/event.ts';
import {
  emptyRun,
  emptyTask,
  NO_RUNS,
  type RunState,
  type RunTotals,
  type TaskState,
} from '../../../domain/fold/fold.ts';
import { runStatuses } from '../file/codes.ts';
import type { Connection } from '../file/connection.ts';
import { GIVEN_KEYS, readMeta } from '../file/meta.ts';
import { storedTaskOf } from '../read/task-row.ts';
import { isExpired } from './expired.ts';

/** How many are remembered, besides those that are dirty. */
export interface EntryBounds {
  tasks: number;
  runs: number;
}
const BOUNDS: EntryBounds = { tasks: 2_000, runs: 10_000 };

export interface TaskEntry {
  readonly key: number;
  readonly day: number;
  state: TaskState;
  totals: RunTotals;
  over: boolean;
  events: number;
  firstSeq: number;
  /** Has no row yet. */
  isNew: boolean;
  /** As last written, to see what has changed since. */
  written: TaskState;
  writtenWords: string;
  /** Its state cannot be read: what is stored of it and its runs stays, until it is folded anew. */
  aside: boolean;
}

export interface RunEntry {
  readonly key: number;
  /** The name that it is remembered by. */
  readonly name: string;
  /** The task as it is remembered now: it may be forgotten and loaded anew while its runs stay. */
  task: TaskEntry;
  state: RunState;
  /** The base status that the task's totals count; null: not counted yet. */
  base: RunStatus | null;
  /** Has no row yet. */
  isNew: boolean;
  /** Has only the row that its first event made: neither counted nor with steps. */
  unwritten: boolean;
  /** Steps that events touched since it was written. */
  readonly touched: Set<string>;
  /** Its state cannot be read or folded: what is stored of it stays, until it is folded anew. */
  aside: boolean;
}

/** `runs.base` of a run that is not yet written: readers leave it out. */
const UNWRITTEN = -1;

interface TaskRow {
  key: number;
  day: number;
  first_seq: number;
  events: number;
  state: string;
  totals: string;
  over: number;
  hosts: string | null;
}
interface RunRow {
  key: number;
  host: string;
  state: string | null;
  base: number;
}

export class Entries {
  readonly #connection: Connection;
  readonly #tasks: LRUCache<string, TaskEntry>;
  readonly #runs: LRUCache<string, RunEntry>;
  readonly dirtyTasks = new Map<string, TaskEntry>();
  readonly dirtyRuns = new Map<string, RunEntry>();
  #nextTask: number;
  #nextRun: number;

  constructor(connection: Connection, bounds: EntryBounds = BOUNDS) {
    this.#connection = connection;
    this.#tasks = new LRUCache({ max: bounds.tasks });
    this.#runs = new LRUCache({ max: bounds.runs });
    this.#nextTask = this.#next('tasks');
    this.#nextRun = this.#next('runs');
  }

  /** Never a key that was given before: events of a removed task or run may be there yet. */
  #next(table: 'tasks' | 'runs'): number {
    const given = readMeta(this.#connection, GIVEN_KEYS[table]);
    return Math.max(given, greatestKey(this.#connection, table)) + 1;
  }

  /** Forgets everything: what was folded in was rolled back, or rows were removed. */
  forget(): void {
    this.clean();
    this.#tasks.clear();
    this.#runs.clear();
    this.#nextTask = this.#next('tasks');
    this.#nextRun = this.#next('runs');
  }

  /** All that was dirty is written. */
  clean(): void {
    for (const run of this.dirtyRuns.values()) run.touched.clear();
    this.dirtyTasks.clear();
    this.dirtyRuns.clear();
  }

  touchTask(task: TaskEntry): void {
    this.dirtyTasks.set(task.state.id, task);
  }

  touchRun(run: RunEntry, step: string): void {
    this.dirtyRuns.set(run.name, run);
    run.touched.add(step);
  }

  /** The task, made with `day` where it is unknown; null where retention has removed it. */
  task(id: string, day: number): TaskEntry | null {
    const known = this.dirtyTasks.get(id) ?? this.#tasks.get(id) ?? this.#loadTask(id);
    if (known !== null) return known;
    if (isExpired(this.#connection, id)) return null;
    const state = emptyTask(id);
    const entry: TaskEntry = {
      key: this.#nextTask++,
      day,
      state,
      totals: NO_RUNS,
      over: false,
      events: 0,
      firstSeq: 0,
      isNew: true,
      written: state,
      writtenWords: '',
      aside: false,
    };
    this.#tasks.set(id, entry);
    return entry;
  }

  #loadTask(id: string): TaskEntry | null {
    const row = this.#connection.get<TaskRow>(
      `SELECT t.key, t.day, t.first_seq, t.events, t.state, t.totals, t.over, h.hosts
       FROM tasks t LEFT JOIN task_hosts h ON h.task = t.key WHERE t.id = ?`,
      id,
    );
    if (row === undefined) return null;
    const stored = this.#connection.aside.try({ taskId: id }, () => storedTaskOf(row));
    const { state, totals } = stored ?? { state: emptyTask(id), totals: NO_RUNS };
    const entry: TaskEntry = {
      key: row.key,
      day: row.day,
      state,
      totals,
      over: row.over === 1,
      events: row.events,
      firstSeq: row.first_seq,
      isNew: false,
      written: state,
      writtenWords: '',
      aside: stored === null,
    };
    this.#tasks.set(id, entry);
    return entry;
  }

  /** Where it is dirty, so is its task, and that is the same one. */
  #knownRun(task: TaskEntry, name: string): RunEntry | undefined {
    const known = this.dirtyRuns.get(name) ?? this.#runs.get(name);
    if (known !== undefined) known.task = task;
    return known;
  }

  /** The run, made where it is unknown. */
  run(task: TaskEntry, host: string): RunEntry {
    const name = runName(task, host);
    const known = this.#knownRun(task, name);
    if (known !== undefined) return known;
    const row = task.isNew
      ? undefined
      : this.#connection.get<RunRow>(
          'SELECT key, host, state, base FROM runs WHERE task = ? AND host = ?',
          task.key,
          host,
        );
    const entry = row === undefined ? this.#newRun(task, host) : runEntry(task, row);
    this.#runs.set(name, entry);
    return entry;
  }

  #newRun(task: TaskEntry, host: string): RunEntry {
    const state = emptyRun(task.state.id, host);
    return {
      key: this.#nextRun++,
      name: runName(task, host),
      task,
      state,
      base: null,
      isNew: true,
      unwritten: true,
      touched: new Set(),
      aside: false,
    };
  }

  /** All runs of a task. */
  runsOf(task: TaskEntry): RunEntry[] {
    const rows = this.#connection.all<RunRow>(
      'SELECT key, host, state, base FROM runs WHERE task = ?',
      task.key,
    );
    return rows.map((row) => this.#knownRun(task, runName(task, row.host)) ?? runEntry(task, row));
  }

  dropRun(run: RunEntry): void {
    this.#runs.delete(run.name);
    this.dirtyRuns.delete(run.name);
  }
}

/** 0: the table is empty. */
export function greatestKey(connection: Connection, table: 'tasks' | 'runs'): number {
  return connection.get<{ key: number | null }>(`SELECT max(key) AS key FROM ${table}`)?.key ?? 0;
}

function runName(task: TaskEntry, host: string): string {
  return `${task.key} ${host}`;
}

function runEntry(task: TaskEntry, row: RunRow): RunEntry {
  const state = readState(row.state);
  return {
    key: row.key,
    name: runName(task, row.host),
    task,
    state: state ?? emptyRun(task.state.id, row.host),
    base: row.base === UNWRITTEN ? null : runStatuses.name(row.base),
    isNew: false,
    unwritten: row.base === UNWRITTEN,
    touched: new Set(),
    aside: state === undefined,
  };
}

/** null: there is none; undefined: it cannot be read. */
function readState(text: string | null): RunState | null | undefined {
  if (text === null) return null;
  try {
    const state = JSON.parse(text) as RunState;
    return Array.isArray(state.steps) && Array.isArray(state.sources) ? state : undefined;
  } catch {
    return undefined;
  }
}
