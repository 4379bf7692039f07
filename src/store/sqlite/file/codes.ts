/**
 * Names as small numbers in the database. The order of each list is part of the schema: append
 * only. Run statuses stand in the order of FAILED_FIRST.
 */
import {
  EVENT_KINDS,
  type EventKind,
  LOG_LEVELS,
  LOG_STREAMS,
  type LogLevel,
  type LogStream,
  type RunStatus,
  STEP_STATUSES,
  type StepStatus,
  TASK_STATUSES,
  type TaskStatus,
} from '../../../domain/event/event.ts';

class Codes<T extends string> {
  readonly #names: readonly T[];
  readonly #codes: ReadonlyMap<string, number>;

  constructor(names: readonly T[]) {
    this.#names = names;
    this.#codes = new Map(names.map((name, code) => [name, code]));
  }

  /** -1 for a name that is none: no row has it. */
  code(name: string): number {
    return this.#codes.get(name) ?? -1;
  }

  codeOrNull(name: string | null): number | null {
    return name === null ? null : this.code(name);
  }

  name(code: number): T {
    return this.#names[code] as T;
  }

  nameOrNull(code: number | null): T | null {
    return code === null ? null : this.name(code);
  }
}

export const kinds = new Codes<EventKind>(EVENT_KINDS);
export const levels = new Codes<LogLevel>(LOG_LEVELS);
export const streams = new Codes<LogStream>(LOG_STREAMS);
export const stepStatuses = new Codes<StepStatus>(STEP_STATUSES);
export const taskStatuses = new Codes<TaskStatus>(TASK_STATUSES);
export const runStatuses = new Codes<RunStatus>([
  'FAILED',
  'RUNNING',
  'CANCELLED',
  'PENDING',
  'NOT_RUN',
  'SUCCEEDED',
]);

/** WARN: events at or above it have an index of their own. */
export const SEVERE = levels.code('WARN');

/** Where a sorted column has no time or duration. */
export const NEVER = -Number.MAX_SAFE_INTEGER;

export function orNever(value: number | null): number {
  return value ?? NEVER;
}
