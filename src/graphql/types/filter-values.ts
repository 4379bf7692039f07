/**
 * Filters as clients send them → filters as the port takes them. Null and empty lists are absent;
 * what cannot be meant (an empty name, a range that holds nothing) is BAD_INPUT with its path, for
 * a filter that silently finds nothing is taken for "nothing happened".
 */

import { badInput, ShiplogError } from '../../domain/errors.ts';
import { parseDateTime } from '../../domain/event/date-time.ts';
import { LIMITS } from '../../domain/event/limits.ts';
import {
  type EventFilter,
  type HostFilter,
  type LabelFilter,
  matchesHost,
  type RunFilter,
  type StepFilter,
  type TaskFilter,
} from '../../domain/search/filter.ts';
import { parseSearch, type SearchQuery } from '../../domain/search/search.ts';
import type {
  EventFilterInput,
  HostFilterInput,
  RunFilterInput,
  StepFilterInput,
  TaskFilterInput,
} from './filters.ts';

/** Values in one list of a filter. */
const VALUES_MAX = 1_000;
/** No stored name or value is longer than a label's value. */
const TEXT_MAX = LIMITS.labelValue;

type Given<T> = T | null | undefined;
export type EventFilterArg = Given<typeof EventFilterInput.$inferInput>;
export type StepFilterArg = Given<typeof StepFilterInput.$inferInput>;
export type RunFilterArg = Given<typeof RunFilterInput.$inferInput>;
export type TaskFilterArg = Given<typeof TaskFilterInput.$inferInput>;
export type HostFilterArg = Given<typeof HostFilterInput.$inferInput>;

function text(value: Given<string>, field: string): string | undefined {
  return value === null || value === undefined ? undefined : checked(value, field, TEXT_MAX);
}

function checked(value: string, field: string, max: number): string {
  if (value === '') throw badInput(`${field} must not be empty`, field);
  if (value.length > max) throw badInput(`${field} is longer than ${max} characters`, field);
  if (!value.isWellFormed()) throw badInput(`${field} holds half a surrogate pair`, field);
  return value;
}

/** Any moment of a DateTime, also one of long ago, which comes as text. */
export function readMoment(value: Given<number | string>): number | null {
  return value === null || value === undefined ? null : parseDateTime(value);
}

/** The id of a task that may not have begun yet. An id that no task can have is refused, not waited for. */
export function readTaskId(value: string, field: string): string {
  return checked(value, field, LIMITS.taskId);
}

function host(value: Given<string>, field: string): string | undefined {
  const pattern = text(value, field);
  const star = pattern?.indexOf('*') ?? -1;
  if (pattern !== undefined && star >= 0 && star < pattern.length - 1) {
    throw badInput(`${field}: "*" is understood only at the end of a name`, field);
  }
  return pattern;
}

function list<T>(values: Given<readonly T[]>, field: string): T[] | undefined {
  if (values === null || values === undefined || values.length === 0) return undefined;
  if (values.length > VALUES_MAX) {
    throw badInput(`${field} has more than ${VALUES_MAX.toLocaleString('en')} values`, field);
  }
  return [...new Set(values)];
}

function texts(
  values: Given<readonly string[]>,
  field: string,
  check: typeof text = text,
): string[] | undefined {
  for (const [index, value] of (values ?? []).slice(0, VALUES_MAX).entries()) {
    check(value, `${field}[${index}]`);
  }
  return list(values, field);
}

function labels(values: Given<readonly LabelFilter[]>, field: string): LabelFilter[] | undefined {
  const all = list(values, field);
  return all?.map(({ key, value }, index) => {
    text(key, `${field}[${index}].key`);
    return { key, value };
  });
}

function range(
  fromArg: Given<number | string>,
  toArg: Given<number | string>,
  field: string,
): { from?: number; to?: number } {
  const from = readMoment(fromArg);
  const to = readMoment(toArg);
  if (from !== null && to !== null && from >= to) {
    throw badInput(`${field}.to must be later than ${field}.from`, `${field}.to`);
  }
  return { ...(from !== null && { from }), ...(to !== null && { to }) };
}

function search(value: Given<string>, field: string): SearchQuery | undefined {
  if (value === null || value === undefined) return undefined;
  try {
    return parseSearch(value) ?? undefined;
  } catch (error) {
    if (!(error instanceof ShiplogError)) throw error;
    throw new ShiplogError(error.code, error.message, { field, cause: error });
  }
}

function number(value: Given<number>, field: string, min: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value < min) throw badInput(`${field} must be at least ${min}`, field);
  return value;
}

/** Without the fields that were not given: the port and the hash of a tail's filter know none. */
function defined<T extends object>(filter: { [K in keyof T]: T[K] | undefined }): T {
  for (const key of Object.keys(filter) as (keyof T)[]) {
    if (filter[key] === undefined) delete filter[key];
  }
  return filter as T;
}

