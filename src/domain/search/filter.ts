/**
 * What lists, aggregations and tails can be narrowed by.
 *
 * Within a list OR, between fields AND; an empty list is the same as none. `from` is inclusive,
 * `to` exclusive, both epoch milliseconds. A host name may end in `*`. `matchesEvent` is the live
 * path's meaning of an EventFilter; both engines must select the very same events.
 */
import type {
  EventKind,
  LogEvent,
  LogLevel,
  LogStream,
  RunStatus,
  StepStatus,
  TaskStatus,
} from '../event/event.ts';
import { LOG_LEVELS } from '../event/event.ts';
import type { TaskView } from '../fold/views.ts';
import { matchesSearch, type SearchQuery } from './search.ts';

export interface LabelFilter {
  key: string;
  value: string;
}

export interface EventFilter {
  taskId?: string;
  kinds?: EventKind[];
  services?: string[];
  environments?: string[];
  hosts?: string[];
  steps?: string[];
  attempts?: number[];
  levels?: LogLevel[];
  minLevel?: LogLevel;
  statuses?: StepStatus[];
  streams?: LogStream[];
  sources?: string[];
  search?: SearchQuery;
  from?: number;
  to?: number;
  labels?: LabelFilter[];
}

export interface StepFilter {
  taskId?: string;
  services?: string[];
  environments?: string[];
  versions?: string[];
  hosts?: string[];
  steps?: string[];
  statuses?: StepStatus[];
  /** from, to: of startedAt. */
  from?: number;
  to?: number;
  minDurationMs?: number;
  errorCode?: string;
}

export interface RunFilter {
  taskId?: string;
  services?: string[];
  environments?: string[];
  versions?: string[];
  hosts?: string[];
  statuses?: RunStatus[];
  stale?: boolean;
  outOfRotation?: boolean;
  failedStep?: string;
  /** from, to: of startedAt. */
  from?: number;
  to?: number;
}

export interface TaskFilter {
  ids?: string[];
  services?: string[];
  environments?: string[];
  versions?: string[];
  statuses?: TaskStatus[];
  createdBy?: string[];
  /** Tasks that have a run on this host (a pattern as everywhere). */
  host?: string;
  /** from, to: of createdAt. */
  from?: number;
  to?: number;
  /** Words of id, title, service, version, environment and createdBy; all must be there. */
  search?: SearchQuery;
  labels?: LabelFilter[];
}

export interface HostFilter {
  names?: string[];
  namePrefix?: string;
  labels?: LabelFilter[];
  seenSince?: number;
}

function allows<T>(list: readonly T[] | undefined, value: T | null): boolean {
  return list === undefined || list.length === 0 || (value !== null && list.includes(value));
}

export function matchesHost(patterns: readonly string[] | undefined, host: string | null): boolean {
  if (patterns === undefined || patterns.length === 0) return true;
  if (host === null) return false;
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? host.startsWith(pattern.slice(0, -1)) : host === pattern,
  );
}

function matchesLabels(
  filters: readonly LabelFilter[] | undefined,
  labels: Record<string, unknown>,
): boolean {
  return (filters ?? []).every(
    ({ key, value }) => Object.hasOwn(labels, key) && String(labels[key]) === value,
  );
}

export function matchesEvent(filter: EventFilter, event: LogEvent): boolean {
  return (
    (filter.taskId === undefined || filter.taskId === event.taskId) &&
    allows(filter.kinds, event.kind) &&
    allows(filter.services, event.service) &&
    allows(filter.environments, event.environment) &&
    matchesHost(filter.hosts, event.host) &&
    allows(filter.steps, event.step) &&
    allows(filter.attempts, event.attempt) &&
    allows(filter.levels, event.level) &&
    (filter.minLevel === undefined ||
      LOG_LEVELS.indexOf(event.level) >= LOG_LEVELS.indexOf(filter.minLevel)) &&
    allows(filter.statuses as readonly string[] | undefined, event.status) &&
    allows(filter.streams, event.stream) &&
    allows(filter.sources, event.source) &&
    (filter.from === undefined || event.at >= filter.from) &&
    (filter.to === undefined || event.at < filter.to) &&
    matchesLabels(filter.labels, event.labels) &&
    (filter.search === undefined || matchesSearch(filter.search, event))
  );
}

/** TaskFilter on one task's own fields: all but `host` and `search`, which need the store. */
export function matchesTask(filter: TaskFilter, task: TaskView): boolean {
  return (
    allows(filter.ids, task.id) &&
    allows(filter.services, task.service) &&
    allows(filter.environments, task.environment) &&
    allows(filter.versions, task.version) &&
    allows(filter.statuses, task.status) &&
    allows(filter.createdBy, task.createdBy) &&
    (filter.from === undefined || task.createdAt >= filter.from) &&
    (filter.to === undefined || task.createdAt < filter.to) &&
    matchesLabels(filter.labels, task.labels)
  );
}