export function readEventFilter(arg: EventFilterArg, field = 'filter'): EventFilter {
  if (arg === null || arg === undefined) return {};
  for (const [index, attempt] of (arg.attempts ?? []).entries()) {
    number(attempt, `${field}.attempts[${index}]`, 1);
  }
  return defined<EventFilter>({
    taskId: text(arg.taskId, `${field}.taskId`),
    kinds: list(arg.kinds, `${field}.kinds`),
    services: texts(arg.services, `${field}.services`),
    environments: texts(arg.environments, `${field}.environments`),
    hosts: texts(arg.hosts, `${field}.hosts`, host),
    steps: texts(arg.steps, `${field}.steps`),
    attempts: list(arg.attempts, `${field}.attempts`),
    levels: list(arg.levels, `${field}.levels`),
    minLevel: arg.minLevel ?? undefined,
    statuses: list(arg.statuses, `${field}.statuses`),
    streams: list(arg.streams, `${field}.streams`),
    sources: texts(arg.sources, `${field}.sources`),
    search: search(arg.search, `${field}.search`),
    labels: labels(arg.labels, `${field}.labels`),
    ...range(arg.from, arg.to, field),
  });
}

export function readStepFilter(arg: StepFilterArg, field = 'filter'): StepFilter {
  if (arg === null || arg === undefined) return {};
  return defined<StepFilter>({
    taskId: text(arg.taskId, `${field}.taskId`),
    services: texts(arg.services, `${field}.services`),
    environments: texts(arg.environments, `${field}.environments`),
    versions: texts(arg.versions, `${field}.versions`),
    hosts: texts(arg.hosts, `${field}.hosts`, host),
    steps: texts(arg.steps, `${field}.steps`),
    statuses: list(arg.statuses, `${field}.statuses`),
    minDurationMs: number(arg.minDurationMs, `${field}.minDurationMs`, 0),
    errorCode: text(arg.errorCode, `${field}.errorCode`),
    ...range(arg.from, arg.to, field),
  });
}

export function readRunFilter(arg: RunFilterArg, field = 'filter'): RunFilter {
  if (arg === null || arg === undefined) return {};
  return defined<RunFilter>({
    taskId: text(arg.taskId, `${field}.taskId`),
    services: texts(arg.services, `${field}.services`),
    environments: texts(arg.environments, `${field}.environments`),
    versions: texts(arg.versions, `${field}.versions`),
    hosts: texts(arg.hosts, `${field}.hosts`, host),
    statuses: list(arg.statuses, `${field}.statuses`),
    stale: arg.stale ?? undefined,
    outOfRotation: arg.outOfRotation ?? undefined,
    failedStep: text(arg.failedStep, `${field}.failedStep`),
    ...range(arg.from, arg.to, field),
  });
}

export function readTaskFilter(arg: TaskFilterArg, field = 'filter'): TaskFilter {
  if (arg === null || arg === undefined) return {};
  return defined<TaskFilter>({
    ids: texts(arg.ids, `${field}.ids`),
    services: texts(arg.services, `${field}.services`),
    environments: texts(arg.environments, `${field}.environments`),
    versions: texts(arg.versions, `${field}.versions`),
    statuses: list(arg.statuses, `${field}.statuses`),
    createdBy: texts(arg.createdBy, `${field}.createdBy`),
    host: host(arg.host, `${field}.host`),
    search: search(arg.search, `${field}.search`),
    labels: labels(arg.labels, `${field}.labels`),
    ...range(arg.from, arg.to, field),
  });
}

export function readHostFilter(arg: HostFilterArg, field = 'filter'): HostFilter {
  if (arg === null || arg === undefined) return {};
  return defined<HostFilter>({
    names: texts(arg.names, `${field}.names`, host),
    namePrefix: text(arg.namePrefix, `${field}.namePrefix`),
    labels: labels(arg.labels, `${field}.labels`),
    seenSince: readMoment(arg.seenSince) ?? undefined,
  });
}

/** A filter below one task, host or step: it may say the same again, but nothing else. */
export function within<F extends { taskId?: string; hosts?: string[]; steps?: string[] }>(
  filter: F,
  owner: { taskId?: string; host?: string; step?: string },
): F {
  const { taskId, host: name, step } = owner;
  if (taskId !== undefined && (filter.taskId ?? taskId) !== taskId) {
    throw badInput('this list is of one task: leave filter.taskId out', 'filter.taskId');
  }
  if (name !== undefined && !matchesHost(filter.hosts, name)) {
    throw badInput('this list is of one host: leave filter.hosts out', 'filter.hosts');
  }
  if (step !== undefined && filter.steps?.includes(step) === false) {
    throw badInput('this list is of one step: leave filter.steps out', 'filter.steps');
  }
  return {
    ...filter,
    ...(taskId !== undefined && { taskId }),
    ...(name !== undefined && { hosts: [name] }),
    ...(step !== undefined && { steps: [step] }),
  };
}
